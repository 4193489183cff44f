/*
 * The life of one step on this node, top to bottom: supervise() at the end of
 * the file is the ladder; serve() waits for what happens; finish() destroys.
 */
#include "config.h"

#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/path.h"
#include "common/paths.h"
#include "common/wire.h"
#include "cgroup.h"
#include "container.h"
#include "layers.h"
#include "record.h"
#include "request.h"
#include "rootfs.h"
#include "rundir.h"
#include "seccomp.h"
#include "worker.h"

struct supervisor {
	int plugin;                  /* packet socket to slurmstepd */
	int signals;                 /* signalfd: SIGTERM destroys the step */
	struct conf conf;
	struct request request;
	struct store store;
	struct image image;
	struct entry entry;
	int filter;                  /* the tasks' seccomp filter; -1: none */
	struct worker worker;
	struct container container;
	struct record record;
	struct wire message;         /* the one being read or written */
	struct wire environment;     /* the worker's ENV, for READY */
	double t_request;
	bool joined;                 /* the plugin waits for READY */
	bool answered;               /* it got READY */
	char cwd[PATH_MAX];          /* the working directory that the worker was told */
};

static struct supervisor *supervisor_new(int plugin)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	sigset_t all;

	if (!s)
		return NULL;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	s->plugin = plugin;
	s->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	s->store.root = -1;
	s->image.config = -1;
	s->entry.file = -1;
	s->filter = -1;
	s->worker = (struct worker)WORKER_NONE;
	s->container.pidfd = -1;
	s->record.info.ready_ms = -1;
	s->record.statuses = calloc(RECORD_MAX_STATUSES, sizeof(*s->record.statuses));
	if (s->signals < 0 || !s->record.statuses) {
		free(s->record.statuses);
		free(s);
		return NULL;
	}
	return s;
}

/* Where the user may decide, slxc.conf has the defaults. */
static void apply_options(struct supervisor *s)
{
	if (s->request.mount_home != UNSAID)
		s->conf.mount_home = s->request.mount_home == YES;
	if (s->request.scratch)
		s->conf.scratch_size = s->request.scratch;
}

/* Receives and checks the request, and reads the site's configuration. */
static int accept_request(struct supervisor *s, struct err *e)
{
	struct timespec now;
	int n = wire_recv(s->plugin, &s->message, 0, e);

	if (n <= 0)
		return n == 0 ? err_set(e, 0, "slurmstepd went away") : -1;
	s->t_request = io_now_ms();
	clock_gettime(CLOCK_REALTIME, &now);
	if (request_decode(&s->message, &s->request, e) < 0 || conf_load(&s->conf, SLXC_CONF_FILE, e) < 0)
		return -1;
	s->record.info.job = s->request.job;
	s->record.info.uid = s->request.uid;
	s->record.info.start = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	strcpy(s->record.info.step, s->request.step);
	strcpy(s->record.info.node, s->request.node);
	strcpy(s->record.info.user, s->request.user);
	strcpy(s->record.info.image, s->request.image);
	apply_options(s);
	conf_limit_scratch(&s->conf, s->request.memory);
	if (s->request.uid == 0 && !s->conf.allow_root)
		return err_set(e, 0, "steps of root are not run in containers here (allow_root=no in slxc.conf)");
	return 0;
}

/* Finds the image and makes sure that the node has it mounted. */
static int prepare_image(struct supervisor *s, struct err *e)
{
	if (rundir_prepare(e) < 0 || store_open(&s->store, s->conf.store, e) < 0 ||
	    store_find(&s->store, s->request.image, s->request.uid, &s->image, e) < 0)
		return -1;
	strcpy(s->record.info.image, s->image.name);
	strcpy(s->record.info.digest, s->image.digest);
	return layers_mount(&s->store, s->conf.store, &s->image, e);
}

static int send_step(struct supervisor *s, const char *cwd, struct err *e)
{
	if (cwd != s->cwd)
		snprintf(s->cwd, sizeof(s->cwd), "%s", cwd);
	/* a worker before this one has read it to its end, and the offset is shared */
	if (lseek(s->image.config, 0, SEEK_SET) < 0)
		return err_set(e, errno, "read the image's config.json");
	return worker_send_step(&s->worker, &s->request, &s->conf, s->cwd, s->image.config, e);
}

/* Starts the worker and notes it where a sweep will find it. */
static int start_worker(struct supervisor *s, struct err *e)
{
	if (worker_start(&s->worker, &s->request, e) < 0)
		return -1;
	s->record.info.worker = s->worker.pid;
	s->record.info.worker_start = process_start_time(s->worker.pid);
	return entry_write(&s->entry, &s->record.info, e);
}

/*
 * Starts the container. The worker loads and links its libraries while the
 * mounts are made.
 */
static int start_container(struct supervisor *s, struct err *e)
{
	const struct request *r = &s->request;
	pid_t helper = 0;
	int rc;

	rc = entry_create(&s->entry, r, e);
	if (rc == 0)
		rc = entry_write(&s->entry, &s->record.info, e);
	if (rc == 0)
		rc = rootfs_enter(r->uid, r->gid, e);
	if (rc == 0)
		rc = start_worker(s, e);
	if (rc == 0)
		rc = rootfs_mount_image(&s->image, &s->conf, r->uid, r->gid, &helper, e);
	if (rc == 0)
		rc = rootfs_mount_devices(e);
	if (rc == 0)
		rc = send_step(s, r->cwd, e);
	rootfs_reap(&helper);
	if (rc == 0 && *s->conf.seccomp) {
		s->filter = seccomp_open_filter(s->conf.seccomp, e);
		rc = s->filter < 0 ? -1 : 0;
	}
	/* what can fail here is the node's doing, not the user's */
	return rc < 0 ? err_wrap(e, "the container cannot be started on this node, tell its administrator") : 0;
}

static void destroy_container(struct supervisor *s)
{
	container_kill(&s->container);
	worker_destroy(&s->worker);
	if (s->container.pidfd >= 0) {
		struct pollfd dead = { .fd = s->container.pidfd, .events = POLLIN };

		/* Readable when the kernel has killed and reaped all of the PID namespace. */
		while (poll(&dead, 1, -1) < 0 && errno == EINTR)
			;
		close(s->container.pidfd);
	}
	s->container = (struct container){ .pidfd = -1 };
}

/* True when the container that was started shows cwd, or will not show it by configuration. */
static bool is_cwd_covered(const struct supervisor *s, const char *cwd)
{
	const struct conf *c = &s->conf;
	const char *home = s->request.home;

	return !c->mount_cwd || path_is_system(cwd) ||
		(c->mount_tmp && path_is_below(cwd, "/tmp")) ||
		(c->mount_home && *home && !path_is_system(home) && path_is_below(cwd, home)) ||
		(*s->cwd && path_is_below(cwd, s->cwd));
}

/* Answers JOIN once the container is up. The environment goes as the worker said it. */
static int answer(struct supervisor *s, struct err *e)
{
	struct err warning;
	int fds[2] = { s->container.pidfd, s->filter };
	const char *value;
	size_t pos = 0;
	char key[16];

	if (!s->joined || s->answered || s->container.pidfd < 0)
		return 0;
	wire_begin(&s->message, "READY");
	wire_put(&s->message, "seccomp", "%s", s->filter < 0 ? "none" : "yes");
	wire_put(&s->message, "apparmor", "%s", conf_apparmor_name(s->conf.apparmor));
	while (wire_next(&s->environment, &pos, key, sizeof(key), &value))
		if (!strcmp(key, "env") || !strcmp(key, "workdir") || !strcmp(key, "entrypoint"))
			wire_put(&s->message, key, "%s", value);
	s->answered = true;
	if (wire_send(s->plugin, &s->message, fds, s->filter < 0 ? 1 : 2, e) < 0)
		return -1;
	/* now that nobody waits for it */
	if (cgroup_leave_step(&warning) < 0)
		syslog(LOG_WARNING, "job %u step %s: %s", s->request.job, s->request.step, warning.text);
	return 0;
}

/*
 * JOIN: slurmstepd is in the step's working directory now. It was guessed from
 * PWD when the container was started; where the guess was wrong and matters
 * (srun --chdir), the container is started again.
 */
static int handle_join(struct supervisor *s, struct err *e)
{
	const char *cwd = wire_get(&s->message, "cwd");

	if (s->joined || !cwd || (*cwd && !path_is_clean(cwd)))
		return err_set(e, EPROTO, "bad JOIN from the plugin");
	s->joined = true;
	if (*cwd && !is_cwd_covered(s, cwd)) {
		destroy_container(s);
		s->environment.len = 0;
		if (start_worker(s, e) < 0 || send_step(s, cwd, e) < 0)
			return -1;
	}
	return answer(s, e);
}

/*
 * DONE status=TASK:STATUS ... The container's end before that was not the end of
 * its tasks when none of them was killed: with cgroup v2 Slurm kills the worker
 * once they have exited.
 */
static void handle_done(struct supervisor *s)
{
	bool killed = false;
	const char *value;
	size_t pos = 0;
	char key[8];

	while (wire_next(&s->message, &pos, key, sizeof(key), &value)) {
		unsigned task;
		int status;

		if (s->record.n_statuses == RECORD_MAX_STATUSES || sscanf(value, "%u:%d", &task, &status) != 2)
			continue;
		killed = killed || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		s->record.statuses[s->record.n_statuses].task = task;
		s->record.statuses[s->record.n_statuses++].status = status;
	}
	if (!killed)
		s->record.end = "ended";
}

/* Returns 1 when the step is over. */
static int plugin_said(struct supervisor *s, struct err *e)
{
	int n = wire_recv(s->plugin, &s->message, MSG_DONTWAIT, e);

	if (n < 0)
		return e->code == EAGAIN ? 0 : -1;
	wire_close(&s->message);
	if (n == 0) {
		s->record.end = "lost"; /* slurmstepd died */
		return 1;
	}
	if (!strcmp(wire_verb(&s->message), "JOIN"))
		return handle_join(s, e);
	if (strcmp(wire_verb(&s->message), "DONE"))
		return err_set(e, EPROTO, "unexpected %.16s from the plugin", wire_verb(&s->message));
	handle_done(s);
	return 1;
}

/* The worker is the user: whatever it says is data. */
static int worker_said(struct supervisor *s, struct err *e)
{
	int n = wire_recv(s->worker.control, &s->message, MSG_DONTWAIT, e);

	if (n < 0 && e->code == EAGAIN)
		return 0;
	if (n <= 0) {
		close(steal_fd(&s->worker.control)); /* its end is seen on the pidfd */
		return 0;
	}
	wire_close(&s->message);
	if (!strcmp(wire_verb(&s->message), "ENV")) {
		if (s->environment.len)
			return err_set(e, EPROTO, "the container's monitor said ENV twice");
		memcpy(&s->environment, &s->message, sizeof(s->message));
		return 0;
	}
	if (!strcmp(wire_verb(&s->message), "ERROR") && wire_get(&s->message, "text"))
		return err_set(e, 0, "%.400s", wire_get(&s->message, "text"));
	return 0;
}

/* UP from the container's init: the kernel says who sent it, container_verify() what it is. */
static int init_said(struct supervisor *s, struct err *e)
{
	int n = wire_recv(s->worker.init, &s->message, MSG_DONTWAIT, e);

	if (n < 0 && e->code == EAGAIN)
		return 0;
	wire_close(&s->message);
	if (n <= 0 || s->container.pidfd >= 0) {
		close(steal_fd(&s->worker.init));
		return 0;
	}
	if (strcmp(wire_verb(&s->message), "UP") || s->message.uid != s->request.uid)
		return err_set(e, EPROTO, "the container's init did not say UP");
	if (container_verify(&s->container, s->message.pid, s->worker.pid, s->request.uid, e) < 0)
		return -1;
	s->record.info.ready_ms = io_now_ms() - s->t_request;
	s->record.info.init = s->container.pid;
	s->record.info.init_start = s->container.start;
	/* what it said before the container was up has arrived; from now on nobody listens to it */
	if (s->worker.control >= 0 && worker_said(s, e) < 0)
		return -1;
	if (s->worker.control >= 0)
		close(steal_fd(&s->worker.control));
	if (entry_write(&s->entry, &s->record.info, e) < 0)
		return -1;
	return answer(s, e);
}

/* The worker or init ended by itself. Before READY that is a failed start; later the step's tasks are dead. */
static int container_ended(struct supervisor *s, struct err *e)
{
	if (!s->answered) {
		if (s->worker.control >= 0 && worker_said(s, e) < 0)
			return -1;
		return err_set(e, 0, "the container's monitor ended before the container was up: tell the node's administrator");
	}
	s->record.end = "killed";
	destroy_container(s);
	return 0;
}

enum { PLUGIN, SIGNALS, CONTROL, INIT, WORKER, CONTAINER, N_SOURCES };

/* Waits for one round of events. Returns 1 when the step is over, -1 when it failed. */
static int serve_once(struct supervisor *s, struct err *e)
{
	struct pollfd p[N_SOURCES] = {
		[PLUGIN] = { .fd = s->plugin, .events = POLLIN },
		[SIGNALS] = { .fd = s->signals, .events = POLLIN },
		[CONTROL] = { .fd = s->worker.control, .events = POLLIN },
		[INIT] = { .fd = s->worker.init, .events = s->container.pidfd < 0 ? POLLIN : 0 },
		[WORKER] = { .fd = s->worker.pidfd, .events = POLLIN },
		[CONTAINER] = { .fd = s->container.pidfd, .events = POLLIN },
	};
	double left = s->t_request + s->conf.start_timeout * 1e3 - io_now_ms();
	bool starting = s->container.pidfd < 0 && s->worker.pid > 0;
	int n = poll(p, N_SOURCES, starting ? (left > 0 ? (int)left + 1 : 0) : -1);

	if (n < 0)
		return errno == EINTR ? 0 : err_set(e, errno, "wait for events");
	/* also when somebody keeps it busy until then */
	if (starting && (n == 0 || left <= 0))
		return err_set(e, 0, "the container was not up after %u seconds: try again, and if it stays tell the node's "
			"administrator", s->conf.start_timeout);
	if (p[SIGNALS].revents) {
		s->record.end = "swept"; /* the job is over, or an administrator wants it gone */
		return 1;
	}
	if (p[CONTROL].revents && worker_said(s, e) < 0)
		return -1;
	if (p[INIT].revents && init_said(s, e) < 0)
		return -1;
	if (p[PLUGIN].revents)
		return plugin_said(s, e);
	if ((p[WORKER].revents && s->worker.pid > 0) || (p[CONTAINER].revents && s->container.pidfd >= 0))
		return container_ended(s, e);
	return 0;
}

static int serve(struct supervisor *s, struct err *e)
{
	int rc;

	do
		rc = serve_once(s, e);
	while (rc == 0);
	return rc;
}

/*
 * Slurm removes the step's cgroups when the plugin is done, and this process is
 * in one of them: so the plugin waits for its exit. With the mount namespace
 * held by slurmstepd, that exit need not wait for the kernel to take it apart.
 */
static void say_ended(struct supervisor *s)
{
	autoclose int self = syscall(SYS_pidfd_open, getpid(), 0);
	autoclose int mounts = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int fds[2] = { self, mounts };
	struct err e;

	wire_begin(&s->message, "ENDED");
	wire_send(s->plugin, &s->message, fds, self < 0 || mounts < 0 ? 0 : 2, &e);
}

/* Destroys, records, and tells the plugin only after that. */
static void finish(struct supervisor *s, const struct err *failure)
{
	struct err e;

	destroy_container(s);
	rootfs_scratch_use(&s->record.scratch_bytes, &s->record.scratch_inodes);
	if (failure) {
		s->record.end = "failed";
		s->record.error = failure->text;
	} else if (!s->record.end) {
		s->record.end = "ended";
	}
	if (s->record.info.job && record_append(&s->record, &e) < 0)
		syslog(LOG_ERR, "job %u step %s: %s", s->request.job, s->request.step, e.text);
	entry_remove(&s->entry);
	image_close(&s->image);
	store_close(&s->store);
	say_ended(s);
	close(s->signals);
	free(s->record.statuses);
}

int supervise(int fd)
{
	struct supervisor *s = supervisor_new(fd);
	struct err e;
	int rc;

	if (!s)
		return 1;
	rc = accept_request(s, &e);
	if (rc == 0)
		rc = prepare_image(s, &e);
	if (rc == 0)
		rc = start_container(s, &e);
	if (rc == 0)
		rc = serve(s, &e);
	if (rc < 0) {
		struct err ignored;

		wire_begin(&s->message, "ERROR");
		wire_put(&s->message, "text", "%s", e.text);
		wire_send(fd, &s->message, NULL, 0, &ignored);
	}
	finish(s, rc < 0 ? &e : NULL);
	free(s);
	return rc < 0;
}
