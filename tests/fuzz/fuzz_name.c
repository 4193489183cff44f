/* Names and paths: whatever is accepted is safe as a part of a path. */
#include <config.h>

#include "fuzz.h"

#include <limits.h>
#include <string.h>

#include "common/name.h"
#include "common/path.h"

/* No part of it is empty, "." or "..". */
static void has_good_parts(const char *name)
{
	while (*name) {
		size_t n = strcspn(name, "/");

		FUZZ_ASSERT(n > 0 && strncmp(name, ".", n) && (n != 2 || strncmp(name, "..", 2)));
		name += n;
		name += *name == '/';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[NAME_FULL_SIZE], again[NAME_FULL_SIZE], *text = malloc(size + 1);
	struct err e = { 0 };

	FUZZ_ASSERT(text);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	if (name_check(text, out, &e) == 0) {
		FUZZ_ASSERT(strlen(text) <= NAME_MAX_LEN && strlen(out) < sizeof(out) && strchr(out, ':'));
		FUZZ_ASSERT(out[0] != '/' && out[strlen(out) - 1] != '/');
		has_good_parts(out);
		for (const char *c = out; *c; c++)
			FUZZ_ASSERT(*c > ' ' && *c < 0x7f);
		/* the full form of a full form is itself */
		FUZZ_ASSERT(strlen(out) > NAME_MAX_LEN || (name_check(out, again, &e) == 0 && !strcmp(out, again)));
	} else {
		FUZZ_ASSERT(*e.text);
	}
	if (digest_is_valid(text, '-') || digest_is_valid(text, ':'))
		FUZZ_ASSERT(strlen(text) == DIGEST_LEN && !strchr(text, '/'));
	if (node_name_is_valid(text))
		FUZZ_ASSERT(*text && *text != '.' && !strpbrk(text, "/ \n\\\"") && strlen(text) <= 64);
	if (path_is_clean(text)) {
		FUZZ_ASSERT(*text == '/' && strlen(text) < PATH_MAX && !strstr(text, "/../"));
		FUZZ_ASSERT(path_is_below(text, "/") && path_is_below(text, text));
		FUZZ_ASSERT(!path_is_below(text, "/usr") || path_is_system(text));
	}
	free(text);
	return 0;
}
