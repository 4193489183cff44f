#include "config.h"

#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/paths.h"
#include "container.h"
#include "layers.h"
#include "record.h"
#include "rundir.h"

#define PATIENCE_MS 10000

/* Waits for a process to be gone. 0 when it is. */
static int wait_gone(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, ms) > 0 ? 0 : -1;
}

/*
 * Tells a living supervisor to end, and makes it. Its pid came from the lock it
 * holds; looked up again after the pidfd was opened, so it is not a reused one.
 * Safe: by pidfd.
 */
static void end_supervisor(const struct entry *en, pid_t holder)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autoclose int pidfd = syscall(SYS_pidfd_open, holder, 0);

	if (pidfd < 0 || fcntl(en->file, F_GETLK, &l) < 0 || l.l_type == F_UNLCK || l.l_pid != holder)
		return;
	syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	if (wait_gone(pidfd, PATIENCE_MS) == 0)
		return;
	syslog(LOG_WARNING, "step %s: its supervisor %d does not end, killing it", en->name, holder);
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	wait_gone(pidfd, PATIENCE_MS);
}

/*
 * Kills a process and waits for its end, so that Slurm finds its cgroup empty; 0
 * when it is gone. Safe: by pidfd, and only when the start time is the recorded one.
 */
static int end_process(pid_t pid, uint64_t start)
{
	autoclose int pidfd = pid > 0 ? syscall(SYS_pidfd_open, pid, 0) : -1;

	if (pidfd < 0 || !start || process_start_time(pid) != start)
		return 0;
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	return wait_gone(pidfd, PATIENCE_MS);
}

/* Are these the arguments of that step's worker? */
static bool is_worker(const char *pid, const char *entry)
{
	char path[64], text[128];
	size_t n = strlen(entry);
	struct err e;

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	return io_read_file(AT_FDCWD, path, text, sizeof(text), &e) == (ssize_t)(sizeof("slxc-worker") + n + 1) &&
	       !strcmp(text, "slxc-worker") && !strcmp(text + sizeof("slxc-worker"), entry);
}

/*
 * A child that LXC was just making for a worker that died: it has no death signal
 * yet, waits for its parent for ever, and nobody has noted its pid. But it has the
 * worker's arguments until it becomes init. True when one was there.
 * Safe: by pidfd, looked at again after it was opened. A process that has these
 * words without being the worker has asked for it.
 */
static bool end_nameless(const char *entry)
{
	autoclosedir DIR *proc = opendir("/proc");
	bool found = false;
	struct dirent *d;

	while (proc && (d = readdir(proc))) {
		autoclose int pidfd = -1;

		if (d->d_name[0] < '1' || d->d_name[0] > '9' || !is_worker(d->d_name, entry))
			continue;
		pidfd = syscall(SYS_pidfd_open, atoi(d->d_name), 0);
		if (pidfd < 0 || !is_worker(d->d_name, entry))
			continue;
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		wait_gone(pidfd, PATIENCE_MS);
		found = true;
	}
	return found;
}

/* Destroys what a dead supervisor left: the container's init and the worker, if they are still those processes. */
static void end_orphan(struct entry *en, const struct step_info *info)
{
	struct record r = { .info = *info, .end = "swept", .error = "its supervisor was killed" };
	struct err e;

	if (end_process(info->init, info->init_start) < 0 || end_process(info->worker, info->worker_start) < 0) {
		syslog(LOG_ERR, "step %s: its container (pid %d) cannot be killed", en->name, info->init);
		close(steal_fd(&en->file));
		return;
	}
	/* it cannot make more of them without its worker */
	for (int i = 0; i < 3 && end_nameless(en->name); i++)
		;
	if (info->job && record_append(&r, &e) < 0)
		syslog(LOG_ERR, "step %s: %s", en->name, e.text);
	entry_remove(en);
}

static void close_entry(struct entry *en)
{
	if (en->file >= 0)
		close(steal_fd(&en->file));
}

/* Safe: an empty directory below one of root's alone. */
static int sweep_entry(const char *name, int living_too)
{
	struct step_info info;
	struct entry en;
	pid_t holder;
	struct err e;

	if (entry_adopt(&en, name, &holder, &info, &e) < 0) {
		/* died between making the directory and the file in it */
		char path[sizeof(RUNDIR_STEPS) + sizeof(en.name) + 2];

		snprintf(path, sizeof(path), RUNDIR_STEPS "/%.63s", name);
		return e.code == ENOENT && rmdir(path) == 0;
	}
	if (holder && !living_too) {
		close_entry(&en);
		return 0;
	}
	if (holder) {
		end_supervisor(&en, holder);
		close_entry(&en);
		if (entry_adopt(&en, name, &holder, &info, &e) < 0)
			return 1; /* it cleaned up itself */
	}
	if (!holder)
		end_orphan(&en, &info);
	close_entry(&en);
	return 1;
}

static void prune_images(void)
{
	struct store store = { .root = -1 };
	struct conf conf;
	struct err e;

	if (conf_load(&conf, SLXC_CONF_FILE, &e) == 0 && store_open(&store, conf.store, &e) == 0)
		layers_prune(&store);
	store_close(&store);
}

static int sweep(const char *prefix, int living_too)
{
	autoclosedir DIR *dir = opendir(RUNDIR_STEPS);
	struct dirent *d;
	int n = 0;

	if (!dir)
		return 0;
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.' && !strncmp(d->d_name, prefix, strlen(prefix)))
			n += sweep_entry(d->d_name, living_too);
	if (n)
		syslog(LOG_NOTICE, "swept %d step%s", n, n == 1 ? "" : "s");
	return n;
}

/* One of ours that is on its way out of the kernel: PF_EXITING, which no process can pretend. */
static bool is_dying(const char *pid)
{
	static const char *const names[] = { "(slxc-step)", "(slxc-worker)", "(slxc-init)" };
	char path[64], text[1024], *name, *rest;
	unsigned flags = 0;
	char state;
	struct err e;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if (io_read_file(AT_FDCWD, path, text, sizeof(text), &e) < 0 || !(name = strchr(text, '(')) || !(rest = strrchr(text, ')')))
		return false;
	/* state ppid pgrp session tty_nr tpgid flags */
	if (sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2 || !(flags & 4) || state == 'Z')
		return false;
	rest[1] = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/*
 * A supervisor that was killed has lost its sockets and its lock before its mount
 * namespace is taken apart, which takes milliseconds, and leaves its cgroup after
 * that; so do the worker, and an init that the worker's end kills. slurmstepd
 * removes the cgroup next, once. Whose they are does not matter: they are gone soon.
 */
static void wait_dying(void)
{
	autoclosedir DIR *proc = opendir("/proc");
	struct dirent *d;

	while (proc && (d = readdir(proc)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && is_dying(d->d_name)) {
			autoclose int pidfd = syscall(SYS_pidfd_open, atoi(d->d_name), 0);

			if (pidfd >= 0 && is_dying(d->d_name))
				wait_gone(pidfd, PATIENCE_MS);
		}
}

int sweep_job(const char *which)
{
	char prefix[48];
	int n = snprintf(prefix, sizeof(prefix), "%s.", which);

	if (n < 2 || n >= (int)sizeof(prefix))
		return -1;
	if (!strchr(which, '.')) {
		n = sweep(prefix, 1);
		prune_images();
		return n;
	}
	/* for slurmstepd, which misses its supervisor */
	wait_dying();
	n = sweep(prefix, 1);
	wait_dying();
	return n;
}

int sweep_dead(void)
{
	return sweep("", 0);
}
