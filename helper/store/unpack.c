#include <config.h>

#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "sha256.h"
#include "tree.h"

#define TAR_BLOCK 512
#define MAX_PADDING (64 * 1024 * 1024) /* after the end mark; tar pads to its record size, at most some MiB */

struct unpacker {
	struct source *src;
	struct sha256 *hash;
	struct archive *in, *out;
	const struct unpack_limits *limits;
	unpack_progress *progress;
	void *arg;
	struct unpack_result result;
	unsigned zeros;             /* zero bytes the stream ends with so far, up to TAR_BLOCK */
	bool any_data;
	bool source_failed;         /* and why is in source_err */
	struct err source_err;
	bool has_top;               /* the archive says what the directory itself is like: */
	mode_t top_mode;
	struct timespec top_mtime;
	bool has_layers;            /* it has what an archive of image layers has */
	bool has_root;              /* it has what a root file system has */
};

static void count_zeros(struct unpacker *u, const unsigned char *buf, size_t size)
{
	size_t n = 0;

	while (n < size && n < TAR_BLOCK && buf[size - 1 - n] == 0)
		n++;
	u->zeros = n == size && n < TAR_BLOCK ? u->zeros + n : n;
	if (u->zeros > TAR_BLOCK)
		u->zeros = TAR_BLOCK;
}

/* Gives the stream to libarchive, hashed on the way. */
static la_ssize_t on_read(struct archive *a, void *arg, const void **buf)
{
	struct unpacker *u = arg;
	uint64_t done, total;
	ssize_t n = source_read(u->src, buf, &u->source_err);

	if (n > 0 && sha256_update(u->hash, *buf, n, &u->source_err) < 0)
		n = -1;
	if (n < 0) {
		u->source_failed = true;
		archive_set_error(a, EIO, "%s", u->source_err.text);
		return -1;
	}
	if (n > 0) {
		u->any_data = true;
		count_zeros(u, *buf, n);
	}
	if (u->progress) {
		source_progress(u->src, &done, &total);
		u->progress(u->arg, done, total);
	}
	return n;
}

static int fail_in(struct unpacker *u, struct err *e)
{
	const char *text = archive_error_string(u->in);

	if (u->source_failed) {
		*e = u->source_err;
		return -1;
	}
	if (!u->any_data)
		return err_set(e, 0, "the archive is empty");
	if (u->result.entries == 0)
		return err_set(e, 0, "this is not a tar archive: %s", text ? text : "unknown error");
	return err_set(e, 0, "the archive is damaged after %llu entries: %s", (unsigned long long)u->result.entries,
		text ? text : "unknown error");
}

static int fail_out(struct unpacker *u, struct archive_entry *entry, struct err *e)
{
	int code = archive_errno(u->out);
	const char *text = archive_error_string(u->out);

	err_set(e, 0, "unpack %.120s: %s", archive_entry_pathname(entry), text ? text : "unknown error");
	e->code = code > 0 ? code : 0;
	return -1;
}

/* The path without what leads it out of the directory: "/", "./", again and again. */
static const char *relative(const char *path)
{
	for (;;) {
		if (path[0] == '/')
			path++;
		else if (path[0] == '.' && path[1] == '/')
			path += 2;
		else
			return *path ? path : ".";
	}
}

static int check_path(const char *path, const char *what, struct err *e)
{
	unsigned depth = 1;

	if (strlen(path) >= PATH_MAX - 256)
		return err_set(e, 0, "%s %.100s... is too long", what, path);
	for (const char *s = path; *s; s++) {
		if (s[0] == '.' && s[1] == '.' && (s == path || s[-1] == '/') && (s[2] == '/' || !s[2]))
			return err_set(e, 0, "%s %.200s has '..' in it: refused", what, path);
		if (*s == '/')
			depth++;
	}
	if (depth > TREE_MAX_DEPTH - 1)
		return err_set(e, 0, "%s %.100s... is more than %d directories deep", what, path, TREE_MAX_DEPTH - 1);
	return 0;
}

/* libarchive's getters point into the entry, and its setters copy: so through a buffer. */
static int make_relative(struct archive_entry *entry, struct err *e)
{
	const char *path = archive_entry_pathname(entry);
	const char *link = archive_entry_hardlink(entry);
	autofree char *copy = NULL;

	if (!path || !*path)
		return err_set(e, 0, "the archive has an entry without a name that can be read");
	if (check_path(path, "the name", e) < 0)
		return -1;
	copy = strdup(relative(path));
	if (!copy)
		return err_set(e, ENOMEM, "unpack");
	archive_entry_copy_pathname(entry, copy);
	if (!link)
		return 0;
	if (check_path(link, "the hard link to", e) < 0)
		return -1;
	free(copy);
	copy = strdup(relative(link));
	if (!copy)
		return err_set(e, ENOMEM, "unpack");
	archive_entry_copy_hardlink(entry, copy);
	return 0;
}

/* Leaves of the entry only what unpack.h promises. */
static void disarm(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);
	mode_t perm = archive_entry_perm(entry);

	if (type == AE_IFDIR)
		archive_entry_set_perm(entry, (perm & 01777) | 0700);
	else
		archive_entry_set_perm(entry, (perm & 0777) | 0400);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_xattr_clear(entry);
	archive_entry_acl_clear(entry);
	archive_entry_set_fflags(entry, 0, 0);
	archive_entry_copy_mac_metadata(entry, NULL, 0);
}

static bool is_wanted(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	return archive_entry_hardlink(entry) || type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK;
}

static int check_limits(struct unpacker *u, struct archive_entry *entry, struct err *e)
{
	int64_t size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;

	if (u->result.entries > u->limits->entries)
		return err_set(e, EFBIG, "the source has more than %llu entries", (unsigned long long)u->limits->entries);
	if (size < 0 || (uint64_t)size > u->limits->bytes - u->result.bytes)
		return err_set(e, EFBIG, "the source has more than %llu bytes", (unsigned long long)u->limits->bytes);
	u->result.bytes += size;
	return 0;
}

static int copy_data(struct unpacker *u, struct archive_entry *entry, struct err *e)
{
	const void *buf;
	la_int64_t offset;
	size_t size;
	int rc;

	while ((rc = archive_read_data_block(u->in, &buf, &size, &offset)) != ARCHIVE_EOF) {
		if (rc < ARCHIVE_WARN)
			return fail_in(u, e);
		if (archive_write_data_block(u->out, buf, size, offset) < ARCHIVE_WARN)
			return fail_out(u, entry, e);
	}
	return 0;
}

/* docker save and OCI layouts are tar archives too, but no root file systems. */
static void look_at(struct unpacker *u, const char *path)
{
	static const char *const roots[] = { "bin", "usr", "etc", "lib" };

	if (!strcmp(path, "manifest.json") || !strcmp(path, "oci-layout"))
		u->has_layers = true;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		size_t n = strlen(roots[i]);

		if (!strncmp(path, roots[i], n) && (!path[n] || path[n] == '/'))
			u->has_root = true;
	}
}

/* "./" is for later: libarchive leaves a directory that is there as it is. */
static int note_top(struct unpacker *u, struct archive_entry *entry, struct err *e)
{
	if (archive_entry_filetype(entry) != AE_IFDIR || archive_entry_hardlink(entry))
		return err_set(e, 0, "the archive's entry '.' is not a directory");
	u->has_top = true;
	u->top_mode = archive_entry_perm(entry);
	u->top_mtime.tv_sec = archive_entry_mtime(entry);
	u->top_mtime.tv_nsec = archive_entry_mtime_nsec(entry);
	return 0;
}

static int finish_top(const struct unpacker *u, struct err *e)
{
	struct timespec times[2] = { u->top_mtime, u->top_mtime };

	if (u->has_top && (chmod(".", u->top_mode) < 0 || utimensat(AT_FDCWD, ".", times, 0) < 0))
		return err_set(e, errno, "unpack the topmost directory");
	return 0;
}

static int unpack_entry(struct unpacker *u, struct archive_entry *entry, struct err *e)
{
	const char *path;

	u->result.entries++;
	if (make_relative(entry, e) < 0 || check_limits(u, entry, e) < 0)
		return -1;
	if (!is_wanted(entry)) {
		u->result.skipped++;
		return 0;
	}
	path = archive_entry_pathname(entry);
	look_at(u, path);
	disarm(entry);
	if (!strcmp(path, "."))
		return note_top(u, entry, e);
	if (archive_write_header(u->out, entry) < ARCHIVE_WARN)
		return fail_out(u, entry, e);
	if (archive_entry_size(entry) > 0 && copy_data(u, entry, e) < 0)
		return -1;
	if (archive_write_finish_entry(u->out) < ARCHIVE_WARN)
		return fail_out(u, entry, e);
	return 0;
}

/* libarchive stops at tar's end mark; the layer's identity is all of the stream. */
static int drain(struct unpacker *u, struct err *e)
{
	uint64_t padding = 0;
	const void *buf;
	la_ssize_t n;

	while ((n = on_read(u->in, u, &buf)) > 0)
		if ((padding += n) > MAX_PADDING)
			return err_set(e, EFBIG, "the archive goes on for more than %d bytes after its end mark", MAX_PADDING);
	if (n < 0)
		return fail_in(u, e);
	if (u->result.entries == 0)
		return err_set(e, 0, "the archive is empty");
	if (u->zeros < TAR_BLOCK)
		return err_set(e, 0, "the archive ends too early: it was cut off");
	return 0;
}

static int unpack_all(struct unpacker *u, struct err *e)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = archive_read_next_header(u->in, &entry)) != ARCHIVE_EOF) {
		if (rc < ARCHIVE_WARN || rc == ARCHIVE_RETRY) /* RETRY: a bad header, go on if you dare */
			return fail_in(u, e);
		if (unpack_entry(u, entry, e) < 0)
			return -1;
	}
	if (drain(u, e) < 0)
		return -1;
	if (u->has_layers && !u->has_root)
		return err_set(e, 0, "this is an archive of image layers (docker save, OCI layout), not of a root file "
			"system: make one with 'docker export' or 'podman export'");
	if (archive_write_close(u->out) < ARCHIVE_WARN)
		return err_set(e, archive_errno(u->out), "unpack");
	if (finish_top(u, e) < 0)
		return -1;
	u->result.skipped += source_skipped(u->src);
	return 0;
}

static int open_archives(struct unpacker *u, struct err *e)
{
	u->in = archive_read_new();
	u->out = archive_write_disk_new();
	if (!u->in || !u->out)
		return err_set(e, ENOMEM, "unpack");
	archive_read_support_format_tar(u->in);
	archive_write_disk_set_options(u->out, ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
		ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
		ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
	if (archive_read_open(u->in, u, NULL, on_read, NULL) != ARCHIVE_OK)
		return fail_in(u, e);
	return 0;
}

/* In the directory: libarchive takes paths from where the process is. */
static int unpack_here(struct unpacker *u, struct err *e)
{
	int rc = -1;

	if ((u->hash = sha256_create(e)) && open_archives(u, e) == 0 && unpack_all(u, e) == 0)
		rc = sha256_final(u->hash, '-', u->result.layer, e);
	archive_read_free(u->in);
	archive_write_free(u->out);
	sha256_destroy(u->hash);
	return rc;
}

int unpack(struct source *src, int dir, const struct unpack_limits *limits, unpack_progress *progress, void *arg,
	struct unpack_result *result, struct err *e)
{
	struct unpacker u = { .src = src, .limits = limits, .progress = progress, .arg = arg };
	autoclose int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t old = (locale_t)0;
	int rc;

	if (back < 0 || fchdir(dir) < 0) {
		err_set(e, errno, "change the working directory");
		if (utf8)
			freelocale(utf8);
		return -1;
	}
	if (utf8) /* else pax archives' names outside ASCII are lost in the "C" locale */
		old = uselocale(utf8);
	rc = unpack_here(&u, e);
	if (utf8) {
		uselocale(old);
		freelocale(utf8);
	}
	if (fchdir(back) < 0)
		return err_set(e, errno, "change the working directory back");
	if (rc == 0)
		*result = u.result;
	return rc;
}
