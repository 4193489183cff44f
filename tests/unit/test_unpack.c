/* Archives, ordinary and damaged, taken apart by unpack(). Those that attack are in test_unpack_hostile.c. */
#include <config.h>

#include "store/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tar.h"
#include "unit.h"

START_TEST(ordinary)
{
	static const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD,
		ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_LZ4 };
	char first[DIGEST_LEN + 1] = "", cwd[4096], cwd_after[4096];
	struct err e = { 0 };

	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		tar_begin(filters[i]);
		tar_put(tar_entry("./", S_IFDIR | 0755), NULL);
		tar_put(tar_entry("d", S_IFDIR | 01777), NULL);
		tar_put_file("d/f", 0644, "hello");
		tar_put_link("d/hard", "d/f", 1);
		tar_put_link("soft", "/etc/f", 0);
		tar_put_file("implicit/x", 0755, "x");
		tar_end();
		ck_ok(tar_unpack(&e), e);
		ck_assert(digest_is_valid(tar_result.layer, '-'));
		if (*first)
			ck_assert_str_eq(tar_result.layer, first); /* of the uncompressed bytes */
		strcpy(first, tar_result.layer);
	}
	ck_assert_uint_eq(tar_result.entries, 6);
	ck_assert_uint_eq(tar_result.bytes, 6);
	ck_assert_uint_eq(tar_result.skipped, 0);
	tar_reads("d/f", "hello");
	ck_assert_int_eq(tar_look("d/f").st_ino, tar_look("d/hard").st_ino);
	ck_assert_int_eq(tar_look("d/f").st_mtime, 1000000000);
	ck_assert_int_eq(tar_look("d/f").st_uid, geteuid());
	ck_assert_int_eq(tar_look("d").st_mode & 07777, 01777);
	ck_assert(S_ISLNK(tar_look("soft").st_mode));
	ck_assert_ptr_nonnull(getcwd(cwd_after, sizeof(cwd_after)));
	ck_assert_str_eq(cwd, cwd_after);
}
END_TEST

START_TEST(the_topmost_directory)
{
	struct err e = { 0 };

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put(tar_entry("./", S_IFDIR | 02050), NULL);
	tar_put_file("f", 0644, "x");
	tar_end();
	ck_ok(tar_unpack(&e), e);
	ck_assert_int_eq(tar_look(".").st_mode & 07777, 0750);
	ck_assert_int_eq(tar_look(".").st_mtime, 1000000000);
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_link("./", "/etc", 0);
	tar_end();
	ck_refused(tar_unpack(&e), e, "the archive's entry '.' is not a directory");
}
END_TEST

START_TEST(layer_is_the_sha256_of_the_stream)
{
	char command[5000], line[100] = "";
	struct err e = { 0 };
	FILE *p;

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("f", 0644, "x");
	tar_end();
	ck_ok(tar_unpack(&e), e);
	snprintf(command, sizeof(command), "sha256sum < '%s'", unit_path("a.tar"));
	p = popen(command, "r");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), p));
	pclose(p);
	ck_assert_mem_eq(line, tar_result.layer + 7, 64);
}
END_TEST

START_TEST(names_outside_ascii)
{
	struct err e = { 0 };

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("caf\xc3\xa9", 0644, "1");
	tar_put_file("bad\xff\xfe", 0644, "2");
	tar_end();
	ck_ok(tar_unpack(&e), e);
	tar_reads("caf\xc3\xa9", "1");
	tar_reads("bad\xff\xfe", "2");
}
END_TEST

START_TEST(utf8_pax_names)
{
	struct archive_entry *entry = tar_entry("x", S_IFREG | 0644);
	struct err e = { 0 };

	tar_begin_as(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, "hdrcharset=UTF-8");
	setlocale(LC_CTYPE, "C.UTF-8"); /* to write it; libarchive 3.6 crashes without */
	archive_entry_set_pathname_utf8(entry, "caf\xc3\xa9/\xe6\x97\xa5");
	tar_put(entry, "1");
	tar_end();
	setlocale(LC_CTYPE, "C");
	ck_ok(tar_unpack(&e), e);
	tar_reads("caf\xc3\xa9/\xe6\x97\xa5", "1");
}
END_TEST

START_TEST(duplicates)
{
	struct err e = { 0 };

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("f", 0644, "the first, which is longer");
	tar_put_file("f", 0600, "second");
	tar_put_file("g", 0644, "x");
	tar_put_link("g", "f", 1);
	tar_put(tar_entry("d", S_IFDIR | 0755), NULL);
	tar_put(tar_entry("d", S_IFDIR | 0700), NULL);
	tar_end();
	ck_ok(tar_unpack(&e), e);
	tar_reads("f", "second");
	tar_reads("g", "second");
}
END_TEST

START_TEST(truncated)
{
	struct stat st;
	struct err e;

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("f", 0644, "data");
	tar_put_file("g", 0644, "data");
	tar_end();
	ck_assert_int_eq(stat(unit_path("a.tar"), &st), 0);
	tar_cut(512 + 512 + 2);
	ck_refused(tar_unpack(&e), e, "this is not a tar archive"); /* in the first entry */
	tar_begin(ARCHIVE_FILTER_GZIP);
	tar_put_file("f", 0644, "data");
	tar_put_file("g", 0644, "data");
	tar_end();
	ck_assert_int_eq(stat(unit_path("a.tar"), &st), 0);
	tar_cut(st.st_size - 10);
	ck_refused(tar_unpack(&e), e, "truncated gzip input");
}
END_TEST

START_TEST(cut_off_between_entries)
{
	struct err e;

	tar_begin_as(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR, NULL);
	tar_put_file("f", 0644, "data");
	tar_end();
	tar_cut(512);
	ck_refused(tar_unpack(&e), e, "the archive is damaged after 1 entries: Truncated");
	tar_begin_as(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR, NULL);
	tar_put_file("f", 0644, "data");
	tar_end();
	tar_cut(1024);
	ck_refused(tar_unpack(&e), e, "the archive ends too early: it was cut off");
}
END_TEST

START_TEST(a_damaged_header)
{
	struct err e;
	int fd;

	tar_begin_as(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR, NULL);
	tar_put_file("f", 0644, "data");
	tar_put_file("g", 0644, "data");
	tar_put_file("h", 0644, "data");
	tar_end();
	fd = openat(unit_dirfd, "a.tar", O_RDWR);
	ck_assert_int_eq(pwrite(fd, "x", 1, 1024), 1);
	close(fd);
	ck_refused(tar_unpack(&e), e, "the archive is damaged after 1 entries: Damaged tar archive");
}
END_TEST

START_TEST(no_end_of_the_padding)
{
	struct err e;

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("f", 0644, "data");
	tar_end();
	tar_cut(80 * 1024 * 1024);
	ck_refused(tar_unpack(&e), e, "the archive goes on for more than 67108864 bytes after its end mark");
	tar_cut(8 * 1024 * 1024);
	ck_ok(tar_unpack(&e), e);
}
END_TEST

START_TEST(no_archive)
{
	char zeros[10240] = "";
	struct err e;

	unit_write("a.tar", "", 0);
	ck_refused(tar_unpack(&e), e, "the archive is empty");
	unit_write("a.tar", "hello, this is not an archive", 29);
	ck_refused(tar_unpack(&e), e, "this is not a tar archive");
	unit_write("a.tar", zeros, sizeof(zeros));
	ck_refused(tar_unpack(&e), e, "the archive is empty");
	memcpy(zeros, "PK\3\4", 4);
	unit_write("a.tar", zeros, sizeof(zeros));
	ck_refused(tar_unpack(&e), e, "this is not a tar archive");
}
END_TEST

START_TEST(archive_of_layers)
{
	struct err e;

	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("manifest.json", 0644, "[]");
	tar_put_file("0123/layer.tar", 0644, "x");
	tar_end();
	ck_refused(tar_unpack(&e), e, "make one with 'docker export'");
	tar_begin(ARCHIVE_FILTER_NONE);
	tar_put_file("manifest.json", 0644, "[]");
	tar_put_file("./usr/bin/x", 0644, "x");
	tar_end();
	ck_ok(tar_unpack(&e), e);
}
END_TEST

UNIT_MAIN("unpack", ordinary, the_topmost_directory, layer_is_the_sha256_of_the_stream, names_outside_ascii,
	utf8_pax_names, duplicates, truncated, cut_off_between_entries, a_damaged_header,
	no_end_of_the_padding, no_archive, archive_of_layers)
