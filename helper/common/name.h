/*
 * Names from outside, checked before they become part of a path: image
 * references, digests, node names. Pure functions, any privilege may call them.
 */
#ifndef SLXC_NAME_H
#define SLXC_NAME_H

#include "err.h"

#define NAME_MAX_LEN 255         /* an image reference, bytes without the final NUL */
#define DIGEST_LEN (7 + 64)      /* "sha256:" or "sha256-" and 64 hex digits */

/*
 * Checks an image reference of the store and writes its full form, the tag
 * added when there is none: "debian" becomes "debian:latest".
 *   name  = part *( "/" part ) [ ":" tag ]
 *   part  = lower case letters, digits, and . _ - inside
 *   tag   = letters, digits, . _ - (not first: . -), 128 bytes at most
 * (the grammar of OCI's distribution specification, name and tag). out holds
 * NAME_MAX_LEN + 1 + 8 bytes. -1 with a text that quotes what is wrong.
 */
int name_check(const char *ref, char *out, struct err *e);
#define NAME_FULL_SIZE (NAME_MAX_LEN + 1 + 8)

/* 1 when text is "sha256-" (sep '-') or "sha256:" (sep ':') and 64 lower case hex digits, whole. */
int digest_is_valid(const char *text, char sep);

/* 1 when text is a node name: letters, digits, . _ -, 1 to 64 bytes, not starting with a dot. */
int node_name_is_valid(const char *text);

#endif
