#include <config.h>

#include "step/layers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "image.h"
#include "private.h"
#include "step/rundir.h"

static struct err e;
static struct store store;
static struct image img;
static char store_path[PATH_MAX];

static void usual(void)
{
	image_make(&store, store_path, &img);
	ck_ok(rundir_prepare(&e), e);
}

static const char *mount_of(unsigned layer)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), RUNDIR_IMAGES "/%s", img.layers[layer]);
	return path;
}

/* How many mounts there are below the run directory's images. */
static unsigned count_mounts(void)
{
	static const char *const file = "/proc/self/mountinfo";
	const char *text = private_read(file);
	unsigned n = 0;

	for (; (text = strstr(text, " " RUNDIR_IMAGES "/")); text++)
		n++;
	return n;
}

static void unlink_layer(unsigned i)
{
	char name[128];

	snprintf(name, sizeof(name), "store/layers/%s.erofs", img.layers[i]);
	ck_assert_int_eq(unlinkat(unit_dirfd, name, 0), 0);
}

START_TEST(mounts_every_layer_once)
{
	char path[PATH_MAX + 8];
	struct statvfs fs;

	usual();
	for (int i = 0; i < 3; i++) {
		ck_ok(layers_mount(&store, store_path, &img, &e), e);
		ck_assert_uint_eq(count_mounts(), 2);
	}
	snprintf(path, sizeof(path), "%s/both", mount_of(0));
	ck_assert_str_eq(private_read(path), "lower\n");
	snprintf(path, sizeof(path), "%s/both", mount_of(1));
	ck_assert_str_eq(private_read(path), "upper\n");
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(statvfs(mount_of(i), &fs), 0);
		ck_assert_uint_eq(fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV), ST_RDONLY | ST_NOSUID | ST_NODEV);
	}
}
END_TEST

START_TEST(layer_that_is_missing)
{
	usual();
	unlink_layer(1);
	ck_refused(layers_mount(&store, store_path, &img, &e), e, "layer");
	ck_assert_int_eq(e.code, ENOENT);
}
END_TEST

START_TEST(layer_that_is_damaged)
{
	static const char junk[8192] = "no file system";
	char name[128];

	usual();
	snprintf(name, sizeof(name), "store/layers/%s.erofs", img.layers[1]);
	unit_write(name, junk, sizeof(junk));
	ck_refused(layers_mount(&store, store_path, &img, &e), e, "image 'unit:1': mount layer sha256-1111111111111...");
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_uint_eq(count_mounts(), 1);
}
END_TEST

START_TEST(prunes_what_left_the_store)
{
	usual();
	ck_ok(layers_mount(&store, store_path, &img, &e), e);
	ck_assert_int_eq(layers_prune(&store), 0);
	ck_assert_uint_eq(count_mounts(), 2);
	unlink_layer(0);
	ck_assert_int_eq(layers_prune(&store), 1);
	ck_assert_uint_eq(count_mounts(), 1);
	ck_assert_int_eq(access(mount_of(0), F_OK), -1);
	ck_assert_int_eq(access(mount_of(1), F_OK), 0);
	ck_assert_int_eq(layers_prune(&store), 0);
}
END_TEST

/* A directory that no mount was made on any more, and things that are none of slxc's. */
START_TEST(prunes_only_its_own)
{
	usual();
	private_write("run/images/other/file", "x");
	ck_assert_int_eq(mkdir(mount_of(0), 0700), 0);
	unlink_layer(0);
	ck_assert_int_eq(layers_prune(&store), 1);
	ck_assert_str_eq(private_read(private_path("run/images/other/file")), "x");
}
END_TEST

START_TEST(prunes_nothing_without_a_run_directory)
{
	image_make(&store, store_path, &img);
	ck_assert_int_eq(layers_prune(&store), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { mounts_every_layer_once, layer_that_is_missing, layer_that_is_damaged,
		prunes_what_left_the_store, prunes_only_its_own, prunes_nothing_without_a_run_directory };

	image_skip_unless_mountable();
	return private_main("layers", tests, sizeof(tests) / sizeof(tests[0]));
}
