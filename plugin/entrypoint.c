#include "config.h"

#include "entrypoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "common/cleanup.h"
#include "common/io.h"

#define MAX_WORDS 256
#define MAX_ENVIRONMENT (1 << 20)
#define TELL_FD "9"           /* where slxc-init is to write; above what a shell opens by itself */
#define INIT "/dev/.slxc-init"

/* The entrypoint's words, then the command that tells the environment. */
static int make_words(char *const *argv, const char *program, const char *words[MAX_WORDS + 4], struct err *e)
{
	unsigned n = 0;

	for (; argv[n]; n++) {
		if (n == MAX_WORDS)
			return err_set(e, E2BIG, "the image's entrypoint");
		words[n] = argv[n];
	}
	words[0] = program;
	words[n++] = INIT;
	words[n++] = "env";
	words[n++] = TELL_FD;
	words[n] = NULL;
	return 0;
}

/* Safe: in the task, in the container, after all privileges were given up; the image's own program, and the container's init. */
static void execute(const char *const *words, char **env, bool show, int tell)
{
	int out = show ? STDERR_FILENO : open("/dev/null", O_RDWR), in = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* dup2() on itself would leave it close-on-exec */
	if (dup2(tell, atoi(TELL_FD)) < 0 || (tell == atoi(TELL_FD) && fcntl(tell, F_SETFD, 0) < 0) ||
	    dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	execve(words[0], (char *const *)words, env);
	_exit(127);
}

static int check_end(pid_t pid, const char *program, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for the image's entrypoint");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(e, 0, "the image's entrypoint %.100s was killed by signal %d", program, WTERMSIG(status));
	return err_set(e, 0, "the image's entrypoint %.100s ended with status %d%s: --container-entrypoint-log shows what it says",
		program, WEXITSTATUS(status), WEXITSTATUS(status) == 127 ? " (not found?)" : "");
}

/* Safe: as execute(). */
int entrypoint_run(char *const *argv, char **env, const char *path, bool show,
	void (*set)(void *arg, const char *name, const char *value), void *arg, struct err *e)
{
	autofree char *text = malloc(MAX_ENVIRONMENT + 1);
	const char *words[MAX_WORDS + 4];
	char program[PATH_MAX];
	ssize_t size;
	int tell[2];
	pid_t pid;

	if (command_is_name(argv[0]))
		command_find(argv[0], path, program, sizeof(program));
	else
		snprintf(program, sizeof(program), "%s", argv[0]);
	if (make_words(argv, program, words, e) < 0)
		return -1;
	if (!text || pipe2(tell, O_CLOEXEC) < 0)
		return err_set(e, errno, "run the image's entrypoint");
	pid = fork();
	if (pid == 0)
		execute(words, env, show, tell[1]);
	close(tell[1]);
	size = pid < 0 ? -1 : io_read_full(tell[0], text, MAX_ENVIRONMENT);
	close(tell[0]);
	if (pid < 0)
		return err_set(e, errno, "run the image's entrypoint");
	if (check_end(pid, program, e) < 0)
		return -1;
	/* one that does not run its arguments has nothing to tell; that is its right */
	for (char *v = text; size > 0 && v < text + size; v += strlen(v) + 1) {
		char *eq = strchr(v, '=');

		text[size] = 0;
		if (!eq || eq == v)
			continue;
		*eq = 0;
		set(arg, v, eq + 1);
		v = eq + 1;
	}
	return 0;
}
