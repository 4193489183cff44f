/*
 * The writers' half of the store (see store.h for its layout). Only the slxc
 * program links this; runs as the store's owner.
 *
 * Everything is made in a directory of this writer's own below tmp/, brought to
 * disk with fsync(2), and renamed into place: after a crash the store holds the
 * old or the new, and tmp/ some garbage, which the next writer removes. Each
 * writer holds a lock on its own part of tmp/, so that it is not taken for garbage.
 *
 * What is looked at and then changed - is that layer there? does a reference
 * still lead to that image? - is looked at under one lock for the whole store,
 * writer_lock(), which is held for the moment of the renames and not while
 * something is packed. Locks are flock(2): they also hold between the machines
 * that share a store on NFS (Linux 2.6.12), and end with their process.
 */
#ifndef SLXC_STORE_WRITER_H
#define SLXC_STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#define WRITER_ID_SIZE 24

struct writer {
	struct store store;
	int layers, images, refs, tmp; /* the store's directories */
	int work;                      /* this writer's own: below tmp/ */
	int own_lock;                  /* held while it lives: tmp/<id>.lock */
	int store_lock;                /* -1, or held: the file `lock` */
	char id[WRITER_ID_SIZE];
};

/*
 * Opens the store at an absolute path, makes what is missing of it (layers/ and
 * tmp/ 0700; the store itself, images/ and refs/ 0755), removes what crashed writers left
 * in tmp/, and makes w->work. -1, e->code EACCES, EPERM or EROFS: the caller may not write it.
 */
int writer_open(struct writer *w, const char *path, struct err *e);

/* Removes w->work and lets go of the locks. */
void writer_close(struct writer *w);

/* The store's lock; waits for it. */
int writer_lock(struct writer *w, struct err *e);
void writer_unlock(struct writer *w);

bool writer_has_layer(const struct writer *w, const char *layer);

/* Moves work/<file> to its place. Under the lock, when !writer_has_layer(). */
int writer_put_layer(struct writer *w, const char *file, const char *layer, struct err *e);

/* Bytes of a layer's file, or -1. */
int64_t writer_layer_size(const struct writer *w, const char *layer, struct err *e);

struct new_image {
	const char *digest;                     /* "sha256:<hex>" */
	const char (*layers)[DIGEST_LEN + 1];   /* "sha256-<hex>", lowest first, all in the store */
	unsigned n_layers;
	const char *config;                     /* the text of config.json */
	bool is_private;
	uid_t owner;                            /* of a private image */
};

/*
 * Adds an image. Under the lock. When the store has the same image (same digest,
 * so the same content), it stays as it is, but who may use it grows: a public
 * one makes it public, a private one adds its owner. Returns 0, 1 when it was
 * there, 2 when it was there and private is asked of what was public already, or -1.
 */
int writer_put_image(struct writer *w, const struct new_image *image, struct err *e);

/*
 * Lets the full name ("debian:12") lead to the image. Under the lock. old: "" or
 * the digest it led to before (DIGEST_LEN + 1 bytes).
 */
int writer_put_ref(struct writer *w, const char *name, const char *digest, char *old, struct err *e);

/* Removals, under the lock. A step that uses what is removed keeps it until it ends. */
int writer_remove_ref(struct writer *w, const char *name, struct err *e);
int writer_remove_image(struct writer *w, const char *digest, struct err *e);

/*
 * Removes the layers that no image has. freed: their bytes. -1 when an image's
 * layers cannot be read: then none is removed.
 */
int writer_remove_unused_layers(struct writer *w, uint64_t *freed, struct err *e);

#endif
