/* request_decode(), root's only decoder of what a user can influence, behind wire_recv(). */
#include <config.h>

#include "fuzz.h"

#include <string.h>

#include "common/path.h"
#include "step/request.h"

static int is_one_field(const char *text, size_t size)
{
	return strnlen(text, size) < size && !strpbrk(text, ":\n\r\t\x1b\x7f");
}

static int is_path_or_empty(const char *path)
{
	return strnlen(path, PATH_MAX) < PATH_MAX && (!*path || path_is_clean(path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire w;
	static struct request r;
	struct err e = { 0 };

	memset(&r, 0x5a, sizeof(r));
	if (fuzz_receive(data, size, &w, &e) <= 0)
		return 0;
	if (request_decode(&w, &r, &e) < 0) {
		FUZZ_ASSERT(!strncmp(e.text, "request: ", 9));
		FUZZ_ASSERT(r.uid == 0x5a5a5a5a && r.image[0] == 0x5a);
		return 0;
	}
	FUZZ_ASSERT(r.uid != (uid_t)-1 && r.gid != (gid_t)-1 && r.n_groups <= REQUEST_MAX_GROUPS);
	for (unsigned i = 0; i < r.n_groups; i++)
		FUZZ_ASSERT(r.groups[i] != (gid_t)-1);
	/* what becomes a part of a path in the run directory */
	FUZZ_ASSERT(*r.step && !strpbrk(r.step, "/.") && strnlen(r.step, sizeof(r.step)) < sizeof(r.step));
	FUZZ_ASSERT(node_name_is_valid(r.node));
	/* what becomes a line of passwd or group */
	FUZZ_ASSERT(*r.user && is_one_field(r.user, sizeof(r.user)));
	FUZZ_ASSERT(*r.group && is_one_field(r.group, sizeof(r.group)));
	FUZZ_ASSERT(is_one_field(r.home, sizeof(r.home)) && is_one_field(r.shell, sizeof(r.shell)));
	FUZZ_ASSERT(is_path_or_empty(r.home) && is_path_or_empty(r.cwd) && is_path_or_empty(r.script));
	FUZZ_ASSERT(strnlen(r.image, sizeof(r.image)) < sizeof(r.image));
	return 0;
}
