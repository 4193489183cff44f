/*
 * Unpacks a tar stream, whoever made it, into a fresh directory that nobody else
 * can reach. What comes out is what a job's user may own altogether:
 *
 *   - names with ".." and names through a symlink are refused, absolute names
 *     taken as relative; hard links only to what is in the directory;
 *   - device nodes, fifos and sockets are left out, and counted;
 *   - owners, setuid and setgid bits, file capabilities, all other extended
 *     attributes and ACLs are dropped; owners get rwx on directories and r on files;
 *   - a stream that ends without tar's end mark is refused, as is one beyond the limits.
 *
 * Only the slxc program links this (libarchive). Runs as whoever imports. Not
 * for programs with threads: it changes the working directory and comes back.
 */
#ifndef SLXC_STORE_UNPACK_H
#define SLXC_STORE_UNPACK_H

#include <stdint.h>

#include "common/err.h"
#include "common/name.h"
#include "source.h"

#define UNPACK_MAX_BYTES ((uint64_t)1 << 40)
#define UNPACK_MAX_ENTRIES ((uint64_t)20 * 1000 * 1000)

struct unpack_limits {
	uint64_t bytes;   /* of all files together, holes counted as well */
	uint64_t entries;
};

struct unpack_result {
	char layer[DIGEST_LEN + 1]; /* "sha256-<hex>" of the uncompressed stream, all of it */
	uint64_t bytes, entries;    /* as unpacked */
	uint64_t skipped;           /* device nodes, fifos, sockets */
};

/* Told now and then, with what source_progress() says. */
typedef void unpack_progress(void *arg, uint64_t done, uint64_t total);

/* dir: an empty directory, open for reading. 0, or -1: then it may hold anything, and is to be removed. */
int unpack(struct source *src, int dir, const struct unpack_limits *limits, unpack_progress *progress, void *arg,
	struct unpack_result *result, struct err *e);

#endif
