/*
 * What an image is made from, as one stream of uncompressed tar: an archive file
 * with its compression taken off, or a directory written as a pax archive with
 * sorted entries, so that a directory that did not change gives the same bytes.
 * Of a directory: stays on its file system, follows no symlink, leaves out
 * sockets, device nodes and fifos, and owners, xattrs, access times.
 * Only the slxc program links this (libarchive). Runs as whoever imports.
 */
#ifndef SLXC_STORE_SOURCE_H
#define SLXC_STORE_SOURCE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct source; /* owned by the caller, source_close() */

/*
 * fd: a directory, a file or a pipe, open for reading; stays the caller's, and open until source_close().
 * without: a directory (the store) that is left out with all below it, so that "/" can be a source; or -1.
 */
struct source *source_open(int fd, int without, struct err *e);
void source_close(struct source *s);

/* The next piece, valid until the next call. Returns its size, 0 at the end, or -1. */
ssize_t source_read(struct source *s, const void **buf, struct err *e);

/* How far: bytes of the input used, and of how many in all (0: not known). */
void source_progress(const struct source *s, uint64_t *done, uint64_t *total);

/* Things of a directory that were left out (sockets, device nodes, fifos). */
uint64_t source_skipped(const struct source *s);

#endif
