/*
 * Runs a fuzz target without libFuzzer: its corpus, and a few thousand changes
 * of each input that are the same every time. Or the one file given.
 */
#include <config.h>

#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"

#define MAX_SIZE 70000
#define CHANGES 2000

static uint32_t state;

/* xorshift32: the same numbers on every machine */
static uint32_t random_below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return limit ? state % limit : 0;
}

static size_t change(uint8_t *data, size_t size)
{
	static const char *const pieces[] = { "\n", "=", "/../", ":", "%", "4294967295", "-1", "\xff", "=yes", "99999999999999999999" };
	const char *piece = pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];
	size_t at = random_below(size), n = random_below(size - at) % 64 + 1, length = strlen(piece);

	switch (random_below(7)) {
	case 0:
		data[at] ^= 1u << random_below(8);
		return size;
	case 1:
		data[at] = random_below(256);
		return size;
	case 2:
		data[at] = 0;
		return size;
	case 3: /* shorter */
		if (at + n >= size)
			return size;
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	case 4: /* a part once more */
		if (at + n > size || size + n > MAX_SIZE)
			return size;
		memmove(data + at + n, data + at, size - at);
		return size + n;
	case 5: /* much longer */
		n *= random_below(200);
		if (size + n > MAX_SIZE)
			return size;
		memmove(data + at + n, data + at, size - at);
		memset(data + at, 'x', n);
		return size + n;
	default:
		if (size + length > MAX_SIZE)
			return size;
		memmove(data + at + length, data + at, size - at);
		memcpy(data + at, piece, length);
		return size + length;
	}
}

/* A buffer of just that size, so that AddressSanitizer sees a read behind it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	FUZZ_ASSERT(exact);
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void run_file(int dirfd, const char *name)
{
	static uint8_t first[MAX_SIZE], data[MAX_SIZE];
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = io_read_full(fd, first, sizeof(first));
	size_t size;

	FUZZ_ASSERT(fd >= 0 && n >= 0);
	close(fd);
	run(first, n);
	memcpy(data, first, n);
	size = n;
	for (int i = 0; i < CHANGES && n > 0; i++) {
		/* from one change to the next; every now and then from the start */
		if (i % 16 == 0 || size == 0) {
			memcpy(data, first, n);
			size = n;
		}
		size = change(data, size);
		run(data, size);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	DIR *dir = opendir(CORPUS);
	char *names[256];
	size_t n = 0;
	struct dirent *d;

	state = 2463534242u;
	if (argc == 2) {
		run_file(AT_FDCWD, argv[1]);
		return 0;
	}
	if (!dir) {
		perror(CORPUS);
		return 2;
	}
	while ((d = readdir(dir)) && n < sizeof(names) / sizeof(names[0]))
		if (d->d_name[0] != '.')
			names[n++] = strdup(d->d_name);
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		run_file(dirfd(dir), names[i]);
		free(names[i]);
	}
	closedir(dir);
	printf("%zu inputs, each with %d changes\n", n, CHANGES);
	return n == 0;
}
