#include <config.h>

#include "tar.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/source.h"
#include "unit.h"

struct archive *tar_archive;
struct unpack_result tar_result;
int tar_tree = -1;

void tar_begin_as(int filter, int format, const char *options)
{
	tar_archive = archive_write_new();
	archive_write_set_format(tar_archive, format);
	archive_write_add_filter(tar_archive, filter);
	archive_write_set_options(tar_archive, options);
	ck_assert_int_eq(archive_write_open_filename(tar_archive, unit_path("a.tar")), ARCHIVE_OK);
}

void tar_begin(int filter)
{
	tar_begin_as(filter, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, "hdrcharset=BINARY");
}

void tar_put(struct archive_entry *entry, const char *data)
{
	archive_entry_set_mtime(entry, 1000000000, 0);
	archive_entry_set_size(entry, data ? strlen(data) : 0);
	ck_assert_int_ge(archive_write_header(tar_archive, entry), ARCHIVE_WARN);
	if (data)
		ck_assert_int_eq(archive_write_data(tar_archive, data, strlen(data)), strlen(data));
	archive_entry_free(entry);
}

struct archive_entry *tar_entry(const char *path, mode_t mode)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_uid(entry, 4321);
	return entry;
}

void tar_put_file(const char *path, mode_t mode, const char *data)
{
	tar_put(tar_entry(path, S_IFREG | mode), data);
}

void tar_put_link(const char *path, const char *target, int hard)
{
	struct archive_entry *entry = tar_entry(path, (hard ? S_IFREG : S_IFLNK) | 0777);

	(hard ? archive_entry_set_hardlink : archive_entry_set_symlink)(entry, target);
	tar_put(entry, NULL);
}

void tar_end(void)
{
	ck_assert_int_eq(archive_write_close(tar_archive), ARCHIVE_OK);
	archive_write_free(tar_archive);
}

int tar_unpack_limited(const struct unpack_limits *limits, struct err *e)
{
	int fd = open(unit_path("a.tar"), O_RDONLY | O_CLOEXEC);
	struct source *src;
	int rc;

	ck_assert_int_ge(fd, 0);
	if (tar_tree < 0) {
		ck_assert_int_eq(mkdirat(unit_dirfd, "tree", 0755), 0);
		tar_tree = openat(unit_dirfd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	src = source_open(fd, -1, e);
	if (!src)
		return -1;
	rc = unpack(src, tar_tree, limits, NULL, NULL, &tar_result, e);
	source_close(src);
	close(fd);
	return rc;
}

int tar_unpack(struct err *e)
{
	return tar_unpack_limited(&(struct unpack_limits){ 1 << 20, 100 }, e);
}

struct stat tar_look(const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(tar_tree, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s is missing", name);
	return st;
}

void unit_lacks(const char *path)
{
	struct stat st;

	ck_assert_msg(fstatat(unit_dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0, "%s is there", path);
}

void tar_reads(const char *name, const char *expected)
{
	char buf[100];
	int fd = openat(tar_tree, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, buf, sizeof(buf) - 1);
	ck_assert_int_ge(n, 0);
	buf[n] = 0;
	ck_assert_str_eq(buf, expected);
	close(fd);
}

void tar_cut(off_t size)
{
	ck_assert_int_eq(truncate(unit_path("a.tar"), size), 0);
}
