/*
 * Fuzz targets: libFuzzer's entry point, one per program (make fuzz). In make
 * check they are linked with replay.c, which needs no clang.
 */
#ifndef SLXC_FUZZ_H
#define SLXC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be true of anything that was accepted. */
#define FUZZ_ASSERT(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

struct wire;
struct err;

/* Lets the other side of a packet socket send these bytes, and receives them. As wire_recv(). */
int fuzz_receive(const uint8_t *data, size_t size, struct wire *w, struct err *e);

#endif
