#include <config.h>

#include "step.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "common/io.h"
#include "fake_slurm.h"
#include "private.h"
#include "step/request.h"

static struct err e;

/* As a client with the plugin leaves it. */
static void asks_for(const char *container)
{
	fake_setenv("SLURM_CONTAINER", container);
	fake_setenv(CLIENT_MARKER, container ? container : "");
}

/* A step that asks for debian:12, and a helper that does as said. NULL: there is no helper. */
static void usual(const char *behaviour)
{
	fake_slurm_reset();
	asks_for("debian:12");
	fake_setenv("HOME", "/home/alice");
	fake_setenv("PWD", "/home/alice/work");
	setenv("SLURMD_NODENAME", "node7", 1);
	private_write("slxc.conf", "start_timeout=1\n");
	private_write("libexec/.keep", "");
	if (!behaviour)
		return;
	private_write("behaviour", behaviour);
	ck_assert_int_eq(symlink(FAKE_HELPER, private_path("libexec/slxc-step")), 0);
}

static const char *received(const char *verb)
{
	return private_read(private_path(verb));
}

static void has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += n)
		if ((at == text || at[-1] == '\n') && at[n] == '\n')
			return;
	ck_abort_msg("no line '%s' in:\n%s", line, text);
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Goes through the callbacks; what the first task would do. */
static int run_to_task(struct step **step)
{
	*step = step_begin(NULL);
	ck_assert_ptr_nonnull(*step);
	step_wait(*step, NULL);
	return step_enter(*step, NULL, &e);
}

/* The step fails in its task, with that text; nothing was joined, and it all can be ended. */
static void fails(const char *why)
{
	unsigned fds = count_fds();
	struct step *step;

	ck_refused(run_to_task(&step), e, why);
	/* every task of it */
	ck_refused(step_enter(step, NULL, &e), e, why);
	ck_assert_int_eq(fake_join.entered_container, 0);
	for (const char *c = e.text; *c; c++)
		ck_assert_msg(*c >= 0x20 && *c < 0x7f, "byte %02x in the error", (unsigned char)*c);
	has_line(fake_slurm.log, e.text);
	step_finish(step);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_uint_eq(count_fds(), fds);
}

START_TEST(no_container)
{
	static const char *const texts[] = { NULL, "", "none" };

	for (size_t i = 0; i < 3; i++) {
		usual("ready");
		asks_for(texts[i]);
		ck_assert_ptr_null(step_begin(NULL));
		ck_assert_uint_eq(fake_slurm.asked_slurmctld, 0);
		ck_assert_int_eq(access(private_path("calls"), F_OK), -1);
		unlink(private_path("libexec/slxc-step"));
	}
}
END_TEST

START_TEST(extern_step)
{
	usual("ready");
	fake_slurm.step.is_extern = true;
	ck_assert_ptr_null(step_begin(NULL));
}
END_TEST

START_TEST(request)
{
	struct step *step;
	const char *text;

	usual("ready");
	ck_ok(run_to_task(&step), e);
	text = received("REQUEST");
	has_line(text, "version=" WIRE_VERSION);
	has_line(text, "job=7");
	has_line(text, "step=0");
	has_line(text, "node=node7");
	has_line(text, "uid=2001");
	has_line(text, "gid=2002");
	has_line(text, "groups=2002,27");
	has_line(text, "image=debian:12");
	has_line(text, "home=/home/alice");
	has_line(text, "cwd=/home/alice/work");
	has_line(text, "script=");
	step_finish(step);
	ck_assert_str_eq(received("calls"), "step\n");
}
END_TEST

/* What the plugin says is what the supervisor takes, whatever the environment of the job holds. */
static void supervisor_takes_the_request(void)
{
	static char text[1 << 17];
	static struct request r;
	static struct wire w;
	struct step *step;
	char *line, *next;

	ck_ok(run_to_task(&step), e);
	step_finish(step);
	snprintf(text, sizeof(text), "%s", received("REQUEST"));
	wire_begin(&w, "REQUEST");
	for (line = text; *line; line = next) {
		char *eq = strchr(line, '=');

		next = strchr(line, '\n') + 1;
		next[-1] = 0;
		*eq = 0;
		wire_put(&w, line, "%s", eq + 1);
	}
	ck_ok(request_decode(&w, &r, &e), e);
}

START_TEST(request_is_one_the_supervisor_takes)
{
	static gid_t groups[REQUEST_MAX_GROUPS];

	usual("ready");
	for (unsigned i = 0; i < REQUEST_MAX_GROUPS; i++)
		groups[i] = 4294960000u + i;
	fake_slurm.step.groups = groups;
	fake_slurm.step.n_groups = REQUEST_MAX_GROUPS;
	supervisor_takes_the_request();
}
END_TEST

START_TEST(strange_environment)
{
	static const char *const paths[] = { "relative", "", "/a/../b", "/home/a:/bin/sh", "/a\nuid=0", "/\x7f", NULL };
	static char longer[PATH_MAX + 1];

	memset(longer, 'x', PATH_MAX);
	longer[0] = '/';
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		usual("ready");
		fake_setenv("HOME", paths[i] ? paths[i] : longer);
		fake_setenv("PWD", paths[i] && !strchr(paths[i], '\n') ? paths[i] : longer);
		fake_slurm.step.n_groups = 0;
		supervisor_takes_the_request();
		unlink(private_path("libexec/slxc-step"));
	}
}
END_TEST

START_TEST(batch_script_goes_along)
{
	struct step *step;

	usual("ready");
	fake_slurm.step.is_batch = true;
	strcpy(fake_slurm.step.name, "batch");
	fake_slurm.script = "/var/spool/slurmd/job00007/slurm_script";
	ck_ok(run_to_task(&step), e);
	has_line(received("REQUEST"), "step=batch");
	has_line(received("REQUEST"), "script=/var/spool/slurmd/job00007/slurm_script");
	step_finish(step);
	ck_assert_uint_eq(fake_slurm.asked_slurmctld, 0);
}
END_TEST

START_TEST(tag_is_made_full)
{
	struct step *step;

	usual("ready");
	asks_for("lab/tools");
	ck_ok(run_to_task(&step), e);
	has_line(received("REQUEST"), "image=lab/tools:latest");
	step_finish(step);
}
END_TEST

START_TEST(whole_life)
{
	unsigned fds = count_fds();
	char cwd[PATH_MAX];
	struct step *step;

	usual("ready");
	ck_assert_int_eq(chdir(unit_dir), 0);
	step = step_begin(NULL);
	step_wait(step, NULL);
	ck_assert_int_eq(fake_join.entered_pid_namespace, 1);
	ck_assert_int_eq(fake_join.left_pid_namespace, 0);
	ck_assert_int_ge(fake_join.init, 0);
	/* where it is now, not what PWD said */
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	ck_assert_int_eq(strncmp(received("JOIN"), "cwd=", 4), 0);
	ck_assert_int_eq(strncmp(received("JOIN") + 4, cwd, strlen(cwd)), 0);
	ck_ok(step_enter(step, NULL, &e), e);
	ck_assert_int_eq(fake_join.entered_container, 1);
	ck_assert_str_eq(fake_join.cwd, cwd);
	step_forked(step);
	step_forked(step); /* of the second task */
	ck_assert_int_eq(fake_join.left_pid_namespace, 1);
	step_exited(step, 0, 0);
	step_exited(step, 1, 3 << 8);
	step_exited(step, 4294967295u, 9);
	step_finish(step);
	ck_assert_str_eq(received("DONE"), "status=0:0\nstatus=1:768\nstatus=4294967295:9\n");
	ck_assert_str_eq(received("calls"), "step\n");
	ck_assert_str_eq(fake_slurm.log, "");
	ck_assert_uint_eq(count_fds(), fds);
}
END_TEST

/* The step ends before a task was forked. */
START_TEST(pid_namespace_is_left_at_the_end)
{
	struct step *step;

	usual("ready");
	ck_ok(run_to_task(&step), e);
	step_finish(step);
	ck_assert_int_eq(fake_join.left_pid_namespace, 1);
}
END_TEST

START_TEST(many_tasks)
{
	struct step *step;

	usual("ready");
	ck_ok(run_to_task(&step), e);
	for (unsigned i = 0; i < 20000; i++)
		step_exited(step, i, 1 << 8);
	step_finish(step);
	has_line(received("DONE"), "status=3000:256");
	ck_assert_str_eq(received("calls"), "step\n");
}
END_TEST

START_TEST(environment_of_the_image)
{
	struct step *step;

	usual("ready");
	fake_setenv("LANG", "de_DE.UTF-8");
	ck_ok(run_to_task(&step), e);
	ck_assert_str_eq(fake_getenv("LANG"), "C.UTF-8");
	ck_assert_str_eq(fake_getenv("EMPTY"), "");
	ck_assert_str_eq(fake_getenv("OPTS"), "a=b c");
	ck_assert_ptr_null(fake_getenv("NOVALUE"));
	ck_assert_ptr_null(fake_getenv("X"));
	step_finish(step);
}
END_TEST

/* A client without the plugin (slurmrestd) left no marker: slurmctld is asked, for a batch step only. */
START_TEST(slurmrestd_job)
{
	struct step *step;

	usual("ready");
	fake_setenv("SLURM_CONTAINER", NULL);
	fake_setenv(CLIENT_MARKER, NULL);
	ck_assert_ptr_null(step_begin(NULL));
	ck_assert_uint_eq(fake_slurm.asked_slurmctld, 0);
	fake_slurm.step.is_batch = true;
	fake_slurm.job_container_rc = 1;
	fake_slurm.job_container = "debian:11";
	ck_ok(run_to_task(&step), e);
	ck_assert_uint_eq(fake_slurm.asked_slurmctld, 1);
	has_line(received("REQUEST"), "image=debian:11");
	/* so that an inner srun stays in the image, and is recorded with it */
	ck_assert_str_eq(fake_getenv("SLURM_CONTAINER"), "debian:11");
	ck_assert_str_eq(fake_getenv("SRUN_CONTAINER"), "debian:11");
	step_finish(step);
}
END_TEST

START_TEST(slurmrestd_job_without_a_container)
{
	usual("ready");
	fake_setenv("SLURM_CONTAINER", NULL);
	fake_setenv(CLIENT_MARKER, NULL);
	fake_slurm.step.is_batch = true;
	ck_assert_ptr_null(step_begin(NULL));
	ck_assert_uint_eq(fake_slurm.asked_slurmctld, 1);
	fake_slurm.job_container_rc = 1;
	fake_slurm.job_container = "none";
	ck_assert_ptr_null(step_begin(NULL));
}
END_TEST

START_TEST(slurmctld_does_not_answer)
{
	usual("ready");
	fake_setenv("SLURM_CONTAINER", NULL);
	fake_setenv(CLIENT_MARKER, NULL);
	fake_slurm.step.is_batch = true;
	fake_slurm.job_container_rc = -1;
	fails("slurmctld does not say whether job 7 asked for a container: submit it again");
	ck_assert_int_eq(access(private_path("calls"), F_OK), -1);
}
END_TEST

/* Where the two differ, the marker is right: a component of a heterogeneous job may have unset the other. */
START_TEST(marker_wins)
{
	struct step *step;

	usual("ready");
	fake_setenv("SLURM_CONTAINER", NULL);
	ck_ok(run_to_task(&step), e);
	has_line(received("REQUEST"), "image=debian:12");
	step_finish(step);
	fake_setenv("SLURM_CONTAINER", "debian:12");
	fake_setenv(CLIENT_MARKER, "");
	ck_assert_ptr_null(step_begin(NULL));
}
END_TEST

/* --container=$IMAGE with IMAGE unset, from a client without the plugin. */
START_TEST(empty_name)
{
	usual("ready");
	fake_setenv("SLURM_CONTAINER", "");
	fake_setenv(CLIENT_MARKER, NULL);
	fails("image name is empty");
}
END_TEST

START_TEST(client_that_said_nothing)
{
	usual("ready");
	asks_for(NULL);
	fake_slurm.step.is_batch = true;
	fake_slurm.job_container_rc = -1;
	ck_assert_ptr_null(step_begin(NULL));
	ck_assert_uint_eq(fake_slurm.asked_slurmctld, 0);
}
END_TEST

START_TEST(bad_name)
{
	usual("ready");
	asks_for("../x");
	fails("image name '../x' is not valid at '../x'");
	asks_for("a\033[2Jb");
	fails("image name 'a?[2Jb' is not valid");
	ck_assert_int_eq(access(private_path("calls"), F_OK), -1);
}
END_TEST

/* What is too long to be read must not be taken for nothing: that step would run on the host. */
START_TEST(name_that_does_not_fit)
{
	static char longer[10001];

	usual("ready");
	memset(longer, 'a', sizeof(longer) - 1);
	asks_for(longer);
	fails("is longer than 255 bytes");
	longer[300] = 0;
	asks_for(longer);
	fails("is longer than 255 bytes");
	fake_setenv(CLIENT_MARKER, NULL);
	fails("is longer than 255 bytes");
}
END_TEST

START_TEST(slurm_does_not_say_who)
{
	usual("ready");
	fake_slurm.step_rc = -1;
	fails("Slurm does not say which step this is");
	fake_setenv(CLIENT_MARKER, NULL);
	fails("Slurm does not say which step this is");
	/* a bare step has nothing to fear from that */
	fake_setenv("SLURM_CONTAINER", NULL);
	ck_assert_ptr_null(step_begin(NULL));
	asks_for("none");
	ck_assert_ptr_null(step_begin(NULL));
}
END_TEST

START_TEST(bad_configuration)
{
	usual("ready");
	private_write("slxc.conf", "mount_hme=yes\n");
	fails("/slxc.conf:1: unknown key 'mount_hme'");
}
END_TEST

START_TEST(no_helper)
{
	usual(NULL);
	fails("the container cannot be started on this node, tell its administrator: start " SLXC_LIBEXECDIR
		"/slxc-step: No such file or directory");
}
END_TEST

START_TEST(helper_that_is_no_program)
{
	usual(NULL);
	private_write("libexec/slxc-step", "not a program");
	fails("tell its administrator: start " SLXC_LIBEXECDIR "/slxc-step: Permission denied");
	ck_assert_int_eq(chmod(private_path("libexec/slxc-step"), 0755), 0);
	fails("tell its administrator: start " SLXC_LIBEXECDIR "/slxc-step: Exec format error");
}
END_TEST

START_TEST(helper_exits)
{
	usual("exit");
	fails("the container's helper ended early: try again, and if it stays tell the node's administrator");
	private_write("behaviour", "exit after request");
	fails("the container's helper ended early");
	/* the node is looked after when the helper did not say ENDED */
	has_line(received("calls"), "sweep 7.0");
}
END_TEST

START_TEST(helper_says_error)
{
	usual("error");
	fails("image ?[31m'x'??node1: error: all is well???");
	private_write("behaviour", "error at once");
	fails("no image 'x'");
	private_write("behaviour", "long error");
	fails("yyyyyyyy");
	private_write("behaviour", "error without text");
	fails("the container's helper said ERROR");
}
END_TEST

START_TEST(helper_says_garbage)
{
	usual("garbage");
	fails("the container's helper: receive a message: Protocol error");
	private_write("behaviour", "unknown verb");
	fails("the container's helper said HELLO?[2J");
}
END_TEST

START_TEST(wrong_number_of_descriptors)
{
	usual("no descriptor");
	fails("the container's helper said READY");
	private_write("behaviour", "two descriptors");
	fails("the container's helper said READY");
}
END_TEST

START_TEST(seccomp_filter)
{
	struct step *step;

	usual("filter");
	ck_ok(run_to_task(&step), e);
	ck_assert_uint_eq(fake_join.filter_length, 1);
	step_finish(step);
	/* said, and not there or not whole: no task runs */
	fake_join.entered_container = 0;
	private_write("behaviour", "no filter");
	fails("the container's helper said READY");
	private_write("behaviour", "short filter");
	fails("the container's helper said READY");
}
END_TEST

START_TEST(helper_is_late)
{
	double begin = io_now_ms(), ms;

	usual("silent");
	fails("the container's helper does not answer: tell the node's administrator");
	ms = io_now_ms() - begin;
	ck_assert_msg(ms > 1200 && ms < 4000, "it took %.0f ms", ms);
}
END_TEST

/* Its launcher is a child of slurmstepd: it must not stay one, nor keep the step waiting. */
START_TEST(helper_never_detaches)
{
	usual("never detaches");
	fails("the container's helper does not answer");
}
END_TEST

START_TEST(two_readys)
{
	unsigned fds = count_fds();
	struct step *step;

	usual("two readys");
	ck_ok(run_to_task(&step), e);
	ck_assert_int_eq(fake_join.entered_pid_namespace, 1);
	step_finish(step);
	ck_assert_str_eq(received("calls"), "step\n");
	ck_assert_uint_eq(count_fds(), fds);
}
END_TEST

START_TEST(helper_never_says_ended)
{
	double begin = io_now_ms(), ms;
	struct step *step;

	usual("never ends");
	ck_ok(run_to_task(&step), e);
	step_finish(step);
	ms = io_now_ms() - begin;
	ck_assert_msg(ms > 900 && ms < 4000, "it took %.0f ms", ms);
	has_line(received("calls"), "sweep 7.0");
}
END_TEST

START_TEST(helper_dies_later)
{
	struct step *step;

	usual("dies later");
	ck_ok(run_to_task(&step), e);
	step_finish(step);
	has_line(received("calls"), "sweep 7.0");
}
END_TEST

START_TEST(namespace_cannot_be_joined)
{
	usual("ready");
	fake_join.refuse = "enter the container's PID namespace";
	fails("enter the container's PID namespace: Operation not permitted");
}
END_TEST

/* CONTAIN_SPANK in slurm.conf: user_init runs in a process of its own, whose namespaces no task gets. */
START_TEST(in_another_process)
{
	struct step *step;
	int status = -1;
	pid_t pid;

	usual("ready");
	step = step_begin(NULL);
	pid = fork();
	if (pid == 0) {
		step_wait(step, NULL);
		_exit(step_enter(step, NULL, &e) == 0 || !strstr(e.text, "CONTAIN_SPANK in slurm.conf does not go together with slxc"));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* and here, where user_init never ran, no task gets to the host */
	ck_refused(step_enter(step, NULL, &e), e, "the container was not started");
	step_finish(step);
}
END_TEST

START_TEST(sweeping)
{
	usual("ready");
	step_sweep_job(4294967295u);
	step_sweep_dead();
	ck_assert_str_eq(received("calls"), "sweep 4294967295\ntidy\n");
	ck_assert_str_eq(fake_slurm.log, "");
	unlink(private_path("libexec/slxc-step"));
	step_sweep_job(1);
	ck_assert_ptr_nonnull(strstr(fake_slurm.log, "start " SLXC_LIBEXECDIR "/slxc-step: No such file or directory"));
}
END_TEST

PRIVATE_MAIN("plugin_step", no_container, extern_step, request, request_is_one_the_supervisor_takes, strange_environment,
	batch_script_goes_along, tag_is_made_full, whole_life, pid_namespace_is_left_at_the_end, many_tasks,
	environment_of_the_image, slurmrestd_job, slurmrestd_job_without_a_container, slurmctld_does_not_answer,
	marker_wins, empty_name, client_that_said_nothing, bad_name, name_that_does_not_fit, slurm_does_not_say_who, bad_configuration, no_helper,
	helper_that_is_no_program, helper_exits, helper_says_error, helper_says_garbage, wrong_number_of_descriptors, seccomp_filter,
	helper_is_late, helper_never_detaches, two_readys, helper_never_says_ended, helper_dies_later, namespace_cannot_be_joined, in_another_process,
	sweeping)
