#include "config.h"

#include "layers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/paths.h"
#include "rundir.h"

#ifndef EROFS_SUPER_MAGIC_V1
#define EROFS_SUPER_MAGIC_V1 0xE0F5E1E2
#endif

#define LAYER_PATH_SIZE (sizeof(RUNDIR_IMAGES) + DIGEST_LEN + 2)
#define MOUNT_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOATIME)

static void layer_path(char *out, const char *layer)
{
	snprintf(out, LAYER_PATH_SIZE, RUNDIR_IMAGES "/%.*s", DIGEST_LEN, layer);
}

static int is_mounted(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == (__typeof__(fs.f_type))EROFS_SUPER_MAGIC_V1;
}

static void mount_failed(const char *layer, struct err *e)
{
	if (errno == ENODEV)
		err_set(e, ENODEV, "mount layer %.20s...: this kernel has no EROFS (load the module 'erofs')", layer);
	else if (errno == EINVAL || errno == EIO || errno == EUCLEAN)
		err_set(e, errno, "mount layer %.20s...: its file is damaged; remove and import the image again", layer);
	else
		err_set(e, errno, "mount layer %.20s...", layer);
}

/*
 * Safe: the file is one that the importer packed, in a store that only root and
 * the importer can write; a user supplies neither the file nor the options.
 */
static int mount_through_loop(int file, const char *layer, const char *target, struct err *e)
{
	autoclose int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = {
		.fd = file,
		.info = { .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR },
	};

	if (control < 0)
		return err_set(e, errno, "open /dev/loop-control (needed before Linux 6.12)");
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%.63s", layer);
	for (int tries = 0; tries < 32; tries++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		autoclose int device = -1;
		char path[32];

		if (number < 0)
			return err_set(e, errno, "get a free loop device");
		snprintf(path, sizeof(path), "/dev/loop%d", number);
		device = open(path, O_RDONLY | O_CLOEXEC);
		if (device < 0)
			return err_set(e, errno, "open %s", path);
		if (ioctl(device, LOOP_CONFIGURE, &config) < 0) {
			if (errno == EBUSY)
				continue; /* somebody else took it */
			return err_set(e, errno, "set up %s", path);
		}
		if (mount(path, target, "erofs", MOUNT_FLAGS, NULL) < 0) {
			mount_failed(layer, e);
			return -1;
		}
		return 0;
	}
	return err_set(e, EBUSY, "get a free loop device");
}

/* Safe: for the reason given at mount_through_loop; the target is below a directory of root's alone. */
static int mount_layer(const struct store *s, const char *store_path, const char *layer, struct err *e)
{
	autoclose int file = store_open_layer(s, layer, e);
	char source[PATH_MAX + DIGEST_LEN + 32], target[LAYER_PATH_SIZE];

	if (file < 0)
		return -1;
	layer_path(target, layer);
	if (mkdir(target, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make %s", target);
	snprintf(source, sizeof(source), "%s/layers/%s.erofs", store_path, layer);
	if (mount(source, target, "erofs", MOUNT_FLAGS, NULL) == 0)
		return 0;
	if (errno == ENOTBLK)
		return mount_through_loop(file, layer, target, e);
	mount_failed(layer, e);
	return -1;
}

static int lock_images(struct err *e)
{
	int fd = open(RUNDIR_IMAGES "/.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	err_set(e, errno, "lock " RUNDIR_IMAGES);
	if (fd >= 0)
		close(fd);
	return -1;
}

int layers_mount(const struct store *s, const char *store_path, const struct image *img, struct err *e)
{
	autoclose int lock = -1;

	for (unsigned i = 0; i < img->n_layers; i++) {
		char path[LAYER_PATH_SIZE];

		layer_path(path, img->layers[i]);
		if (is_mounted(path))
			continue;
		if (lock < 0 && (lock = lock_images(e)) < 0)
			return -1;
		if (!is_mounted(path) && mount_layer(s, store_path, img->layers[i], e) < 0)
			return err_wrap(e, "image '%s'", img->name);
	}
	return 0;
}

/* Safe: only mounts below a directory of root's alone, by a name that is a digest; steps have clones. */
int layers_prune(const struct store *s)
{
	autoclosedir DIR *dir = opendir(RUNDIR_IMAGES);
	autoclose int lock = -1;
	struct dirent *d;
	struct err e;
	int n = 0;

	if (!dir || (lock = lock_images(&e)) < 0)
		return 0;
	while ((d = readdir(dir))) {
		autoclose int file = -1;
		char path[LAYER_PATH_SIZE];

		if (!digest_is_valid(d->d_name, '-'))
			continue;
		file = store_open_layer(s, d->d_name, &e);
		if (file >= 0 || e.code != ENOENT)
			continue;
		layer_path(path, d->d_name);
		if (is_mounted(path) && umount2(path, UMOUNT_NOFOLLOW) < 0)
			continue;
		if (rmdir(path) == 0)
			n++;
	}
	return n;
}
