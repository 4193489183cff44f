/*
 * The node's shared image mounts: every layer that any step uses is mounted
 * once, read-only, below RUNDIR_IMAGES (0700 root), and steps get clones. Root,
 * in the host's mount namespace.
 */
#ifndef SLXC_LAYERS_H
#define SLXC_LAYERS_H

#include "common/err.h"
#include "store/store.h"

/*
 * Makes sure that every layer of the image is mounted: the file itself (Linux
 * 6.12), else through a read-only loop device that frees itself. Does not read
 * the image: the cost does not depend on its size. e->code ENODEV: this kernel
 * has no EROFS.
 */
int layers_mount(const struct store *s, const char *store_path, const struct image *img, struct err *e);

/* Unmounts layers whose file is no longer in the store. Returns how many. Running steps keep their clones. */
int layers_prune(const struct store *s);

#endif
