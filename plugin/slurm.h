/*
 * Everything slxc asks of Slurm, in its own words. Only slurm.c and spank.c
 * include <slurm/spank.h>; unit tests link a fake of this file. Called in the
 * process that Slurm's callback runs in, with its privileges.
 */
#ifndef SLXC_SLURM_H
#define SLXC_SLURM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spank_handle;

enum slurm_place {
	IN_SRUN,           /* S_CTX_LOCAL: srun */
	IN_ALLOCATOR,      /* sbatch, salloc */
	IN_STEP,           /* slurmstepd */
	IN_DAEMON,         /* slurmd */
	IN_JOB_SCRIPT,     /* prolog and epilog of the job */
	IN_OTHER
};

struct slurm_step {
	uint32_t job;
	char name[24];     /* "0", "batch", "interactive" */
	bool is_batch;
	bool is_extern;    /* the step that PrologFlags=contain makes: runs nothing */
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* Slurm's, as long as the callback runs */
	unsigned n_groups;
	uint64_t memory;     /* the step's on this node, MiB; 0: Slurm does not say */
};

enum slurm_place slurmapi_place(void);

/* Who and what runs here. 0 or -1. From SPANK, not from the environment. */
int slurmapi_step(struct spank_handle *sp, struct slurm_step *step);

/* The job's id (also in prolog and epilog), or 0. */
uint32_t slurmapi_job_id(struct spank_handle *sp);

/* A variable of the step's environment: 1, 0 when it is unset (out is ""), -1 when it does not fit and is cut. */
int slurmapi_getenv(struct spank_handle *sp, const char *name, char *out, size_t size);
void slurmapi_setenv(struct spank_handle *sp, const char *name, const char *value);

/* The whole of it, "NAME=VALUE" each, NULL at the end; Slurm's, until the next change. NULL: not known. */
char **slurmapi_environment(struct spank_handle *sp);

/*
 * What the tasks execute, argv[0]: before they are forked as srun sent it; in a
 * task, where slurmstepd has looked a bare name up on the host, it can still be
 * replaced (path is copied). NULL: not known. Not for --multi-prog, where every
 * task has its own.
 */
const char *slurmapi_command(struct spank_handle *sp);
void slurmapi_set_command(struct spank_handle *sp, const char *path);

/*
 * In a task that is in a container: since 24.05 slurmstepd starts task prologs
 * through its own executable, which cannot run there; program does instead.
 */
void slurmapi_set_launcher(const char *program);

/* TaskProlog of slurm.conf, which slurmstepd runs in each task after task_init; "" for none. */
void slurmapi_task_prolog(char *out, size_t size);

/* The file of the batch script, as slurmstepd is going to execute it; "" when unknown. */
void slurmapi_batch_script(struct spank_handle *sp, char *out, size_t size);

/* The task a callback is about: its number in the step and on the node. */
void slurmapi_task(struct spank_handle *sp, uint32_t *global, uint32_t *local);

/* Its wait(2) status, in task_exit. */
int slurmapi_task_status(struct spank_handle *sp);

/*
 * What --container said when the job was submitted: one request to slurmctld.
 * 1 and the text in out, 0 when it said nothing, -1 when slurmctld did not answer.
 */
int slurmapi_job_container(uint32_t job, char *out, size_t size);

/*
 * In srun, sbatch and salloc, while options are read: what --container says so
 * far (false: nothing), and saying it, so that Slurm records it. Slurm has no
 * interface for a plugin to do that; these use the function that its own options
 * are set with, where the program exports it. False: it does not.
 */
bool slurmapi_container_option(char *out, size_t size);
bool slurmapi_set_container_option(const char *name);

/* To the daemon's log; an error of slurmstepd also goes to the user once its standard error is connected. */
void slurmapi_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void slurmapi_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
