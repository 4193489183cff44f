#include <config.h>

#include "join.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stddef.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"

/*
 * The test is slurmstepd: root, then the user in its effective ids only. The
 * container is a child with namespaces of the user's own. What a task does is
 * done in a child of the test, which says by its exit status whether all was right.
 */
#define UID 2001

static struct err e;
static pid_t init;
static int pidfd;

static void write_map(const char *which)
{
	char path[64], map[64];
	int n = snprintf(map, sizeof(map), "%d %d 1", UID, UID), fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", init, which);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, map, n), n);
	close(fd);
}

/* Its init: as the user, in a mount namespace with a /proc of its own PID namespace. */
static void be_init(int go, int up)
{
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 1); /* as after exec: setns(2) with a pidfd asks for the right to trace it */
	if (read(go, &c, 1) != 1 || setresgid(UID, UID, UID) < 0 || setresuid(UID, UID, UID) < 0)
		_exit(1);
	c = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("proc", "/proc", "proc", 0, NULL) < 0 ? 'n' : 'y';
	if (write(up, &c, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* At the end of a test: for what tears it down, and LeakSanitizer, which traces it. */
static void be_root_again(void)
{
	if (seteuid(0) == 0 && setegid(0) == 0)
		prctl(PR_SET_DUMPABLE, 1);
}

/* False when the kernel lets no ordinary user mount /proc here (something is mounted over parts of it). */
static bool start(void)
{
	int go[2], up[2];
	char c = 0;

	ck_assert(pipe2(go, O_CLOEXEC) == 0 && pipe2(up, O_CLOEXEC) == 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert(setegid(UID) == 0 && seteuid(UID) == 0);
	init = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	if (init == 0)
		be_init(go[0], up[1]);
	ck_assert_int_gt(init, 0);
	ck_assert(seteuid(0) == 0 && setegid(0) == 0);
	write_map("uid_map");
	write_map("gid_map");
	ck_assert(write(go[1], "", 1) == 1 && read(up[0], &c, 1) == 1);
	pidfd = syscall(SYS_pidfd_open, init, 0);
	ck_assert_int_ge(pidfd, 0);
	/* from here as slurmstepd in user_init */
	ck_assert(setegid(UID) == 0 && seteuid(UID) == 0);
	return c == 'y';
}

static int status_of(pid_t pid)
{
	int status = -1;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* In a task: the real ids are the user's too, as slurmstepd makes them. */
static void become_user(void)
{
	if (seteuid(0) < 0 || setegid(0) < 0 || setresgid(UID, UID, UID) < 0 || setresuid(UID, UID, UID) < 0)
		_exit(100);
}

static bool has_field(const char *name, const char *value)
{
	static char text[8192];
	char line[128];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	snprintf(line, sizeof(line), "\n%s:\t%s\n", name, value);
	return strstr(text, line) != NULL;
}

/* One program: an errno for one system call. */
#define DENY(number, error) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error)), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
static struct sock_filter code[] = { DENY(SYS_getpgid, EXDEV), DENY(SYS_getsid, ENOTTY) };
static const struct filter filter = { .head = { .magic = FILTER_MAGIC, .length = { 4, 4 } }, .code = code };

START_TEST(task_is_born_and_lives_in_the_container)
{
	char cwd[PATH_MAX];
	pid_t pid;

	if (!start()) {
		be_root_again();
		return;
	}
	ck_ok(join_pid_namespace(pidfd, &e), e);
	pid = fork();
	if (pid == 0) {
		static const char *const caps[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };

		become_user();
		if (getpid() != 2 || join_container(&(struct join){ .init = pidfd, .cwd = "/usr", .filter = &filter }, &e) < 0)
			_exit(1);
		if (getuid() != UID || geteuid() != UID || getgid() != UID || !getcwd(cwd, sizeof(cwd)) || strcmp(cwd, "/usr"))
			_exit(2);
		for (size_t i = 0; i < 5; i++)
			if (!has_field(caps[i], "0000000000000000"))
				_exit(3);
		if (!has_field("NoNewPrivs", "1") || kill(1, 0) < 0 || mount("x", "/usr", "tmpfs", 0, NULL) == 0)
			_exit(4);
		/* the filter says EXDEV to getpgid(), and a second one ENOTTY to getsid() */
		if (getpgid(0) != -1 || errno != EXDEV || getsid(0) != -1 || errno != ENOTTY || !has_field("Seccomp", "2"))
			_exit(5);
		_exit(0);
	}
	ck_ok(join_leave_pid_namespace(&e), e);
	ck_assert_int_eq(status_of(pid), 0);
	/* and later children are the host's again */
	pid = fork();
	if (pid == 0)
		_exit(getpid() < 3 || getppid() == 0);
	ck_assert_int_eq(status_of(pid), 0);
	be_root_again();
}
END_TEST

START_TEST(directory_that_is_not_there)
{
	char cwd[PATH_MAX];
	int out[2];
	char said[256] = "";
	pid_t pid;

	if (!start()) {
		be_root_again();
		return;
	}
	ck_assert_int_eq(pipe(out), 0);
	ck_ok(join_pid_namespace(pidfd, &e), e);
	pid = fork();
	if (pid == 0) {
		become_user();
		dup2(out[1], STDERR_FILENO);
		_exit(join_container(&(struct join){ .init = pidfd, .cwd = "/no/such/place" }, &e) < 0 || !getcwd(cwd, sizeof(cwd)) || strcmp(cwd, "/"));
	}
	ck_ok(join_leave_pid_namespace(&e), e);
	ck_assert_int_eq(status_of(pid), 0);
	ck_assert_int_gt(read(out[0], said, sizeof(said) - 1), 0);
	ck_assert_str_eq(said, "slxc: working directory /no/such/place is not in the container, starting in /\n");
	be_root_again();
}
END_TEST

/* Whoever was not born there may not go on: it would be outside of what is killed with the container. */
START_TEST(task_born_on_the_host)
{
	pid_t pid;

	if (!start()) {
		be_root_again();
		return;
	}
	pid = fork();
	if (pid == 0) {
		become_user();
		_exit(join_container(&(struct join){ .init = pidfd, .cwd = "/" }, &e) == 0 || strcmp(e.text, "the task was not born in the container"));
	}
	ck_assert_int_eq(status_of(pid), 0);
	be_root_again();
}
END_TEST

START_TEST(container_that_is_gone)
{
	pid_t pid;

	start();
	ck_assert_int_eq(seteuid(0), 0);
	kill(init, SIGKILL);
	waitpid(init, NULL, 0);
	ck_assert_int_eq(seteuid(UID), 0);
	ck_refused(join_pid_namespace(pidfd, &e), e, "enter the container's PID namespace: No such process");
	pid = fork();
	if (pid == 0) {
		become_user();
		_exit(join_container(&(struct join){ .init = pidfd, .cwd = "/" }, &e) == 0 || strcmp(e.text, "enter the container (it is gone already): No such process"));
	}
	ck_assert_int_eq(status_of(pid), 0);
	be_root_again();
}
END_TEST

/* The capability is raised for the one call only. */
START_TEST(capabilities_are_as_before)
{
	start();
	ck_assert(has_field("CapEff", "0000000000000000"));
	ck_ok(join_pid_namespace(pidfd, &e), e);
	ck_assert(has_field("CapEff", "0000000000000000"));
	ck_ok(join_leave_pid_namespace(&e), e);
	ck_assert(has_field("CapEff", "0000000000000000"));
	be_root_again();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { task_is_born_and_lives_in_the_container, directory_that_is_not_there,
		task_born_on_the_host, container_that_is_gone, capabilities_are_as_before };

	int status = -1;
	pid_t probe;

	if (!private_is_host_root())
		unit_skip("entering a container as slurmstepd does needs root");
	probe = fork();
	if (probe == 0)
		_exit(setuid(UID) < 0 || unshare(CLONE_NEWUSER) < 0);
	if (waitpid(probe, &status, 0) != probe || status != 0)
		unit_skip("an ordinary user can make no user namespace here");
	return private_main("join", tests, sizeof(tests) / sizeof(tests[0]));
}
