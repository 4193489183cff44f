#include <config.h>

#include "step/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"
#include "step/request.h"

static struct err e;
static struct request request = { .job = 77, .step = "3" };

static const struct step_info written = {
	.job = 77, .step = "3", .node = "n1", .user = "DOM\\al ice", .uid = 2001, .image = "debian:12",
	.digest = "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	.start = 1764000000123, .ready_ms = 12.5, .init = 4242, .init_start = 18446744073709551615u,
	.worker = 4241, .worker_start = 18446744073709551614u,
};

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode : 0;
}

static void prepare(void)
{
	ck_ok(rundir_prepare(&e), e);
}

START_TEST(prepare_makes_all)
{
	prepare();
	ck_assert_uint_eq(mode_of(SLXC_RUNDIR), S_IFDIR | 0755);
	ck_assert_uint_eq(mode_of(RUNDIR_STEPS), S_IFDIR | 0755);
	ck_assert_uint_eq(mode_of(RUNDIR_IMAGES), S_IFDIR | 0700);
	ck_assert_uint_eq(mode_of(RUNDIR_MNT), S_IFDIR | 0700);
	prepare();
	ck_assert_int_eq(rmdir(RUNDIR_MNT), 0);
	prepare();
	ck_assert_uint_eq(mode_of(RUNDIR_MNT), S_IFDIR | 0700);
}
END_TEST

START_TEST(prepare_refuses_what_others_can_write)
{
	ck_assert_int_eq(mkdir(SLXC_RUNDIR, 0755), 0);
	ck_assert_int_eq(chmod(SLXC_RUNDIR, 0777), 0);
	ck_refused(rundir_prepare(&e), e, SLXC_RUNDIR " must be a directory of root that only root can write");
	ck_assert_int_eq(chmod(SLXC_RUNDIR, 0755), 0);
	ck_assert_int_eq(mkdir(RUNDIR_STEPS, 0775), 0);
	ck_assert_int_eq(chmod(RUNDIR_STEPS, 0775), 0);
	ck_refused(rundir_prepare(&e), e, RUNDIR_STEPS " must be a directory of root");
}
END_TEST

START_TEST(prepare_refuses_what_is_no_directory)
{
	ck_assert_int_eq(symlink("/tmp", SLXC_RUNDIR), 0);
	ck_refused(rundir_prepare(&e), e, SLXC_RUNDIR " must be a directory of root");
	ck_assert_int_eq(unlink(SLXC_RUNDIR), 0);
	ck_assert_int_eq(mkdir(SLXC_RUNDIR, 0755), 0);
	private_write("run/steps", "");
	ck_refused(rundir_prepare(&e), e, RUNDIR_STEPS " must be a directory of root");
}
END_TEST

START_TEST(prepare_refuses_other_owner)
{
	if (!private_is_host_root())
		return;
	ck_assert_int_eq(mkdir(SLXC_RUNDIR, 0755), 0);
	ck_assert_int_eq(chown(SLXC_RUNDIR, 2001, 0), 0);
	ck_refused(rundir_prepare(&e), e, SLXC_RUNDIR " must be a directory of root");
}
END_TEST

/* Runs f in a child that then stays until its pipe closes; returns its pid when f is done. */
static pid_t hold(void (*f)(struct entry *), int *end)
{
	int ready[2], stay[2];
	char c;
	pid_t pid;

	ck_assert(pipe(ready) == 0 && pipe(stay) == 0);
	pid = fork();
	if (pid == 0) {
		struct entry en;

		close(stay[1]);
		f(&en);
		ck_assert_int_eq(write(ready[1], "", 1), 1);
		_exit(read(stay[0], &c, 1) != 0);
	}
	close(ready[1]);
	close(stay[0]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*end = stay[1];
	return pid;
}

static void create(struct entry *en)
{
	if (entry_create(en, &request, &e) < 0 || entry_write(en, &written, &e) < 0)
		_exit(1);
}

static const char *name_of(pid_t pid)
{
	static char name[64];

	snprintf(name, sizeof(name), "77.3.%d", pid);
	return name;
}

START_TEST(create_and_remove)
{
	struct entry en;
	char path[256];

	prepare();
	create(&en);
	ck_assert_str_eq(en.name, name_of(getpid()));
	snprintf(path, sizeof(path), "%s", private_path("run/steps/"));
	strcat(path, en.name);
	ck_assert_uint_eq(mode_of(path), S_IFDIR | 0755);
	ck_assert_int_ge(fcntl(en.file, F_GETFD), FD_CLOEXEC);
	entry_remove(&en);
	ck_assert_uint_eq(mode_of(path), 0);
	ck_assert_int_eq(en.file, -1);
	entry_remove(&en); /* again: harmless */
}
END_TEST

START_TEST(create_over_what_a_dead_one_with_this_pid_left)
{
	struct entry en;
	char name[128];

	prepare();
	snprintf(name, sizeof(name), "run/steps/%s/info", name_of(getpid()));
	private_write(name, "job=1\nstep=something very long that must not show behind the new text\n\n\n\n\n\n\n\n\n\n\n\n\n\n");
	create(&en);
	ck_assert_ptr_null(strstr(private_read(private_path(name)), "very long"));
	entry_remove(&en);
}
END_TEST

START_TEST(create_without_a_run_directory)
{
	struct entry en = { .file = -1 };

	ck_refused(entry_create(&en, &request, &e), e, "make " RUNDIR_STEPS "/77.3.");
	ck_assert_int_eq(e.code, ENOENT);
}
END_TEST

START_TEST(living_one_keeps_its_lock)
{
	struct step_info info;
	struct entry en;
	pid_t pid, holder = 0;
	int end;

	prepare();
	pid = hold(create, &end);
	ck_ok(entry_adopt(&en, name_of(pid), &holder, &info, &e), e);
	ck_assert_int_eq(holder, pid);
	ck_assert_uint_eq(info.job, written.job);
	ck_assert_str_eq(info.step, written.step);
	ck_assert_str_eq(info.node, written.node);
	ck_assert_str_eq(info.user, written.user);
	ck_assert_uint_eq(info.uid, written.uid);
	ck_assert_str_eq(info.image, written.image);
	ck_assert_str_eq(info.digest, written.digest);
	ck_assert_int_eq(info.start, written.start);
	ck_assert(info.ready_ms > 12.4 && info.ready_ms < 12.6);
	ck_assert_int_eq(info.init, written.init);
	ck_assert_uint_eq(info.init_start, written.init_start);
	ck_assert_int_eq(info.worker, written.worker);
	ck_assert_uint_eq(info.worker_start, written.worker_start);
	close(en.file);
	/* looking did not take the lock away */
	ck_ok(entry_adopt(&en, name_of(pid), &holder, &info, &e), e);
	ck_assert_int_eq(holder, pid);
	close(en.file);
	close(end);
	waitpid(pid, NULL, 0);
}
END_TEST

static void adopt_the_entry_of_parent(struct entry *en)
{
	struct step_info info;
	pid_t holder;

	if (entry_adopt(en, name_of(getppid()), &holder, &info, &e) < 0 || holder != 0)
		_exit(1);
}

START_TEST(dead_one_is_adopted_by_one_only)
{
	struct step_info info;
	struct entry en;
	pid_t pid, adopter, holder = -1;
	char name[128];
	int end;

	prepare();
	pid = hold(create, &end);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	waitpid(pid, NULL, 0);
	close(end);
	ck_ok(entry_adopt(&en, name_of(pid), &holder, &info, &e), e);
	ck_assert_int_eq(holder, 0);
	ck_assert_int_eq(info.init, written.init);
	close(en.file);
	/* a second sweeper sees the first */
	snprintf(name, sizeof(name), "run/steps/%s/info", name_of(getpid()));
	private_write(name, "job=77\nstep=3\n");
	adopter = hold(adopt_the_entry_of_parent, &end);
	ck_ok(entry_adopt(&en, name_of(getpid()), &holder, &info, &e), e);
	ck_assert_int_eq(holder, adopter);
	close(en.file);
	close(end);
	waitpid(adopter, NULL, 0);
	ck_ok(entry_adopt(&en, name_of(getpid()), &holder, &info, &e), e);
	ck_assert_int_eq(holder, 0);
	entry_remove(&en);
	ck_assert_uint_eq(mode_of(private_path(name)), 0);
}
END_TEST

START_TEST(adopt_of_nothing)
{
	struct step_info info;
	struct entry en;
	char longer[80];
	pid_t holder;

	prepare();
	ck_refused(entry_adopt(&en, "77.3.1", &holder, &info, &e), e, "open " RUNDIR_STEPS "/77.3.1/info");
	ck_assert_int_eq(e.code, ENOENT);
	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	ck_refused(entry_adopt(&en, longer, &holder, &info, &e), e, RUNDIR_STEPS "/1111");
	ck_assert_int_eq(e.code, ENAMETOOLONG);
	private_write("target", "job=77\nstep=3\ninit=1\n");
	private_write("run/steps/77.3.2/x", "");
	ck_assert_int_eq(symlink(PRIVATE_DIR "/target", RUNDIR_STEPS "/77.3.2/info"), 0);
	ck_refused(entry_adopt(&en, "77.3.2", &holder, &info, &e), e, "open " RUNDIR_STEPS "/77.3.2/info");
	ck_assert_int_eq(e.code, ELOOP);
}
END_TEST

/* Killed between making the file and writing it: nothing in it may be taken for a process. */
START_TEST(adopt_of_half_an_entry)
{
	static const char *const texts[] = { "", "job=77\n", "job=77\nstep=3\nnode=", "garbage\n\n\xff\xfe", "init=\ninit_start=\n" };

	prepare();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct step_info info;
		struct entry en;
		pid_t holder = -1;

		private_write("run/steps/77.3.9/info", texts[i]);
		ck_ok(entry_adopt(&en, "77.3.9", &holder, &info, &e), e);
		ck_assert_int_eq(holder, 0);
		ck_assert_int_eq(info.init, 0);
		ck_assert_uint_eq(info.init_start, 0);
		entry_remove(&en);
	}
}
END_TEST

/* Nothing that slxc writes may stop what comes behind it from being read. */
START_TEST(empty_fields_are_read_back)
{
	struct step_info empty = { .job = 77, .step = "3", .start = 5, .ready_ms = -1, .init = 4242, .init_start = 99 }, info;
	struct entry en, again;
	pid_t holder;

	prepare();
	create(&en);
	ck_ok(entry_write(&en, &empty, &e), e);
	ck_ok(entry_adopt(&again, en.name, &holder, &info, &e), e);
	ck_assert_str_eq(info.digest, "");
	ck_assert_int_eq(info.start, 5);
	ck_assert_int_eq(info.init, 4242);
	ck_assert_uint_eq(info.init_start, 99);
	close(again.file);
	entry_remove(&en);
}
END_TEST

PRIVATE_MAIN("rundir", prepare_makes_all, prepare_refuses_what_others_can_write, prepare_refuses_what_is_no_directory,
	prepare_refuses_other_owner, create_and_remove, create_over_what_a_dead_one_with_this_pid_left,
	create_without_a_run_directory, living_one_keeps_its_lock, dead_one_is_adopted_by_one_only, adopt_of_nothing,
	adopt_of_half_an_entry, empty_fields_are_read_back)
