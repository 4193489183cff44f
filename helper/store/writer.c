/* Opening the store for writing, and what is added to it. Removals are in writer_remove.c. */
#include <config.h>

#include "writer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "tree.h"
#include "workdir.h"

#define PUBLIC_MODE 0444
#define PRIVATE_MODE 0400

static int open_dirs(struct writer *w, struct err *e)
{
	int root = w->store.root;

	if ((w->layers = tree_make_dir(root, "layers", 0700, e)) < 0 ||
	    (w->images = tree_make_dir(root, "images", 0755, e)) < 0 ||
	    (w->refs = tree_make_dir(root, "refs", 0755, e)) < 0 ||
	    (w->tmp = tree_make_dir(root, "tmp", 0700, e)) < 0)
		return -1;
	return tree_sync(root, ".", e);
}

int writer_open(struct writer *w, const char *path, struct err *e)
{
	*w = (struct writer){
		.store.root = -1, .layers = -1, .images = -1, .refs = -1, .tmp = -1,
		.work = -1, .own_lock = -1, .store_lock = -1,
	};
	if (path[0] == '/' && mkdir(path, 0755) == 0)
		chmod(path, 0755); /* whatever the umask */
	else if (path[0] == '/' && errno != EEXIST)
		return err_set(e, errno, "make the image store %.200s", path);
	if (store_open(&w->store, path, e) < 0)
		return -1;
	if (open_dirs(w, e) < 0 || workdir_make(w, e) < 0) {
		writer_close(w);
		if (e->code == EACCES || e->code == EPERM || e->code == EROFS)
			return err_set(e, e->code, "only its owner can change the image store %.200s", path);
		return err_wrap(e, "image store %.200s", path);
	}
	workdir_sweep(w);
	return 0;
}

void writer_close(struct writer *w)
{
	int *fds[] = { &w->layers, &w->images, &w->refs, &w->tmp, &w->store_lock };

	workdir_remove(w);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		cleanup_close(fds[i]);
		*fds[i] = -1;
	}
	store_close(&w->store);
}

int writer_lock(struct writer *w, struct err *e)
{
	autoclose int fd = openat(w->store.root, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "lock the image store");
	if (fd < 0)
		return err_set(e, errno, "lock the image store");
	w->store_lock = steal_fd(&fd);
	return 0;
}

void writer_unlock(struct writer *w)
{
	cleanup_close(&w->store_lock);
	w->store_lock = -1;
}

static void layer_file(char *file, size_t size, const char *layer)
{
	snprintf(file, size, "%s.erofs", layer);
}

bool writer_has_layer(const struct writer *w, const char *layer)
{
	char file[DIGEST_LEN + 16];

	layer_file(file, sizeof(file), layer);
	return faccessat(w->layers, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int writer_put_layer(struct writer *w, const char *file, const char *layer, struct err *e)
{
	char name[DIGEST_LEN + 16];

	if (!digest_is_valid(layer, '-'))
		return err_set(e, EINVAL, "layer %.80s", layer);
	layer_file(name, sizeof(name), layer);
	if (fchmodat(w->work, file, PUBLIC_MODE, 0) < 0)
		return err_set(e, errno, "set the mode of layer %s", layer);
	if (tree_sync(w->work, file, e) < 0)
		return err_wrap(e, "layer %s", layer);
	if (renameat(w->work, file, w->layers, name) < 0)
		return err_set(e, errno, "put layer %s in its place", layer);
	return tree_sync(w->layers, ".", e);
}

int64_t writer_layer_size(const struct writer *w, const char *layer, struct err *e)
{
	char file[DIGEST_LEN + 16];
	struct stat st;

	layer_file(file, sizeof(file), layer);
	if (fstatat(w->layers, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "look at layer %s", layer);
	return st.st_size;
}

static int put_owner(int dir, uid_t owner, struct err *e)
{
	char marker[32];

	snprintf(marker, sizeof(marker), "owner-%u", (unsigned)owner);
	if (tree_write_file(dir, marker, PUBLIC_MODE, "", 0, e) < 0 && e->code != EEXIST)
		return -1;
	return tree_sync(dir, ".", e);
}

/* The image that is there gets more users. The order makes each state in between a whole one. */
static int widen_image(struct writer *w, const char *dir_name, const struct new_image *image, struct err *e)
{
	autoclose int dir = io_open_beneath(w->images, dir_name, O_RDONLY | O_DIRECTORY, 0);
	struct stat st;

	if (dir < 0 || fstatat(dir, "layers", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "open image %s", image->digest);
	if (st.st_mode & S_IROTH)
		return image->is_private ? 2 : 1;
	if (image->is_private)
		return put_owner(dir, image->owner, e) < 0 ? -1 : 1;
	if (tree_write_file(w->work, "config.json", PUBLIC_MODE, image->config, strlen(image->config), e) < 0)
		return -1;
	if (renameat(w->work, "config.json", dir, "config.json") < 0 || fchmodat(dir, "layers", PUBLIC_MODE, 0) < 0)
		return err_set(e, errno, "make image %s public", image->digest);
	if (tree_sync(dir, "layers", e) < 0 || tree_sync(dir, ".", e) < 0)
		return -1;
	return 1;
}

/* Makes work/image. */
static int write_image(struct writer *w, const struct new_image *image, struct err *e)
{
	autoclose int dir = tree_make_dir(w->work, "image", 0755, e);
	mode_t mode = image->is_private ? PRIVATE_MODE : PUBLIC_MODE;
	char layers[STORE_MAX_LAYERS * (DIGEST_LEN + 1) + 1];
	size_t used = 0;

	if (dir < 0)
		return -1;
	if (image->n_layers < 1 || image->n_layers > STORE_MAX_LAYERS)
		return err_set(e, 0, "an image has 1 to %d layers, not %u", STORE_MAX_LAYERS, image->n_layers);
	for (unsigned i = 0; i < image->n_layers; i++)
		used += snprintf(layers + used, sizeof(layers) - used, "%.*s\n", DIGEST_LEN, image->layers[i]);
	if (tree_write_file(dir, "layers", mode, layers, used, e) < 0 ||
	    tree_write_file(dir, "config.json", mode, image->config, strlen(image->config), e) < 0)
		return -1;
	if (image->is_private)
		return put_owner(dir, image->owner, e);
	return tree_sync(dir, ".", e);
}

int writer_put_image(struct writer *w, const struct new_image *image, struct err *e)
{
	char dir_name[DIGEST_LEN + 1];
	struct image there;
	struct err why;

	if (!digest_is_valid(image->digest, ':'))
		return err_set(e, EINVAL, "image %.80s", image->digest);
	memcpy(dir_name, image->digest, sizeof(dir_name));
	dir_name[6] = '-';
	if (store_find(&w->store, image->digest, 0, &there, &why) == 0) {
		image_close(&there);
		return widen_image(w, dir_name, image, e);
	}
	if (why.code != ENOENT && why.code != EIO) {
		*e = why;
		return -1;
	}
	if (write_image(w, image, e) < 0)
		return err_wrap(e, "image %s", image->digest);
	/* A damaged one makes room. */
	if (renameat(w->images, dir_name, w->work, "damaged") < 0 && errno != ENOENT)
		return err_set(e, errno, "replace damaged image %s", image->digest);
	if (renameat(w->work, "image", w->images, dir_name) < 0)
		return err_set(e, errno, "put image %s in its place", image->digest);
	return tree_sync(w->images, ".", e);
}

/* Opens the directory of refs/ that holds the name's last part, made when missing. *leaf points into name. */
static int open_ref_dir(struct writer *w, const char *name, const char **leaf, struct err *e)
{
	autoclose int dir = openat(w->refs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *slash;

	if (dir < 0)
		return err_set(e, errno, "open refs");
	for (; (slash = strchr(name, '/')); name = slash + 1) {
		char part[NAME_FULL_SIZE];
		int sub;

		snprintf(part, sizeof(part), "%.*s", (int)(slash - name), name);
		sub = tree_make_dir(dir, part, 0755, e);
		if (sub < 0)
			return -1;
		if (fsync(dir) < 0) {
			close(sub);
			return err_set(e, errno, "write refs to disk");
		}
		close(dir);
		dir = sub;
	}
	*leaf = name;
	return steal_fd(&dir);
}

int writer_put_ref(struct writer *w, const char *name, const char *digest, char *old, struct err *e)
{
	char full[NAME_FULL_SIZE], text[DIGEST_LEN + 2], before[DIGEST_LEN + 2] = "";
	autoclose int dir = -1;
	const char *leaf = name;
	ssize_t n;

	if (name_check(name, full, e) < 0)
		return -1;
	if (!digest_is_valid(digest, ':'))
		return err_set(e, EINVAL, "image %.80s", digest);
	dir = open_ref_dir(w, full, &leaf, e);
	if (dir < 0)
		return err_wrap(e, "reference %s", full);
	n = readlinkat(dir, leaf, before, sizeof(before) - 1);
	before[n > 0 ? n : 0] = 0;
	strcpy(text, digest);
	text[6] = '-';
	if (symlinkat(text, w->work, "ref") < 0 || renameat(w->work, "ref", dir, leaf) < 0)
		return err_set(e, errno, "let %s lead to its image", full);
	if (fsync(dir) < 0)
		return err_set(e, errno, "write reference %s to disk", full);
	*old = 0;
	if (digest_is_valid(before, '-')) {
		memcpy(old, before, DIGEST_LEN + 1);
		old[6] = ':';
	}
	return 0;
}
