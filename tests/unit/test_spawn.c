#include <config.h>

#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "unit.h"

/* Runs a shell command with its output in out; returns the wait status. */
static int shell(const char *command, char *const *envp, int extra, char *out, size_t size)
{
	char *argv[] = { "sh", "-c", (char *)command, NULL };
	struct err e = { 0 };
	int p[2], status;
	ssize_t n;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	status = spawn_wait(&(struct spawn){ .path = "/bin/sh", .argv = argv, .envp = envp, .fds = { -1, p[1], -1 },
		.extra = extra }, &e);
	ck_assert_msg(status >= 0, "%s", e.text);
	close(p[1]);
	n = io_read_full(p[0], out, size - 1);
	ck_assert_int_ge(n, 0);
	out[n] = 0;
	close(p[0]);
	return status;
}

START_TEST(status_and_output)
{
	char out[100];
	int status = shell("echo hello; exit 7", NULL, -1, out, sizeof(out));

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_str_eq(out, "hello\n");
}
END_TEST

START_TEST(environment_is_what_is_given)
{
	char *const envp[] = { "A=1", NULL };
	char out[1000];

	shell("echo \"$A|$HOME\"", envp, -1, out, sizeof(out));
	ck_assert_str_eq(out, "1|\n");
	shell("echo \"$A|$HOME\"", NULL, -1, out, sizeof(out));
	ck_assert_str_eq(out, "|\n");
}
END_TEST

START_TEST(only_named_descriptors)
{
	int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	char out[1000];

	unit_write("f", "extra", 5);
	shell("ls /proc/self/fd | wc -l", NULL, -1, out, sizeof(out));
	ck_assert_str_eq(out, "4\n"); /* ls: 0, 1, 2 and the directory it reads */
	shell("cat <&3; ls /proc/self/fd | wc -l", NULL, openat(unit_dirfd, "f", O_RDONLY | O_CLOEXEC), out, sizeof(out));
	ck_assert_str_eq(out, "extra5\n");
	close(leak);
}
END_TEST

START_TEST(signals_are_defaults)
{
	char out[1000];
	sigset_t set;
	int status;

	signal(SIGTERM, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	status = shell("kill -TERM $$; echo alive", NULL, -1, out, sizeof(out));
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGTERM);
	ck_assert_str_eq(out, "");
	sigprocmask(SIG_BLOCK, NULL, &set);
	ck_assert(sigismember(&set, SIGTERM));
}
END_TEST

START_TEST(failed_exec_is_reported)
{
	char *argv[] = { "x", NULL };
	struct spawn s = { .path = unit_path("none"), .argv = argv, .fds = { -1, -1, -1 }, .extra = -1 };
	struct err e;

	ck_refused(spawn_start(&s, &e), e, "none: No such file or directory");
	ck_assert_int_eq(e.code, ENOENT);
	unit_write("f", "", 0);
	s.path = unit_path("f");
	ck_refused(spawn_start(&s, &e), e, "f: Permission denied");
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(bad_descriptor_is_reported)
{
	char *argv[] = { "true", NULL };
	struct spawn s = { .path = "/bin/true", .argv = argv, .fds = { 999, -1, -1 }, .extra = -1 };
	struct err e;

	ck_refused(spawn_start(&s, &e), e, "start /bin/true: Bad file descriptor");
}
END_TEST

UNIT_MAIN("spawn", status_and_output, environment_is_what_is_given, only_named_descriptors, signals_are_defaults,
	failed_exec_is_reported, bad_descriptor_is_reported)
