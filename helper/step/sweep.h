/* The second line: removes what supervisors left behind that were killed. Root. */
#ifndef SLXC_SWEEP_H
#define SLXC_SWEEP_H

/*
 * Ends and removes every step of a job on this node (which: "12", for job_epilog),
 * or one step ("12.0", when its supervisor does not answer slurmstepd): a living
 * supervisor is told to (SIGTERM) and, if it does not within ten seconds,
 * killed; what a dead one left is destroyed and recorded here. After a job also
 * unmounts images that are no longer in the store. Returns how many steps it found.
 */
int sweep_job(const char *which);

/* The same for steps of any job whose supervisor is dead; the living are left alone. */
int sweep_dead(void);

#endif
