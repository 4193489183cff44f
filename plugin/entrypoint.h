/*
 * --container-entrypoint: the image's entrypoint is run in the container before
 * the task's program, for what it does there and for the environment it makes.
 * The program is then executed by slurmstepd as ever.
 */
#ifndef SLXC_ENTRYPOINT_H
#define SLXC_ENTRYPOINT_H

#include <stdbool.h>

#include "common/err.h"

/*
 * In the task, in the container, without privileges. Runs argv (NULL at its end)
 * with a command that tells the environment it got, and calls set(arg, NAME,
 * VALUE) for each variable of it. Its output goes to standard error with show,
 * else nowhere. path: where to look argv[0] up. -1: it failed.
 */
int entrypoint_run(char *const *argv, char **env, const char *path, bool show,
	void (*set)(void *arg, const char *name, const char *value), void *arg, struct err *e);

#endif
