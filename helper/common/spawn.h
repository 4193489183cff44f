/*
 * The one way slxc starts a program: no shell, an explicit environment, only the
 * descriptors named, and a failed exec reported here and not in the child.
 */
#ifndef SLXC_SPAWN_H
#define SLXC_SPAWN_H

#include <sys/types.h>

#include "err.h"

struct spawn {
	const char *path;         /* absolute */
	char *const *argv;        /* argv[0] included, NULL at the end */
	char *const *envp;        /* NULL: empty environment */
	int fds[3];               /* become 0, 1, 2; -1: /dev/null */
	int extra;                /* becomes descriptor 3; -1: none */
};

/*
 * Starts it (vfork underneath: no copy of a large caller). Signals are unblocked
 * and at their defaults in the child; every descriptor above 3 is closed.
 * Returns the pid, or -1 with the exec error.
 */
pid_t spawn_start(const struct spawn *s, struct err *e);

/* spawn_start, then waits. Returns the wait status, or -1. */
int spawn_wait(const struct spawn *s, struct err *e);

#endif
