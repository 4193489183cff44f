/*
 * The image store, as its readers see it (slxc-step as root, slxc as anyone).
 *
 *   layers/sha256-<id>.erofs      one per layer                      (layers/ is 0700)
 *   images/sha256-<digest>/       layers (layer ids, one a line, lowest first)
 *                                 config.json (made by the importer, read by the worker)
 *                                 owner-<uid> (of a private image: who may use it)
 *   refs/<name>                   symlink whose text is "sha256-<digest>"
 *   tmp/                          imports in progress
 *
 * Who may use an image: everybody when its file `layers` is readable by others;
 * else root, the owner of that file (the store's owner), and each user for whom
 * the image's directory has an empty file owner-<uid>. The files never belong
 * to those users: the owner of a file may change its mode and so its content,
 * and root mounts what `layers` says. Links libc only; parses nothing but
 * digests. Nothing below the store's directory is reached through a symlink.
 */
#ifndef SLXC_STORE_H
#define SLXC_STORE_H

#include <sys/types.h>

#include "common/err.h"
#include "common/name.h"

#define STORE_MAX_LAYERS 128

struct store {
	int root; /* O_PATH descriptor of the store's directory */
};

struct image {
	char name[NAME_FULL_SIZE];                     /* as asked, with its tag */
	char digest[DIGEST_LEN + 1];                   /* "sha256:..." */
	unsigned n_layers;
	char layers[STORE_MAX_LAYERS][DIGEST_LEN + 1]; /* "sha256-...", lowest first */
	int config;                                    /* config.json, open for reading; image_close() closes it */
};

/* Opens the store at an absolute path. -1: it is missing, or others than its owner and root can write it. */
int store_open(struct store *s, const char *path, struct err *e);
void store_close(struct store *s);

/*
 * Finds an image by reference ("debian:12") or by digest ("sha256:<64 hex>")
 * for a user. -1, e->code: ENOENT no such image, EACCES it is another user's,
 * EINVAL bad name, EIO the store is damaged, EPERM the user may use it, but this
 * process cannot read it (only root and the store's owner read a private one);
 * the text says what to do.
 */
int store_find(const struct store *s, const char *ref, uid_t uid, struct image *img, struct err *e);
void image_close(struct image *img);

/* Opens a layer's file for reading (to mount it). Root or the store's owner. Returns a descriptor, or -1; e->code ENOENT: it is not in the store. */
int store_open_layer(const struct store *s, const char *layer, struct err *e);

#endif
