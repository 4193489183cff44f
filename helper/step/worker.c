#include "config.h"

#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/paths.h"
#include "common/wire.h"
#include "rundir.h"

#define WORKER SLXC_LIBEXECDIR "/slxc-worker"

/*
 * Becomes the user for good, in this order, and proves that there is no way back.
 * Safe: ids from SPANK; every step is checked, and the way back is tried.
 */
static int drop_privileges(const struct request *r)
{
	if (setgroups(r->n_groups, r->groups) < 0 ||
	    setresgid(r->gid, r->gid, r->gid) < 0 ||
	    setresuid(r->uid, r->uid, r->uid) < 0)
		return -1;
	if (r->uid != 0 && (setresuid(-1, 0, -1) == 0 || setresgid(-1, r->gid == 0 ? 1 : 0, -1) == 0))
		return -1;
	return 0;
}

/* A worker must not inherit slurmstepd's protection from the OOM killer. */
static void reset_oom_score(void)
{
	autoclose int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		io_write_all(fd, "0", 1);
}

/* As the worker itself reports an error. */
static void report_exec(int control, int error)
{
	struct wire w;
	struct err ignored;

	wire_begin(&w, "ERROR");
	wire_put(&w, "text", "the container cannot be started on this node, tell its administrator: start " WORKER ": %s",
		strerror(error));
	wire_send(control, &w, NULL, 0, &ignored);
}

/*
 * In the child. Safe: everything of root is closed or dropped before the user's
 * half runs; its environment holds nothing of the job's.
 */
static void exec_worker(const struct request *r, int control, pid_t parent)
{
	char name[ENTRY_NAME_SIZE]; /* what the sweep looks for */
	char *argv[] = { "slxc-worker", name, NULL };
	static char *const envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	int null;
	sigset_t none;

	entry_name(name, r, parent);
	reset_oom_score();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	control = fcntl(control, F_DUPFD_CLOEXEC, 10);
	if (null < 0 || control < 0)
		_exit(127);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			_exit(127);
	if (dup2(control, 3) < 0)
		_exit(127);
	syscall(SYS_close_range, 4, ~0u, 0);
	if (chdir("/") < 0 || drop_privileges(r) < 0)
		_exit(127);
	/* after the change of ids, which clears it; then make sure that the parent still lives */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(WORKER, argv, envp);
	report_exec(3, errno);
	_exit(127);
}

/* Safe: the child is exec_worker(). */
int worker_start(struct worker *w, const struct request *r, struct err *e)
{
	pid_t parent = getpid();
	int pair[2], init[2];
	int on = 1;

	if (wire_pair(pair, e) < 0)
		return -1;
	if (wire_pair(init, e) < 0) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	/* what a killed worker leaves becomes a child of this process: see kill_orphans() */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	*w = (struct worker){ .pidfd = -1, .control = pair[0], .init = init[0], .init_far = init[1] };
	setsockopt(w->init, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	w->pid = fork();
	if (w->pid == 0)
		exec_worker(r, pair[1], parent);
	close(pair[1]);
	if (w->pid < 0) {
		w->pid = 0;
		err_set(e, errno, "start the worker");
		worker_destroy(w);
		return -1;
	}
	w->pidfd = syscall(SYS_pidfd_open, w->pid, 0);
	if (w->pidfd < 0) {
		err_set(e, errno, "watch the worker");
		worker_destroy(w);
		return -1;
	}
	return 0;
}

static const char *yes_no(bool b)
{
	return b ? "yes" : "no";
}

int worker_send_step(struct worker *w, const struct request *r, const struct conf *conf,
	const char *cwd, int config, struct err *e)
{
	struct wire *m = malloc(sizeof(*m));
	int fds[2] = { config, w->init_far };
	uint64_t random = 0;
	int rc;

	if (!m || getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		free(m);
		return err_set(e, errno, "tell the worker its step");
	}
	wire_begin(m, "STEP");
	/* LXC's command socket has this name where any user could take it first: so it cannot be guessed */
	wire_put(m, "name", "slxc-%u.%s-%016llx", r->job, r->step, (unsigned long long)random);
	wire_put(m, "uid", "%u", r->uid);
	wire_put(m, "gid", "%u", r->gid);
	wire_put(m, "user", "%s", r->user);
	wire_put(m, "group", "%s", r->group);
	wire_put(m, "home", "%s", r->home);
	wire_put(m, "shell", "%s", r->shell);
	wire_put(m, "cwd", "%s", cwd);
	wire_put(m, "script", "%s", r->script);
	wire_put(m, "task_prolog", "%s", r->task_prolog);
	wire_put(m, "mount_home", "%s", yes_no(conf->mount_home));
	wire_put(m, "mount_cwd", "%s", yes_no(conf->mount_cwd));
	wire_put(m, "mount_tmp", "%s", yes_no(conf->mount_tmp));
	wire_put(m, "mounts", "%s", r->mounts);
	wire_put(m, "remap_root", "%s", yes_no(r->remap_root == YES));
	wire_put(m, "own_network", "%s", yes_no(r->own_network));
	wire_put(m, "own_ipc", "%s", yes_no(r->own_ipc));
	rc = wire_send(w->control, m, fds, 2, e);
	free(m);
	/* one that has ended already has left its reason in the socket, and its end is seen on the pidfd */
	if (rc < 0 && e->code == EPIPE)
		rc = 0;
	close(steal_fd(&w->init_far));
	return rc;
}

/*
 * A worker that is killed while LXC makes the container leaves its child before
 * that one has a death signal. As the nearest subreaper this process inherits
 * it. Safe: only own children, which cannot be reaped by anybody else meanwhile.
 */
static void kill_orphans(void)
{
	char text[4096], *p, *end;
	struct err e;

	while (io_read_file(AT_FDCWD, "/proc/thread-self/children", text, sizeof(text), &e) >= 0 && *text) {
		for (p = text; strtol(p, &end, 10) > 0; p = end) {
			pid_t pid = strtol(p, NULL, 10);

			kill(pid, SIGKILL);
			waitpid(pid, NULL, __WALL);
		}
	}
}

/* Safe: an own child that is not waited for yet, so its number is its own. */
void worker_destroy(struct worker *w)
{
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
		kill_orphans();
	}
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->control >= 0)
		close(w->control);
	if (w->init >= 0)
		close(w->init);
	if (w->init_far >= 0)
		close(w->init_far);
	*w = (struct worker)WORKER_NONE;
}
