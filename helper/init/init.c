/*
 * slxc-init: PID 1 of a step's container. Static, so that it runs in any image.
 * Says UP on descriptor 3 (the kernel adds who says it), keeps that descriptor
 * as its lifeline, reaps what is orphaned to it, and ends when the supervisor
 * or its parent is gone. The kernel then kills all of the PID namespace.
 *
 * The same program in other roles: "slxc-init env FD" says its environment;
 * "slxc-init slurm_script_launcher FILE ARGV..." is what slurmstepd (24.05 and
 * later, src/common/run_command.c) uses itself for, to start a task prolog.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFELINE 3

/* "env 9": the environment it was given, to that descriptor. The last word of an entrypoint's command. */
static int tell_environment(int fd)
{
	for (char **v = environ; *v; v++) {
		size_t left = strlen(*v) + 1;

		for (const char *p = *v; left > 0;) {
			ssize_t n = write(fd, p, left);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return 1;
			p += n;
			left -= n;
		}
	}
	return 0;
}

static int launch(const char *file, char **argv)
{
	syscall(SYS_close_range, 3, ~0u, 0);
	setpgid(0, 0);
	execve(file, argv, environ);
	return 127;
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { .fd = LIFELINE, .events = 0 }, { .events = POLLIN } };
	struct signalfd_siginfo info;
	sigset_t all;

	if (argc > 3 && !strcmp(argv[1], "slurm_script_launcher"))
		return launch(argv[2], argv + 3);
	if (argc == 3 && !strcmp(argv[1], "env"))
		return tell_environment(argv[2][0] - '0');
	/* No task of the same user may trace or read PID 1. */
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "slxc-init");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	fds[1].fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	/* MSG_NOSIGNAL: a supervisor that is gone shows as an error here, or as a hang-up below. */
	if (fds[1].fd < 0 || send(LIFELINE, "UP", sizeof("UP"), MSG_NOSIGNAL) < 0)
		return 1;
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (fds[0].revents)
			return 0;
		while (read(fds[1].fd, &info, sizeof(info)) > 0)
			;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
