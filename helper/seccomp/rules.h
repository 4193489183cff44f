/* One policy's way into libseccomp: the two contexts, and adding a rule to the right one. */
#ifndef SLXC_SECCOMP_RULES_H
#define SLXC_SECCOMP_RULES_H

#include <jansson.h>
#include <seccomp.h>

#include "policy.h"

struct rules {
	scmp_filter_ctx main, except; /* except: what is denied for its arguments */
	uint32_t default_action;
	const struct machine *machine;
	struct notes *notes;
};

/* "SCMP_ACT_ERRNO" and its errnoRet (NULL: EPERM) as libseccomp's number. */
int rules_action(const char *name, const json_t *error, uint32_t *action, struct err *e);

/* Adds the calls of one entry of "syscalls", already known to be for this machine. */
int rules_add(struct rules *r, const json_t *names, const json_t *args, uint32_t action, struct err *e);

#endif
