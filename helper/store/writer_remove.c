/* What is taken out of the store. The contract is in writer.h. */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "list.h"
#include "tree.h"
#include "writer.h"

int writer_remove_ref(struct writer *w, const char *name, struct err *e)
{
	char full[NAME_FULL_SIZE], *slash;

	if (name_check(name, full, e) < 0)
		return -1;
	slash = strrchr(full, '/');
	if (!slash) {
		if (unlinkat(w->refs, full, 0) < 0)
			return err_set(e, errno, "remove reference %s", full);
		return tree_sync(w->refs, ".", e);
	}
	*slash = 0;
	{
		autoclose int dir = io_open_beneath(w->refs, full, O_RDONLY | O_DIRECTORY, 0);

		if (dir < 0 || unlinkat(dir, slash + 1, 0) < 0 || fsync(dir) < 0)
			return err_set(e, errno, "remove reference %s/%s", full, slash + 1);
	}
	while (unlinkat(w->refs, full, AT_REMOVEDIR) == 0 && (slash = strrchr(full, '/')))
		*slash = 0; /* the directories that are empty now */
	return 0;
}

int writer_remove_image(struct writer *w, const char *digest, struct err *e)
{
	char dir_name[DIGEST_LEN + 1];

	if (!digest_is_valid(digest, ':'))
		return err_set(e, EINVAL, "image %.80s", digest);
	memcpy(dir_name, digest, sizeof(dir_name));
	dir_name[6] = '-';
	if (renameat(w->images, dir_name, w->work, dir_name) < 0)
		return err_set(e, errno, "remove image %s", digest);
	if (tree_sync(w->images, ".", e) < 0)
		return -1;
	return tree_remove(w->work, dir_name, e);
}

static int compare_layers(const void *a, const void *b)
{
	return strcmp(a, b);
}

typedef char layer_id[DIGEST_LEN + 1];

/* Every layer of every image, sorted, to be freed. */
static int used_layers(struct writer *w, layer_id **out, size_t *n_out, struct err *e)
{
	struct list images = { 0 };
	layer_id *used = NULL;
	size_t n = 0;
	int rc = list_images(&w->store, &images, e);

	for (size_t i = 0; rc == 0 && i < images.n; i++) {
		struct image img;
		layer_id *bigger;

		rc = store_find(&w->store, images.entries[i].digest, 0, &img, e);
		if (rc < 0)
			break;
		image_close(&img);
		bigger = reallocarray(used, n + img.n_layers, sizeof(*used));
		if (!bigger) {
			rc = err_set(e, ENOMEM, "look for unused layers");
			break;
		}
		used = bigger;
		memcpy(used + n, img.layers, img.n_layers * sizeof(*used));
		n += img.n_layers;
	}
	list_free(&images);
	if (rc < 0) {
		free(used);
		return -1;
	}
	if (n)
		qsort(used, n, sizeof(*used), compare_layers);
	*out = used;
	*n_out = n;
	return 0;
}

int writer_remove_unused_layers(struct writer *w, uint64_t *freed, struct err *e)
{
	autoclose int fd = openat(w->layers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclosedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	autofree layer_id *used = NULL;
	struct dirent *d;
	size_t n;

	if (!dir)
		return err_set(e, errno, "open layers");
	steal_fd(&fd);
	if (used_layers(w, &used, &n, e) < 0)
		return -1;
	*freed = 0;
	while ((d = readdir(dir))) {
		char id[DIGEST_LEN + 1];
		struct stat st;

		if (strlen(d->d_name) != DIGEST_LEN + strlen(".erofs") || strcmp(d->d_name + DIGEST_LEN, ".erofs"))
			continue;
		memcpy(id, d->d_name, DIGEST_LEN);
		id[DIGEST_LEN] = 0;
		if (!digest_is_valid(id, '-') || (n && bsearch(id, used, n, sizeof(*used), compare_layers)))
			continue;
		if (fstatat(w->layers, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(w->layers, d->d_name, 0) < 0)
			return err_set(e, errno, "remove layer %s", id);
		*freed += (uint64_t)st.st_blocks * 512;
	}
	return 0;
}
