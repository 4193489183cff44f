#include <config.h>

#include "list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"

static struct list_entry *add(struct list *l, struct err *e)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct list_entry *bigger = reallocarray(l->entries, room, sizeof(*bigger));

		if (!bigger) {
			err_set(e, ENOMEM, "list the store");
			return NULL;
		}
		l->entries = bigger;
		l->room = room;
	}
	memset(&l->entries[l->n], 0, sizeof(l->entries[0]));
	return &l->entries[l->n++];
}

static int compare(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;
	int by_name = strcmp(x->name, y->name);

	return by_name ? by_name : strcmp(x->digest, y->digest);
}

static int add_ref(int dir, const char *leaf, const char *name, struct list *l, struct err *e)
{
	char full[NAME_FULL_SIZE], text[DIGEST_LEN + 2];
	ssize_t n = readlinkat(dir, leaf, text, sizeof(text) - 1);
	struct list_entry *entry;
	struct err ignored;

	if (n < 0)
		return 0; /* removed meanwhile, or no symlink: not ours */
	if (name_check(name, full, &ignored) < 0 || strcmp(full, name))
		return 0;
	entry = add(l, e);
	if (!entry)
		return -1;
	memcpy(entry->name, name, strlen(name) + 1);
	text[n] = 0;
	if (digest_is_valid(text, '-')) {
		memcpy(entry->digest, text, DIGEST_LEN + 1);
		entry->digest[6] = ':';
	}
	return 0;
}

/* name: of the directory, with its final '/', or "". A name has at most NAME_MAX_LEN / 2 parts: so deep this goes. */
static int walk_refs(int parent, const char *sub, const char *name, struct list *l, struct err *e)
{
	autoclose int fd = io_open_beneath(parent, sub, O_RDONLY | O_DIRECTORY, 0);
	autoclosedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return err_set(e, errno, "open %s", sub);
	steal_fd(&fd);
	while ((d = readdir(dir))) {
		char path[NAME_FULL_SIZE];
		struct stat st;
		int rc;

		if (d->d_name[0] == '.')
			continue;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (snprintf(path, sizeof(path), "%s%s%s", name, d->d_name, S_ISDIR(st.st_mode) ? "/" : "") >=
		    (int)sizeof(path))
			continue;
		rc = S_ISDIR(st.st_mode) ? walk_refs(dirfd(dir), d->d_name, path, l, e) :
			add_ref(dirfd(dir), d->d_name, path, l, e);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int finish(int rc, struct list *l, struct list *out)
{
	if (rc < 0) {
		list_free(l);
		return -1;
	}
	if (l->n)
		qsort(l->entries, l->n, sizeof(l->entries[0]), compare);
	*out = *l;
	return 0;
}

int list_refs(const struct store *s, struct list *out, struct err *e)
{
	struct list l = { 0 };

	return finish(walk_refs(s->root, "refs", "", &l, e), &l, out);
}

static int walk_images(const struct store *s, struct list *l, struct err *e)
{
	autoclose int fd = io_open_beneath(s->root, "images", O_RDONLY | O_DIRECTORY, 0);
	autoclosedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return err_set(e, errno, "open images");
	steal_fd(&fd);
	while ((d = readdir(dir))) {
		struct list_entry *entry;

		if (!digest_is_valid(d->d_name, '-'))
			continue;
		entry = add(l, e);
		if (!entry)
			return -1;
		memcpy(entry->digest, d->d_name, DIGEST_LEN + 1);
		entry->digest[6] = ':';
	}
	return 0;
}

int list_images(const struct store *s, struct list *out, struct err *e)
{
	struct list l = { 0 };

	return finish(walk_images(s, &l, e), &l, out);
}

void list_free(struct list *l)
{
	free(l->entries);
	*l = (struct list){ 0 };
}
