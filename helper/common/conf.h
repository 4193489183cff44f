/*
 * slxc.conf: the site's configuration. One strict table of keys; an unknown or
 * repeated key, or a value out of range, is an error that names file and line.
 * No file at all means the defaults. A file that others than root can write is
 * refused when root reads it. Any privilege may call conf_load.
 */
#ifndef SLXC_CONF_H
#define SLXC_CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* auto: where the kernel has AppArmor and the profile is loaded; required: else the step fails. */
enum conf_apparmor { APPARMOR_AUTO, APPARMOR_REQUIRED, APPARMOR_NONE };

/* "auto", "required", "none". -1: something else. */
int conf_parse_apparmor(const char *text, enum conf_apparmor *out);
const char *conf_apparmor_name(enum conf_apparmor a);

#define CONF_PROFILES_SIZE 1024

struct conf {
	char store[PATH_MAX];     /* store=/var/lib/slxc         absolute */
	uint64_t scratch_size;    /* scratch_size=50%|SIZE       bytes of the writable layer; 0: see scratch_percent */
	unsigned scratch_percent; /*                             of the step's memory, when given in percent */
	uint64_t scratch_inodes;  /* scratch_inodes=1000000 */
	bool mount_home;          /* mount_home=yes */
	bool mount_cwd;           /* mount_cwd=yes               the step's working directory */
	bool mount_tmp;           /* mount_tmp=yes               the host's /tmp */
	char profiles[CONF_PROFILES_SIZE]; /* profiles=NAME[,NAME]        that every step has */
	char partition_profiles[CONF_PROFILES_SIZE]; /* partition_profiles=PARTITION:NAME[,NAME] ... */
	char account_profiles[CONF_PROFILES_SIZE]; /* account_profiles=ACCOUNT:NAME[,NAME] ... */
	unsigned start_timeout;   /* start_timeout=60            seconds until a container that has not started is given up */
	char seccomp[PATH_MAX];   /* seccomp=PATH|none           policy of the tasks' system calls; "": none */
	enum conf_apparmor apparmor; /* apparmor=auto            the tasks' AppArmor profile */
	bool allow_root;          /* allow_root=no               contain steps of uid 0 (else they are refused) */
};

/* The defaults, as a file that sets nothing. */
void conf_defaults(struct conf *c);

/*
 * Makes scratch_size a number of bytes for a step that has so much memory (MiB;
 * 0: not known, and a share stays one, of the node's memory). Never more than the
 * step has: its writer should see "No space left" and not the OOM killer, which
 * may choose slurmstepd.
 */
void conf_limit_scratch(struct conf *c, uint64_t memory);

/* Reads path over the defaults. A missing file is no error. 0, or -1 with c untouched. */
int conf_load(struct conf *c, const char *path, struct err *e);

/* "a,b": names of profiles, lower case letters, digits, - and _, 64 bytes each at most. 0 or -1. */
int conf_check_profiles(const char *list);

/* "8G": digits, with K, M, G or T (powers of 1024). 0 or -1. */
int conf_parse_size(const char *text, uint64_t *out);

/* Less than this cannot hold the files that slxc itself writes. */
#define CONF_MIN_SCRATCH (64 * 1024)

#endif
