/*
 * spank_slxc.so: Slurm's callbacks, in the order of a step's life. Dispatch
 * only; the work is in client.c (srun, sbatch, salloc) and step.c (slurmstepd).
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <slurm/spank.h>

#include "client.h"
#include "intercept.h"
#include "slurm.h"
#include "step.h"

SPANK_PLUGIN(slxc, 1)

/* SPANK hands no pointer of ours from one callback to the next, so these are static: one is used in a process. */
static struct step *step;
static struct client client;

static int refuse(struct err *e)
{
	err_sanitize(e->text);
	fprintf(stderr, "slxc: %s\n", e->text);
	exit(1); /* as srun does for a bad option; it holds nothing yet */
}

/* value is the number of the option. On the node everything comes in OPTIONS_VARIABLE. */
static int option_said(int value, const char *argument, int remote)
{
	struct err e;

	if (!remote && client_option(&client, value, argument, &e) < 0)
		return refuse(&e);
	return 0;
}

static void register_options(spank_t sp)
{
	for (unsigned i = 0; i < n_options; i++) {
		const struct option_entry *o = &option_table[i];
		struct spank_option option = {
			.name = (char *)o->name, .arginfo = (char *)o->argument, .usage = (char *)o->help,
			.has_arg = o->argument != NULL, .val = i, .cb = option_said,
		};

		if (spank_option_register(sp, &option) != ESPANK_SUCCESS)
			slurmapi_error("another plugin has the option --%s too: it is not slxc's here", o->name);
	}
}

int slurm_spank_init(spank_t sp, int argc, char **argv)
{
	enum slurm_place place = slurmapi_place();

	if (place == IN_SRUN || place == IN_ALLOCATOR || place == IN_STEP)
		register_options(sp);
	if (place == IN_SRUN || place == IN_ALLOCATOR)
		client_before_options(place);
	if (place == IN_DAEMON)
		step_sweep_dead();
	return 0;
}

int slurm_spank_init_post_opt(spank_t sp, int argc, char **argv)
{
	enum slurm_place place = slurmapi_place();
	struct err e;

	if (place == IN_STEP)
		step = step_begin(sp);
	if ((place == IN_SRUN || place == IN_ALLOCATOR) && client_after_options(&client, place, &e) < 0)
		return refuse(&e);
	return 0;
}

int slurm_spank_local_user_init(spank_t sp, int argc, char **argv)
{
	client_before_launch(&client);
	return 0;
}

static void before_fork(void)
{
	if (step)
		step_forking(step, false);
	errno = 0;
}

/* In the parent; runs when fork() has failed, too, and only errno says so. */
static void after_fork(void)
{
	int error = errno;

	if (step)
		step_forking(step, error != 0);
	errno = error;
}

/*
 * In place of slurmstepd's fork(); around it are the two above. Once more on the host.
 * Safe: the very call that slurmstepd made; step_enter() ends a task that is born on the host.
 */
static pid_t fork_task(void)
{
	pid_t pid = fork();

	if (pid < 0 && step && step_fork_again(step))
		pid = fork();
	return pid;
}

int slurm_spank_user_init(spank_t sp, int argc, char **argv)
{
	if (step) {
		step_wait(step, sp);
		pthread_atfork(before_fork, after_fork, NULL);
		/* where that cannot be, a container that dies within this very millisecond is a fork() that failed */
		if (intercept_fork(fork_task) < 0)
			slurmapi_info("fork() of slurmstepd cannot be intercepted");
	}
	return 0;
}

/* Here an error ends the task, and so the step, without harm to the node; whatever plugstack.conf says. */
int slurm_spank_task_init(spank_t sp, int argc, char **argv)
{
	uint32_t global, local;
	struct err e;

	if (!step || step_enter(step, sp, &e) == 0)
		return 0;
	slurmapi_task(sp, &global, &local);
	err_sanitize(e.text);
	if (local == 0)
		dprintf(STDERR_FILENO, "slxc: %s\n", e.text);
	_exit(1);
}

int slurm_spank_task_post_fork(spank_t sp, int argc, char **argv)
{
	if (step)
		step_forked(step);
	return 0;
}

int slurm_spank_task_exit(spank_t sp, int argc, char **argv)
{
	uint32_t global, local;

	if (step) {
		slurmapi_task(sp, &global, &local);
		step_exited(step, global, slurmapi_task_status(sp));
	}
	return 0;
}

int slurm_spank_exit(spank_t sp, int argc, char **argv)
{
	if (step)
		step_finish(step);
	step = NULL;
	return 0;
}

int slurm_spank_job_epilog(spank_t sp, int argc, char **argv)
{
	uint32_t job = slurmapi_job_id(sp);

	if (job)
		step_sweep_job(job);
	return 0;
}
