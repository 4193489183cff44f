#include <config.h>

#include "workdir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "tree.h"

#define LOCK_SUFFIX ".lock"

/*
 * Opens tmp/<file> and takes its lock without waiting. A sweeper may remove the
 * file between the two, so the lock counts only if the file is still in its place.
 */
static int lock_file(int tmp, const char *file, int flags)
{
	autoclose int fd = openat(tmp, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
	struct stat held, there;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	if (fstat(fd, &held) < 0 || fstatat(tmp, file, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
	    held.st_ino != there.st_ino || held.st_dev != there.st_dev) {
		errno = EAGAIN;
		return -1;
	}
	return steal_fd(&fd);
}

int workdir_make(struct writer *w, struct err *e)
{
	unsigned char random[8];
	char file[WRITER_ID_SIZE + sizeof(LOCK_SUFFIX)];

	w->own_lock = -1;
	for (int tries = 0; w->own_lock < 0; tries++) {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return err_set(e, errno, "make a name");
		for (size_t i = 0; i < sizeof(random); i++)
			sprintf(w->id + 2 * i, "%02x", random[i]);
		snprintf(file, sizeof(file), "%s" LOCK_SUFFIX, w->id);
		w->own_lock = lock_file(w->tmp, file, O_CREAT | O_EXCL);
		if (w->own_lock < 0 && (tries == 10 || (errno != EWOULDBLOCK && errno != EEXIST && errno != ENOENT)))
			return err_set(e, errno, "lock tmp/%s", file);
	}
	w->work = tree_make_dir(w->tmp, w->id, 0700, e);
	return w->work < 0 ? -1 : 0;
}

void workdir_remove(struct writer *w)
{
	char file[WRITER_ID_SIZE + sizeof(LOCK_SUFFIX)];
	struct err ignored; /* what stays is the next writer's to sweep */

	if (w->work >= 0) {
		close(w->work);
		tree_remove(w->tmp, w->id, &ignored);
	}
	if (w->own_lock >= 0) {
		snprintf(file, sizeof(file), "%s" LOCK_SUFFIX, w->id);
		unlinkat(w->tmp, file, 0);
		close(w->own_lock);
	}
	w->work = w->own_lock = -1;
}

/* "<id>.lock": its directory first, while the lock is held, then the lock. */
static void sweep_one(int tmp, const char *file)
{
	size_t n = strlen(file) - strlen(LOCK_SUFFIX);
	autoclose int lock = lock_file(tmp, file, 0);
	char id[NAME_MAX + 1];
	struct err ignored;

	if (lock < 0)
		return;
	memcpy(id, file, n);
	id[n] = 0;
	if (*id && tree_remove(tmp, id, &ignored) == 0)
		unlinkat(tmp, file, 0);
}

static int has_suffix(const char *file)
{
	size_t n = strlen(file), s = strlen(LOCK_SUFFIX);

	return n > s && !strcmp(file + n - s, LOCK_SUFFIX);
}

void workdir_sweep(const struct writer *w)
{
	autoclose int fd = openat(w->tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclosedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	if (!dir)
		return;
	steal_fd(&fd);
	while ((d = readdir(dir))) {
		char file[NAME_MAX + sizeof(LOCK_SUFFIX)];
		struct err ignored;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (has_suffix(d->d_name)) {
			sweep_one(w->tmp, d->d_name);
			continue;
		}
		snprintf(file, sizeof(file), "%s" LOCK_SUFFIX, d->d_name);
		if (faccessat(w->tmp, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			tree_remove(w->tmp, d->d_name, &ignored);
	}
}
