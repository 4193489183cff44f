/* The second line: removes what supervisors left behind that were killed. Root. */
#ifndef SLXC_SWEEP_H
#define SLXC_SWEEP_H

#include <stdint.h>

/*
 * Ends and removes every step of the job on this node (job_epilog): a living
 * supervisor is told to (SIGTERM) and, if it does not within ten seconds,
 * killed; what a dead one left is destroyed and recorded here. Then unmounts
 * images that are no longer in the store. Returns how many steps it found.
 */
int sweep_job(uint32_t job);

/* The same for steps of any job whose supervisor is dead; the living are left alone. */
int sweep_dead(void);

#endif
