/* Slurm as plugin/step.c and client.c see it (plugin/slurm.h), and the joining of a container: said and noted by the test. */
#ifndef SLXC_UNIT_FAKE_SLURM_H
#define SLXC_UNIT_FAKE_SLURM_H

#include "slurm.h"

#include "common/err.h"

struct fake_slurm {
	struct slurm_step step;
	int step_rc;               /* of slurmapi_step() */
	const char *script;        /* of the batch step; NULL: unknown */
	const char *job_container; /* what slurmctld knows */
	int job_container_rc;      /* 1, 0 or -1 */
	unsigned asked_slurmctld;
	const char *command;       /* argv[0] */
	char executed[4096];       /* what it became in the task */
	const char *task_prolog;
	const char *container_option; /* what --container says while options are read */
	char log[8192];            /* what went to the daemon's log, a line each */
};

struct fake_join {
	int entered_pid_namespace; /* how often; the descriptor in init */
	int left_pid_namespace;
	int entered_container;
	int init;
	char cwd[4096];
	unsigned filter_length;   /* of the seccomp filter's first program; 0: no filter */
	const char *refuse;        /* join_pid_namespace() fails with this */
};

extern struct fake_slurm fake_slurm;
extern struct fake_join fake_join;

/* A step of user 2001 without an environment, and nothing else. */
void fake_slurm_reset(void);

/* The environment of the step. NULL: unset. */
void fake_setenv(const char *name, const char *value);
const char *fake_getenv(const char *name);

#endif
