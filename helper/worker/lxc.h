/* The LXC container itself: configuration and start. The only file that knows liblxc. */
#ifndef SLXC_WORKER_LXC_H
#define SLXC_WORKER_LXC_H

#include "common/err.h"
#include "worker/step.h"

/*
 * Starts the container and stays as its monitor (not daemonized) until its init
 * ends. Descriptor 3 goes to init. mnt is the supervisor's layout (RUNDIR_MNT).
 * Returns 0 when the container ended after a start, -1 when it did not start:
 * the text is LXC's own first error.
 */
int lxc_run(const struct step *s, const char *mnt, struct err *e);

#endif
