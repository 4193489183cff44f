#include <config.h>

#include "store/pack.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define EROFS_MAGIC 0xe0f5e1e2u /* at byte 1024, little endian */

START_TEST(a_file_system)
{
	struct err e = { 0 };
	unsigned char super[128];
	int fd;

	ck_assert_int_eq(mkdirat(unit_dirfd, "tree", 0755), 0);
	unit_write("tree/f", "hello", 5);
	ck_ok(pack_erofs(unit_dirfd, "tree", "out.erofs", &e), e);
	fd = openat(unit_dirfd, "out.erofs", O_RDONLY);
	ck_assert_int_eq(pread(fd, super, sizeof(super), 1024), sizeof(super));
	ck_assert_uint_eq(super[0] | super[1] << 8 | super[2] << 16 | (uint32_t)super[3] << 24, EROFS_MAGIC);
	close(fd);
}
END_TEST

START_TEST(failure_is_told)
{
	struct err e;

	ck_refused(pack_erofs(unit_dirfd, "none", "out.erofs", &e), e, "mkfs.erofs failed: ");
	ck_assert_ptr_null(strchr(e.text, '\n'));
	ck_assert_ptr_null(strstr(e.text, "did not say why"));
}
END_TEST

UNIT_MAIN("pack", a_file_system, failure_is_told)
