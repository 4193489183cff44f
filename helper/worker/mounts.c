#include "config.h"

#include "worker/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/path.h"

#define ENTRY_SIZE (8 * PATH_MAX + 512)

void mounts_encode(const char *path, char *out)
{
	for (; *path; path++) {
		if (strchr(" \t\n\\", *path))
			out += sprintf(out, "\\%03o", (unsigned char)*path);
		else
			*out++ = *path;
	}
	*out = 0;
}

static bool is_same(const char *a, const char *b)
{
	return path_is_below(a, b) && path_is_below(b, a);
}

bool mounts_unwanted(const struct step *s, const char *path)
{
	const char *text = s->mounts;
	struct mount_entry m;
	struct err e;

	while (mounts_next(&text, &m, &e) > 0)
		if (m.kind == MOUNT_UMOUNT && is_same(m.target, path))
			return true;
	return false;
}

/* A mount that is not there cannot be taken away: said, because the user expects something else to be hidden. */
static int check_unwanted(const struct step *s, const char *target, struct err *e)
{
	struct bind binds[MAX_BINDS];
	unsigned n = step_binds(s, binds);

	for (unsigned i = 0; i < n; i++)
		if (!binds[i].is_file && is_same(binds[i].path, target))
			return 0;
	/* the one of the working directory may be part of another */
	if (is_same(target, "/sys") || is_same(target, "/tmp") || (s->home[0] && is_same(target, s->home)) ||
	    (s->cwd[0] && is_same(target, s->cwd)))
		return 0;
	return err_set(e, 0, "--container-mounts=umount:%.200s: slxc mounts nothing there", target);
}

/*
 * LXC follows no symbolic link in a target. So the longest part of the path that
 * exists is resolved as if the image were "/"; what is missing is made by LXC.
 */
static int resolve_target(int root, const char *mnt, char *target, struct err *e)
{
	char path[PATH_MAX], link[64], found[2 * PATH_MAX], prefix[PATH_MAX];
	size_t n = strlen(target);
	ssize_t length;

	if (n >= sizeof(path))
		return err_set(e, ENAMETOOLONG, "--container-mounts: %.100s", target);
	strcpy(path, target);
	for (;;) {
		autoclose int fd = io_open_in_root(root, n > 1 ? path + 1 : ".", O_PATH, 0);

		if (fd >= 0) {
			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			length = readlink(link, found, PATH_MAX - 1);
			break;
		}
		if ((errno != ENOENT && errno != ENOTDIR) || n <= 1)
			return err_set(e, errno, "--container-mounts: the target %.200s", target);
		while (n > 0 && path[--n] != '/')
			;
		n = n ? n : 1;
		path[n] = 0;
	}
	snprintf(prefix, sizeof(prefix), "%s/root", mnt);
	if (length < 0 || strncmp(found, prefix, strlen(prefix)))
		return err_set(e, length < 0 ? errno : EXDEV, "--container-mounts: the target %.200s", target);
	found[length] = 0;
	memmove(found, found + strlen(prefix), length - strlen(prefix) + 1);
	if (strlen(found) + strlen(target + n) + 2 > PATH_MAX)
		return err_set(e, ENAMETOOLONG, "--container-mounts: %.100s", target);
	/* what was cut off begins with its slash, unless only "/" was left */
	snprintf(path, sizeof(path), "%s", target + (n > 1 ? n : 0));
	if (n == 1 && !path[1])
		path[0] = 0;
	strcat(found, path);
	strcpy(target, *found ? found : "/");
	return 0;
}

static const char *without_create(char *flags)
{
	/* "x-create=" is pyxis's; LXC is told file or directory, which the source says */
	char *p = strstr(flags, "x-create=");

	if (p) {
		char *end = p + strcspn(p, ",");

		memmove(p, *end ? end + 1 : end, strlen(*end ? end + 1 : end) + 1);
		if (*flags && flags[strlen(flags) - 1] == ',')
			flags[strlen(flags) - 1] = 0;
	}
	return flags;
}

static int bind_entry(struct mount_entry *m, char *entry, struct err *e)
{
	autofree char *source = malloc(4 * PATH_MAX);
	autofree char *target = malloc(4 * PATH_MAX);
	struct stat st;

	if (!source || !target)
		return err_set(e, ENOMEM, "--container-mounts");
	/* stat() as the user also wakes an automounter */
	if (stat(m->source, &st) < 0)
		return err_set(e, errno, "--container-mounts: the source %.200s on this node", m->source);
	mounts_encode(m->source, source);
	mounts_encode(m->target + 1, target);
	without_create(m->flags);
	snprintf(entry, ENTRY_SIZE, "%s %s none %s%s,create=%s 0 0", source, target,
		mount_has_flag(m, "bind") ? "" : "rbind,", m->flags[0] ? m->flags : "rw",
		S_ISDIR(st.st_mode) ? "dir" : "file");
	return 0;
}

static int tmpfs_entry(const struct mount_entry *m, char *entry, struct err *e)
{
	autofree char *target = malloc(4 * PATH_MAX);

	if (!target)
		return err_set(e, ENOMEM, "--container-mounts");
	mounts_encode(m->target + 1, target);
	snprintf(entry, ENTRY_SIZE, "tmpfs %s tmpfs nosuid,nodev,%s%s,create=dir 0 0", target,
		strstr(m->flags, "mode=") ? "" : "mode=0755,", m->flags[0] ? m->flags : "rw");
	return 0;
}

int mounts_configure(const struct step *s, const char *mnt, void (*put)(void *arg, const char *entry), void *arg,
	struct err *e)
{
	autofree char *entry = malloc(ENTRY_SIZE);
	autoclose int root = -1;
	const char *text = s->mounts;
	struct mount_entry m;
	char path[128];
	int rc = 0;

	snprintf(path, sizeof(path), "%s/root", mnt);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!entry || root < 0)
		return err_set(e, errno, "open the container's root");
	while (rc == 0 && (rc = mounts_next(&text, &m, e)) > 0) {
		if (m.kind == MOUNT_UMOUNT) {
			rc = check_unwanted(s, m.target, e);
			continue;
		}
		rc = resolve_target(root, mnt, m.target, e);
		if (rc == 0)
			rc = m.kind == MOUNT_TMPFS ? tmpfs_entry(&m, entry, e) : bind_entry(&m, entry, e);
		if (rc == 0)
			put(arg, entry);
	}
	return rc;
}
