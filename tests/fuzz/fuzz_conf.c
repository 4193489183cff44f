/* conf_load(): the site's configuration. */
#include <config.h>

#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct conf c;
	struct err e = { 0 };
	char path[64];

	if (fd < 0) {
		fd = memfd_create("slxc.conf", MFD_CLOEXEC);
		FUZZ_ASSERT(fd >= 0 && fchmod(fd, 0600) == 0);
	}
	FUZZ_ASSERT(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 && io_write_all(fd, data, size) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(&c, 0x5a, sizeof(c));
	if (conf_load(&c, path, &e) < 0) {
		FUZZ_ASSERT(!strncmp(e.text, path, strlen(path)));
		FUZZ_ASSERT(c.start_timeout == 0x5a5a5a5a);
		return 0;
	}
	FUZZ_ASSERT(c.store[0] == '/' && strnlen(c.store, sizeof(c.store)) < sizeof(c.store));
	FUZZ_ASSERT(c.scratch_size == 0 || (c.scratch_size >= 4096 && c.scratch_size <= INT64_MAX));
	FUZZ_ASSERT(c.scratch_size > 0 || (c.scratch_percent >= 1 && c.scratch_percent <= 100));
	FUZZ_ASSERT(c.scratch_inodes >= 16 && c.scratch_inodes <= INT64_MAX);
	FUZZ_ASSERT(c.start_timeout >= 1 && c.start_timeout <= 3600);
	return 0;
}
