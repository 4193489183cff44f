/* A directory as a stream: what unpack() makes of it, and that it is always the same. */
#include <config.h>

#include "store/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "store/tree.h"
#include "store/unpack.h"
#include "unit.h"

static struct unpack_result result;

/* Unpacks the directory `from` into the new directory `to`. */
static int copy(const char *from, const char *to, struct err *e)
{
	struct unpack_limits limits = { UNPACK_MAX_BYTES, UNPACK_MAX_ENTRIES };
	int fd = openat(unit_dirfd, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dir = tree_make_dir(unit_dirfd, to, 0755, e);
	struct source *src;
	int rc;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(dir, 0);
	src = source_open(fd, -1, e);
	if (!src)
		return -1;
	rc = unpack(src, dir, &limits, NULL, NULL, &result, e);
	source_close(src);
	close(fd);
	close(dir);
	return rc;
}

static void set_time(const char *name)
{
	struct timespec t[2] = { { 1000000000, 123456789 }, { 1000000000, 123456789 } };

	ck_assert_int_eq(utimensat(unit_dirfd, name, t, AT_SYMLINK_NOFOLLOW), 0);
}

/* names: made in this order */
static void make_tree(const char *dir, const char *const *names, size_t n)
{
	char path[300];

	ck_assert_int_eq(mkdirat(unit_dirfd, dir, 0755), 0);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unit_write(path, names[i], strlen(names[i]));
		set_time(path);
	}
	set_time(dir);
}

START_TEST(everything_arrives)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct err e = { 0 };
	struct stat a, b;
	char target[100], buf[10];
	int fd;

	make_tree("from", (const char *const[]){ "f", "caf\xc3\xa9", "bad\xff" }, 3);
	ck_assert_int_eq(mkdirat(unit_dirfd, "from/empty", 0755), 0);
	ck_assert_int_eq(mkdirat(unit_dirfd, "from/sub", 01777), 0);
	ck_assert_int_eq(fchmodat(unit_dirfd, "from/sub", 01777, 0), 0);
	ck_assert_int_eq(linkat(unit_dirfd, "from/f", unit_dirfd, "from/sub/hard", 0), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", unit_dirfd, "from/link"), 0);
	ck_assert_int_eq(mkfifoat(unit_dirfd, "from/fifo", 0600), 0);
	ck_assert_int_eq(chdir(unit_dir), 0);
	strcpy(addr.sun_path, "from/socket");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(fchmodat(unit_dirfd, "from/f", 04755, 0), 0);
	ck_ok(copy("from", "to", &e), e);
	ck_assert_uint_eq(result.skipped, 2);
	ck_assert_int_eq(fstatat(unit_dirfd, "to/f", &a, 0), 0);
	ck_assert_int_eq(fstatat(unit_dirfd, "to/sub/hard", &b, 0), 0);
	ck_assert_int_eq(a.st_ino, b.st_ino);
	ck_assert_int_eq(a.st_mode & 07777, 0755);
	ck_assert_int_eq(a.st_mtim.tv_nsec, 123456789);
	ck_assert_int_eq(fstatat(unit_dirfd, "to/sub", &a, 0), 0);
	ck_assert_int_eq(a.st_mode & 07777, 01777);
	ck_assert_int_eq(fstatat(unit_dirfd, "to/empty", &a, 0), 0);
	ck_assert_int_eq(fstatat(unit_dirfd, "to/caf\xc3\xa9", &a, 0), 0);
	ck_assert_int_eq(fstatat(unit_dirfd, "to/bad\xff", &a, 0), 0);
	ck_assert_int_eq(readlinkat(unit_dirfd, "to/link", target, sizeof(target)), 11);
	fd = openat(unit_dirfd, "to/caf\xc3\xa9", O_RDONLY);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), 5);
}
END_TEST

START_TEST(same_content_same_layer)
{
	struct err e = { 0 };
	char first[DIGEST_LEN + 1];

	make_tree("one", (const char *const[]){ "a", "b", "B", "c" }, 4);
	make_tree("two", (const char *const[]){ "c", "B", "a", "b" }, 4);
	ck_ok(copy("one", "to1", &e), e);
	strcpy(first, result.layer);
	ck_ok(copy("two", "to2", &e), e);
	ck_assert_str_eq(result.layer, first);
	ck_ok(copy("to1", "to3", &e), e);
	ck_assert_str_eq(result.layer, first);
	unit_write("two/a", "x", 1);
	set_time("two/a");
	ck_ok(copy("two", "to4", &e), e);
	ck_assert_str_ne(result.layer, first);
}
END_TEST

START_TEST(a_large_file)
{
	static char big[3 * 1024 * 1024 + 17];
	struct err e = { 0 };
	struct stat st;

	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(mkdirat(unit_dirfd, "from", 0755), 0);
	unit_write("from/big", big, sizeof(big));
	ck_ok(copy("from", "to", &e), e);
	ck_assert_int_eq(fstatat(unit_dirfd, "to/big", &st, 0), 0);
	ck_assert_int_eq(st.st_size, sizeof(big));
	ck_assert_uint_eq(result.bytes, sizeof(big));
}
END_TEST

START_TEST(an_empty_directory_is_an_image_too)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkdirat(unit_dirfd, "from", 0755), 0);
	ck_ok(copy("from", "to", &e), e);
	ck_assert_uint_eq(result.entries, 1);
}
END_TEST

START_TEST(the_store_is_left_out)
{
	struct unpack_limits limits = { 100, 10 };
	struct err e = { 0 };
	int from, store, to;
	struct source *src;

	make_tree("from", (const char *const[]){ "f" }, 1);
	store = tree_make_dir(unit_dirfd, "from/store", 0755, &e);
	to = tree_make_dir(unit_dirfd, "from/store/tree", 0755, &e);
	from = openat(unit_dirfd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	src = source_open(from, store, &e);
	ck_assert_ptr_nonnull(src);
	ck_ok(unpack(src, to, &limits, NULL, NULL, &result, &e), e);
	source_close(src);
	ck_assert_uint_eq(result.entries, 2);
	ck_assert_int_eq(faccessat(to, "f", F_OK, 0), 0);
}
END_TEST

START_TEST(too_deep)
{
	struct err e;
	int fd, sub;

	ck_assert_int_eq(mkdirat(unit_dirfd, "from", 0755), 0);
	fd = openat(unit_dirfd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < TREE_MAX_DEPTH; i++) {
		ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
		sub = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = sub;
	}
	ck_refused(copy("from", "to", &e), e, "directories deep");
}
END_TEST

START_TEST(unreadable)
{
	struct source *src;
	const void *buf;
	struct err e;
	int fd, rc;

	make_tree("from", (const char *const[]){ "f" }, 1);
	fd = openat(unit_dirfd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(fchmodat(unit_dirfd, "from/f", 0, 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(12345), 0);
	src = source_open(fd, -1, &e);
	ck_assert_ptr_nonnull(src);
	while ((rc = source_read(src, &buf, &e)) > 0)
		;
	ck_assert_int_eq(seteuid(getuid()), 0);
	prctl(PR_SET_DUMPABLE, 1); /* for LeakSanitizer */
	ck_assert_int_eq(rc, -1);
	ck_assert_str_eq(e.text, "open f: Permission denied");
	source_close(src);
}
END_TEST

UNIT_MAIN("source", everything_arrives, same_content_same_layer, a_large_file, an_empty_directory_is_an_image_too,
	the_store_is_left_out, too_deep, unreadable)
