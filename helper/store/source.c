/* The archive kind of source, and the choice between the two. The directory kind is in source_dir.c. */
#include <config.h>

#include "source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "source_impl.h"

#define BLOCK_SIZE (256 * 1024)

struct tar {
	struct archive *archive; /* format "raw": takes the compression off and looks no further */
	uint64_t total;
	int started;
};

static void tar_destroy(void *self)
{
	struct tar *t = self;

	archive_read_free(t->archive);
	free(t);
}

void *source_tar_create(int fd, struct err *e)
{
	struct tar *t = calloc(1, sizeof(*t));
	struct stat st;
	struct archive *a;

	if (!t || !(t->archive = archive_read_new())) {
		free(t);
		err_set(e, ENOMEM, "open the archive");
		return NULL;
	}
	a = t->archive;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		t->total = st.st_size;
	/* Those that libarchive does itself: it would start programs for others. */
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_lzip(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_compress(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	if (archive_read_open_fd(a, fd, BLOCK_SIZE) != ARCHIVE_OK) {
		err_set(e, 0, "read the archive: %s", archive_error_string(a));
		tar_destroy(t);
		return NULL;
	}
	return t;
}

static ssize_t tar_read(void *self, const void **buf, struct err *e)
{
	struct tar *t = self;
	struct archive_entry *entry;
	la_int64_t offset;
	size_t size = 0;
	int rc;

	if (!t->started) {
		t->started = 1;
		rc = archive_read_next_header(t->archive, &entry);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc < ARCHIVE_WARN)
			return err_set(e, 0, "read the archive: %s", archive_error_string(t->archive));
	}
	do
		rc = archive_read_data_block(t->archive, buf, &size, &offset);
	while (rc >= ARCHIVE_WARN && rc != ARCHIVE_EOF && size == 0);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc < ARCHIVE_WARN)
		return err_set(e, 0, "read the archive: %s", archive_error_string(t->archive));
	return size;
}

static void tar_progress(const void *self, uint64_t *done, uint64_t *total)
{
	const struct tar *t = self;

	*done = archive_filter_bytes(t->archive, -1);
	*total = t->total;
}

static uint64_t tar_skipped(const void *self)
{
	return 0;
}

const struct source_ops source_tar_ops = { tar_read, tar_progress, tar_skipped, tar_destroy };

struct source {
	const struct source_ops *ops;
	void *self;
};

struct source *source_open(int fd, int without, struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));
	struct stat st;

	if (!s || fstat(fd, &st) < 0) {
		err_set(e, errno, "open the source");
		free(s);
		return NULL;
	}
	if (S_ISDIR(st.st_mode)) {
		s->ops = &source_dir_ops;
		s->self = source_dir_create(fd, without, e);
	} else {
		s->ops = &source_tar_ops;
		s->self = source_tar_create(fd, e);
	}
	if (!s->self) {
		free(s);
		return NULL;
	}
	return s;
}

void source_close(struct source *s)
{
	if (s)
		s->ops->destroy(s->self);
	free(s);
}

ssize_t source_read(struct source *s, const void **buf, struct err *e)
{
	return s->ops->read(s->self, buf, e);
}

void source_progress(const struct source *s, uint64_t *done, uint64_t *total)
{
	s->ops->progress(s->self, done, total);
}

uint64_t source_skipped(const struct source *s)
{
	return s->ops->skipped(s->self);
}
