/* Directory trees below the store, reached by descriptor and never through a symlink. */
#ifndef SLXC_STORE_TREE_H
#define SLXC_STORE_TREE_H

#include <sys/types.h>

#include "common/err.h"

/* Levels of directories; unpack() refuses deeper ones, so that a tree can be walked with a descriptor for each. */
#define TREE_MAX_DEPTH 256

/* Removes dirfd/name, whatever it is, and all below. Nothing there is no error. */
int tree_remove(int dirfd, const char *name, struct err *e);

/* Makes dirfd/name a directory of exactly this mode, when it is not one. Returns its descriptor (O_RDONLY), or -1. */
int tree_make_dir(int dirfd, const char *name, mode_t mode, struct err *e);

/* fsync of dirfd/path, a file or directory. */
int tree_sync(int dirfd, const char *path, struct err *e);

/* Writes a new file dirfd/name of exactly this mode and fsyncs it. */
int tree_write_file(int dirfd, const char *name, mode_t mode, const void *text, size_t size, struct err *e);

#endif
