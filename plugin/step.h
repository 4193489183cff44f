/*
 * A contained step, in slurmstepd. One struct step per slurmstepd, made by
 * step_begin() and passed to the rest in the order of the callbacks:
 *
 *   step_begin   root, init_post_opt       build the request, launch slxc-step; does not wait
 *   step_wait    user, user_init           wait for READY; tasks are now born in the container's PID namespace
 *   step_enter   user, task_init           in the task: enter the container
 *   step_forked  root, task_post_fork      no more tasks are born there
 *   step_exited  root, task_exit           note the status
 *   step_finish  root, exit                have it destroyed; returns when it is
 *
 * An error is kept and raised in the task: a plugin that fails elsewhere drains
 * the node for a batch step (Slurm 22.05) or requeues it (24.11).
 */
#ifndef SLXC_STEP_H
#define SLXC_STEP_H

#include <stdbool.h>

#include "common/err.h"
#include "slurm.h"

struct step;

/* False for "" and "none". */
bool step_wants_container(const char *container);

/* NULL: the step asked for no container. Never fails otherwise: see above. */
struct step *step_begin(struct spank_handle *sp);
void step_wait(struct step *s, struct spank_handle *sp);

/* 0, or -1: the caller ends the task, which must not run on the host. */
int step_enter(struct step *s, struct spank_handle *sp, struct err *e);
void step_forked(struct step *s);

/* Around each fork() of slurmstepd, from pthread_atfork(3): notices a container that has ended meanwhile. */
void step_forking(struct step *s, bool has_failed);

/* After a fork() that failed: true when that was the container's end, and another one will do better. */
bool step_fork_again(struct step *s);
void step_exited(struct step *s, uint32_t task, int status);

/* Frees s. */
void step_finish(struct step *s);

/* Removes what is left of a job on this node (job_epilog), or of dead supervisors (slurmd's start). Root. */
void step_sweep_job(uint32_t job);
void step_sweep_dead(void);

#endif
