/* Packs a tree into the file system image of a layer. Runs as whoever imports. */
#ifndef SLXC_STORE_PACK_H
#define SLXC_STORE_PACK_H

#include "common/err.h"

/*
 * Runs mkfs.erofs on the directory tree below dir and writes the file (both are
 * names without '/', the file is new): lz4, 64 KiB physical clusters, everything
 * owned by root, no extended attributes (unpack() leaves none that count, and a
 * build host's SELinux labels are no part of an image). With erofs-utils 1.5 (Debian 12)
 * and later. -1: with what mkfs.erofs said.
 */
int pack_erofs(int dir, const char *tree, const char *file, struct err *e);

#endif
