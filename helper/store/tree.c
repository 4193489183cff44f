#include <config.h>

#include "tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int remove_children(int parent, const char *name, unsigned depth)
{
	autoclose int fd = -1;
	autoclosedir DIR *dir = NULL;
	struct dirent *d;

	if (depth > TREE_MAX_DEPTH + 8) {
		errno = ELOOP;
		return -1;
	}
	fd = openat(parent, name, DIR_FLAGS);
	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (!dir)
		return -1;
	steal_fd(&fd);
	while ((errno = 0, d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (d->d_type != DT_DIR && unlinkat(dirfd(dir), d->d_name, 0) == 0)
			continue;
		if (d->d_type != DT_DIR && errno != EISDIR)
			return -1;
		if (remove_children(dirfd(dir), d->d_name, depth + 1) < 0 ||
		    unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR) < 0)
			return -1;
	}
	return errno ? -1 : 0;
}

int tree_remove(int dirfd, const char *name, struct err *e)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_set(e, errno, "remove %s", name);
	if (remove_children(dirfd, name, 0) < 0 || unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		return err_set(e, errno, "remove %s", name);
	return 0;
}

int tree_make_dir(int dirfd, const char *name, mode_t mode, struct err *e)
{
	autoclose int fd = -1;
	struct stat st;

	if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
		return err_set(e, errno, "make directory %s", name);
	fd = openat(dirfd, name, DIR_FLAGS);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open directory %s", name);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return err_set(e, errno, "set the mode of %s", name);
	return steal_fd(&fd);
}

int tree_sync(int dirfd, const char *path, struct err *e)
{
	autoclose int fd = io_open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0 || fsync(fd) < 0)
		return err_set(e, errno, "write %s to disk", path);
	return 0;
}

int tree_write_file(int dirfd, const char *name, mode_t mode, const void *text, size_t size, struct err *e)
{
	autoclose int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, text, size) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return err_set(e, errno, "write %s", name);
	return 0;
}
