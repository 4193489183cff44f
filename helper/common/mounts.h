/*
 * --container-mounts as text, read in three places: srun and sbatch (refuse
 * nonsense where it is typed), slxc-step (again, nothing from outside is
 * believed), slxc-worker (makes the mounts, as the user). Pure functions, any
 * privilege may call them.
 *
 *   ENTRY[,ENTRY...]    ENTRY = SOURCE[:TARGET[:FLAG[+FLAG...]]]
 *
 * A path can hold neither "," nor ":". SOURCE is a path of the host, "tmpfs", or
 * "umount" (TARGET is then one of slxc's own mounts, not wanted). Without TARGET
 * it is SOURCE.
 */
#ifndef SLXC_MOUNTS_H
#define SLXC_MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define MOUNTS_TEXT_SIZE 16384
#define MOUNTS_MAX 128

enum mount_kind { MOUNT_BIND, MOUNT_TMPFS, MOUNT_UMOUNT };

struct mount_entry {
	enum mount_kind kind;
	char source[PATH_MAX]; /* absolute and clean; "" unless MOUNT_BIND */
	char target[PATH_MAX]; /* absolute and clean */
	char flags[256];       /* comma separated, as mount(8) has them; "" for none */
};

/*
 * What the user typed, made independent of where: relative sources are below
 * cwd, a relative target is below "/", "." and ".." are resolved by text, "~" is
 * "$HOME". Names of variables stay as they are (mounts_expand), so paths that
 * begin with one are not looked at further. out holds MOUNTS_TEXT_SIZE bytes.
 */
int mounts_from_user(const char *text, const char *cwd, char *out, struct err *e);

/*
 * Replaces $NAME and ${NAME} by value(arg, NAME), which is NULL when there is no
 * such variable: an error. A value cannot bring in another entry or flag.
 */
int mounts_expand(const char *text, const char *(*value)(void *arg, const char *name), void *arg, char *out,
	struct err *e);

/* Takes the next entry off *text (what mounts_expand gave). 1 and the entry, 0 at the end, -1: it is not valid. */
int mounts_next(const char **text, struct mount_entry *m, struct err *e);

bool mount_has_flag(const struct mount_entry *m, const char *flag);

/* All of them: 0 or -1. */
int mounts_check(const char *text, struct err *e);

#endif
