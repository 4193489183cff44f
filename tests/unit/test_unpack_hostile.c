/* Archives that want out of their directory, or more rights, or too much. */
#include <config.h>

#include "store/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tar.h"
#include "unit.h"

START_TEST(dotdot)
{
	static const char *const names[] = { "../evil", "a/../../evil", "..", "/../evil", "a/..", ".//../evil" };
	struct err e;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		tar_begin(ARCHIVE_FILTER_NONE);
		tar_put_file(names[i], 0644, "x");
		tar_end();
		ck_refused(tar_unpack(&e), e, "has '..' in it: refused");
		unit_lacks("evil");
	}
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("..a", 0644, "x"); /* that is just a name */
	tar_put_file("b..", 0644, "x");
	tar_end();
	ck_ok(tar_unpack(&e), e);
}
END_TEST

START_TEST(absolute_names_become_relative)
{
	struct err e = { 0 };

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("//.//etc/x", 0644, "1");
	tar_put_link("/etc/y", "/etc/x", 1);
	tar_end();
	ck_ok(tar_unpack(&e), e);
	tar_reads("etc/x", "1");
	ck_assert_int_eq(tar_look("etc/x").st_ino, tar_look("etc/y").st_ino);
}
END_TEST

START_TEST(through_a_symlink)
{
	static const char *const targets[] = { "..", "/tmp", ".", "d" };
	struct err e;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		tar_begin(ARCHIVE_FILTER_NONE);
		tar_put(tar_entry("d", S_IFDIR | 0755), NULL);
		tar_put_link("link", targets[i], 0);
		tar_put_file("link/evil", 0644, "x");
		tar_end();
		ck_refused(tar_unpack(&e), e, "unpack link/evil: Cannot extract through symlink");
		unit_lacks("evil");
		ck_assert_int_eq(access("/tmp/evil", F_OK), -1);
		unit_lacks("tree/d/evil");
	}
}
END_TEST

START_TEST(file_over_a_symlink)
{
	struct err e = { 0 };

	unit_write("victim", "safe", 4);
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_link("link", "../victim", 0);
	tar_put_file("link", 0644, "evil");
	tar_end();
	ck_ok(tar_unpack(&e), e);
	ck_assert(S_ISREG(tar_look("link").st_mode)); /* replaced, not followed */
	tar_reads("../victim", "safe");
}
END_TEST

START_TEST(directory_over_a_symlink)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkdirat(unit_dirfd, "victim", 0755), 0);
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_link("link", "../victim", 0);
	tar_put(tar_entry("link", S_IFDIR | 0700), NULL);
	tar_put_file("link/evil", 0644, "evil");
	tar_end();
	(void)!tar_unpack(&e); /* refused or replaced: both are fine */
	unit_lacks("victim/evil");
	ck_assert_int_eq(tar_look("../victim").st_mode & 07777, 0755);
}
END_TEST

START_TEST(hard_links_out)
{
	struct err e;

	unit_write("victim", "safe", 4);
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_link("link", "../victim", 1);
	tar_end();
	ck_refused(tar_unpack(&e), e, "the hard link to ../victim has '..' in it: refused");
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_link("out", "..", 0);
	tar_put_link("link", "out/victim", 1);
	tar_end();
	ck_refused(tar_unpack(&e), e, "unpack link: Cannot extract through symlink");
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_link("link", "/etc/passwd", 1);
	tar_end();
	ck_refused(tar_unpack(&e), e, "unpack link: Hard-link target 'etc/passwd' does not exist");
	unit_lacks("tree/link");
}
END_TEST

START_TEST(write_through_a_hard_link_to_a_symlink)
{
	struct err e = { 0 };

	unit_write("victim", "safe", 4);
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_link("soft", "../victim", 0);
	tar_put_link("hard", "soft", 1);
	tar_put_file("hard", 0644, "evil");
	tar_end();
	(void)!tar_unpack(&e);
	tar_reads("../victim", "safe");
}
END_TEST

START_TEST(devices_are_left_out)
{
	struct archive_entry *entry;
	struct err e = { 0 };

	tar_begin(ARCHIVE_FILTER_NONE);
	entry = tar_entry("null", S_IFCHR | 0666);
	archive_entry_set_rdev(entry, makedev(1, 3));
	tar_put(entry, NULL);
	entry = tar_entry("disk", S_IFBLK | 0666);
	archive_entry_set_rdev(entry, makedev(8, 0));
	tar_put(entry, NULL);
	tar_put(tar_entry("fifo", S_IFIFO | 0666), NULL);
	tar_put_file("f", 0644, "x");
	tar_end();
	ck_ok(tar_unpack(&e), e);
	ck_assert_uint_eq(tar_result.skipped, 3);
	unit_lacks("tree/null");
	unit_lacks("tree/disk");
	unit_lacks("tree/fifo");
	tar_reads("f", "x");
}
END_TEST

START_TEST(no_more_rights_than_the_owner_has)
{
	struct archive_entry *entry;
	struct err e = { 0 };
	char value[100];

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("su", 06755, "x");
	tar_put(tar_entry("dir", S_IFDIR | 02070), NULL);
	tar_put_file("none", 0000, "x");
	entry = tar_entry("caps", S_IFREG | 0755);
	archive_entry_xattr_add_entry(entry, "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "user.x", "y", 1);
	tar_put(entry, "x");
	tar_end();
	ck_ok(tar_unpack(&e), e);
	ck_assert_int_eq(tar_look("su").st_mode & 07777, 0755);
	ck_assert_int_eq(tar_look("dir").st_mode & 07777, 0770);
	ck_assert_int_eq(tar_look("none").st_mode & 07777, 0400);
	ck_assert_int_eq(llistxattr(unit_path("tree/caps"), value, sizeof(value)), 0);
}
END_TEST

START_TEST(limits)
{
	struct archive_entry *entry;
	struct err e;

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("a", 0644, "12345");
	tar_put_file("b", 0644, "12345");
	tar_end();
	ck_refused(tar_unpack_limited(&(struct unpack_limits){ 9, 100 }, &e), e, "the source has more than 9 bytes");
	ck_assert_int_eq(e.code, EFBIG);
	ck_refused(tar_unpack_limited(&(struct unpack_limits){ 10, 1 }, &e), e, "the source has more than 1 entries");
	ck_ok(tar_unpack_limited(&(struct unpack_limits){ 10, 2 }, &e), e);
	tar_begin(ARCHIVE_FILTER_NONE); /* a hole of 1 TiB costs nothing here, but much in the packing */
	entry = tar_entry("hole", S_IFREG | 0644);
	archive_entry_set_size(entry, (int64_t)1 << 40);
	archive_entry_sparse_add_entry(entry, 0, 1);
	archive_entry_sparse_add_entry(entry, (int64_t)1 << 40, 0);
	ck_assert_int_ge(archive_write_header(tar_archive, entry), ARCHIVE_WARN);
	archive_write_data(tar_archive, "x", 1);
	archive_entry_free(entry);
	archive_write_free(tar_archive);
	ck_refused(tar_unpack(&e), e, "the source has more than 1048576 bytes");
}
END_TEST

START_TEST(too_deep_or_long)
{
	static char path[8000];
	struct err e;

	for (int i = 0; i < 300; i++)
		strcat(path, "d/");
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file(path, 0644, "x");
	tar_end();
	ck_refused(tar_unpack(&e), e, "is more than 255 directories deep");
	memset(path, 'x', sizeof(path) - 1);
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file(path, 0644, "x");
	tar_end();
	ck_refused(tar_unpack(&e), e, "is too long");
	path[300] = 0;
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file(path, 0644, "x");
	tar_end();
	ck_refused(tar_unpack(&e), e, "unpack xxx");
	ck_assert_int_eq(e.code, ENAMETOOLONG);
}
END_TEST

UNIT_MAIN("unpack_hostile", dotdot, absolute_names_become_relative, through_a_symlink, file_over_a_symlink,
	directory_over_a_symlink, hard_links_out, write_through_a_hard_link_to_a_symlink,
	devices_are_left_out, no_more_rights_than_the_owner_has, limits, too_deep_or_long)
