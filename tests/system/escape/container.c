/* Attempts at what is around a container: the host's files and processes, its runtime, other containers, the image. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"

static int can_write(const char *path) { return result(open(path, O_WRONLY | O_CLOEXEC)); }
static int can_read(const char *path)
{
	char c;
	int fd;

	if (!*path)
		return NOT_HERE;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && (read(fd, &c, 1) >= 0 || errno == EISDIR) ? THROUGH : HELD;
}

static int core_pattern(void) { return can_write("/proc/sys/kernel/core_pattern"); }
static int sysrq(void) { return can_write("/proc/sysrq-trigger"); }
static int uevent_helper(void) { return can_write("/sys/kernel/uevent_helper"); }

/* Every cgroup file of that name that can be written, below the directory and one deeper, in each hierarchy. */
static int cgroup_file(const char *dir, const char *name, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[PATH_MAX];
	int found = HELD;

	while (d && (e = readdir(d)) && found == HELD) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (!strcmp(e->d_name, name))
			found = can_write(path);
		else if (e->d_type == DT_DIR && e->d_name[0] != '.' && depth > 0)
			found = cgroup_file(path, name, depth - 1);
	}
	if (d)
		closedir(d);
	return found;
}

static int release_agent(void) { return cgroup_file("/sys/fs/cgroup", "release_agent", 2); }
static int cgroup_procs(void) { return cgroup_file("/sys/fs/cgroup", "cgroup.procs", 6); }

/* CVE-2019-5736: the runtime's own program, through a process that executes it. */
static int runtime_program(void)
{
	return can_write("/proc/1/exe") == THROUGH || can_write("/dev/.slxc-init") == THROUGH ||
		rename("/tmp", "/dev/.slxc-init") == 0 || unlink("/dev/.slxc-init") == 0 ? THROUGH : HELD;
}

/* CVE-2024-21626: a descriptor, or a working directory, that leads out. */
static int leaked_descriptors(void)
{
	char path[64], to[PATH_MAX];

	for (int fd = 3; fd < 4096; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		memset(to, 0, sizeof(to));
		if (readlink(path, to, sizeof(to) - 1) < 0)
			continue;
		fprintf(stderr, "leaked: %d %s\n", fd, to);
		return THROUGH;
	}
	return HELD;
}

static int roots(void)
{
	char path[PATH_MAX];
	const pid_t pids[] = { 1, target.pid, target.other, target.stepd };

	for (size_t i = 0; i < 4; i++) {
		if (pids[i] <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/root%s", pids[i], target.secret);
		if (can_read(path) == THROUGH && access(target.secret, R_OK) < 0)
			return THROUGH;
		snprintf(path, sizeof(path), "/proc/%d/cwd", pids[i]);
		if (pids[i] != 1 && open(path, O_PATH | O_DIRECTORY) >= 0)
			return THROUGH;
	}
	return HELD;
}

static int host_file(void) { return can_read(target.secret); }
static int see_process(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return pid > 0 ? can_read(path) : NOT_HERE;
}

static int reach_process(pid_t pid)
{
	char c;
	struct iovec here = { &c, 1 }, there = { (void *)0x400000, 1 };

	if (pid <= 0)
		return NOT_HERE;
	if (kill(pid, 0) == 0 || syscall(SYS_pidfd_open, pid, 0) >= 0)
		return THROUGH;
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 || process_vm_readv(pid, &here, 1, &there, 1, 0) > 0)
		return THROUGH;
	return HELD;
}

static int see_bare(void) { return see_process(target.pid); }
static int reach_bare(void) { return reach_process(target.pid); }
static int reach_other(void) { return reach_process(target.other); }
static int signal_stepd(void) { return target.stepd > 0 ? result(kill(target.stepd, 0)) : NOT_HERE; }

/* The container's own PID 1: its descriptors lead to slxc's supervisor. */
static int trace_init(void)
{
	return ptrace(PTRACE_SEIZE, 1, 0, 0) == 0 || can_read("/proc/1/environ") == THROUGH || open("/proc/1/mem", O_RDWR) >= 0 ||
		opendir("/proc/1/fd") ? THROUGH : HELD;
}

static int kill_init(void)
{
	kill(1, SIGKILL);
	kill(1, SIGTERM);
	usleep(50000);
	return kill(1, 0) == 0 || errno != ESRCH ? HELD : THROUGH; /* EACCES is AppArmor's */
}

/* A program in the image: does it have what its file says? */
static int run_evil(const char *name)
{
	char path[PATH_MAX];
	int status = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", target.evil, name);
	if (access(path, X_OK) < 0)
		return NOT_HERE;
	pid = fork();
	if (pid == 0) {
		execl(path, path, "whoami", NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	errno = EPERM;
	return WIFEXITED(status) && WEXITSTATUS(status) == 42 ? THROUGH : HELD;
}

static int setuid_program(void) { return run_evil("suid"); }
static int capable_program(void) { return run_evil("caps"); }

static int image_node(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/nodes/null", target.evil);
	return access(path, F_OK) < 0 ? NOT_HERE : can_write(path);
}

static int host_devices(void)
{
	static const char *const names[] = { "mem", "kmem", "port", "sda", "vda", "nvme0n1", "loop-control", "loop0", "fuse", "kvm",
		"net/tun", "vhost-net", "userfaultfd", "mapper/control", "dm-0" };
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/dev/%s", names[i]);
		if (can_read(path) == THROUGH)
			return THROUGH;
	}
	return HELD;
}

static int private_image(void) { return can_read(target.image) == THROUGH || can_read(target.layer) == THROUGH ? THROUGH : HELD; }

static int run_directory(void)
{
	static const char *const names[] = { "", "/steps", "/images", "/mnt", "/seccomp" };
	char path[PATH_MAX];

	if (!*target.rundir)
		return NOT_HERE;
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s%s/x", target.rundir, names[i]);
		if (open(path, O_CREAT | O_WRONLY, 0600) >= 0 || mkdir(path, 0700) == 0)
			return THROUGH;
		snprintf(path, sizeof(path), "%s%s", target.rundir, names[i]);
		if (i >= 2 && opendir(path))
			return THROUGH;
	}
	return HELD;
}

static int connect_to(const char *name, size_t length)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, name, length < sizeof(a.sun_path) ? length : sizeof(a.sun_path));
	return result(connect(s, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + length));
}

static int munge_socket(void) { return *target.munge ? connect_to(target.munge, strlen(target.munge)) : NOT_HERE; }

/* Abstract sockets of any LXC monitor: its commands run programs on the host. */
static int lxc_commands(void)
{
	FILE *f = fopen("/proc/net/unix", "r");
	char line[512];
	int found = HELD;

	while (f && fgets(line, sizeof(line), f) && found == HELD) {
		char *name = strchr(line, '@');

		if (!name)
			continue;
		name[strcspn(name, "\n")] = 0;
		if (!strstr(name, "lxc") && !strstr(name, "/command"))
			continue;
		*name = 0;
		found = connect_to(name, 1 + strlen(name + 1));
	}
	return found;
}

const struct attempt container_attempts[] = {
	{ "read a file of the host", host_file }, { "read the host through /proc/PID/root", roots },
	{ "write core_pattern", core_pattern }, { "write sysrq-trigger", sysrq }, { "write uevent_helper", uevent_helper },
	{ "write release_agent", release_agent }, { "leave the cgroup", cgroup_procs },
	{ "write the runtime's program", runtime_program }, { "leaked descriptors", leaked_descriptors },
	{ "see the host's processes", see_bare }, { "trace or signal a bare process", reach_bare },
	{ "trace or signal another container", reach_other }, { "signal slurmstepd", signal_stepd },
	{ "trace the container's init", trace_init }, { "kill the container's init", kill_init },
	{ "setuid program in the image", setuid_program }, { "file capabilities in the image", capable_program },
	{ "device node in the image", image_node }, { "devices of the host", host_devices },
	{ "another user's private image", private_image }, { "slxc's run-time directory", run_directory },
	{ "munged's socket", munge_socket }, { "LXC's command socket", lxc_commands },
	{ NULL, NULL }
};
