/* In srun, sbatch and salloc: what the user asked for, checked where the user sees the answer. */
#ifndef SLXC_CLIENT_H
#define SLXC_CLIENT_H

#include "common/err.h"
#include "slurm.h"

/*
 * Before options are read. SLURM_CONTAINER that this client inherited says what
 * an *outer* job or step asked for, and Slurm would let it win over --container.
 * So it is unset; for srun it becomes SRUN_CONTAINER, which srun reads as the
 * default of --container: an inner srun stays in its job's image, is recorded
 * with it, and --container still wins.
 */
void client_before_options(enum slurm_place place);

/*
 * After options are read (once per component of a heterogeneous job). Checks
 * the name, so that nonsense is refused before anything is queued, and leaves
 * the marker that tells the node that SLURM_CONTAINER can be trusted to be all
 * there is (jobs from slurmrestd have neither). -1: refuse.
 */
int client_after_options(struct err *e);

#define CLIENT_MARKER "SLURM_SLXC_CLIENT"

#endif
