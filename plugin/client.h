/* In srun, sbatch and salloc: what the user asked for, checked where the user sees the answer. */
#ifndef SLXC_CLIENT_H
#define SLXC_CLIENT_H

#include <stdbool.h>

#include "common/err.h"
#include "common/name.h"
#include "options.h"
#include "slurm.h"

/* What one client learns from its options; zeros at first. */
struct client {
	bool seen;                         /* options were read */
	char container[NAME_MAX_LEN + 1];  /* of every component; "" for none */
	struct options options;            /* the others, of all components together */
	char image[NAME_FULL_SIZE];        /* what --container-image said; "" for nothing */
	bool warned;
};

/*
 * The variable that tells the node what --container said, "" for nothing. A
 * client with the plugin always sets it, so a step without it was not started
 * by one (slurmrestd), and SLURM_CONTAINER, which says the same, can be unset
 * while the next component of a heterogeneous job is read.
 */
#define CLIENT_MARKER "SLURM_SLXC_CONTAINER"

/*
 * Before options are read. SLURM_CONTAINER that this client inherited says what
 * an *outer* job or step asked for, and Slurm would let it win over --container.
 * So it is unset; for srun it becomes SRUN_CONTAINER, which srun reads as the
 * default of --container: an inner srun stays in its job's image, is recorded
 * with it, and --container still wins.
 */
void client_before_options(enum slurm_place place);

/*
 * An option of ours on the command line or on an #SBATCH line: entry number i of
 * option_table. --container-image becomes --container. -1: refuse.
 */
int client_option(struct client *c, unsigned i, const char *argument, struct err *e);

/*
 * After options are read, once per component of a heterogeneous job. Checks the
 * name, so that nonsense is refused before anything is queued, and sets
 * CLIENT_MARKER and OPTIONS_VARIABLE. -1: refuse. Slurm hands one environment to all components of a
 * srun, so those of one srun have to agree.
 */
int client_after_options(struct client *c, enum slurm_place place, struct err *e);

/* In srun, just before the launch: SLURM_CONTAINER is what the user's program expects again. */
void client_before_launch(const struct client *c);

#endif
