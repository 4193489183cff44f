/*
 * Profiles: named sets of options that the administrator keeps in profiles.d
 * beside slxc.conf, one file NAME.conf each. The format is slxc.conf's; the
 * keys are the options' (mounts, workdir, mount_home, writable, remap_root,
 * unshare, scratch, entrypoint, entrypoint_log), and env=NAME=VALUE. mounts and
 * env may stand in several lines. What a profile asks for is done as the user:
 * it gives nobody a right.
 */
#ifndef SLXC_PROFILE_H
#define SLXC_PROFILE_H

#include "common/conf.h"
#include "common/err.h"
#include "options.h"

#define PROFILE_MAX_ENV 128

struct profiles {
	struct options options;      /* of all of them, a later one over an earlier one; mounts add up */
	unsigned n_env;
	char *env[PROFILE_MAX_ENV];  /* "NAME=VALUE", in order; variables in VALUE are not replaced yet */
};

void profiles_free(struct profiles *p);

/* Adds those of a list "a,b". -1: one is not there, others than root can write it, or it is wrong: file and line. */
int profiles_load(struct profiles *p, const char *list, struct err *e);

/* The directory of the profiles. */
void profiles_dir(char *out, size_t size);

/* Adds all that slxc.conf names, for whichever partition and account. */
int profiles_of_conf(struct profiles *p, const struct conf *conf, struct err *e);

/* For a client: as profiles_load(), but a host without the directory leaves it to the node. */
int profiles_check(const char *list, struct err *e);

/*
 * Those that a step has, in order: of slxc.conf for all, for its partition, for
 * its account ("" when unknown), then the user's. "none" among the user's: only
 * those after it.
 */
int profiles_of_step(struct profiles *p, const struct conf *conf, const char *partition, const char *account,
	const char *users, struct err *e);

/* What the user did not say is the profiles'; the profiles' mounts come before the user's. */
int profiles_apply(const struct profiles *p, struct options *o, struct err *e);

/* Replaces $NAME and ${NAME} in the value of a variable; one that is not set is empty. out holds size bytes. */
void profile_expand(const char *text, const char *(*value)(void *arg, const char *name), void *arg, char *out, size_t size);

#endif
