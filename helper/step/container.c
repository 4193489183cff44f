#include "config.h"

#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

static int open_ns(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Two descriptors of namespaces that are the same one. */
static int is_same(int a, int b)
{
	struct stat sa, sb;

	return a >= 0 && b >= 0 && fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
		sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

/* Safe: asks the kernel about namespaces; changes nothing. */
static int has_owner(int ns, int userns)
{
	autoclose int owner = ns < 0 ? -1 : ioctl(ns, NS_GET_USERNS);

	return is_same(owner, userns);
}

/*
 * The namespaces are the user's own, one level below the host's.
 * Safe: asks the kernel about namespaces; changes nothing.
 */
static int check_namespaces(pid_t pid, uid_t uid, struct err *e)
{
	autoclose int user = open_ns(pid, "user"), pidns = open_ns(pid, "pid"), mnt = open_ns(pid, "mnt");
	autoclose int host_user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	autoclose int parent = user < 0 ? -1 : ioctl(user, NS_GET_PARENT);
	uid_t owner;

	if (user < 0 || pidns < 0 || mnt < 0 || ioctl(user, NS_GET_OWNER_UID, &owner) < 0)
		return err_set(e, errno, "look at the container's namespaces");
	if (owner != uid || !is_same(parent, host_user) || !has_owner(pidns, user) || !has_owner(mnt, user))
		return err_set(e, EPERM, "the container's namespaces are not the user's own");
	return 0;
}

/* PPid is the worker, and the last of NSpid is 1. */
static int check_parent(pid_t pid, pid_t worker, struct err *e)
{
	char path[64], text[4096], *line, *end;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (io_read_file(AT_FDCWD, path, text, sizeof(text), e) < 0)
		return -1;
	line = strstr(text, "\nPPid:\t");
	if (!line || strtol(line + 7, NULL, 10) != worker)
		return err_set(e, EPERM, "the container's init is not the worker's child");
	line = strstr(text, "\nNSpid:\t");
	end = line ? strchr(line + 1, '\n') : NULL;
	if (!end || end - line < 3 || strncmp(end - 2, "\t1", 2))
		return err_set(e, EPERM, "the container's init is not PID 1 of its namespace");
	return 0;
}

uint64_t process_start_time(pid_t pid)
{
	char path[64], text[1024], *p;
	struct err e;
	uint64_t start = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (io_read_file(AT_FDCWD, path, text, sizeof(text), &e) < 0 || !(p = strrchr(text, ')')))
		return 0;
	/* the name ends at field 2; field 22 is the 20th after it */
	for (int field = 2; field < 22 && p; field++)
		p = strchr(p + 1, ' ');
	if (p)
		start = strtoull(p + 1, NULL, 10);
	return start;
}

/* Safe: the signal is 0, which is never sent. */
int container_verify(struct container *c, pid_t pid, pid_t worker, uid_t uid, struct err *e)
{
	autoclose int fd = syscall(SYS_pidfd_open, pid, 0);

	if (pid <= 0 || fd < 0)
		return err_set(e, pid <= 0 ? ESRCH : errno, "open the container's init");
	if (check_parent(pid, worker, e) < 0 || check_namespaces(pid, uid, e) < 0)
		return -1;
	/* Still the process that was looked at: its pid could not be reused while it lived. */
	if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0)
		return err_set(e, errno, "the container's init ended early");
	c->start = process_start_time(pid);
	c->pid = pid;
	c->pidfd = steal_fd(&fd);
	return 0;
}

/* Safe: the pidfd is of the process that was verified, whoever has its number now. */
void container_kill(struct container *c)
{
	if (c->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
}
