#include "config.h"

#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/paths.h"
#include "rundir.h"

/* linux/mount.h and sys/mount.h cannot both be included with glibc 2.36 */
extern int mount(const char *, const char *, const char *, unsigned long, const void *);

#define IN(path) RUNDIR_MNT path

/* Safe: constant paths in a tmpfs of root's that this supervisor has just mounted. */
static int make_dirs(const char *const *paths, mode_t mode, struct err *e)
{
	for (; *paths; paths++)
		if (mkdir(*paths, mode) < 0)
			return err_set(e, errno, "make %s", *paths);
	return 0;
}

/*
 * Safe: the namespace is new and only this supervisor and its worker are in it;
 * "slave" lets nothing mounted here out to the host.
 */
int rootfs_enter(uid_t uid, gid_t gid, struct err *e)
{
	static const char *const open_dirs[] = { IN("/root"), IN("/dev"), IN("/sys"), IN("/empty"), NULL };
	static const char *const root_dirs[] = { IN("/l"), IN("/s"), IN("/lxc"), NULL };

	if (unshare(CLONE_NEWNS) < 0)
		return err_set(e, errno, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(e, errno, "detach the mount namespace from the host's");
	if (mount("slxc", RUNDIR_MNT, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=4m") < 0)
		return err_set(e, errno, "mount a tmpfs on " RUNDIR_MNT);
	if (make_dirs(open_dirs, 0755, e) < 0 || make_dirs(root_dirs, 0700, e) < 0)
		return -1;
	if (chown(IN("/lxc"), uid, gid) < 0)
		return err_set(e, errno, "give " IN("/lxc") " to the user");
	return 0;
}

static int write_map(pid_t pid, const char *which, unsigned id)
{
	char path[64], map[32];
	autoclose int fd = -1;
	int n = snprintf(map, sizeof(map), "0 %u 1", id);

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, which);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, map, n) != n ? -1 : 0;
}

/*
 * A user namespace that says "id 0 of the image is the user", as mount_setattr(2)
 * wants it. Safe: the process in it only sleeps, and is killed before this returns.
 */
static int make_idmap(uid_t uid, gid_t gid, pid_t *helper, struct err *e)
{
	pid_t parent = getpid(), pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	char path[64];
	int fd = -1, saved;

	/* a supervisor that is killed now leaves nothing either */
	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(1);
	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0)
		return err_set(e, errno, "make a user namespace (is user.max_user_namespaces 0?)");
	if (write_map(pid, "uid_map", uid) == 0 && write_map(pid, "gid_map", gid) == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	saved = errno;
	kill(pid, SIGKILL);
	*helper = pid;
	if (fd < 0)
		return err_set(e, saved, "map the image's root to the user");
	return fd;
}

/*
 * Safe: source and target are slxc's own paths; the clone is read-only, without
 * setuid and devices, and shows only what the image holds.
 */
static int clone_layer(const char *layer, unsigned number, int idmap, struct err *e)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.userns_fd = idmap,
	};
	char source[sizeof(RUNDIR_IMAGES) + DIGEST_LEN + 2], target[sizeof(IN("/l/")) + 12];
	autoclose int tree = -1;

	snprintf(source, sizeof(source), RUNDIR_IMAGES "/%s", layer);
	snprintf(target, sizeof(target), IN("/l/%u"), number);
	tree = syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_set(e, errno, "clone the mount of layer %.20s...", layer);
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_set(e, errno, "map the ids of layer %.20s... (needs Linux 5.19 or later)", layer);
	if (mkdir(target, 0700) < 0)
		return err_set(e, errno, "make %s", target);
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "mount layer %.20s...", layer);
	return 0;
}

/* Safe: a tmpfs of bounded size; its pages are charged to the memory cgroup of the task that writes them. */
static int mount_scratch(const struct conf *conf, uid_t uid, gid_t gid, struct err *e)
{
	static const char *const dirs[] = { IN("/s/upper"), IN("/s/work"), NULL };
	char options[128], size[32];

	if (conf->scratch_size)
		snprintf(size, sizeof(size), "%llu", (unsigned long long)conf->scratch_size);
	else
		snprintf(size, sizeof(size), "%u%%", conf->scratch_percent);
	snprintf(options, sizeof(options), "mode=0700,size=%s,nr_inodes=%llu", size,
		(unsigned long long)conf->scratch_inodes);
	if (mount("slxc-scratch", IN("/s"), "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return err_set(e, errno, "mount the scratch space (%s)", options);
	if (make_dirs(dirs, 0755, e) < 0)
		return -1;
	if (chown(IN("/s/upper"), uid, gid) < 0)
		return err_set(e, errno, "give the scratch space to the user");
	return 0;
}

/*
 * Safe: mounted with root's credentials, but every access is checked against the
 * caller's; the upper directory can be reached only through the overlay (s/ is
 * 0700 root), so no user can plant an overlay attribute there.
 */
static int mount_overlay(unsigned n_layers, struct err *e)
{
	char options[STORE_MAX_LAYERS * (sizeof(IN("/l/")) + 4) + 128] = "lowerdir=";
	size_t used = strlen(options);

	for (unsigned i = n_layers; i-- > 0;)
		used += snprintf(options + used, sizeof(options) - used, IN("/l/%u") "%s", i, i ? ":" : "");
	snprintf(options + used, sizeof(options) - used,
		",upperdir=" IN("/s/upper") ",workdir=" IN("/s/work") ",redirect_dir=on");
	if (strlen(options) >= 4096)
		return err_set(e, E2BIG, "mount the root file system: the image has %u layers", n_layers);
	if (mount("slxc", IN(ROOTFS_ROOT), "overlay", MS_NOSUID | MS_NODEV, options) < 0)
		return err_set(e, errno, "mount the root file system (overlay)");
	return 0;
}

void rootfs_reap(pid_t *helper)
{
	if (*helper > 0)
		waitpid(*helper, NULL, 0);
	*helper = 0;
}

int rootfs_mount_image(const struct image *img, const struct conf *conf, uid_t uid, gid_t gid,
	pid_t *helper, struct err *e)
{
	autoclose int idmap = make_idmap(uid, gid, helper, e);

	if (idmap < 0)
		return -1;
	for (unsigned i = 0; i < img->n_layers; i++)
		if (clone_layer(img->layers[i], i, idmap, e) < 0)
			return -1;
	if (mount_scratch(conf, uid, gid, e) < 0)
		return -1;
	return mount_overlay(img->n_layers, e);
}

/* Safe: the nodes are those every user may open on any Linux host; the tmpfs belongs to root and is 0755. */
static int make_nodes(struct err *e)
{
	static const struct { const char *path; unsigned major, minor; } nodes[] = {
		{ IN("/dev/null"), 1, 3 }, { IN("/dev/zero"), 1, 5 }, { IN("/dev/full"), 1, 7 },
		{ IN("/dev/random"), 1, 8 }, { IN("/dev/urandom"), 1, 9 }, { IN("/dev/tty"), 5, 0 },
		{ IN("/dev/ptmx"), 5, 2 }, /* next to pts/, so it opens the host's instance */
	};
	static const struct { const char *path, *target; } links[] = {
		{ IN("/dev/fd"), "/proc/self/fd" }, { IN("/dev/stdin"), "/proc/self/fd/0" },
		{ IN("/dev/stdout"), "/proc/self/fd/1" }, { IN("/dev/stderr"), "/proc/self/fd/2" },
		{ IN("/dev/core"), "/proc/kcore" },
	};
	static const char *const dirs[] = { IN("/dev/pts"), IN("/dev/shm"), NULL };

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0)
			return err_set(e, errno, "make %s", nodes[i].path);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i].target, links[i].path) < 0)
			return err_set(e, errno, "make %s", links[i].path);
	return make_dirs(dirs, 0755, e);
}

/*
 * A clone of a mount, with what attr says, at target.
 * Safe: constant paths; the clone has fewer rights than its source, and is in the private
 * namespace.
 */
static int clone_mount(const char *source, const char *target, unsigned recursive, uint64_t attributes, struct err *e)
{
	struct mount_attr attr = { .attr_set = attributes };
	autoclose int tree = syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);

	if (tree < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | recursive, &attr, sizeof(attr)) < 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "bind %s", source);
	return 0;
}

/* Safe: the container's init is slxc's own program, read-only, where only root can write. */
static int bind_init(struct err *e)
{
	autoclose int target = open(IN("/dev" ROOTFS_INIT), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0555);

	if (target < 0)
		return err_set(e, errno, "make " IN("/dev" ROOTFS_INIT));
	return clone_mount(SLXC_LIBEXECDIR "/slxc-init", IN("/dev" ROOTFS_INIT), 0,
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, e);
}

/* Safe: what the host shows to every user, but every mount below it read-only, without setuid, devices and programs. */
static int bind_sys(struct err *e)
{
	static const char *const masked[] = { IN("/sys/firmware"), IN("/sys/devices/virtual/powercap") };
	const uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (clone_mount("/sys", IN("/sys"), AT_RECURSIVE, attributes, e) < 0)
		return -1;
	/* as the OCI's default: firmware, and power meters that are a side channel */
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		if (access(masked[i], F_OK) == 0 && clone_mount(IN("/empty"), masked[i], 0, attributes, e) < 0)
			return -1;
	return 0;
}

/*
 * Safe: constant paths. The host's own terminals (a step's --pty lives there) and shared
 * memory are bound with their modes of the host.
 */
int rootfs_mount_devices(struct err *e)
{
	mode_t mask = umask(0);
	int rc = -1;

	/* Not MS_NODEV: this is where the device nodes are. */
	if (mount("slxc-dev", IN("/dev"), "tmpfs", MS_NOSUID, "mode=0755,size=64k,nr_inodes=64") < 0)
		err_set(e, errno, "mount " IN("/dev"));
	else
		rc = make_nodes(e);
	umask(mask);
	if (rc < 0 || bind_init(e) < 0)
		return -1;
	if (mount("/dev/pts", IN("/dev/pts"), NULL, MS_BIND, NULL) < 0 ||
	    mount("/dev/shm", IN("/dev/shm"), NULL, MS_BIND, NULL) < 0)
		return err_set(e, errno, "bind /dev/pts and /dev/shm");
	return bind_sys(e);
}

void rootfs_scratch_use(uint64_t *bytes, uint64_t *inodes)
{
	struct statfs fs;

	*bytes = *inodes = 0;
	if (statfs(IN("/s"), &fs) < 0)
		return;
	*bytes = (fs.f_blocks - fs.f_bfree) * fs.f_bsize;
	*inodes = fs.f_files - fs.f_ffree;
}
