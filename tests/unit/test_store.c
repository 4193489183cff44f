#include <config.h>

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define HEX1 "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX2 "2222222222222222222222222222222222222222222222222222222222222222"
#define IMAGE "images/sha256-" HEX1
#define STRANGER 54321

static struct store store;
static struct image img;

/* A store with the image debian:12 of one layer, as an importer leaves it. */
static void make_store(void)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkdirat(unit_dirfd, "layers", 0700), 0);
	ck_assert_int_eq(mkdirat(unit_dirfd, "images", 0755), 0);
	ck_assert_int_eq(mkdirat(unit_dirfd, "refs", 0755), 0);
	ck_assert_int_eq(mkdirat(unit_dirfd, "refs/lab", 0755), 0);
	ck_assert_int_eq(mkdirat(unit_dirfd, IMAGE, 0755), 0);
	unit_write("layers/sha256-" HEX2 ".erofs", "layer", 5);
	unit_write(IMAGE "/layers", "sha256-" HEX2 "\n", DIGEST_LEN + 1);
	unit_write(IMAGE "/config.json", "{}", 2);
	ck_assert_int_eq(symlinkat("sha256-" HEX1, unit_dirfd, "refs/debian:12"), 0);
	ck_assert_int_eq(symlinkat("sha256-" HEX1, unit_dirfd, "refs/lab/x:latest"), 0);
	ck_assert_int_eq(chmod(unit_dir, 0755), 0);
	ck_ok(store_open(&store, unit_dir, &e), e);
}

static void refuses(const char *ref, uid_t uid, int code, const char *why)
{
	struct err e;

	img.n_layers = 77;
	ck_refused(store_find(&store, ref, uid, &img, &e), e, why);
	ck_assert_int_eq(e.code, code);
	ck_assert_uint_eq(img.n_layers, 77);
}

static void layers_are(const void *text, size_t size)
{
	unlinkat(unit_dirfd, IMAGE "/layers", 0);
	unit_write(IMAGE "/layers", text, size);
}

START_TEST(found_by_name_and_digest)
{
	static const char *const refs[] = { "debian:12", "lab/x", "lab/x:latest", "sha256:" HEX1 };
	static const char *const names[] = { "debian:12", "lab/x:latest", "lab/x:latest", "sha256:" HEX1 };
	struct err e = { 0 };
	char buf[2];

	make_store();
	for (int i = 0; i < 4; i++) {
		ck_ok(store_find(&store, refs[i], STRANGER, &img, &e), e);
		ck_assert_str_eq(img.name, names[i]);
		ck_assert_str_eq(img.digest, "sha256:" HEX1);
		ck_assert_uint_eq(img.n_layers, 1);
		ck_assert_str_eq(img.layers[0], "sha256-" HEX2);
		ck_assert_int_eq(read(img.config, buf, 2), 2);
		ck_assert_int_eq(fcntl(img.config, F_GETFD), FD_CLOEXEC);
		image_close(&img);
		image_close(&img);
	}
	store_close(&store);
	store_close(&store);
}
END_TEST

START_TEST(not_there)
{
	char longest[NAME_MAX_LEN + 1];

	make_store();
	refuses("debian:13", 0, ENOENT,
		"no image 'debian:13' on this cluster: see 'slxc images', or import it with 'slxc import'");
	refuses("debian", 0, ENOENT, "no image 'debian:latest' on this cluster");
	refuses("lab/y", 0, ENOENT, "no image 'lab/y:latest'");
	refuses("none/y", 0, ENOENT, "no image 'none/y:latest'");
	refuses("debian:12/x", 0, EINVAL, "not valid");
	refuses("sha256:" HEX2, 0, ENOENT, "no image 'sha256:" HEX2 "'");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[NAME_MAX_LEN] = 0;
	refuses(longest, 0, ENOENT, "on this cluster");
}
END_TEST

START_TEST(bad_names)
{
	make_store();
	refuses("../images", 0, EINVAL, "not valid at '../images'");
	refuses("", 0, EINVAL, "image name is empty");
	refuses("sha256-" HEX1 "/x:..", 0, EINVAL, "not valid");
}
END_TEST

START_TEST(private_image)
{
	struct err e = { 0 };

	make_store();
	ck_assert_int_eq(fchmodat(unit_dirfd, IMAGE "/layers", 0400, 0), 0);
	refuses("debian:12", STRANGER, EACCES, "image 'debian:12' is private to its owner");
	refuses("sha256:" HEX1, STRANGER, EACCES, "is private to its owner");
	ck_ok(store_find(&store, "debian:12", 0, &img, &e), e);
	ck_ok(store_find(&store, "debian:12", geteuid(), &img, &e), e);
	unit_write(IMAGE "/owner-54321", "", 0);
	ck_ok(store_find(&store, "debian:12", STRANGER, &img, &e), e);
	refuses("debian:12", STRANGER + 1, EACCES, "is private to its owner");
	refuses("debian:12", 5432, EACCES, "is private to its owner");
}
END_TEST

START_TEST(damaged_layers_file)
{
	static char many[(STORE_MAX_LAYERS + 1) * (DIGEST_LEN + 1)];
	struct err e = { 0 };

	make_store();
	layers_are("", 0);
	refuses("debian:12", 0, EIO, "image 'debian:12' is damaged: its list of layers has the wrong size; remove and");
	layers_are("sha256-" HEX2, DIGEST_LEN);
	refuses("debian:12", 0, EIO, "wrong size");
	layers_are("sha256-" HEX2 " ", DIGEST_LEN + 1);
	refuses("debian:12", 0, EIO, "its list of layers is not one of digests");
	layers_are("sha256:" HEX2 "\n", DIGEST_LEN + 1);
	refuses("debian:12", 0, EIO, "not one of digests");
	layers_are("../../../../../../../../../../../../../../../../../../../../../etc/pass\n", DIGEST_LEN + 1);
	refuses("debian:12", 0, EIO, "not one of digests");
	for (int i = 0; i <= STORE_MAX_LAYERS; i++)
		memcpy(many + i * (DIGEST_LEN + 1), "sha256-" HEX2 "\n", DIGEST_LEN + 1);
	layers_are(many, sizeof(many));
	refuses("debian:12", 0, EIO, "wrong size");
	layers_are(many, sizeof(many) - DIGEST_LEN - 1);
	ck_ok(store_find(&store, "debian:12", 0, &img, &e), e);
	ck_assert_uint_eq(img.n_layers, STORE_MAX_LAYERS);
}
END_TEST

START_TEST(damaged_otherwise)
{
	make_store();
	unlinkat(unit_dirfd, "layers/sha256-" HEX2 ".erofs", 0);
	refuses("debian:12", 0, EIO, "image 'debian:12' is damaged: layer sha256-" HEX2 " is missing; "
		"remove and import it again");
	unit_write("layers/sha256-" HEX2 ".erofs", "layer", 5);
	unlinkat(unit_dirfd, IMAGE "/config.json", 0);
	refuses("debian:12", 0, EIO, "its config.json is missing");
	unlinkat(unit_dirfd, IMAGE "/layers", 0);
	refuses("debian:12", 0, EIO, "its list of layers is missing");
	ck_assert_int_eq(unlinkat(unit_dirfd, IMAGE, AT_REMOVEDIR), 0);
	refuses("debian:12", 0, EIO, "what its reference names is missing");
	ck_assert_int_eq(symlinkat("../../etc", unit_dirfd, "refs/evil:1"), 0);
	refuses("evil:1", 0, EIO, "its reference does not lead to an image");
	unit_write("refs/file:1", "sha256-" HEX1, DIGEST_LEN);
	refuses("file:1", 0, EIO, "its reference does not lead to an image");
}
END_TEST

START_TEST(no_symlink_is_followed)
{
	struct err e;

	make_store();
	ck_assert_int_eq(symlinkat("lab", unit_dirfd, "refs/alias"), 0);
	refuses("alias/x", 0, EIO, "is damaged: Too many levels of symbolic links");
	ck_assert_int_eq(renameat(unit_dirfd, IMAGE "/layers", unit_dirfd, "elsewhere"), 0);
	ck_assert_int_eq(symlinkat("../../elsewhere", unit_dirfd, IMAGE "/layers"), 0);
	refuses("debian:12", 0, EIO, "its list of layers cannot be opened");
	unlinkat(unit_dirfd, IMAGE "/layers", 0);
	ck_assert_int_eq(renameat(unit_dirfd, "elsewhere", unit_dirfd, IMAGE "/layers"), 0);
	ck_assert_int_eq(renameat(unit_dirfd, IMAGE, unit_dirfd, "moved"), 0);
	ck_assert_int_eq(symlinkat("../moved", unit_dirfd, IMAGE), 0);
	refuses("debian:12", 0, EIO, "image 'debian:12' is damaged");
	unlinkat(unit_dirfd, "layers/sha256-" HEX2 ".erofs", 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", unit_dirfd, "layers/sha256-" HEX2 ".erofs"), 0);
	ck_refused(store_open_layer(&store, "sha256-" HEX2, &e), e, "open layer sha256-" HEX2 ": Too many levels");
}
END_TEST

START_TEST(special_files_do_not_block)
{
	struct err e;

	make_store();
	unlinkat(unit_dirfd, IMAGE "/layers", 0);
	ck_assert_int_eq(mkfifoat(unit_dirfd, IMAGE "/layers", 0644), 0);
	refuses("debian:12", 0, EIO, "its list of layers cannot be opened");
	unlinkat(unit_dirfd, "layers/sha256-" HEX2 ".erofs", 0);
	ck_assert_int_eq(mkfifoat(unit_dirfd, "layers/sha256-" HEX2 ".erofs", 0644), 0);
	ck_refused(store_open_layer(&store, "sha256-" HEX2, &e), e, "open layer");
}
END_TEST

START_TEST(open_layer)
{
	struct err e = { 0 };
	char buf[5];
	int fd;

	make_store();
	fd = store_open_layer(&store, "sha256-" HEX2, &e);
	ck_ok(fd, e);
	ck_assert_int_eq(read(fd, buf, 5), 5);
	close(fd);
	ck_refused(store_open_layer(&store, "sha256-" HEX1, &e), e, "layer sha256-" HEX1 " is missing; remove and import");
	ck_assert_int_eq(e.code, ENOENT);
	ck_refused(store_open_layer(&store, "sha256:" HEX2, &e), e, "is not the name of a layer");
	ck_refused(store_open_layer(&store, "../x", &e), e, "'../x' is not the name of a layer");
	ck_assert_int_eq(e.code, EINVAL);
}
END_TEST

START_TEST(open_store)
{
	struct store s = { .root = 77 };
	struct err e;

	ck_refused(store_open(&s, "relative", &e), e, "image store 'relative' is not an absolute path");
	ck_refused(store_open(&s, unit_path("none"), &e), e, "the first 'slxc import' makes it, or set store= in slxc.conf");
	ck_assert_int_eq(e.code, ENOENT);
	unit_write("file", "", 0);
	ck_refused(store_open(&s, unit_path("file"), &e), e, "Not a directory");
	ck_assert_int_eq(chmod(unit_dir, 0775), 0);
	ck_refused(store_open(&s, unit_dir, &e), e, "can be written by others than its owner: chmod go-w it");
	ck_assert_int_eq(chmod(unit_dir, 0757), 0);
	ck_refused(store_open(&s, unit_dir, &e), e, "can be written by others than its owner");
	ck_assert_int_eq(s.root, 77);
}
END_TEST

UNIT_MAIN("store", found_by_name_and_digest, not_there, bad_names, private_image, damaged_layers_file,
	damaged_otherwise, no_symlink_is_followed, special_files_do_not_block, open_layer, open_store)
