/*
 * The seccomp filter of a step's tasks, compiled from the site's policy. Root.
 * The compiler is slxc-seccomp, run as the system user slxc (nobody where there
 * is none); what it made is kept in RUNDIR_SECCOMP (0700 root) below a name that
 * says of which file: the usual step opens that and does no more.
 */
#ifndef SLXC_SECCOMP_H
#define SLXC_SECCOMP_H

#include "common/err.h"

/*
 * A descriptor, read-only, of the filter (common/filter.h) for the policy at
 * path, which must be root's alone to write. -1: it cannot be read or does not
 * compile, and the step must not run; the text names the file and the reason.
 */
int seccomp_open_filter(const char *path, struct err *e);

#endif
