#include "config.h"

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

struct child {
	const struct spawn *s;
	int fds[4];       /* lifted above 3, so that no dup2 steps on another */
	sigset_t mask;
	int error;        /* written by the child: the memory is shared until exec */
};

static char *const no_env[] = { NULL };

/* Runs on its own stack in the parent's memory while the parent waits: only async-signal-safe calls. */
static int child_main(void *arg)
{
	struct child *c = arg;
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	unsigned last = c->s->extra >= 0 ? 3 : 2;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	for (unsigned i = 0; i <= last; i++)
		if (dup2(c->fds[i], i) < 0)
			goto fail;
	syscall(SYS_close_range, last + 1, ~0u, 0);
	sigprocmask(SIG_SETMASK, &(sigset_t){ 0 }, NULL);
	execve(c->s->path, c->s->argv, c->s->envp ? c->s->envp : no_env);
fail:
	c->error = errno ? errno : EIO;
	_exit(127);
}

pid_t spawn_start(const struct spawn *s, struct err *e)
{
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct child c = { .s = s, .fds = { -1, -1, -1, -1 } };
	static const size_t stack_size = 64 * 1024;
	autofree char *stack = malloc(stack_size);
	sigset_t all;
	pid_t pid = -1;

	if (null < 0 || !stack)
		return err_set(e, errno, "start %s", s->path);
	for (int i = 0; i < 4; i++) {
		int fd = i < 3 ? s->fds[i] : s->extra;

		c.fds[i] = fcntl(fd >= 0 ? fd : null, F_DUPFD_CLOEXEC, 10);
		if (c.fds[i] < 0)
			c.error = errno;
	}
	if (!c.error) {
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, &c.mask);
		pid = clone(child_main, stack + ((stack_size - 64) & ~(size_t)15), CLONE_VM | CLONE_VFORK | SIGCHLD, &c);
		if (pid < 0)
			c.error = errno;
		sigprocmask(SIG_SETMASK, &c.mask, NULL);
	}
	for (int i = 0; i < 4; i++)
		if (c.fds[i] >= 0)
			close(c.fds[i]);
	if (pid > 0 && c.error)
		waitpid(pid, NULL, 0);
	if (c.error)
		return err_set(e, c.error, "start %s", s->path);
	return pid;
}

int spawn_wait(const struct spawn *s, struct err *e)
{
	pid_t pid = spawn_start(s, e);
	int status;

	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for %s", s->path);
	return status;
}
