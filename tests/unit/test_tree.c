#include <config.h>

#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static int is_there(const char *name)
{
	struct stat st;

	return fstatat(unit_dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(remove_tree)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkdirat(unit_dirfd, "keep", 0755), 0);
	unit_write("keep/f", "1", 1);
	ck_assert_int_eq(mkdirat(unit_dirfd, "d", 0755), 0);
	ck_assert_int_eq(mkdirat(unit_dirfd, "d/e", 0755), 0);
	unit_write("d/e/f", "1", 1);
	ck_assert_int_eq(symlinkat("../../keep", unit_dirfd, "d/e/link"), 0);
	ck_assert_int_eq(mkfifoat(unit_dirfd, "d/fifo", 0600), 0);
	ck_ok(tree_remove(unit_dirfd, "d", &e), e);
	ck_assert(!is_there("d"));
	ck_assert(is_there("keep/f"));
	ck_ok(tree_remove(unit_dirfd, "keep/f", &e), e);
	ck_ok(tree_remove(unit_dirfd, "none", &e), e);
}
END_TEST

START_TEST(remove_a_symlink_and_not_its_target)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkdirat(unit_dirfd, "keep", 0755), 0);
	ck_assert_int_eq(symlinkat("keep", unit_dirfd, "link"), 0);
	ck_ok(tree_remove(unit_dirfd, "link", &e), e);
	ck_assert(!is_there("link"));
	ck_assert(is_there("keep"));
}
END_TEST

START_TEST(make_dir)
{
	struct err e = { 0 };
	struct stat st;
	int fd;

	umask(077);
	fd = tree_make_dir(unit_dirfd, "d", 0755, &e);
	ck_ok(fd, e);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0755);
	close(fd);
	fd = tree_make_dir(unit_dirfd, "d", 0700, &e); /* there already, wrong mode */
	ck_ok(fd, e);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(symlinkat("d", unit_dirfd, "link"), 0);
	ck_refused(tree_make_dir(unit_dirfd, "link", 0700, &e), e, "open directory link");
	unit_write("f", "", 0);
	ck_refused(tree_make_dir(unit_dirfd, "f", 0700, &e), e, "open directory f: Not a directory");
	ck_refused(tree_make_dir(unit_dirfd, "none/f", 0700, &e), e, "make directory none/f: No such file");
}
END_TEST

START_TEST(write_file)
{
	struct err e = { 0 };
	struct stat st;

	umask(077);
	ck_ok(tree_write_file(unit_dirfd, "f", 0444, "abc", 3, &e), e);
	ck_assert_int_eq(fstatat(unit_dirfd, "f", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0444);
	ck_assert_int_eq(st.st_size, 3);
	ck_refused(tree_write_file(unit_dirfd, "f", 0444, "abc", 3, &e), e, "write f: File exists");
	ck_assert_int_eq(e.code, EEXIST);
	ck_refused(tree_sync(unit_dirfd, "none", &e), e, "write none to disk: No such file");
	ck_ok(tree_sync(unit_dirfd, "f", &e), e);
	ck_ok(tree_sync(unit_dirfd, ".", &e), e);
}
END_TEST

UNIT_MAIN("tree", remove_tree, remove_a_symlink_and_not_its_target, make_dir, write_file)
