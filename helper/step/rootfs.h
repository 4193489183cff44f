/*
 * A step's file systems, in a mount namespace of its own that dies with its last
 * process. After rootfs_enter():
 *
 *   RUNDIR_MNT/            tmpfs of root
 *     l/N                  clone of layer N, id 0 mapped to the user      (l/ is 0700 root)
 *     s/                   scratch: upper and work directories            (0700 root)
 *     root/                the overlay of these: what the container sees
 *     dev/  sys/           what becomes /dev and /sys
 *     empty/               what hides directories of /proc and /sys
 *     lxc/                 the worker's own directory                     (0700 user)
 *
 * Root only. Every function here is one privileged operation on paths that slxc
 * made itself; nothing a user named is touched.
 */
#ifndef SLXC_ROOTFS_H
#define SLXC_ROOTFS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/conf.h"
#include "common/err.h"
#include "store/store.h"

#define ROOTFS_ROOT "/root"
#define ROOTFS_LXC "/lxc"
#define ROOTFS_INIT "/.slxc-init" /* in dev/ */

/* Enters the private mount namespace and makes the layout. */
int rootfs_enter(uid_t uid, gid_t gid, struct err *e);

/*
 * Clones the image's layers, makes the scratch space and mounts the overlay.
 * *helper: a child that has been killed and is to be waited for (rootfs_reap)
 * when there is time; 0: none.
 */
int rootfs_mount_image(const struct image *img, const struct conf *conf, uid_t uid, gid_t gid,
	pid_t *helper, struct err *e);
void rootfs_reap(pid_t *helper);

/* Builds dev/ and sys/. */
int rootfs_mount_devices(struct err *e);

/* Bytes and inodes that the scratch space holds now; zeros when it is not there. */
void rootfs_scratch_use(uint64_t *bytes, uint64_t *inodes);

#endif
