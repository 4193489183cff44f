/* Hostile and ordinary archives, made with libarchive, taken apart by unpack(). */
#include <config.h>

#include "store/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/source.h"
#include "unit.h"

static struct archive *archive;
static struct unpack_result result;
static int tree = -1;

static void begin_as(int filter, int format, const char *options)
{
	archive = archive_write_new();
	archive_write_set_format(archive, format);
	archive_write_add_filter(archive, filter);
	archive_write_set_options(archive, options);
	ck_assert_int_eq(archive_write_open_filename(archive, unit_path("a.tar")), ARCHIVE_OK);
}

static void begin(int filter)
{
	begin_as(filter, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, "hdrcharset=BINARY");
}

static void put_entry(struct archive_entry *entry, const char *data)
{
	archive_entry_set_mtime(entry, 1000000000, 0);
	archive_entry_set_size(entry, data ? strlen(data) : 0);
	ck_assert_int_ge(archive_write_header(archive, entry), ARCHIVE_WARN);
	if (data)
		ck_assert_int_eq(archive_write_data(archive, data, strlen(data)), strlen(data));
	archive_entry_free(entry);
}

static struct archive_entry *entry_of(const char *path, mode_t mode)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_uid(entry, 4321);
	return entry;
}

static void put_file(const char *path, mode_t mode, const char *data)
{
	put_entry(entry_of(path, S_IFREG | mode), data);
}

static void put_link(const char *path, const char *target, int hard)
{
	struct archive_entry *entry = entry_of(path, (hard ? S_IFREG : S_IFLNK) | 0777);

	(hard ? archive_entry_set_hardlink : archive_entry_set_symlink)(entry, target);
	put_entry(entry, NULL);
}

static void end(void)
{
	ck_assert_int_eq(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
}

static int unpack_limited(const struct unpack_limits *limits, struct err *e)
{
	int fd = open(unit_path("a.tar"), O_RDONLY | O_CLOEXEC);
	struct source *src;
	int rc;

	ck_assert_int_ge(fd, 0);
	if (tree < 0) {
		ck_assert_int_eq(mkdirat(unit_dirfd, "tree", 0755), 0);
		tree = openat(unit_dirfd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	src = source_open(fd, e);
	if (!src)
		return -1;
	rc = unpack(src, tree, limits, NULL, NULL, &result, e);
	source_close(src);
	close(fd);
	return rc;
}

static int run(struct err *e)
{
	return unpack_limited(&(struct unpack_limits){ 1 << 20, 100 }, e);
}

static struct stat look(const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(tree, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s is missing", name);
	return st;
}

static void is_missing(const char *path)
{
	struct stat st;

	ck_assert_msg(fstatat(unit_dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0, "%s is there", path);
}

static void read_back(const char *name, const char *expected)
{
	char buf[100];
	int fd = openat(tree, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, buf, sizeof(buf) - 1);
	ck_assert_int_ge(n, 0);
	buf[n] = 0;
	ck_assert_str_eq(buf, expected);
	close(fd);
}

START_TEST(ordinary)
{
	static const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD,
		ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_LZ4 };
	char first[DIGEST_LEN + 1] = "", cwd[4096], cwd_after[4096];
	struct err e = { 0 };

	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		begin(filters[i]);
		put_entry(entry_of("./", S_IFDIR | 0755), NULL);
		put_entry(entry_of("d", S_IFDIR | 01777), NULL);
		put_file("d/f", 0644, "hello");
		put_link("d/hard", "d/f", 1);
		put_link("soft", "/etc/f", 0);
		put_file("implicit/x", 0755, "x");
		end();
		ck_ok(run(&e), e);
		ck_assert(digest_is_valid(result.layer, '-'));
		if (*first)
			ck_assert_str_eq(result.layer, first); /* of the uncompressed bytes */
		strcpy(first, result.layer);
	}
	ck_assert_uint_eq(result.entries, 6);
	ck_assert_uint_eq(result.bytes, 6);
	ck_assert_uint_eq(result.skipped, 0);
	read_back("d/f", "hello");
	ck_assert_int_eq(look("d/f").st_ino, look("d/hard").st_ino);
	ck_assert_int_eq(look("d/f").st_mtime, 1000000000);
	ck_assert_int_eq(look("d/f").st_uid, geteuid());
	ck_assert_int_eq(look("d").st_mode & 07777, 01777);
	ck_assert(S_ISLNK(look("soft").st_mode));
	ck_assert_ptr_nonnull(getcwd(cwd_after, sizeof(cwd_after)));
	ck_assert_str_eq(cwd, cwd_after);
}
END_TEST

START_TEST(the_topmost_directory)
{
	struct err e = { 0 };

	begin(ARCHIVE_FILTER_NONE);
	put_entry(entry_of("./", S_IFDIR | 02050), NULL);
	put_file("f", 0644, "x");
	end();
	ck_ok(run(&e), e);
	ck_assert_int_eq(look(".").st_mode & 07777, 0750);
	ck_assert_int_eq(look(".").st_mtime, 1000000000);
	begin(ARCHIVE_FILTER_NONE);
	put_link("./", "/etc", 0);
	end();
	ck_refused(run(&e), e, "the archive's entry '.' is not a directory");
}
END_TEST

START_TEST(layer_is_the_sha256_of_the_stream)
{
	char command[5000], line[100] = "";
	struct err e = { 0 };
	FILE *p;

	begin(ARCHIVE_FILTER_NONE);
	put_file("f", 0644, "x");
	end();
	ck_ok(run(&e), e);
	snprintf(command, sizeof(command), "sha256sum < '%s'", unit_path("a.tar"));
	p = popen(command, "r");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), p));
	pclose(p);
	ck_assert_mem_eq(line, result.layer + 7, 64);
}
END_TEST

START_TEST(names_outside_ascii)
{
	struct err e = { 0 };

	begin(ARCHIVE_FILTER_NONE);
	put_file("caf\xc3\xa9", 0644, "1");
	put_file("bad\xff\xfe", 0644, "2");
	end();
	ck_ok(run(&e), e);
	read_back("caf\xc3\xa9", "1");
	read_back("bad\xff\xfe", "2");
}
END_TEST

START_TEST(utf8_pax_names)
{
	struct archive_entry *entry = entry_of("x", S_IFREG | 0644);
	struct err e = { 0 };

	begin_as(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, "hdrcharset=UTF-8");
	setlocale(LC_CTYPE, "C.UTF-8"); /* to write it; libarchive 3.6 crashes without */
	archive_entry_set_pathname_utf8(entry, "caf\xc3\xa9/\xe6\x97\xa5");
	put_entry(entry, "1");
	end();
	setlocale(LC_CTYPE, "C");
	ck_ok(run(&e), e);
	read_back("caf\xc3\xa9/\xe6\x97\xa5", "1");
}
END_TEST

START_TEST(dotdot)
{
	static const char *const names[] = { "../evil", "a/../../evil", "..", "/../evil", "a/..", ".//../evil" };
	struct err e;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		begin(ARCHIVE_FILTER_NONE);
		put_file(names[i], 0644, "x");
		end();
		ck_refused(run(&e), e, "has '..' in it: refused");
		is_missing("evil");
	}
	begin(ARCHIVE_FILTER_NONE);
	put_file("..a", 0644, "x"); /* that is just a name */
	put_file("b..", 0644, "x");
	end();
	ck_ok(run(&e), e);
}
END_TEST

START_TEST(absolute_names_become_relative)
{
	struct err e = { 0 };

	begin(ARCHIVE_FILTER_NONE);
	put_file("//.//etc/x", 0644, "1");
	put_link("/etc/y", "/etc/x", 1);
	end();
	ck_ok(run(&e), e);
	read_back("etc/x", "1");
	ck_assert_int_eq(look("etc/x").st_ino, look("etc/y").st_ino);
}
END_TEST

START_TEST(through_a_symlink)
{
	static const char *const targets[] = { "..", "/tmp", ".", "d" };
	struct err e;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		begin(ARCHIVE_FILTER_NONE);
		put_entry(entry_of("d", S_IFDIR | 0755), NULL);
		put_link("link", targets[i], 0);
		put_file("link/evil", 0644, "x");
		end();
		ck_refused(run(&e), e, "unpack link/evil: Cannot extract through symlink");
		is_missing("evil");
		ck_assert_int_eq(access("/tmp/evil", F_OK), -1);
		is_missing("tree/d/evil");
	}
}
END_TEST

START_TEST(file_over_a_symlink)
{
	struct err e = { 0 };

	unit_write("victim", "safe", 4);
	begin(ARCHIVE_FILTER_NONE);
	put_link("link", "../victim", 0);
	put_file("link", 0644, "evil");
	end();
	ck_ok(run(&e), e);
	ck_assert(S_ISREG(look("link").st_mode)); /* replaced, not followed */
	read_back("../victim", "safe");
}
END_TEST

START_TEST(directory_over_a_symlink)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkdirat(unit_dirfd, "victim", 0755), 0);
	begin(ARCHIVE_FILTER_NONE);
	put_link("link", "../victim", 0);
	put_entry(entry_of("link", S_IFDIR | 0700), NULL);
	put_file("link/evil", 0644, "evil");
	end();
	(void)!run(&e); /* refused or replaced: both are fine */
	is_missing("victim/evil");
	ck_assert_int_eq(look("../victim").st_mode & 07777, 0755);
}
END_TEST

START_TEST(hard_links_out)
{
	struct err e;

	unit_write("victim", "safe", 4);
	begin(ARCHIVE_FILTER_NONE);
	put_link("link", "../victim", 1);
	end();
	ck_refused(run(&e), e, "the hard link to ../victim has '..' in it: refused");
	begin(ARCHIVE_FILTER_NONE);
	put_link("out", "..", 0);
	put_link("link", "out/victim", 1);
	end();
	ck_refused(run(&e), e, "unpack link: Cannot extract through symlink");
	begin(ARCHIVE_FILTER_NONE);
	put_link("link", "/etc/passwd", 1);
	end();
	ck_refused(run(&e), e, "unpack link: Hard-link target 'etc/passwd' does not exist");
	is_missing("tree/link");
}
END_TEST

START_TEST(write_through_a_hard_link_to_a_symlink)
{
	struct err e = { 0 };

	unit_write("victim", "safe", 4);
	begin(ARCHIVE_FILTER_NONE);
	put_link("soft", "../victim", 0);
	put_link("hard", "soft", 1);
	put_file("hard", 0644, "evil");
	end();
	(void)!run(&e);
	read_back("../victim", "safe");
}
END_TEST

START_TEST(devices_are_left_out)
{
	struct archive_entry *entry;
	struct err e = { 0 };

	begin(ARCHIVE_FILTER_NONE);
	entry = entry_of("null", S_IFCHR | 0666);
	archive_entry_set_rdev(entry, makedev(1, 3));
	put_entry(entry, NULL);
	entry = entry_of("disk", S_IFBLK | 0666);
	archive_entry_set_rdev(entry, makedev(8, 0));
	put_entry(entry, NULL);
	put_entry(entry_of("fifo", S_IFIFO | 0666), NULL);
	put_file("f", 0644, "x");
	end();
	ck_ok(run(&e), e);
	ck_assert_uint_eq(result.skipped, 3);
	is_missing("tree/null");
	is_missing("tree/disk");
	is_missing("tree/fifo");
	read_back("f", "x");
}
END_TEST

START_TEST(no_more_rights_than_the_owner_has)
{
	struct archive_entry *entry;
	struct err e = { 0 };
	char value[100];

	begin(ARCHIVE_FILTER_NONE);
	put_file("su", 06755, "x");
	put_entry(entry_of("dir", S_IFDIR | 02070), NULL);
	put_file("none", 0000, "x");
	entry = entry_of("caps", S_IFREG | 0755);
	archive_entry_xattr_add_entry(entry, "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "user.x", "y", 1);
	put_entry(entry, "x");
	end();
	ck_ok(run(&e), e);
	ck_assert_int_eq(look("su").st_mode & 07777, 0755);
	ck_assert_int_eq(look("dir").st_mode & 07777, 0770);
	ck_assert_int_eq(look("none").st_mode & 07777, 0400);
	ck_assert_int_eq(llistxattr(unit_path("tree/caps"), value, sizeof(value)), 0);
}
END_TEST

START_TEST(duplicates)
{
	struct err e = { 0 };

	begin(ARCHIVE_FILTER_NONE);
	put_file("f", 0644, "the first, which is longer");
	put_file("f", 0600, "second");
	put_file("g", 0644, "x");
	put_link("g", "f", 1);
	put_entry(entry_of("d", S_IFDIR | 0755), NULL);
	put_entry(entry_of("d", S_IFDIR | 0700), NULL);
	end();
	ck_ok(run(&e), e);
	read_back("f", "second");
	read_back("g", "second");
}
END_TEST

START_TEST(limits)
{
	struct archive_entry *entry;
	struct err e;

	begin(ARCHIVE_FILTER_NONE);
	put_file("a", 0644, "12345");
	put_file("b", 0644, "12345");
	end();
	ck_refused(unpack_limited(&(struct unpack_limits){ 9, 100 }, &e), e, "the source has more than 9 bytes");
	ck_assert_int_eq(e.code, EFBIG);
	ck_refused(unpack_limited(&(struct unpack_limits){ 10, 1 }, &e), e, "the source has more than 1 entries");
	ck_ok(unpack_limited(&(struct unpack_limits){ 10, 2 }, &e), e);
	begin(ARCHIVE_FILTER_NONE); /* a hole of 1 TiB costs nothing here, but much in the packing */
	entry = entry_of("hole", S_IFREG | 0644);
	archive_entry_set_size(entry, (int64_t)1 << 40);
	archive_entry_sparse_add_entry(entry, 0, 1);
	archive_entry_sparse_add_entry(entry, (int64_t)1 << 40, 0);
	ck_assert_int_ge(archive_write_header(archive, entry), ARCHIVE_WARN);
	archive_write_data(archive, "x", 1);
	archive_entry_free(entry);
	archive_write_free(archive);
	ck_refused(run(&e), e, "the source has more than 1048576 bytes");
}
END_TEST

START_TEST(too_deep_or_long)
{
	static char path[8000];
	struct err e;

	for (int i = 0; i < 300; i++)
		strcat(path, "d/");
	begin(ARCHIVE_FILTER_NONE);
	put_file(path, 0644, "x");
	end();
	ck_refused(run(&e), e, "is more than 255 directories deep");
	memset(path, 'x', sizeof(path) - 1);
	begin(ARCHIVE_FILTER_NONE);
	put_file(path, 0644, "x");
	end();
	ck_refused(run(&e), e, "is too long");
	path[300] = 0;
	begin(ARCHIVE_FILTER_NONE);
	put_file(path, 0644, "x");
	end();
	ck_refused(run(&e), e, "unpack xxx");
	ck_assert_int_eq(e.code, ENAMETOOLONG);
}
END_TEST

static void cut_to(off_t size)
{
	ck_assert_int_eq(truncate(unit_path("a.tar"), size), 0);
}

START_TEST(truncated)
{
	struct stat st;
	struct err e;

	begin(ARCHIVE_FILTER_NONE);
	put_file("f", 0644, "data");
	put_file("g", 0644, "data");
	end();
	ck_assert_int_eq(stat(unit_path("a.tar"), &st), 0);
	cut_to(512 + 512 + 2);
	ck_refused(run(&e), e, "this is not a tar archive"); /* in the first entry */
	begin(ARCHIVE_FILTER_GZIP);
	put_file("f", 0644, "data");
	put_file("g", 0644, "data");
	end();
	ck_assert_int_eq(stat(unit_path("a.tar"), &st), 0);
	cut_to(st.st_size - 10);
	ck_refused(run(&e), e, "truncated gzip input");
}
END_TEST

START_TEST(cut_off_between_entries)
{
	struct err e;

	begin_as(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR, NULL);
	put_file("f", 0644, "data");
	end();
	cut_to(512);
	ck_refused(run(&e), e, "the archive is damaged after 1 entries: Truncated");
	begin_as(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR, NULL);
	put_file("f", 0644, "data");
	end();
	cut_to(1024);
	ck_refused(run(&e), e, "the archive ends too early: it was cut off");
}
END_TEST

START_TEST(no_archive)
{
	char zeros[10240] = "";
	struct err e;

	unit_write("a.tar", "", 0);
	ck_refused(run(&e), e, "the archive is empty");
	unit_write("a.tar", "hello, this is not an archive", 29);
	ck_refused(run(&e), e, "this is not a tar archive");
	unit_write("a.tar", zeros, sizeof(zeros));
	ck_refused(run(&e), e, "the archive is empty");
	memcpy(zeros, "PK\3\4", 4);
	unit_write("a.tar", zeros, sizeof(zeros));
	ck_refused(run(&e), e, "this is not a tar archive");
}
END_TEST

START_TEST(archive_of_layers)
{
	struct err e;

	begin(ARCHIVE_FILTER_NONE);
	put_file("manifest.json", 0644, "[]");
	put_file("0123/layer.tar", 0644, "x");
	end();
	ck_refused(run(&e), e, "make one with 'docker export'");
	begin(ARCHIVE_FILTER_NONE);
	put_file("manifest.json", 0644, "[]");
	put_file("./usr/bin/x", 0644, "x");
	end();
	ck_ok(run(&e), e);
}
END_TEST

UNIT_MAIN("unpack", ordinary, the_topmost_directory, layer_is_the_sha256_of_the_stream, names_outside_ascii, utf8_pax_names, dotdot,
	absolute_names_become_relative, through_a_symlink, file_over_a_symlink, directory_over_a_symlink, hard_links_out,
	write_through_a_hard_link_to_a_symlink, devices_are_left_out, no_more_rights_than_the_owner_has, duplicates,
	limits, too_deep_or_long, truncated, cut_off_between_entries, no_archive, archive_of_layers)
