/*
 * What the supervisor tells the worker of its step (message STEP), and the list
 * of things of the host that the container sees. The worker is the job's user,
 * without privileges: every path is opened and mounted with that user's rights.
 */
#ifndef SLXC_WORKER_STEP_H
#define SLXC_WORKER_STEP_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/mounts.h"
#include "common/wire.h"

struct step {
	char name[96];         /* of the container, not to be guessed by others */
	uid_t uid;
	gid_t gid;
	char user[64], group[64];
	char home[PATH_MAX], shell[PATH_MAX], cwd[PATH_MAX], script[PATH_MAX];
	char task_prolog[PATH_MAX];
	bool mount_home, mount_cwd, mount_tmp;
	bool remap_root, own_network, own_ipc;
	char mounts[MOUNTS_TEXT_SIZE]; /* --container-mounts */
};

#define MAX_BINDS 8

/* One path of the host, at the same place in the container. */
struct bind {
	const char *path;
	bool is_file;
};

/* Reads a STEP message. */
int step_decode(const struct wire *w, struct step *s, struct err *e);

/*
 * Home, working directory, /tmp, the batch script and the task prolog, as far as slxc.conf wants
 * them and the user can reach them; none twice, none that would hide a system
 * directory of the image. The paths point into s. Returns how many.
 */
unsigned step_binds(const struct step *s, struct bind binds[MAX_BINDS]);

#endif
