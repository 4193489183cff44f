/* SHA-256 of a stream, as the store writes it. Only the slxc program links this (libcrypto). */
#ifndef SLXC_STORE_SHA256_H
#define SLXC_STORE_SHA256_H

#include <stddef.h>

#include "common/err.h"
#include "common/name.h"

struct sha256; /* owned by the caller, sha256_destroy() */

struct sha256 *sha256_create(struct err *e);
void sha256_destroy(struct sha256 *h);
int sha256_update(struct sha256 *h, const void *buf, size_t size, struct err *e);

/* Writes "sha256<sep><64 hex>" (DIGEST_LEN + 1 bytes). The hash takes no more after that. */
int sha256_final(struct sha256 *h, char sep, char *out, struct err *e);

#endif
