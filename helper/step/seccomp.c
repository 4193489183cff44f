#include "config.h"

#include "seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/filter.h"
#include "common/io.h"
#include "common/paths.h"
#include "rundir.h"

#define COMPILER SLXC_LIBEXECDIR "/slxc-seccomp"
#define COMPILE_MS 20000
#define NOBODY 65534

/* The user that compiles. Read from the file: a static program cannot use NSS, and root should not. */
static void compiler_user(uid_t *uid, gid_t *gid)
{
	autofclose FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw;

	*uid = *gid = NOBODY;
	while (f && (pw = fgetpwent(f)))
		if (!strcmp(pw->pw_name, "slxc") && pw->pw_uid != 0 && pw->pw_gid != 0) {
			*uid = pw->pw_uid;
			*gid = pw->pw_gid;
			return;
		}
}

/* Safe: lowers a limit, in the child that exec_compiler() is. */
static int limit(int what, rlim_t value)
{
	struct rlimit l = { .rlim_cur = value, .rlim_max = value };

	return setrlimit(what, &l);
}

/*
 * In the child. Safe: of root's it keeps the policy, open for reading, and the
 * two pipes; no capability, group or environment; limits on what it can use. The
 * program is not readable by anybody but root, so another process of the same
 * user can neither trace it nor read its memory.
 */
static void exec_compiler(int policy, int out, int err_fd, uid_t uid, gid_t gid)
{
	static char *const argv[] = { "slxc-seccomp", NULL };
	static char *const envp[] = { "LC_ALL=C", NULL };
	int fds[3] = { policy, out, err_fd };
	sigset_t none;

	for (int i = 0; i < 3; i++)
		if ((fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10)) < 0)
			_exit(127);
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(127);
	syscall(SYS_close_range, 3, ~0u, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 || setresuid(-1, 0, -1) == 0)
		_exit(127);
	if (limit(RLIMIT_CPU, 10) < 0 || limit(RLIMIT_AS, 512 << 20) < 0 || limit(RLIMIT_FSIZE, 1 << 20) < 0 ||
	    limit(RLIMIT_NOFILE, 16) < 0 || limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_NPROC, 1) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(COMPILER, argv, envp);
	dprintf(STDERR_FILENO, "start " COMPILER ": %s\n", strerror(errno));
	_exit(127);
}

/* Reads what comes until its end, room bytes at most. -1: too much, or too late. */
static ssize_t read_pipe(int fd, char *out, size_t room, double deadline)
{
	size_t used = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = deadline - io_now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left + 1) <= 0)
			return -1;
		n = read(fd, out + used, room - used);
		if (n == 0)
			return used;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (used += n) == room)
			return -1;
	}
}

/*
 * Runs the compiler over the policy. The bytes of the filter, or -1.
 * Safe: the child is exec_compiler(); it is killed by its number while it is not waited for,
 * so that number is its own.
 */
static ssize_t compile(int policy, char *out, size_t room, const char *path, struct err *e)
{
	int filter[2] = { -1, -1 }, report[2] = { -1, -1 }, status = -1;
	double deadline = io_now_ms() + COMPILE_MS;
	char reason[256] = "";
	ssize_t size = -1, n;
	uid_t uid;
	gid_t gid;
	pid_t pid;

	if (pipe2(filter, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
		return err_set(e, errno, "compile %s", path);
	compiler_user(&uid, &gid);
	pid = fork();
	if (pid == 0)
		exec_compiler(policy, filter[1], report[1], uid, gid);
	close(filter[1]);
	close(report[1]);
	if (pid > 0) {
		size = read_pipe(filter[0], out, room, deadline);
		if (size >= 0 && (n = read_pipe(report[0], reason, sizeof(reason) - 1, deadline)) >= 0)
			reason[n] = 0;
		kill(pid, SIGKILL); /* it has ended, or is to: its descriptors are closed */
		waitpid(pid, &status, 0);
	}
	close(filter[0]);
	close(report[0]);
	reason[strcspn(reason, "\n")] = 0;
	/* a signal after its last write is no failure: the filter is whole or it is not */
	if (size > 0 && !*reason && filter_is_valid(out, size))
		return size;
	return err_set(e, 0, "seccomp policy %s: %s", path, *reason ? reason : "its compiler (" COMPILER ") failed");
}

/*
 * Opens the policy. Safe: only a regular file that is root's alone to write, and
 * it is read by somebody else, through this descriptor.
 */
static int open_policy(const char *path, struct stat *st, struct err *e)
{
	autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0)
		return err_set(e, errno, "open seccomp policy %s", path);
	if (!S_ISREG(st->st_mode) || st->st_uid != 0 || (st->st_mode & 022))
		return err_set(e, 0, "seccomp policy %s must be a file that belongs to root and that only root can write", path);
	return steal_fd(&fd);
}

/* The compiled filter's file: named for this very policy and this very compiler. */
static int filter_path(char *out, size_t size, const struct stat *st, struct err *e)
{
	struct stat compiler;

	if (stat(COMPILER, &compiler) < 0)
		return err_set(e, errno, "the container cannot be started on this node, tell its administrator: start " COMPILER);
	snprintf(out, size, RUNDIR_SECCOMP "/%llx-%llx-%llx-%llx.%lx-%llx.%lx-%llx-%llx.%lx",
		(unsigned long long)st->st_dev, (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
		(unsigned long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		(unsigned long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
		(unsigned long long)compiler.st_ino,
		(unsigned long long)compiler.st_ctim.tv_sec, compiler.st_ctim.tv_nsec);
	return 0;
}

/* Filters of policies and compilers that are no more. Safe: plain files in a directory of root's alone. */
static void remove_others(const char *keep)
{
	autoclosedir DIR *dir = opendir(RUNDIR_SECCOMP);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' && strcmp(d->d_name, keep))
			unlinkat(dirfd(dir), d->d_name, 0);
}

/*
 * Writes the filter where path will be found by the steps to come, and opens it.
 * Safe: in a directory of root's alone; the file has no name until it is whole,
 * and whoever was first wins. keep: not for a policy that was just being written,
 * which may change again within the same tick of the file system's clock.
 */
static int store_filter(const char *path, const char *data, size_t size, int keep, struct err *e)
{
	autoclose int fd = -1;
	char proc[64];
	int reader;

	if (mkdir(RUNDIR_SECCOMP, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make " RUNDIR_SECCOMP);
	fd = open(RUNDIR_SECCOMP, O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
	if (fd < 0 || io_write_all(fd, data, size) < 0)
		return err_set(e, errno, "write " RUNDIR_SECCOMP);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (keep) {
		remove_others(strrchr(path, '/') + 1);
		if (linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST)
			return err_set(e, errno, "keep %s", path);
	}
	/* the plugin's copy cannot write */
	reader = open(proc, O_RDONLY | O_CLOEXEC);
	return reader >= 0 ? reader : err_set(e, errno, "open " RUNDIR_SECCOMP);
}

static int is_unchanged(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
		now.st_mtim.tv_sec == before->st_mtim.tv_sec && now.st_mtim.tv_nsec == before->st_mtim.tv_nsec &&
		now.st_ctim.tv_sec == before->st_ctim.tv_sec && now.st_ctim.tv_nsec == before->st_ctim.tv_nsec;
}

int seccomp_open_filter(const char *path, struct err *e)
{
	autofree char *data = NULL;
	autoclose int policy = -1;
	char kept[512];
	struct timespec now;
	struct stat st = { 0 };
	ssize_t size;
	int fd;

	policy = open_policy(path, &st, e);
	if (policy < 0 || filter_path(kept, sizeof(kept), &st, e) < 0)
		return -1;
	fd = open(kept, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	data = malloc(FILTER_MAX_SIZE + 1);
	size = data ? compile(policy, data, FILTER_MAX_SIZE + 1, path, e) : err_set(e, ENOMEM, "compile %s", path);
	if (size < 0)
		return -1;
	if (!is_unchanged(policy, &st))
		return err_set(e, 0, "seccomp policy %s changed while it was read: try again", path);
	clock_gettime(CLOCK_REALTIME, &now);
	return store_filter(kept, data, size, now.tv_sec - st.st_ctim.tv_sec >= 2 || now.tv_sec < st.st_ctim.tv_sec, e);
}
