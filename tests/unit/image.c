#include <config.h>

#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"
#include "store/pack.h"

#define LAYER0 "sha256-0000000000000000000000000000000000000000000000000000000000000000"
#define LAYER1 "sha256-1111111111111111111111111111111111111111111111111111111111111111"

void image_skip_unless_mountable(void)
{
	char text[4096] = "";
	FILE *f;

	if (!private_is_host_root())
		unit_skip("mounting an image needs root");
	f = fopen("/proc/filesystems", "re");
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
	}
	if (!strstr(text, "\terofs\n"))
		unit_skip("this kernel has no EROFS (load the module 'erofs')");
}

static void make_dir(const char *name)
{
	ck_assert_msg(mkdirat(unit_dirfd, name, 0755) == 0, "%s: %s", name, strerror(errno));
}

static void pack(const char *tree, const char *layer)
{
	char to[256];
	struct err e = { 0 };

	ck_ok(pack_erofs(unit_dirfd, tree, layer, &e), e);
	snprintf(to, sizeof(to), "store/layers/%s.erofs", layer);
	ck_assert_int_eq(renameat(unit_dirfd, layer, unit_dirfd, to), 0);
}

void image_make(struct store *s, char *store_path, struct image *img)
{
	struct err e = { 0 };

	make_dir("store");
	ck_assert_int_eq(mkdirat(unit_dirfd, "store/layers", 0700), 0);
	make_dir("store/images");
	make_dir("store/refs");
	make_dir("t0");
	make_dir("t0/dir");
	unit_write("t0/lower", "lower\n", 6);
	unit_write("t0/both", "lower\n", 6);
	unit_write("t0/dir/inner", "inner\n", 6);
	unit_write("t0/closed", "closed\n", 7);
	unit_write("t0/setuid", "x\n", 2);
	ck_assert_int_eq(fchmodat(unit_dirfd, "t0/closed", 0600, 0), 0);
	ck_assert_int_eq(fchmodat(unit_dirfd, "t0/setuid", 04755, 0), 0);
	make_dir("t1");
	unit_write("t1/upper", "upper\n", 6);
	unit_write("t1/both", "upper\n", 6);
	pack("t0", LAYER0);
	pack("t1", LAYER1);
	strcpy(store_path, unit_path("store"));
	ck_ok(store_open(s, store_path, &e), e);
	*img = (struct image){ .name = "unit:1", .digest = "sha256:2", .n_layers = 2, .layers = { LAYER0, LAYER1 }, .config = -1 };
}
