#include <config.h>

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && io_write_all(fd, text, strlen(text)) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

/* What could not be done, or NULL. */
static const char *enter(void)
{
	char uid_map[64], gid_map[64];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	if (mkdir(PRIVATE_DIR, 0755) < 0 && errno != EEXIST)
		return "make " PRIVATE_DIR;
	if (geteuid() == 0) {
		if (unshare(CLONE_NEWNS) < 0)
			return "make a mount namespace";
	} else if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !write_text("/proc/self/setgroups", "deny") ||
		   !write_text("/proc/self/uid_map", uid_map) || !write_text("/proc/self/gid_map", gid_map)) {
		return "make a user namespace";
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "detach the mount namespace";
	if (mount("unit", PRIVATE_DIR, "tmpfs", MS_NOSUID, "mode=0755") < 0)
		return "mount a tmpfs";
	return NULL;
}

void private_setup(void)
{
	const char *failed;

	unit_setup();
	failed = enter();
	ck_assert_msg(!failed, "cannot %s: %s", failed, strerror(errno));
	/* the old descriptor leads to the old namespace, where programs find no path to it */
	close(unit_dirfd);
	unit_dirfd = open(unit_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(unit_dirfd, 0);
}

const char *private_missing(void)
{
	static char why[256];
	int fds[2];
	ssize_t n = 0;

	if (pipe(fds) < 0)
		return "no pipe";
	/* tried in a child: this process must stay where it is */
	if (fork() == 0) {
		const char *failed = enter();

		if (failed)
			dprintf(fds[1], "cannot %s: %s", failed, strerror(errno));
		_exit(0);
	}
	close(fds[1]);
	n = io_read_full(fds[0], why, sizeof(why) - 1);
	why[n > 0 ? n : 0] = 0;
	close(fds[0]);
	wait(NULL);
	return why[0] ? why : NULL;
}

bool private_is_host_root(void)
{
	unsigned inside = 1, outside = 1, length = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	int n = f ? fscanf(f, "%u %u %u", &inside, &outside, &length) : 0;

	if (f)
		fclose(f);
	return geteuid() == 0 && n == 3 && inside == 0 && outside == 0 && length > 65535;
}

const char *private_path(const char *name)
{
	static char path[8192];

	snprintf(path, sizeof(path), PRIVATE_DIR "/%s", name);
	return path;
}

void private_write(const char *name, const char *text)
{
	char path[8192];
	FILE *f;

	snprintf(path, sizeof(path), "%s", private_path(name));
	for (char *slash = path + strlen(PRIVATE_DIR) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	f = fopen(path, "we");
	ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

const char *private_read(const char *path)
{
	static char text[1 << 20];
	struct err e = { 0 };

	ck_ok(io_read_file(AT_FDCWD, path, text, sizeof(text), &e), e);
	return text;
}

void unit_skip(const char *why)
{
	printf("%s\n", why);
	exit(77);
}

int private_main(const char *name, const TTest *const *tests, size_t n)
{
	const char *missing = private_missing();
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	if (missing)
		unit_skip(missing);
	tcase_add_checked_fixture(tcase, private_setup, unit_teardown);
	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
