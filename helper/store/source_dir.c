/*
 * A directory as a stream of pax tar. libarchive's own disk reader gives entries
 * in the order of readdir(3), so the walk is done here, sorted: one step of it
 * each time the reader has used up what there was.
 */
#include <config.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "source_impl.h"
#include "tree.h"

#define BLOCK_SIZE (256 * 1024)

struct level {
	int fd;
	struct dirent **names;
	int n, next;
	size_t path_len; /* of this directory's own path */
};

struct dir {
	struct archive *archive;
	struct archive_entry *entry;
	struct archive_entry_linkresolver *links;
	struct level levels[TREE_MAX_DEPTH];
	unsigned depth;              /* levels in use */
	char path[PATH_MAX];         /* of the entry at hand, relative, "" for the directory itself */
	dev_t dev;
	dev_t without_dev;           /* the directory that is left out; 0: none */
	ino_t without_ino;
	int file;                    /* whose data is being written, or -1 */
	uint64_t left;               /* of it */
	uint64_t done, skipped;
	bool closed;
	bool given;                  /* what is in out */
	char *out;                   /* what libarchive wrote since the last read */
	size_t out_len, out_size;
	char block[BLOCK_SIZE];
};

static la_ssize_t on_write(struct archive *a, void *arg, const void *buf, size_t size)
{
	struct dir *d = arg;

	if (d->out_len + size > d->out_size) {
		size_t bigger = 2 * (d->out_len + size);
		char *out = realloc(d->out, bigger);

		if (!out) {
			archive_set_error(a, ENOMEM, "out of memory");
			return -1;
		}
		d->out = out;
		d->out_size = bigger;
	}
	memcpy(d->out + d->out_len, buf, size);
	d->out_len += size;
	return size;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* bytes, not the locale's order */
}

static int no_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
}

static int fail(struct dir *d, struct err *e, const char *what)
{
	return err_set(e, errno, "%s %.200s", what, *d->path ? d->path : "the directory");
}

/* Takes fd in any case. */
static int push(struct dir *d, int fd, struct err *e)
{
	struct level *l = &d->levels[d->depth];

	if (d->depth == TREE_MAX_DEPTH) {
		close(fd);
		return err_set(e, 0, "%.100s... is more than %d directories deep", d->path, TREE_MAX_DEPTH);
	}
	*l = (struct level){ .fd = fd, .path_len = strlen(d->path) };
	l->n = scandirat(fd, ".", &l->names, no_dots, by_name);
	if (l->n < 0) {
		fail(d, e, "read directory");
		close(fd);
		return -1;
	}
	d->depth++;
	return 0;
}

static void pop(struct dir *d)
{
	struct level *l = &d->levels[--d->depth];

	for (; l->next < l->n; l->next++)
		free(l->names[l->next]);
	free(l->names);
	close(l->fd);
}

static void dir_destroy(void *self)
{
	struct dir *d = self;

	while (d->depth)
		pop(d);
	if (d->file >= 0)
		close(d->file);
	archive_entry_free(d->entry);
	archive_entry_linkresolver_free(d->links);
	archive_write_free(d->archive);
	free(d->out);
	free(d);
}

static int write_header(struct dir *d, const struct stat *st, const char *target, struct err *e)
{
	struct archive_entry *spare = NULL;
	char path[PATH_MAX + 2];

	snprintf(path, sizeof(path), "./%s", d->path);
	archive_entry_clear(d->entry);
	archive_entry_copy_pathname(d->entry, path);
	archive_entry_set_mode(d->entry, st->st_mode);
	archive_entry_set_mtime(d->entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	archive_entry_set_size(d->entry, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (target)
		archive_entry_copy_symlink(d->entry, target);
	if (S_ISREG(st->st_mode) && st->st_nlink > 1) {
		archive_entry_set_dev(d->entry, st->st_dev);
		archive_entry_set_ino64(d->entry, st->st_ino);
		archive_entry_set_nlink(d->entry, st->st_nlink);
		archive_entry_linkify(d->links, &d->entry, &spare);
		archive_entry_set_dev(d->entry, 0); /* not the same from one copy of a directory to the next */
		archive_entry_set_ino64(d->entry, 0);
		archive_entry_set_nlink(d->entry, 1);
	}
	if (archive_write_header(d->archive, d->entry) < ARCHIVE_WARN)
		return err_set(e, 0, "read %.200s: %s", d->path, archive_error_string(d->archive));
	return 0;
}

static int start_file(struct dir *d, int parent, const char *name, const struct stat *st, struct err *e)
{
	autoclose int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat now;

	if (fd < 0 || fstat(fd, &now) < 0)
		return fail(d, e, "open");
	if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return err_set(e, 0, "%.200s was replaced while it was read", d->path);
	if (write_header(d, &now, NULL, e) < 0)
		return -1;
	if (archive_entry_hardlink(d->entry) || now.st_size == 0)
		return 0;
	d->file = steal_fd(&fd);
	d->left = now.st_size;
	return 0;
}

static int start_symlink(struct dir *d, int parent, const char *name, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(parent, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail(d, e, "read symlink");
	target[n] = 0;
	return write_header(d, st, target, e);
}

static int start_dir(struct dir *d, int parent, const char *name, const struct stat *st, struct err *e)
{
	int fd;

	if (st->st_dev == d->without_dev && st->st_ino == d->without_ino)
		return 0;
	if (write_header(d, st, NULL, e) < 0)
		return -1;
	if (st->st_dev != d->dev) /* a mount point: its directory, without what is mounted there */
		return 0;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(d, e, "open directory");
	return push(d, fd, e);
}

static int start_entry(struct dir *d, int parent, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return fail(d, e, "look at");
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		if (st.st_dev == d->dev)
			return start_file(d, parent, name, &st, e);
		break;
	case S_IFLNK:
		return start_symlink(d, parent, name, &st, e);
	case S_IFDIR:
		return start_dir(d, parent, name, &st, e);
	}
	d->skipped++;
	return 0;
}

static int write_data(struct dir *d, struct err *e)
{
	size_t want = d->left < BLOCK_SIZE ? d->left : BLOCK_SIZE;
	ssize_t n = io_read_full(d->file, d->block, want);

	if (n < 0)
		return fail(d, e, "read");
	if ((size_t)n < want)
		return err_set(e, 0, "%.200s became shorter while it was read", d->path);
	if (archive_write_data(d->archive, d->block, n) != n)
		return err_set(e, 0, "read %.200s: %s", d->path, archive_error_string(d->archive));
	d->left -= n;
	d->done += n;
	if (d->left == 0) {
		close(d->file);
		d->file = -1;
	}
	return 0;
}

/* One step of the walk. */
static int step(struct dir *d, struct err *e)
{
	struct level *l;
	char *name;
	int n, rc;

	if (d->file >= 0)
		return write_data(d, e);
	if (d->depth == 0) {
		d->closed = true;
		if (archive_write_close(d->archive) != ARCHIVE_OK)
			return err_set(e, 0, "read the directory: %s", archive_error_string(d->archive));
		return 0;
	}
	l = &d->levels[d->depth - 1];
	if (l->next == l->n) {
		pop(d);
		return 0;
	}
	name = l->names[l->next]->d_name;
	n = snprintf(d->path + l->path_len, sizeof(d->path) - l->path_len, "%s%s", l->path_len ? "/" : "", name);
	if ((size_t)n >= sizeof(d->path) - l->path_len)
		return err_set(e, ENAMETOOLONG, "read %.100s...", d->path);
	rc = start_entry(d, l->fd, name, e);
	free(l->names[l->next++]);
	return rc;
}

static ssize_t dir_read(void *self, const void **buf, struct err *e)
{
	struct dir *d = self;

	if (d->given)
		d->out_len = 0;
	d->given = true;
	while (d->out_len == 0 && !d->closed)
		if (step(d, e) < 0)
			return -1;
	*buf = d->out;
	return d->out_len;
}

static void dir_progress(const void *self, uint64_t *done, uint64_t *total)
{
	*done = ((const struct dir *)self)->done;
	*total = 0;
}

static uint64_t dir_skipped(const void *self)
{
	return ((const struct dir *)self)->skipped;
}

const struct source_ops source_dir_ops = { dir_read, dir_progress, dir_skipped, dir_destroy };

static int start(struct dir *d, int fd, int without, struct err *e)
{
	autoclose int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (!d->archive || !d->entry || !d->links)
		return err_set(e, ENOMEM, "read the directory");
	archive_write_set_format_pax(d->archive);
	archive_write_add_filter_none(d->archive);
	archive_write_set_bytes_per_block(d->archive, 0);
	archive_entry_linkresolver_set_strategy(d->links, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
	if (archive_write_open(d->archive, d, NULL, on_write, NULL) != ARCHIVE_OK)
		return err_set(e, 0, "read the directory: %s", archive_error_string(d->archive));
	if (own < 0 || fstat(own, &st) < 0)
		return err_set(e, errno, "open the directory");
	d->dev = st.st_dev;
	if (write_header(d, &st, NULL, e) < 0)
		return -1;
	if (without >= 0 && fstat(without, &st) < 0)
		return err_set(e, errno, "look at the image store");
	if (without >= 0) {
		d->without_dev = st.st_dev;
		d->without_ino = st.st_ino;
	}
	return push(d, steal_fd(&own), e);
}

void *source_dir_create(int fd, int without, struct err *e)
{
	struct dir *d = calloc(1, sizeof(*d));

	if (!d) {
		err_set(e, ENOMEM, "read the directory");
		return NULL;
	}
	d->file = -1;
	d->archive = archive_write_new();
	d->entry = archive_entry_new();
	d->links = archive_entry_linkresolver_new();
	if (start(d, fd, without, e) < 0) {
		dir_destroy(d);
		return NULL;
	}
	return d;
}
