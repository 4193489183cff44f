#include <config.h>

#include "step/container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"

#define INIT (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS)

static struct err e;
static struct container c;
static uid_t uid; /* whom the worker runs as */
static gid_t gid;

static void sleep_on(void)
{
	for (;;)
		pause();
}

/* The child dies with its parent. */
static pid_t clone_with(unsigned long flags)
{
	pid_t pid;
	char up_byte = 0;
	int up[2];

	ck_assert_int_eq(pipe2(up, O_CLOEXEC), 0);
	pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ck_assert_int_eq(write(up[1], "", 1), 1);
	} else {
		close(up[1]);
		ck_assert(pid < 0 || read(up[0], &up_byte, 1) == 1);
	}
	close(up[0]);
	return pid;
}

/* Makes the user known in the namespace, as it must be to make another one below. */
static void map_oneself(void)
{
	char map[64];
	int n = snprintf(map, sizeof(map), "%u %u 1", uid, uid), fd;

	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, map, n), n);
	close(fd);
	fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "deny", 4), 4);
	close(fd);
	fd = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
	n = snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	ck_assert_int_eq(write(fd, map, n), n);
	close(fd);
}

/*
 * A worker as the job's user, and its child in new namespaces as said by first;
 * with second, that child has another one in namespaces below its own, and that
 * is the one returned.
 */
static pid_t start(unsigned long first, unsigned long second, pid_t *worker)
{
	pid_t init = 0;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	*worker = fork();
	if (*worker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (uid != geteuid() && (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
			_exit(1);
		prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would be root's */
		init = clone_with(first);
		if (init == 0 && second) {
			map_oneself();
			clone_with(second);
			sleep_on();
		}
		if (init == 0)
			sleep_on();
		ck_assert_int_eq(write(fds[1], &init, sizeof(init)), sizeof(init));
		sleep_on();
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &init, sizeof(init)), sizeof(init));
	close(fds[0]);
	ck_assert_int_gt(init, 0);
	return init;
}

/* The only child of pid. */
static pid_t child_of(pid_t pid)
{
	char path[64];
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	for (int tries = 0; tries < 1000 && child == 0; tries++) {
		FILE *f = fopen(path, "re");

		ck_assert(f && (fscanf(f, "%d", &child) == 1 || usleep(1000) == 0));
		fclose(f);
	}
	ck_assert_int_gt(child, 0);
	return child;
}

static void end(pid_t worker)
{
	kill(worker, SIGKILL);
	waitpid(worker, NULL, 0);
}

static void refuses(pid_t pid, pid_t worker, uid_t owner, int code, const char *why)
{
	c = (struct container){ .pidfd = -1 };
	ck_refused(container_verify(&c, pid, worker, owner, &e), e, why);
	ck_assert_int_eq(e.code, code);
	ck_assert_int_eq(c.pid, 0);
	ck_assert_int_eq(c.pidfd, -1);
}

#define NOT_ONES_OWN "the container's namespaces are not the user's own"

START_TEST(right_one)
{
	struct pollfd dead = { .events = POLLIN };
	pid_t worker, init = start(INIT, 0, &worker);

	ck_ok(container_verify(&c, init, worker, uid, &e), e);
	ck_assert_int_eq(c.pid, init);
	ck_assert_uint_eq(c.start, process_start_time(init));
	ck_assert_uint_gt(c.start, 0);
	ck_assert_int_eq(fcntl(c.pidfd, F_GETFD), FD_CLOEXEC);
	container_kill(&c);
	dead.fd = c.pidfd;
	ck_assert_int_eq(poll(&dead, 1, 5000), 1);
	container_kill(&c); /* harmless on one that is gone */
	close(c.pidfd);
	end(worker);
}
END_TEST

START_TEST(other_namespaces_too)
{
	pid_t worker, init = start(INIT | CLONE_NEWIPC | CLONE_NEWUTS, 0, &worker);

	ck_ok(container_verify(&c, init, worker, uid, &e), e);
	close(c.pidfd);
	end(worker);
}
END_TEST

START_TEST(of_another_user)
{
	pid_t worker, init = start(INIT, 0, &worker);

	refuses(init, worker, uid + 1, EPERM, NOT_ONES_OWN);
	refuses(init, worker, uid == 0 ? 2001 : 0, EPERM, NOT_ONES_OWN);
	end(worker);
}
END_TEST

START_TEST(of_another_worker)
{
	pid_t worker, init = start(INIT, 0, &worker);

	refuses(init, getpid(), uid, EPERM, "the container's init is not the worker's child");
	refuses(init, 1, uid, EPERM, "the container's init is not the worker's child");
	refuses(init, 0, uid, EPERM, "the container's init is not the worker's child");
	end(worker);
}
END_TEST

START_TEST(host_process)
{
	pid_t worker, child = start(0, 0, &worker);

	refuses(child, worker, uid, EPERM, "the container's init is not PID 1 of its namespace");
	end(worker);
	/* the supervisor itself, and what would be "all processes" */
	refuses(getpid(), getppid(), uid, EPERM, "the container's init is not PID 1 of its namespace");
	refuses(0, getpid(), uid, ESRCH, "open the container's init: No such process");
	refuses(-1, getpid(), uid, ESRCH, "open the container's init: No such process");
}
END_TEST

START_TEST(user_namespace_only)
{
	pid_t worker, child = start(CLONE_NEWUSER, 0, &worker);

	refuses(child, worker, uid, EPERM, "the container's init is not PID 1 of its namespace");
	end(worker);
}
END_TEST

START_TEST(mount_namespace_of_the_host)
{
	pid_t worker, child = start(CLONE_NEWUSER | CLONE_NEWPID, 0, &worker);

	refuses(child, worker, uid, EPERM, NOT_ONES_OWN);
	end(worker);
}
END_TEST

/* A second namespace below the first: its PID 1 is a real one, but a grandchild, and not directly below the host's. */
START_TEST(nested)
{
	pid_t worker, init = start(INIT, INIT, &worker), inner = child_of(init);

	refuses(inner, worker, uid, EPERM, "the container's init is not the worker's child");
	refuses(inner, init, uid, EPERM, NOT_ONES_OWN);
	end(worker);
}
END_TEST

/* Not the namespace's PID 1 but a process that lives in it. */
START_TEST(other_process_of_the_container)
{
	pid_t worker, init = start(INIT, CLONE_NEWUTS, &worker), inner = child_of(init);

	refuses(inner, init, uid, EPERM, "the container's init is not PID 1 of its namespace");
	end(worker);
}
END_TEST

START_TEST(dead_process)
{
	pid_t worker, init = start(INIT, 0, &worker);

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	end(worker);
	ck_assert_int_eq(waitpid(init, NULL, 0), init);
	refuses(init, worker, uid, ESRCH, "open the container's init: No such process");
}
END_TEST

START_TEST(zombie)
{
	pid_t worker, init = start(INIT, 0, &worker);
	struct err any;

	kill(worker, SIGSTOP);
	kill(init, SIGKILL);
	usleep(50000);
	c = (struct container){ .pidfd = -1 };
	ck_assert_int_eq(container_verify(&c, init, worker, uid, &any), -1);
	ck_assert_int_eq(c.pidfd, -1);
	end(worker);
}
END_TEST

START_TEST(start_times)
{
	uint64_t own = process_start_time(getpid());
	int status = -1;
	pid_t pid;

	ck_assert_uint_gt(own, 0);
	ck_assert_uint_eq(process_start_time(getpid()), own);
	ck_assert_uint_eq(process_start_time(0x3fffffff), 0);
	ck_assert_uint_eq(process_start_time(-1), 0);
	usleep(30000); /* start times are counted in hundredths of a second */
	pid = fork();
	if (pid == 0) {
		/* a name that looks like the end of the name field, and like fields */
		prctl(PR_SET_NAME, "a) R 1 1 (b) ");
		_exit(process_start_time(getpid()) <= own || process_start_time(getpid()) > own + 6000);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* A new process that got the pid of a dead one does not look like it. */
START_TEST(start_time_tells_a_reused_pid)
{
	pid_t first = fork(), second;
	uint64_t start_of_first;

	if (first == 0)
		sleep_on();
	start_of_first = process_start_time(first);
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	ck_assert_uint_eq(process_start_time(first), 0);
	usleep(30000);
	{
		/* clone3(2) with the same pid, Linux 5.5; CAP_SYS_ADMIN */
		struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size; }
			args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&first, .set_tid_size = 1 };

		second = syscall(SYS_clone3, &args, sizeof(args));
	}
	if (second == 0)
		sleep_on();
	if (second < 0)
		return; /* not allowed here, or somebody else has it */
	ck_assert_int_eq(second, first);
	ck_assert_uint_gt(process_start_time(second), start_of_first);
	end(second);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { right_one, other_namespaces_too, of_another_user, of_another_worker, host_process,
		user_namespace_only, mount_namespace_of_the_host, nested, other_process_of_the_container, dead_process, zombie,
		start_times, start_time_tells_a_reused_pid };
	int status = 0;
	pid_t probe;

	uid = geteuid() == 0 ? 2001 : geteuid();
	gid = geteuid() == 0 ? 2002 : getegid();
	probe = fork();
	if (probe == 0)
		_exit((geteuid() == 0 && setresuid(uid, uid, uid) < 0) || unshare(INIT) < 0);
	if (waitpid(probe, &status, 0) != probe || status != 0)
		unit_skip("an ordinary user can make no user namespace here");
	return unit_main("container", tests, sizeof(tests) / sizeof(tests[0]));
}
