#include <config.h>

#include "step/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image.h"
#include "private.h"
#include "step/layers.h"
#include "step/rundir.h"

#define UID 2001
#define GID 2002
#define IN(path) RUNDIR_MNT path

static int mount_image(const struct image *img, const struct conf *conf, uid_t uid, gid_t gid, struct err *e)
{
	pid_t helper = 0;
	int rc = rootfs_mount_image(img, conf, uid, gid, &helper, e);

	rootfs_reap(&helper);
	return rc;
}

static struct err e;
static struct store store;
static struct image img;
static char store_path[PATH_MAX];
static struct conf conf;

static void usual(void)
{
	conf_defaults(&conf);
	conf.scratch_size = 1 << 20;
	conf.scratch_inodes = 64;
	image_make(&store, store_path, &img);
	ck_ok(rundir_prepare(&e), e);
	ck_ok(layers_mount(&store, store_path, &img, &e), e);
	ck_ok(rootfs_enter(UID, GID, &e), e);
}

static void with_image(void)
{
	usual();
	ck_ok(mount_image(&img, &conf, UID, GID, &e), e);
}

static struct stat look(const char *path)
{
	struct stat st = { 0 };

	ck_assert_msg(lstat(path, &st) == 0, "%s: %s", path, strerror(errno));
	return st;
}

/*
 * Runs f as the user, in the place where the container's root would be. The
 * directory above is 0700 root on a real node too: what the user reaches is
 * what liblxc was given.
 */
static void as_user(void (*f)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		ck_assert_int_eq(chdir(IN("/root")), 0);
		ck_assert(setgid(GID) == 0 && setuid(UID) == 0);
		f();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "status %x", status);
}

START_TEST(layout)
{
	static const struct { const char *path; mode_t mode; uid_t uid; } dirs[] = {
		{ IN("/root"), 0755, 0 }, { IN("/dev"), 0755, 0 }, { IN("/sys"), 0755, 0 },
		{ IN("/l"), 0700, 0 }, { IN("/s"), 0700, 0 }, { IN("/lxc"), 0700, UID },
	};

	usual();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		struct stat st = look(dirs[i].path);

		ck_assert_uint_eq(st.st_mode, S_IFDIR | dirs[i].mode);
		ck_assert_uint_eq(st.st_uid, dirs[i].uid);
	}
}
END_TEST

START_TEST(host_sees_nothing)
{
	int status = -1;
	pid_t pid;

	image_make(&store, store_path, &img);
	conf_defaults(&conf);
	ck_ok(rundir_prepare(&e), e);
	ck_ok(layers_mount(&store, store_path, &img, &e), e);
	pid = fork();
	if (pid == 0)
		_exit(rootfs_enter(UID, GID, &e) < 0 || mount_image(&img, &conf, UID, GID, &e) < 0 ||
			access(IN("/root/both"), F_OK) < 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(access(IN("/root"), F_OK), -1);
	ck_assert_ptr_null(strstr(private_read("/proc/self/mountinfo"), RUNDIR_MNT));
}
END_TEST

START_TEST(layers_are_stacked_and_the_users_own)
{
	struct statvfs fs;
	struct stat st;

	with_image();
	ck_assert_str_eq(private_read(IN("/root/lower")), "lower\n");
	ck_assert_str_eq(private_read(IN("/root/upper")), "upper\n");
	ck_assert_str_eq(private_read(IN("/root/both")), "upper\n");
	st = look(IN("/root/lower"));
	ck_assert_uint_eq(st.st_uid, UID);
	ck_assert_uint_eq(st.st_gid, GID);
	st = look(IN("/root"));
	ck_assert_uint_eq(st.st_uid, UID);
	ck_assert_int_eq(statvfs(IN("/root"), &fs), 0);
	ck_assert_uint_eq(fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV), ST_NOSUID | ST_NODEV);
	ck_assert_int_eq(statvfs(IN("/l/0"), &fs), 0);
	ck_assert_uint_eq(fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV), ST_RDONLY | ST_NOSUID | ST_NODEV);
}
END_TEST

static int put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static void change_things(void)
{
	char text[16] = "";
	int fd;

	ck_assert_int_eq(put("lower", "mine\n"), 0);
	ck_assert_int_eq(put("new", "new\n"), 0);
	ck_assert_int_eq(unlink("upper"), 0);
	ck_assert_int_eq(access("upper", F_OK), -1);
	/* "closed" is 0600 and the user's: root's id in the image is the user here */
	fd = open("closed", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, text, sizeof(text)), 7);
	/* a directory of a lower layer: renamed, removed and made again */
	ck_assert_int_eq(rename("dir", "moved"), 0);
	ck_assert_int_eq(access("moved/inner", F_OK), 0);
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	ck_assert_int_eq(access("dir/inner", F_OK), -1);
	ck_assert_int_eq(chmod("both", 0700), 0);
	ck_assert_int_eq(chown("both", UID, GID), 0);
	ck_assert(chown("both", 0, 0) < 0 && errno == EPERM);
}

START_TEST(user_writes_and_the_image_stays)
{
	with_image();
	as_user(change_things);
	ck_assert_str_eq(private_read(IN("/root/lower")), "mine\n");
	ck_assert_str_eq(private_read(IN("/l/0/lower")), "lower\n");
	ck_assert_str_eq(private_read(IN("/l/1/upper")), "upper\n");
	ck_assert_str_eq(private_read(IN("/l/0/dir/inner")), "inner\n");
}
END_TEST

static void stay_outside(void)
{
	static const char *const closed[] = { "../s/upper", "../s/work", "../l/0", "../l" };

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		ck_assert_msg(open(closed[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 && errno == EACCES, "%s is open", closed[i]);
}

START_TEST(user_cannot_reach_the_parts)
{
	with_image();
	ck_assert_int_eq(chmod(RUNDIR_MNT, 0755), 0);
	as_user(stay_outside);
}
END_TEST

static void fill(void)
{
	static char block[4096];
	int fd = open("big", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), n = 0;
	ssize_t rc;

	while ((rc = write(fd, block, sizeof(block))) > 0)
		ck_assert_int_lt(++n, 1000);
	ck_assert(rc < 0 && errno == ENOSPC);
	ck_assert_int_eq(unlink("big"), 0);
	for (n = 0; n < 1000; n++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", n);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			break;
		close(fd);
	}
	ck_assert(n < 64 && errno == ENOSPC);
}

START_TEST(scratch_has_a_limit)
{
	uint64_t bytes = 1, inodes = 1;

	usual();
	rootfs_scratch_use(&bytes, &inodes);
	ck_assert_uint_lt(bytes, 1 << 20);
	ck_ok(mount_image(&img, &conf, UID, GID, &e), e);
	as_user(fill);
	rootfs_scratch_use(&bytes, &inodes);
	ck_assert_uint_ge(inodes, 60);
	ck_assert_uint_le(inodes, 64);
	ck_assert_uint_le(bytes, 1 << 20);
}
END_TEST

START_TEST(scratch_in_percent)
{
	usual();
	conf.scratch_size = 0;
	conf.scratch_percent = 1;
	ck_ok(mount_image(&img, &conf, UID, GID, &e), e);
}
END_TEST

START_TEST(layer_that_nobody_mounted)
{
	usual();
	img.layers[1][10] = '2';
	ck_refused(mount_image(&img, &conf, UID, GID, &e), e, "clone the mount of layer sha256-111");
	ck_assert_int_eq(e.code, ENOENT);
}
END_TEST

START_TEST(most_layers)
{
	usual();
	for (unsigned i = 2; i < STORE_MAX_LAYERS; i++)
		strcpy(img.layers[i], img.layers[i % 2]);
	img.n_layers = STORE_MAX_LAYERS;
	/* the same directory twice is no overlay, or the text is too long: an error, and no cut text */
	if (mount_image(&img, &conf, UID, GID, &e) == 0)
		return;
	ck_assert_msg(strstr(e.text, "mount the root file system") != NULL, "%s", e.text);
}
END_TEST

START_TEST(devices)
{
	static const struct { const char *path; unsigned major, minor; } nodes[] = {
		{ IN("/dev/null"), 1, 3 }, { IN("/dev/zero"), 1, 5 }, { IN("/dev/full"), 1, 7 },
		{ IN("/dev/random"), 1, 8 }, { IN("/dev/urandom"), 1, 9 }, { IN("/dev/tty"), 5, 0 }, { IN("/dev/ptmx"), 5, 2 },
	};
	static const char *const links[] = { IN("/dev/fd"), IN("/dev/stdin"), IN("/dev/stdout"), IN("/dev/stderr") };
	struct statvfs fs;
	int fd;

	if (access("/dev/shm", F_OK) < 0 || access("/dev/pts", F_OK) < 0)
		return;
	umask(077);
	private_write("libexec/slxc-init", "init\n");
	usual();
	ck_ok(rootfs_mount_devices(&e), e);
	ck_assert_uint_eq(umask(077), 077);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		struct stat st = look(nodes[i].path);

		ck_assert_uint_eq(st.st_mode, S_IFCHR | 0666);
		ck_assert_uint_eq(st.st_rdev, makedev(nodes[i].major, nodes[i].minor));
		ck_assert_uint_eq(st.st_uid, 0);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		ck_assert(S_ISLNK(look(links[i]).st_mode));
	fd = open(IN("/dev/null"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_str_eq(private_read(IN("/dev" ROOTFS_INIT)), "init\n");
	ck_assert(open(IN("/dev" ROOTFS_INIT), O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
	ck_assert_int_eq(statvfs(IN("/sys"), &fs), 0);
	ck_assert_uint_eq(fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC), ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC);
	ck_assert_int_eq(mkdir(IN("/sys/fs/cgroup/slxc-unit-test"), 0755), -1);
	ck_assert_int_eq(look(IN("/dev/shm")).st_ino, look("/dev/shm").st_ino);
	ck_assert_int_eq(look(IN("/dev/pts")).st_ino, look("/dev/pts").st_ino);
}
END_TEST

START_TEST(init_program_is_missing)
{
	usual();
	ck_refused(rootfs_mount_devices(&e), e, "bind " SLXC_LIBEXECDIR "/slxc-init");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { layout, host_sees_nothing, layers_are_stacked_and_the_users_own,
		user_writes_and_the_image_stays, user_cannot_reach_the_parts, scratch_has_a_limit, scratch_in_percent,
		layer_that_nobody_mounted, most_layers, devices, init_program_is_missing };

	image_skip_unless_mountable();
	return private_main("rootfs", tests, sizeof(tests) / sizeof(tests[0]));
}
