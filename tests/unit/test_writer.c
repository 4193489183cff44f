#include <config.h>

#include "store/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/list.h"
#include "store/tree.h"
#include "unit.h"

#define IMAGE1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define IMAGE2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define LAYER1 "sha256-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LAYER2 "sha256-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define STRANGER 54321

static struct writer w;
static const char layers[2][DIGEST_LEN + 1] = { LAYER1, LAYER2 };
static char store_path[8192];

static void open_writer(void)
{
	struct err e = { 0 };

	strcpy(store_path, unit_path("store"));
	ck_ok(writer_open(&w, store_path, &e), e);
	ck_ok(writer_lock(&w, &e), e);
}

static void put_layer(const char *layer)
{
	struct err e = { 0 };

	ck_ok(tree_write_file(w.work, "layer.erofs", 0600, "layer", 5, &e), e);
	ck_ok(writer_put_layer(&w, "layer.erofs", layer, &e), e);
}

static int put_image(const char *digest, unsigned first, unsigned n, int is_private, uid_t owner, struct err *e)
{
	struct new_image image = { .digest = digest, .layers = layers + first, .n_layers = n, .config = "{}",
		.is_private = is_private, .owner = owner };

	return writer_put_image(&w, &image, e);
}

static mode_t mode_of(const char *name)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "store/%s", name);
	ck_assert_msg(fstatat(unit_dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s is missing", path);
	return st.st_mode & 07777;
}

static int finds(const char *ref, uid_t uid)
{
	struct image img;
	struct err e;
	int rc = store_find(&w.store, ref, uid, &img, &e);

	if (rc == 0)
		image_close(&img);
	return rc == 0;
}

static unsigned entries_of_tmp(void)
{
	DIR *dir = fdopendir(openat(w.tmp, ".", O_RDONLY | O_DIRECTORY));
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

START_TEST(a_new_store)
{
	umask(077);
	open_writer();
	ck_assert_int_eq(mode_of(""), 0755);
	ck_assert_int_eq(mode_of("layers"), 0700);
	ck_assert_int_eq(mode_of("images"), 0755);
	ck_assert_int_eq(mode_of("refs"), 0755);
	ck_assert_int_eq(mode_of("tmp"), 0700);
	ck_assert_uint_eq(entries_of_tmp(), 2);
	writer_close(&w);
	open_writer();
	ck_assert_uint_eq(entries_of_tmp(), 2);
	writer_close(&w);
	writer_close(&w);
}
END_TEST

START_TEST(an_image_from_end_to_end)
{
	struct err e = { 0 };
	char old[DIGEST_LEN + 1];
	uint64_t freed;

	open_writer();
	ck_assert(!writer_has_layer(&w, LAYER1));
	put_layer(LAYER1);
	ck_assert(writer_has_layer(&w, LAYER1));
	ck_assert_int_eq(writer_layer_size(&w, LAYER1, &e), 5);
	ck_assert_int_eq(put_image(IMAGE1, 0, 1, 0, 0, &e), 0);
	ck_assert(finds(IMAGE1, STRANGER));
	ck_ok(writer_put_ref(&w, "lab/sub/x:1", IMAGE1, old, &e), e);
	ck_assert_str_eq(old, "");
	ck_assert(finds("lab/sub/x:1", STRANGER));
	ck_ok(writer_remove_unused_layers(&w, &freed, &e), e);
	ck_assert_uint_eq(freed, 0);
	ck_ok(writer_remove_ref(&w, "lab/sub/x:1", &e), e);
	ck_assert_int_eq(faccessat(w.refs, "lab", F_OK, 0), -1); /* and its empty directories */
	ck_refused(writer_remove_ref(&w, "lab/sub/x:1", &e), e, "remove reference lab/sub");
	ck_ok(writer_remove_image(&w, IMAGE1, &e), e);
	ck_refused(writer_remove_image(&w, IMAGE1, &e), e, "remove image " IMAGE1 ": No such file");
	ck_ok(writer_remove_unused_layers(&w, &freed, &e), e);
	ck_assert_uint_gt(freed, 0);
	ck_assert(!writer_has_layer(&w, LAYER1));
	writer_close(&w);
}
END_TEST

START_TEST(a_name_is_replaced)
{
	struct err e = { 0 };
	char old[DIGEST_LEN + 1];
	struct image img;

	open_writer();
	put_layer(LAYER1);
	ck_ok(put_image(IMAGE1, 0, 1, 0, 0, &e), e);
	ck_ok(put_image(IMAGE2, 0, 1, 0, 0, &e), e);
	ck_ok(writer_put_ref(&w, "x", IMAGE1, old, &e), e);
	ck_ok(writer_put_ref(&w, "x", IMAGE2, old, &e), e);
	ck_assert_str_eq(old, IMAGE1);
	ck_ok(store_find(&w.store, "x", 0, &img, &e), e);
	ck_assert_str_eq(img.digest, IMAGE2);
	image_close(&img);
	ck_refused(writer_put_ref(&w, "../x", IMAGE1, old, &e), e, "not valid at '../x'");
	ck_refused(writer_put_ref(&w, "x", "sha256:x", old, &e), e, "image sha256:x: Invalid argument");
	writer_close(&w);
}
END_TEST

START_TEST(who_may_use_it_only_grows)
{
	struct err e = { 0 };

	open_writer();
	put_layer(LAYER1);
	ck_assert_int_eq(put_image(IMAGE1, 0, 1, 1, STRANGER, &e), 0);
	ck_assert_int_eq(mode_of("images/sha256-1111111111111111111111111111111111111111111111111111111111111111/layers"), 0400);
	ck_assert(finds(IMAGE1, STRANGER));
	ck_assert(!finds(IMAGE1, STRANGER + 1));
	ck_assert_int_eq(put_image(IMAGE1, 0, 1, 1, STRANGER + 1, &e), 1);
	ck_assert_int_eq(put_image(IMAGE1, 0, 1, 1, STRANGER + 1, &e), 1);
	ck_assert(finds(IMAGE1, STRANGER));
	ck_assert(finds(IMAGE1, STRANGER + 1));
	ck_assert(!finds(IMAGE1, STRANGER + 2));
	ck_assert_int_eq(put_image(IMAGE1, 0, 1, 0, 0, &e), 1);
	ck_assert(finds(IMAGE1, STRANGER + 2));
	ck_assert_int_eq(put_image(IMAGE1, 0, 1, 1, STRANGER, &e), 2);
	ck_assert(finds(IMAGE1, STRANGER + 2));
	writer_close(&w);
}
END_TEST

START_TEST(a_damaged_image_is_replaced)
{
	struct err e = { 0 };

	open_writer();
	put_layer(LAYER1);
	ck_ok(put_image(IMAGE1, 0, 1, 0, 0, &e), e);
	ck_assert_int_eq(unlinkat(w.images, "sha256-1111111111111111111111111111111111111111111111111111111111111111/layers", 0), 0);
	ck_assert(!finds(IMAGE1, 0));
	ck_assert_int_eq(put_image(IMAGE1, 0, 1, 0, 0, &e), 0);
	ck_assert(finds(IMAGE1, 0));
	writer_close(&w);
}
END_TEST

START_TEST(layers_stay_while_an_image_has_them)
{
	struct err e = { 0 };
	uint64_t freed;

	open_writer();
	put_layer(LAYER1);
	put_layer(LAYER2);
	ck_ok(put_image(IMAGE1, 0, 2, 0, 0, &e), e);
	ck_ok(put_image(IMAGE2, 1, 1, 0, 0, &e), e);
	ck_ok(writer_remove_image(&w, IMAGE1, &e), e);
	ck_ok(writer_remove_unused_layers(&w, &freed, &e), e);
	ck_assert(!writer_has_layer(&w, LAYER1));
	ck_assert(writer_has_layer(&w, LAYER2));
	ck_assert_int_eq(unlinkat(w.images, "sha256-2222222222222222222222222222222222222222222222222222222222222222/layers", 0), 0);
	ck_refused(writer_remove_unused_layers(&w, &freed, &e), e, "is damaged: its list of layers is missing");
	ck_assert(writer_has_layer(&w, LAYER2));
	writer_close(&w);
}
END_TEST

START_TEST(garbage_goes_and_the_living_stay)
{
	struct writer other;
	struct err e = { 0 };
	pid_t pid;
	int fd;

	open_writer();
	writer_unlock(&w);
	pid = fork();
	if (pid == 0) { /* a writer that crashes */
		if (writer_open(&other, store_path, &e) < 0 || tree_make_dir(other.work, "tree", 0755, &e) < 0 ||
		    tree_write_file(other.work, "layer.erofs", 0600, "x", 1, &e) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &fd, 0), pid);
	ck_assert(WIFSIGNALED(fd));
	ck_assert_uint_eq(entries_of_tmp(), 4);
	ck_ok(tree_make_dir(w.tmp, "without-lock", 0755, &e), e);
	ck_ok(tree_write_file(w.tmp, "file", 0644, "", 0, &e), e);
	ck_ok(writer_open(&other, store_path, &e), e);
	ck_assert_uint_eq(entries_of_tmp(), 4); /* this one's and the other's */
	ck_ok(tree_write_file(w.work, "still-there", 0644, "", 0, &e), e);
	writer_close(&other);
	ck_assert_uint_eq(entries_of_tmp(), 2);
	writer_close(&w);
}
END_TEST

START_TEST(not_for_everybody)
{
	struct err e;

	open_writer();
	writer_close(&w);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(unit_dir, 0755), 0);
	ck_assert_int_eq(seteuid(STRANGER), 0);
	ck_assert_int_eq(writer_open(&w, store_path, &e), -1);
	ck_assert_int_eq(seteuid(0), 0);
	prctl(PR_SET_DUMPABLE, 1); /* for LeakSanitizer */
	if (strstr(e.text, "open image store")) /* the build directory is closed to that user */
		return;
	ck_assert_msg(strstr(e.text, "only its owner can change the image store") != NULL, "%s", e.text);
}
END_TEST

START_TEST(not_a_store)
{
	struct err e;

	ck_refused(writer_open(&w, "relative", &e), e, "is not an absolute path");
	ck_refused(writer_open(&w, unit_path("none/store"), &e), e, "make the image store");
	unit_write("file", "", 0);
	ck_refused(writer_open(&w, unit_path("file"), &e), e, "Not a directory");
}
END_TEST

START_TEST(lists)
{
	struct list l;
	struct err e = { 0 };
	char old[DIGEST_LEN + 1];

	open_writer();
	put_layer(LAYER1);
	ck_ok(put_image(IMAGE2, 0, 1, 0, 0, &e), e);
	ck_ok(put_image(IMAGE1, 0, 1, 0, 0, &e), e);
	ck_ok(writer_put_ref(&w, "b:1", IMAGE1, old, &e), e);
	ck_ok(writer_put_ref(&w, "a/x:1", IMAGE2, old, &e), e);
	ck_assert_int_eq(symlinkat("nonsense", w.refs, "c:1"), 0);
	ck_assert_int_eq(symlinkat("nonsense", w.refs, "NotAName"), 0);
	ck_ok(list_refs(&w.store, &l, &e), e);
	ck_assert_uint_eq(l.n, 3);
	ck_assert_str_eq(l.entries[0].name, "a/x:1");
	ck_assert_str_eq(l.entries[0].digest, IMAGE2);
	ck_assert_str_eq(l.entries[2].name, "c:1");
	ck_assert_str_eq(l.entries[2].digest, "");
	list_free(&l);
	ck_ok(list_images(&w.store, &l, &e), e);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_str_eq(l.entries[0].digest, IMAGE1);
	list_free(&l);
	writer_close(&w);
}
END_TEST

UNIT_MAIN("writer", a_new_store, an_image_from_end_to_end, a_name_is_replaced, who_may_use_it_only_grows,
	a_damaged_image_is_replaced, layers_stay_while_an_image_has_them, garbage_goes_and_the_living_stay,
	not_for_everybody, not_a_store, lists)
