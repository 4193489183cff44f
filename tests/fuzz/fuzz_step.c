/* step_decode(), what the worker takes from the supervisor. */
#include <config.h>

#include "fuzz.h"

#include <string.h>

#include "worker/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire w;
	static struct step s;
	struct err e = { 0 };

	if (fuzz_receive(data, size, &w, &e) <= 0)
		return 0;
	if (step_decode(&w, &s, &e) < 0) {
		FUZZ_ASSERT(!strncmp(e.text, "step: ", 6));
		return 0;
	}
	FUZZ_ASSERT(strnlen(s.name, sizeof(s.name)) < sizeof(s.name) && strnlen(s.home, PATH_MAX) < PATH_MAX);
	FUZZ_ASSERT(strnlen(s.cwd, PATH_MAX) < PATH_MAX && strnlen(s.script, PATH_MAX) < PATH_MAX);
	return 0;
}
