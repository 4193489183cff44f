/* The seam between source.c and the two kinds of source. */
#ifndef SLXC_STORE_SOURCE_IMPL_H
#define SLXC_STORE_SOURCE_IMPL_H

#include "source.h"

struct source_ops {
	ssize_t (*read)(void *self, const void **buf, struct err *e);
	void (*progress)(const void *self, uint64_t *done, uint64_t *total);
	uint64_t (*skipped)(const void *self);
	void (*destroy)(void *self);
};

extern const struct source_ops source_tar_ops;
void *source_tar_create(int fd, struct err *e);

extern const struct source_ops source_dir_ops;
void *source_dir_create(int fd, int without, struct err *e);

#endif
