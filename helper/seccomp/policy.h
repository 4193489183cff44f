/*
 * A seccomp policy in the JSON format of Docker, podman and the OCI runtime
 * specification (config-linux.md, "Seccomp"), compiled for this machine. Runs
 * without privilege: the text is trusted (root's), its author's care is not.
 */
#ifndef SLXC_SECCOMP_POLICY_H
#define SLXC_SECCOMP_POLICY_H

#include <stddef.h>

#include "common/err.h"

/* What decides which of a policy's rules count (includes, excludes). */
struct machine {
	const char *arch;           /* as Docker calls it: amd64 */
	unsigned kernel[2];         /* 6, 12 */
	const char *const *caps;    /* CAP_... that the tasks have, NULL at the end */
};

/* This machine. caps: see there. */
void machine_here(struct machine *m, const char *const *caps);

struct notes {
	unsigned rules, skipped;    /* used; not for this machine */
	unsigned unknown;           /* names that this libseccomp does not know: they get the default action */
	char names[1024];           /* the first of them, blanks between */
};

/*
 * Compiles text into the two programs of common/filter.h: one with the default
 * action and every rule, except those that deny a call for its arguments, which
 * make the second; so a denial wins over an ALLOW of the same call, and always
 * the stricter of two rules. Calls of an architecture that the policy does not
 * name fail with ENOSYS. An unknown key, action, operator or architecture is an
 * error. *out: the filter file, allocated. 0 or -1.
 */
int policy_compile(const char *text, size_t length, const struct machine *m,
	void **out, size_t *size, struct notes *notes, struct err *e);

#endif
