/* The readers' half of the store: libc only, because root's supervisor links it. */
#include <config.h>

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"

#define LINE_LEN (DIGEST_LEN + 1) /* of the file `layers`: a layer id and its newline */

/* An error whose text is complete without strerror(), but that carries a code. */
__attribute__((format(printf, 3, 4))) static int refuse(struct err *e, int code, const char *format, ...)
{
	va_list ap;

	e->code = code;
	va_start(ap, format);
	vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	return -1;
}

static int damaged(struct err *e, const char *name, const char *what)
{
	return refuse(e, EIO, "image '%s' is damaged: %s; remove and import it again", name, what);
}

static int no_image(struct err *e, const char *name)
{
	return refuse(e, ENOENT, "no image '%s' on this cluster: see 'slxc images', or import it with 'slxc import'", name);
}

int store_open(struct store *s, const char *path, struct err *e)
{
	autoclose int fd = -1;
	struct stat st;

	if (path[0] != '/')
		return refuse(e, EINVAL, "image store '%.200s' is not an absolute path", path);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return refuse(e, ENOENT, "no image store at %.200s: the first 'slxc import' makes it, or set store= in slxc.conf",
			path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open image store %.200s", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse(e, EPERM, "image store %.200s can be written by others than its owner: chmod go-w it", path);
	s->root = steal_fd(&fd);
	return 0;
}

void store_close(struct store *s)
{
	cleanup_close(&s->root);
	s->root = -1;
}

/* Opens a regular file below dir. errno is EINVAL when it is anything else. */
static int open_regular(int dir, const char *path, struct stat *st)
{
	autoclose int fd = io_open_beneath(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return steal_fd(&fd);
}

/* refs/<name> -> "sha256:<hex>" in digest. */
static int read_ref(const struct store *s, const char *name, char *digest, struct err *e)
{
	char path[NAME_FULL_SIZE + sizeof("refs/")];
	char text[DIGEST_LEN + 2];
	autoclose int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "refs/%s", name);
	fd = io_open_beneath(s->root, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG))
		return no_image(e, name);
	if (fd < 0)
		return damaged(e, name, strerror(errno));
	n = readlinkat(fd, "", text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	if (!digest_is_valid(text, '-'))
		return damaged(e, name, "its reference does not lead to an image");
	memcpy(digest, text, DIGEST_LEN + 1);
	digest[6] = ':';
	return 0;
}

/* Opens images/<digest>. errno ENOENT: there is none. */
static int open_image(const struct store *s, const char *digest)
{
	char path[DIGEST_LEN + sizeof("images/")];

	snprintf(path, sizeof(path), "images/%s", digest);
	path[sizeof("images/") - 1 + 6] = '-';
	return io_open_beneath(s->root, path, O_PATH | O_DIRECTORY, 0);
}

/*
 * From a reference or digest to the image's directory. An image that is replaced
 * or removed between the look at its reference and the look at its directory is
 * looked up again, so that only a reference that stays dangling counts as damage.
 */
static int resolve(const struct store *s, const char *ref, char *name, char *digest, struct err *e)
{
	char last[DIGEST_LEN + 1] = "";
	int dir;

	if (digest_is_valid(ref, ':')) {
		memcpy(name, ref, DIGEST_LEN + 1);
		memcpy(digest, ref, DIGEST_LEN + 1);
		dir = open_image(s, digest);
		if (dir < 0 && errno == ENOENT)
			return no_image(e, name);
		return dir >= 0 ? dir : damaged(e, name, strerror(errno));
	}
	if (name_check(ref, name, e) < 0) {
		e->code = EINVAL;
		return -1;
	}
	for (;;) {
		if (read_ref(s, name, digest, e) < 0)
			return -1;
		dir = open_image(s, digest);
		if (dir >= 0)
			return dir;
		if (errno != ENOENT)
			return damaged(e, name, strerror(errno));
		if (!strcmp(last, digest))
			return damaged(e, name, "what its reference names is missing");
		strcpy(last, digest);
	}
}

/* st is of the image's file `layers`. */
static int may_use(int dir, const struct stat *st, uid_t uid)
{
	char marker[32];

	if ((st->st_mode & S_IROTH) || uid == 0 || uid == st->st_uid)
		return 1;
	snprintf(marker, sizeof(marker), "owner-%u", (unsigned)uid);
	return fstatat(dir, marker, &(struct stat){ 0 }, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Fills img->layers from the file `layers`: nothing but whole lines of "sha256-<64 hex>". */
static int read_layers(int dir, struct image *img, struct err *e)
{
	char text[STORE_MAX_LAYERS * LINE_LEN + 1];
	struct stat st;
	autoclose int fd = open_regular(dir, "layers", &st);
	ssize_t n;

	if (fd < 0)
		return errno == EACCES ? err_set(e, EPERM, "open the layers of image '%s'", img->name) :
			damaged(e, img->name, "its list of layers cannot be opened");
	n = io_read_full(fd, text, sizeof(text));
	if (n <= 0 || n % LINE_LEN || (size_t)n == sizeof(text))
		return damaged(e, img->name, "its list of layers has the wrong size");
	img->n_layers = n / LINE_LEN;
	for (unsigned i = 0; i < img->n_layers; i++) {
		char *line = text + i * LINE_LEN;

		if (line[DIGEST_LEN] != '\n')
			return damaged(e, img->name, "its list of layers is not one of digests");
		line[DIGEST_LEN] = 0;
		if (!digest_is_valid(line, '-'))
			return damaged(e, img->name, "its list of layers is not one of digests");
		memcpy(img->layers[i], line, DIGEST_LEN + 1);
	}
	return 0;
}

static void layer_path(char *path, size_t size, const char *layer)
{
	snprintf(path, size, "layers/%s.erofs", layer);
}

/* Every layer is a file, as far as the caller may look (layers/ is its owner's). */
static int check_layers(const struct store *s, const struct image *img, struct err *e)
{
	for (unsigned i = 0; i < img->n_layers; i++) {
		char path[DIGEST_LEN + 32], what[DIGEST_LEN + 32];
		autoclose int fd = -1;

		layer_path(path, sizeof(path), img->layers[i]);
		fd = io_open_beneath(s->root, path, O_PATH, 0);
		if (fd < 0 && errno == EACCES)
			return 0;
		if (fd < 0) {
			snprintf(what, sizeof(what), "layer %s is missing", img->layers[i]);
			return damaged(e, img->name, what);
		}
	}
	return 0;
}

int store_find(const struct store *s, const char *ref, uid_t uid, struct image *img, struct err *e)
{
	autofree struct image *found = malloc(sizeof(*found));
	autoclose int dir = -1, config = -1;
	struct stat st;

	if (!found)
		return err_set(e, ENOMEM, "look up an image");
	dir = resolve(s, ref, found->name, found->digest, e);
	if (dir < 0)
		return -1;
	if (fstatat(dir, "layers", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return damaged(e, found->name, "its list of layers is missing");
	if (!may_use(dir, &st, uid))
		return refuse(e, EACCES, "image '%s' is private to its owner: use another, or import your own", found->name);
	if (read_layers(dir, found, e) < 0 || check_layers(s, found, e) < 0)
		return -1;
	config = open_regular(dir, "config.json", &st);
	if (config < 0 && errno == EACCES)
		return err_set(e, EPERM, "open the configuration of image '%s'", found->name);
	if (config < 0)
		return damaged(e, found->name, "its config.json is missing");
	found->config = steal_fd(&config);
	*img = *found;
	return 0;
}

void image_close(struct image *img)
{
	cleanup_close(&img->config);
	img->config = -1;
}

int store_open_layer(const struct store *s, const char *layer, struct err *e)
{
	char path[DIGEST_LEN + 32];
	struct stat st;
	int fd;

	if (!digest_is_valid(layer, '-'))
		return refuse(e, EINVAL, "'%.80s' is not the name of a layer", layer);
	layer_path(path, sizeof(path), layer);
	fd = open_regular(s->root, path, &st);
	if (fd < 0 && errno == ENOENT)
		return refuse(e, ENOENT, "layer %s is missing; remove and import the image again", layer);
	if (fd < 0)
		return err_set(e, errno, "open layer %s", layer);
	return fd;
}
