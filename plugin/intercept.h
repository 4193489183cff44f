/*
 * slurmstepd's own calls of fork(), taken over. Slurm has no callback for a
 * fork() that fails: it takes that for a fault of the node, and drains it.
 */
#ifndef SLXC_INTERCEPT_H
#define SLXC_INTERCEPT_H

#include <sys/types.h>

/*
 * From now on the program's (not any library's) calls of fork() come to instead,
 * which may call fork(). Until the plugin is unloaded; again: does nothing.
 * 0, or -1 where the program's relocations are not as expected: nothing changed.
 */
int intercept_fork(pid_t (*instead)(void));

#endif
