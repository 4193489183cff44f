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

struct conf {
	char store[PATH_MAX];     /* store=/var/lib/slxc         absolute */
	uint64_t scratch_size;    /* scratch_size=50%|SIZE       bytes of the writable layer; 0: see scratch_percent */
	unsigned scratch_percent; /*                             of the node's memory, when given in percent */
	uint64_t scratch_inodes;  /* scratch_inodes=1000000 */
	bool mount_home;          /* mount_home=yes */
	bool mount_cwd;           /* mount_cwd=yes               the step's working directory */
	bool mount_tmp;           /* mount_tmp=yes               the host's /tmp */
	unsigned start_timeout;   /* start_timeout=60            seconds until a container that has not started is given up */
	char seccomp[PATH_MAX];   /* seccomp=PATH|none           policy of the tasks' system calls; "": none */
	enum conf_apparmor apparmor; /* apparmor=auto            the tasks' AppArmor profile */
	bool allow_root;          /* allow_root=no               contain steps of uid 0 (else they are refused) */
};

/* The defaults, as a file that sets nothing. */
void conf_defaults(struct conf *c);

/* Reads path over the defaults. A missing file is no error. 0, or -1 with c untouched. */
int conf_load(struct conf *c, const char *path, struct err *e);

#endif
