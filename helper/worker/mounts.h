/* --container-mounts as LXC's mount entries. The worker is the user: every source is looked at with that user's rights. */
#ifndef SLXC_WORKER_MOUNTS_H
#define SLXC_WORKER_MOUNTS_H

#include <stdbool.h>

#include "common/err.h"
#include "worker/step.h"

/* True when an umount:PATH takes this default mount away. */
bool mounts_unwanted(const struct step *s, const char *path);

/*
 * Calls put(arg, ENTRY) with a line of lxc.container.conf(5)'s lxc.mount.entry for
 * each mount, in the user's order. Symbolic links in a target are followed inside
 * the image. -1: a source is missing or cannot be reached, a target cannot be.
 */
int mounts_configure(const struct step *s, const char *mnt, void (*put)(void *arg, const char *entry), void *arg,
	struct err *e);

/*
 * The octal escapes that getmntent(3) undoes, which is what reads LXC's mount
 * entries; '#' is not among them. out: four times the length, and one.
 */
void mounts_encode(const char *path, char *out);

#endif
