/*
 * The supervisor's place in the cgroup tree. It starts in the step's cgroup,
 * like slurmstepd that launched it. With cgroup v2 Slurm kills all that is in
 * there when the tasks have ended, and the supervisor has to outlive that.
 */
#ifndef SLXC_CGROUP_H
#define SLXC_CGROUP_H

#include <stddef.h>

#include "common/err.h"

/*
 * Moves this process out of the step's cgroup, to the cgroup "slxc" beside the
 * jobs' in the subtree that systemd or the administrator delegated to Slurm. Does
 * nothing where Slurm does not use cgroup v2. Root. The worker, which is the
 * user's, stays where the job's limits are.
 */
int cgroup_leave_step(struct err *e);

/* The delegated subtree's path (from /proc/self/cgroup's text) into out; 0 when there is none to leave. */
int cgroup_find_subtree(const char *proc_self_cgroup, char *out, size_t size);

#endif
