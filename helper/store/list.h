/* What the store holds. Any privilege; lists only what the caller can read. */
#ifndef SLXC_STORE_LIST_H
#define SLXC_STORE_LIST_H

#include "store.h"

struct list_entry {
	char name[NAME_FULL_SIZE];   /* "" when the entry is an image and not a reference */
	char digest[DIGEST_LEN + 1]; /* "sha256:..."; "" when a reference does not lead to a digest */
};

struct list {
	struct list_entry *entries;
	size_t n, room;
};

/* References, sorted by name. The caller frees it with list_free(). */
int list_refs(const struct store *s, struct list *out, struct err *e);

/* Images, sorted by digest. */
int list_images(const struct store *s, struct list *out, struct err *e);

void list_free(struct list *l);

#endif
