#include "config.h"

#include "step.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <pwd.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/name.h"
#include "common/path.h"
#include "common/paths.h"
#include "common/spawn.h"
#include "common/wire.h"
#include "entrypoint.h"
#include "join.h"
#include "options.h"
#include "profile.h"

#define HELPER SLXC_LIBEXECDIR "/slxc-step"
#ifndef FINISH_MS            /* the unit tests are built with shorter ones */
#define FINISH_MS 10000      /* longer than any kill takes that the kernel can do; then the supervisor itself is killed */
#define GRACE_MS 10000       /* what the supervisor may be late with its own time limit */
#endif
#define NSS_BUFFER 65536
#define ENV_MAX 131072       /* no variable is longer (MAX_ARG_STRLEN) */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct status {
	uint32_t task;
	int status;
};

struct step {
	pid_t owner;             /* the slurmstepd that began it */
	char name[40];           /* JOB.STEP, for the sweep */
	pid_t launcher;          /* slxc-step before it detached itself; 0: reaped */
	int socket;              /* to the supervisor; -1: none */
	int init;                /* pidfd of the container's init; -1: not up */
	enum conf_apparmor apparmor;
	struct filter filter;    /* of the tasks' system calls; code NULL: none */
	int start_timeout;       /* seconds */
	bool in_pid_namespace;   /* tasks forked now are born in the container */
	pid_t thread;            /* the one that forks them */
	bool fork_failed;        /* then slurmstepd waits for none of the tasks it has forked */
	bool failed;
	struct err error;        /* why, when failed */
	char cwd[PATH_MAX];
	char image_workdir[PATH_MAX]; /* what the image's configuration says; "" for nothing */
	struct options options;
	struct profiles profiles;
	char command[NAME_MAX + 1];   /* what the tasks execute, when that is a bare name */
	char **entrypoint;            /* of the image, NULL at its end; NULL: it has none */
	char *mounts;            /* --container-mounts with its variables replaced */
	unsigned n_statuses;
	struct status *statuses;
	struct wire message;
};

bool step_wants_container(const char *container)
{
	return *container && strcmp(container, "none");
}

/* What the step asked for: 1 and its text, 0 for nothing. -1: it cannot be known. */
static int find_container(struct spank_handle *sp, const struct slurm_step *id, char *out, size_t size, struct err *e)
{
	/* A client with the plugin says all there is to say; a batch job from slurmrestd had none. */
	int n = slurmapi_getenv(sp, CLIENT_MARKER, out, size);

	/* what is too long for a name counts: name_check() refuses it */
	if (n != 0)
		return step_wants_container(out);
	n = slurmapi_getenv(sp, "SLURM_CONTAINER", out, size);
	/* empty: --container=$IMAGE with IMAGE unset must not run on the host */
	if (n != 0)
		return !*out || step_wants_container(out);
	if (!id->is_batch)
		return 0;
	n = slurmapi_job_container(id->job, out, size);
	if (n < 0)
		return err_set(e, 0, "slurmctld does not say whether job %u asked for a container: submit it again", id->job);
	if (n == 1 && step_wants_container(out)) {
		/* what a client would have set: an inner srun stays in the image */
		slurmapi_setenv(sp, "SLURM_CONTAINER", out);
		slurmapi_setenv(sp, "SRUN_CONTAINER", out);
		return 1;
	}
	return 0;
}

/* A path that is also one field of /etc/passwd, as the supervisor wants it. */
static bool is_home(const char *path)
{
	for (const char *c = path; *c; c++)
		if (*c == ':' || (unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return path_is_clean(path);
}

/* Name, home and shell from the node's user database; digits and "" when it does not know the user. */
static void put_user(struct wire *w, struct spank_handle *sp, const struct slurm_step *id)
{
	autofree char *buffer = malloc(NSS_BUFFER);
	struct passwd pw, *found = NULL;
	struct group gr, *group = NULL;
	char home[PATH_MAX];

	if (buffer)
		getpwuid_r(id->uid, &pw, buffer, NSS_BUFFER, &found);
	if (found)
		wire_put(w, "user", "%s", pw.pw_name);
	else
		wire_put(w, "user", "%u", id->uid);
	wire_put(w, "shell", "%s", found ? pw.pw_shell : "");
	if (slurmapi_getenv(sp, "HOME", home, sizeof(home)) == 1 && is_home(home))
		wire_put(w, "home", "%s", home);
	else
		wire_put(w, "home", "%s", found && is_home(pw.pw_dir) ? pw.pw_dir : "");
	if (buffer)
		getgrgid_r(id->gid, &gr, buffer, NSS_BUFFER, &group);
	if (group)
		wire_put(w, "group", "%s", gr.gr_name);
	else
		wire_put(w, "group", "%u", id->gid);
}

static void put_groups(struct wire *w, const struct slurm_step *id)
{
	autofree char *text = malloc(id->n_groups * 11 + 1);
	size_t used = 0;

	if (!text)
		return;
	text[0] = 0;
	for (unsigned i = 0; i < id->n_groups; i++)
		used += sprintf(text + used, "%s%u", i ? "," : "", id->groups[i]);
	wire_put(w, "groups", "%s", text);
}

static const char *node_name(char *out, size_t size)
{
	const char *name = getenv("SLURMD_NODENAME"); /* slurmstepd's own environment */

	if (name)
		return name;
	if (gethostname(out, size) < 0)
		return "localhost";
	out[size - 1] = 0;
	out[strcspn(out, ".")] = 0;
	return out;
}

struct job_variable {
	struct spank_handle *sp;
	char value[PATH_MAX];
};

/* For options_environment() and mounts_expand(): one of the step's variables, until the next is asked for. */
static const char *job_variable(void *arg, const char *name)
{
	struct job_variable *v = arg;

	return slurmapi_getenv(v->sp, name, v->value, sizeof(v->value)) == 1 ? v->value : NULL;
}

/* The options as the client handed them on; without the plugin in the client there are those of the environment. */
static int read_options(struct options *o, struct spank_handle *sp, struct err *e)
{
	autofree struct job_variable *v = calloc(1, sizeof(*v));
	autofree char *text = malloc(OPTIONS_TEXT_SIZE);
	char marker[8];
	int n;

	if (!v || !text)
		return err_set(e, ENOMEM, "read the options");
	v->sp = sp;
	n = slurmapi_getenv(sp, OPTIONS_VARIABLE, text, OPTIONS_TEXT_SIZE);
	if (n < 0)
		return err_set(e, 0, "the options of the container are longer than %d bytes", OPTIONS_TEXT_SIZE);
	if (n > 0 && options_read(o, text, e) < 0)
		return -1;
	if (slurmapi_getenv(sp, CLIENT_MARKER, marker, sizeof(marker)) != 0)
		return 0;
	return options_environment(o, job_variable, v, e);
}

/* The profiles of slxc.conf and of the user; what they say is put below what the user says. */
static int read_profiles(struct step *s, const struct conf *conf, struct spank_handle *sp, struct err *e)
{
	char partition[128], account[128];
	const char *users = s->options.value[SET_PROFILE];

	if (slurmapi_getenv(sp, "SLURM_JOB_PARTITION", partition, sizeof(partition)) != 1)
		partition[0] = 0;
	if (slurmapi_getenv(sp, "SLURM_JOB_ACCOUNT", account, sizeof(account)) != 1)
		account[0] = 0;
	if (profiles_of_step(&s->profiles, conf, partition, account, users ? users : "", e) < 0)
		return -1;
	return profiles_apply(&s->profiles, &s->options, e);
}

/* The options that the helper needs, as request records. */
static int put_options(struct step *s, struct spank_handle *sp, struct err *e)
{
	const struct options *o = &s->options;
	struct wire *w = &s->message;
	static const struct { const char *key; enum setting setting; } records[] = {
		{ "mount_home", SET_MOUNT_HOME }, { "writable", SET_WRITABLE }, { "remap_root", SET_REMAP_ROOT },
		{ "unshare", SET_UNSHARE }, { "scratch", SET_SCRATCH },
	};
	autofree struct job_variable *v = calloc(1, sizeof(*v));
	char *mounts = s->mounts = calloc(1, MOUNTS_TEXT_SIZE);

	if (!v || !mounts)
		return err_set(e, ENOMEM, "read the options");
	v->sp = sp;
	if (o->value[SET_MOUNTS] && (mounts_expand(o->value[SET_MOUNTS], job_variable, v, mounts, e) < 0 ||
				     mounts_check(mounts, e) < 0))
		return -1;
	wire_put(w, "mounts", "%s", mounts);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		wire_put(w, records[i].key, "%s", o->value[records[i].setting] ? o->value[records[i].setting] : "");
	return 0;
}

static void build_request(struct wire *w, struct spank_handle *sp, const struct slurm_step *id, const char *image)
{
	char cwd[PATH_MAX] = "", script[PATH_MAX] = "", node[65];

	/* A guess that is nearly always right; step_wait() says where the step really is. */
	if (slurmapi_getenv(sp, "PWD", cwd, sizeof(cwd)) != 1 || !path_is_clean(cwd))
		cwd[0] = 0;
	if (id->is_batch)
		slurmapi_batch_script(sp, script, sizeof(script));
	wire_begin(w, "REQUEST");
	wire_put(w, "version", WIRE_VERSION);
	wire_put(w, "job", "%u", id->job);
	wire_put(w, "step", "%s", id->name);
	wire_put(w, "node", "%s", node_name(node, sizeof(node)));
	wire_put(w, "uid", "%u", id->uid);
	wire_put(w, "gid", "%u", id->gid);
	put_groups(w, id);
	wire_put(w, "memory", "%llu", (unsigned long long)id->memory);
	put_user(w, sp, id);
	wire_put(w, "image", "%s", image);
	wire_put(w, "cwd", "%s", cwd);
	wire_put(w, "script", "%s", path_is_clean(script) ? script : "");
	slurmapi_task_prolog(script, sizeof(script));
	wire_put(w, "task_prolog", "%s", path_is_clean(script) ? script : "");
}

/*
 * Launches slxc-step and sends it the request.
 * Safe: a constant program and arguments, an empty environment, one descriptor.
 */
static int launch(struct step *s, struct err *e)
{
	static char *const argv[] = { "slxc-step", "step", NULL };
	struct spawn helper = { .path = HELPER, .argv = argv, .fds = { -1, -1, -1 } };
	int pair[2];

	if (wire_pair(pair, e) < 0)
		return -1;
	s->socket = pair[0];
	helper.extra = pair[1];
	/* what is sent now waits in the socket: the helper finds it when it is there */
	if (wire_send(s->socket, &s->message, NULL, 0, e) == 0)
		s->launcher = spawn_start(&helper, e);
	else
		s->launcher = -1;
	close(pair[1]);
	if (s->launcher < 0) {
		s->launcher = 0;
		return err_wrap(e, "the container cannot be started on this node, tell its administrator");
	}
	return 0;
}

static struct step *step_new(void)
{
	struct step *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->owner = getpid();
	s->socket = s->init = -1;
	return s;
}

static void keep_error(struct step *s, const struct err *e)
{
	if (s->failed)
		return;
	s->failed = true;
	s->error = *e;
	err_sanitize(s->error.text);
	slurmapi_info("%s", s->error.text); /* the log; the user gets it from the task */
}

struct step *step_begin(struct spank_handle *sp)
{
	char asked[PATH_MAX] = "", image[NAME_FULL_SIZE];
	struct slurm_step id;
	struct step *s;
	struct conf conf;
	struct err e;
	int asks;

	if (slurmapi_step(sp, &id) < 0) {
		if (slurmapi_getenv(sp, CLIENT_MARKER, asked, sizeof(asked)) == 0)
			slurmapi_getenv(sp, "SLURM_CONTAINER", asked, sizeof(asked));
		if (!step_wants_container(asked))
			return NULL;
		asks = err_set(&e, 0, "Slurm does not say which step this is: tell the node's administrator");
	} else if (id.is_extern) {
		return NULL;
	} else {
		asks = find_container(sp, &id, asked, sizeof(asked), &e);
	}
	if (asks == 0)
		return NULL;
	s = step_new();
	if (!s)
		abort(); /* 70 kB could not be had: the step must not go on */
	if (asks < 0 || name_check(asked, image, &e) < 0 || conf_load(&conf, SLXC_CONF_FILE, &e) < 0) {
		keep_error(s, &e);
		return s;
	}
	s->start_timeout = conf.start_timeout;
	snprintf(s->name, sizeof(s->name), "%u.%s", id.job, id.name);
	build_request(&s->message, sp, &id, image);
	if (read_options(&s->options, sp, &e) < 0 || read_profiles(s, &conf, sp, &e) < 0 ||
	    put_options(s, sp, &e) < 0 || launch(s, &e) < 0)
		keep_error(s, &e);
	return s;
}

/*
 * Once the supervisor has said something, the launcher has nothing left to do but
 * end. One that never detached itself must not keep the step waiting.
 * Safe: an own child that is not waited for yet, so its number is its own.
 */
static void reap_launcher(struct step *s)
{
	if (s->launcher > 0 && kill(s->launcher, SIGKILL) == 0)
		waitpid(s->launcher, NULL, 0);
	s->launcher = 0;
}

static bool wait_readable(int fd, double deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do {
		double left = deadline - io_now_ms();

		n = poll(&p, 1, left > 0 ? (int)left + 1 : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* What came with READY. */
static int take_ready(struct step *s, struct err *e)
{
	const char *seccomp = wire_get(&s->message, "seccomp"), *apparmor = wire_get(&s->message, "apparmor");

	if (!seccomp || !apparmor || conf_parse_apparmor(apparmor, &s->apparmor) < 0)
		return -1;
	if (!strcmp(seccomp, "yes") && s->message.n_fds == 2) {
		if (filter_read(s->message.fds[1], &s->filter, e) < 0)
			return -1;
		close(s->message.fds[1]);
	} else if (strcmp(seccomp, "none") || s->message.n_fds != 1) {
		return -1;
	}
	s->init = s->message.fds[0];
	s->message.n_fds = 0;
	return 0;
}

/* READY or ERROR, whichever comes; nothing at all is an error too. */
static int receive_ready(struct step *s, struct err *e)
{
	double deadline = io_now_ms() + s->start_timeout * 1e3 + GRACE_MS;
	const char *text;
	int n;

	if (!wait_readable(s->socket, deadline))
		return err_set(e, 0, "the container's helper does not answer: tell the node's administrator");
	n = wire_recv(s->socket, &s->message, 0, e);
	if (n == 0)
		return err_set(e, 0, "the container's helper ended early: try again, and if it stays tell the node's administrator");
	if (n < 0)
		return err_wrap(e, "the container's helper");
	text = wire_get(&s->message, "text");
	if (!strcmp(wire_verb(&s->message), "ERROR") && text)
		return err_set(e, 0, "%s", text);
	if (strcmp(wire_verb(&s->message), "READY") || take_ready(s, e) < 0) {
		wire_close(&s->message);
		return err_set(e, EPROTO, "the container's helper said %.16s", wire_verb(&s->message));
	}
	return 0;
}

/* One of the names of --container-env. */
static bool is_exception(const struct step *s, const char *name)
{
	const char *list = s->options.value[SET_ENV];
	size_t n = strlen(name);

	for (; list; list = strchr(list, ','), list = list ? list + 1 : NULL)
		if (!strncmp(list, name, n) && (list[n] == 0 || list[n] == ','))
			return true;
	return false;
}

static void add_entrypoint(struct step *s, const char *word)
{
	unsigned n = 0;
	char **more;

	while (s->entrypoint && s->entrypoint[n])
		n++;
	more = realloc(s->entrypoint, (n + 2) * sizeof(*more));
	if (!more)
		return;
	s->entrypoint = more;
	more[n] = strdup(word);
	more[n + 1] = NULL;
}

/* What the image defines wins over what the job brought, --container-env over both. */
static void set_environment(struct step *s, struct spank_handle *sp)
{
	const char *value;
	size_t pos = 0;
	char key[16], brought[2];

	while (wire_next(&s->message, &pos, key, sizeof(key), &value)) {
		char name[256];
		const char *eq = strchr(value, '=');

		if (!strcmp(key, "workdir"))
			snprintf(s->image_workdir, sizeof(s->image_workdir), "%s", value);
		if (!strcmp(key, "entrypoint"))
			add_entrypoint(s, value);
		if (strcmp(key, "env") || !eq || (size_t)(eq - value) >= sizeof(name))
			continue;
		memcpy(name, value, eq - value);
		name[eq - value] = 0;
		if (!is_exception(s, name) || slurmapi_getenv(sp, name, brought, sizeof(brought)) == 0)
			slurmapi_setenv(sp, name, eq + 1);
	}
}

/* Those of the profiles win over the image's, too; --container-env over all. */
static void set_profile_environment(struct step *s, struct spank_handle *sp)
{
	autofree struct job_variable *v = calloc(1, sizeof(*v));
	autofree char *value = malloc(ENV_MAX);

	if (!v || !value)
		return;
	v->sp = sp;
	for (unsigned i = 0; i < s->profiles.n_env; i++) {
		char name[256], brought[2];
		const char *eq = strchr(s->profiles.env[i], '=');

		snprintf(name, sizeof(name), "%.*s", (int)(eq - s->profiles.env[i]), s->profiles.env[i]);
		profile_expand(eq + 1, job_variable, v, value, ENV_MAX);
		if (!is_exception(s, name) || slurmapi_getenv(sp, name, brought, sizeof(brought)) == 0)
			slurmapi_setenv(sp, name, value);
	}
}

static int wait_ready(struct step *s, struct spank_handle *sp, struct err *e)
{
	const char *command;
	struct err ignored;
	int rc;

	if (getpid() != s->owner)
		return err_set(e, 0, "CONTAIN_SPANK in slurm.conf does not go together with slxc: tell the administrator");
	if (!getcwd(s->cwd, sizeof(s->cwd)) || !path_is_clean(s->cwd))
		s->cwd[0] = 0;
	wire_begin(&s->message, "JOIN");
	wire_put(&s->message, "cwd", "%s", s->cwd);
	/* a supervisor that is gone has left its reason in the socket */
	wire_send(s->socket, &s->message, NULL, 0, &ignored);
	rc = receive_ready(s, e);
	reap_launcher(s);
	if (rc < 0)
		return -1;
	set_environment(s, sp);
	set_profile_environment(s, sp);
	command = slurmapi_command(sp);
	if (command && command_is_name(command) && strlen(command) < sizeof(s->command))
		strcpy(s->command, command);
	if (join_pid_namespace(s->init, e) < 0)
		return -1;
	s->thread = gettid();
	s->in_pid_namespace = true;
	return 0;
}

void step_wait(struct step *s, struct spank_handle *sp)
{
	struct err e;

	if (!s->failed && wait_ready(s, sp, &e) < 0)
		keep_error(s, &e);
}

/*
 * A PID namespace whose init is dead refuses every fork, and a thread that is
 * to fork there can make no threads: slurmstepd would end with "fatal" and leave
 * its job running for ever. So it leaves, its tasks are born on the host, and
 * step_enter() ends them.
 */
void step_forking(struct step *s, bool has_failed)
{
	struct pollfd dead = { .fd = s->init, .events = POLLIN };
	struct err e;

	if (!s->in_pid_namespace || getpid() != s->owner || gettid() != s->thread)
		return;
	if (!has_failed && poll(&dead, 1, 0) == 0)
		return;
	s->fork_failed = s->fork_failed || has_failed;
	err_set(&e, 0, "the container ended before its tasks were started: try again, and if it stays tell the node's "
		"administrator");
	keep_error(s, &e);
	step_forked(s);
}

struct task {
	struct spank_handle *sp;
	const char *path;
};

static void set_variable(void *arg, const char *name, const char *value)
{
	struct task *t = arg;

	/* what the shell of the entrypoint sets for itself */
	if (strcmp(name, "_") && strcmp(name, "PWD") && strcmp(name, "OLDPWD") && strcmp(name, "SHLVL"))
		slurmapi_setenv(t->sp, name, value);
}

static int run_entrypoint(struct step *s, struct spank_handle *sp, const char *path, struct err *e)
{
	struct task t = { .sp = sp };
	char **env = slurmapi_environment(sp);

	if (!s->entrypoint || !options_is(&s->options, SET_ENTRYPOINT, false))
		return 0;
	if (!env)
		return err_set(e, 0, "run the image's entrypoint: this Slurm does not show the environment");
	return entrypoint_run(s->entrypoint, env, path, options_is(&s->options, SET_ENTRYPOINT_LOG, false),
		set_variable, &t, e);
}

/* In the container: its entrypoint, and its program for a bare name. */
static int choose_program(struct step *s, struct spank_handle *sp, struct err *e)
{
	autofree char *path = malloc(ENV_MAX);
	char program[PATH_MAX];

	if (!path)
		return err_set(e, ENOMEM, "look up the program");
	if (slurmapi_getenv(sp, "PATH", path, ENV_MAX) != 1)
		strcpy(path, DEFAULT_PATH);
	if (run_entrypoint(s, sp, path, e) < 0)
		return -1;
	if (!*s->command)
		return 0;
	if (slurmapi_getenv(sp, "PATH", path, ENV_MAX) != 1)
		strcpy(path, DEFAULT_PATH);
	command_find(s->command, path, program, sizeof(program));
	slurmapi_set_command(sp, program);
	return 0;
}

bool step_fork_again(struct step *s)
{
	bool again = getpid() == s->owner && gettid() == s->thread && s->fork_failed && !s->in_pid_namespace;

	s->fork_failed = false;
	return again;
}

int step_enter(struct step *s, struct spank_handle *sp, struct err *e)
{
	int rc;

	if (s->failed) {
		*e = s->error;
		return -1;
	}
	if (s->init < 0 || !s->in_pid_namespace)
		return err_set(e, 0, "the container was not started");
	rc = join_container(&(struct join){
		.init = s->init,
		.workdir = s->options.value[SET_WORKDIR],
		.cwd = s->cwd,
		.fallback = *s->image_workdir ? s->image_workdir : NULL,
		.mounts = s->mounts,
		.own_network = s->options.value[SET_UNSHARE] && strstr(s->options.value[SET_UNSHARE], "net"),
		.readonly = !options_is(&s->options, SET_WRITABLE, true),
		.remap_root = options_is(&s->options, SET_REMAP_ROOT, false),
		.filter = s->filter.code ? &s->filter : NULL,
		.apparmor = s->apparmor,
	}, e);
	if (rc < 0)
		return -1;
	slurmapi_set_launcher("/dev/.slxc-init");
	return choose_program(s, sp, e);
}

void step_forked(struct step *s)
{
	struct err e;

	if (!s->in_pid_namespace)
		return;
	if (join_leave_pid_namespace(&e) < 0)
		slurmapi_error("%s", e.text);
	s->in_pid_namespace = false;
}

void step_exited(struct step *s, uint32_t task, int status)
{
	struct status *more = realloc(s->statuses, (s->n_statuses + 1) * sizeof(*more));

	if (!more)
		return;
	s->statuses = more;
	s->statuses[s->n_statuses++] = (struct status){ .task = task, .status = status };
}

/*
 * True when the supervisor said that everything is cleaned up. With ENDED come
 * its pidfd and the step's mount namespace. Its exit is waited for: it is in the
 * step's cgroups, which Slurm removes next. The namespace stays open until
 * slurmstepd exits: the kernel takes it apart then, where nobody waits for it.
 */
static bool receive_ended(struct step *s)
{
	double deadline = io_now_ms() + FINISH_MS;
	bool ended = false;
	struct err e;

	while (!ended) {
		if (!wait_readable(s->socket, deadline) || wire_recv(s->socket, &s->message, 0, &e) <= 0)
			return false; /* late, or end of file */
		ended = !strcmp(wire_verb(&s->message), "ENDED");
		if (ended && s->message.n_fds == 2) {
			wait_readable(s->message.fds[0], deadline);
			s->message.fds[1] = -1;
		}
		wire_close(&s->message);
	}
	return true;
}

/* Safe: a constant program, an empty environment, no descriptor; the argument is a number. */
static void run_helper(char *const *argv)
{
	struct spawn helper = { .path = HELPER, .argv = argv, .fds = { -1, -1, -1 }, .extra = -1 };
	struct err e;

	if (spawn_wait(&helper, &e) < 0)
		slurmapi_error("%s", e.text);
}

/* Its supervisor is dead, or does not answer: then it is killed. Nothing is left when this returns. */
static void sweep_step(struct step *s)
{
	char *const argv[] = { "slxc-step", "sweep", s->name, NULL };

	run_helper(argv);
}

/* The container is gone only when nothing of it waits to be reaped. */
static void reap_tasks(void)
{
	signal(SIGCHLD, SIG_IGN);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

void step_finish(struct step *s)
{
	struct err e;
	bool ended;

	step_forked(s);
	reap_launcher(s);
	if (s->socket >= 0) {
		wire_begin(&s->message, "DONE");
		/* fewer than fit in a message: the record has no use for a million statuses */
		for (unsigned i = 0; i < s->n_statuses && s->message.len < WIRE_MAX - 64; i++)
			wire_put(&s->message, "status", "%u:%d", s->statuses[i].task, s->statuses[i].status);
		wire_send(s->socket, &s->message, NULL, 0, &e);
		if (s->fork_failed)
			reap_tasks();
		ended = receive_ended(s);
		if (s->fork_failed)
			signal(SIGCHLD, SIG_DFL);
		if (!ended)
			sweep_step(s);
		close(s->socket);
	}
	if (s->init >= 0)
		close(s->init);
	options_free(&s->options);
	free(s->mounts);
	profiles_free(&s->profiles);
	for (char **word = s->entrypoint; word && *word; word++)
		free(*word);
	free(s->entrypoint);
	filter_free(&s->filter);
	free(s->statuses);
	free(s);
}

void step_sweep_job(uint32_t job)
{
	char number[12];
	char *const argv[] = { "slxc-step", "sweep", number, NULL };

	snprintf(number, sizeof(number), "%u", job);
	run_helper(argv);
}

void step_sweep_dead(void)
{
	static char *const argv[] = { "slxc-step", "tidy", NULL };

	run_helper(argv);
}
