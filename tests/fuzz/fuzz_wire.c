/* wire_recv() and everything that reads a received message. */
#include <config.h>

#include "fuzz.h"

#include <string.h>

#include "common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire w, copy;
	const char *value, *found;
	size_t pos = 0, last = 0;
	struct err e = { 0 };
	char key[32];

	if (fuzz_receive(data, size, &w, &e) <= 0)
		return 0;
	FUZZ_ASSERT(w.len == size && w.buf[w.len - 1] == 0);
	FUZZ_ASSERT(*wire_verb(&w) && strlen(wire_verb(&w)) < w.len);
	wire_begin(&copy, wire_verb(&w));
	while (wire_next(&w, &pos, key, sizeof(key), &value)) {
		FUZZ_ASSERT(pos > last && pos <= w.len);
		last = pos;
		FUZZ_ASSERT(*key && strlen(key) < sizeof(key) && !strchr(key, '='));
		FUZZ_ASSERT(value > w.buf && value + strlen(value) < w.buf + w.len);
		found = wire_get(&w, key);
		/* a key that was cut is none to ask for */
		FUZZ_ASSERT(strlen(key) == sizeof(key) - 1 || (found && found <= value));
		wire_put(&copy, key, "%s", value);
	}
	FUZZ_ASSERT(last == 0 || last == w.len);
	FUZZ_ASSERT(!copy.overflow && copy.len <= w.len);
	wire_close(&w);
	return 0;
}
