#include "config.h"

#include "worker/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define MAX_FILE (1 << 20)

/* Replaces name in dirfd; what was there, a symlink too, is unlinked and not followed. */
static int replace_file(int dirfd, const char *name, const char *text, size_t size, struct err *e)
{
	autoclose int fd = -1;

	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "replace /etc/%s in the container", name);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || io_write_all(fd, text, size) < 0)
		return err_set(e, errno, "write /etc/%s in the container%s", name,
			errno == ENOSPC ? " (scratch_size in slxc.conf is too small)" : "");
	return 0;
}

/* Reads a file of the container; "" when it has none. Symlinks stay inside root. */
static char *read_in_root(int rootfd, const char *path, size_t *size)
{
	autoclose int fd = io_open_in_root(rootfd, path, O_RDONLY | O_NONBLOCK, 0);
	char *text = malloc(MAX_FILE + 1);
	ssize_t n;

	if (!text)
		return NULL;
	n = fd < 0 ? 0 : io_read_full(fd, text, MAX_FILE);
	*size = n < 0 ? 0 : n;
	text[*size] = 0;
	return text;
}

/* True when a line of passwd or group has that name, or that id in its third field. */
static int is_entry_of(const char *line, size_t length, const char *name, const char *id)
{
	const char *end = line + length;
	const char *second = memchr(line, ':', length);
	const char *third = second ? memchr(second + 1, ':', end - second - 1) : NULL;
	size_t n = strlen(id);

	if (second && (size_t)(second - line) == strlen(name) && !memcmp(line, name, second - line))
		return 1;
	return third && (size_t)(end - third) > n && !memcmp(third + 1, id, n) && third[1 + n] == ':';
}

/* The image's file without entries that clash with ours, and ours. */
static int add_entry(int rootfd, int etc, const char *file, const char *name, unsigned id,
	const char *entry, struct err *e)
{
	char path[16], id_text[12];
	autofree char *old = NULL;
	autofree char *new = NULL;
	size_t size = 0, used = 0;

	snprintf(path, sizeof(path), "etc/%s", file);
	snprintf(id_text, sizeof(id_text), "%u", id);
	old = read_in_root(rootfd, path, &size);
	new = old ? malloc(size + strlen(entry) + 2) : NULL;
	if (!new)
		return err_set(e, ENOMEM, "make /etc/%s", file);
	for (char *line = old; line < old + size;) {
		char *end = memchr(line, '\n', old + size - line);
		size_t length = (end ? end : old + size) - line;

		if (!is_entry_of(line, length, name, id_text)) {
			memcpy(new + used, line, length);
			used += length;
			new[used++] = '\n';
		}
		line += length + 1;
	}
	memcpy(new + used, entry, strlen(entry));
	return replace_file(etc, file, new, used + strlen(entry), e);
}

/* A copy, so that package managers inside can replace it; a host without it leaves the image's. */
static int copy_from_host(int etc, const char *file, struct err *e)
{
	autofree char *text = malloc(MAX_FILE);
	char path[32];
	autoclose int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/etc/%s", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !text)
		return 0;
	n = io_read_full(fd, text, MAX_FILE);
	return n < 0 ? 0 : replace_file(etc, file, text, n, e);
}

/*
 * The container's root is its only user: apt must not fetch as its user _apt.
 * An image without apt has no such directory and gets no file.
 */
static int write_apt(int rootfd, struct err *e)
{
	static const char text[] = "APT::Sandbox::User \"root\"; // written by slxc: --container-remap-root\n";
	autoclose int dir = io_open_in_root(rootfd, "etc/apt/apt.conf.d", O_RDONLY | O_DIRECTORY, 0);

	return dir < 0 ? 0 : replace_file(dir, "90slxc", text, sizeof(text) - 1, e);
}

int files_write(const char *root, const struct step *s, struct err *e)
{
	autoclose int rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int etc = -1;
	char entry[2 * PATH_MAX + 256];

	if (rootfd < 0)
		return err_set(e, errno, "open the container's root");
	etc = io_open_in_root(rootfd, "etc", O_RDONLY | O_DIRECTORY, 0);
	if (etc < 0 && errno == ENOENT && mkdirat(rootfd, "etc", 0755) == 0)
		etc = io_open_in_root(rootfd, "etc", O_RDONLY | O_DIRECTORY, 0);
	if (etc < 0)
		return err_set(e, errno, "open /etc in the container");
	snprintf(entry, sizeof(entry), "%s:x:%u:%u::%s:%s\n", s->user, s->uid, s->gid,
		s->home[0] ? s->home : "/", s->shell[0] ? s->shell : "/bin/sh");
	if (!s->remap_root && add_entry(rootfd, etc, "passwd", s->user, s->uid, entry, e) < 0)
		return -1;
	snprintf(entry, sizeof(entry), "%s:x:%u:%s\n", s->group, s->gid, s->user);
	if (!s->remap_root && add_entry(rootfd, etc, "group", s->group, s->gid, entry, e) < 0)
		return -1;
	if (s->remap_root && write_apt(rootfd, e) < 0)
		return -1;
	if (copy_from_host(etc, "resolv.conf", e) < 0 || copy_from_host(etc, "hosts", e) < 0)
		return -1;
	return copy_from_host(etc, "localtime", e);
}
