#include "config.h"

#include "join.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mounts.h"
#include "fakeids.h"

struct caps {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[2];
};

/*
 * setns() into a PID namespace needs CAP_SYS_ADMIN, which slurmstepd has
 * permitted but not effective while it plays the user. Raised by the raw system
 * call, so in this thread only, and only around this one call; saved_errno-safe.
 * Safe: the descriptor is of a namespace that the supervisor checked to be the
 * user's own.
 */
static int setns_pid_privileged(int fd)
{
	struct caps old = { .head = { .version = _LINUX_CAPABILITY_VERSION_3 } }, raised;
	int rc, saved;

	if (syscall(SYS_capget, &old.head, old.data) < 0)
		return -1;
	raised = old;
	raised.data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective |= CAP_TO_MASK(CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &raised.head, raised.data) < 0)
		return -1;
	rc = setns(fd, CLONE_NEWPID);
	saved = errno;
	syscall(SYS_capset, &old.head, old.data);
	errno = saved;
	return rc;
}

int join_pid_namespace(int init, struct err *e)
{
	if (setns_pid_privileged(init) < 0)
		return err_set(e, errno, "enter the container's PID namespace");
	return 0;
}

int join_leave_pid_namespace(struct err *e)
{
	autoclose int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (own < 0 || setns_pid_privileged(own) < 0)
		return err_set(e, errno, "leave the container's PID namespace");
	return 0;
}

/*
 * The container's root: what changes the machine and not the container would be
 * refused by the kernel anyway (user_namespaces(7)); LXC drops the same for its
 * unprivileged containers. No program can bring one back: no_new_privs is set.
 * Safe: only gives up; what is left counts in the user's own namespaces.
 */
static int drop_host_capabilities(void)
{
	static const int host[] = { CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_SYS_BOOT };
	struct caps caps = { .head = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	if (syscall(SYS_capget, &caps.head, caps.data) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++) {
		if (prctl(PR_CAPBSET_DROP, host[i], 0, 0, 0) < 0)
			return -1;
		caps.data[CAP_TO_INDEX(host[i])].permitted &= ~CAP_TO_MASK(host[i]);
		caps.data[CAP_TO_INDEX(host[i])].effective &= ~CAP_TO_MASK(host[i]);
		caps.data[CAP_TO_INDEX(host[i])].inheritable = 0;
	}
	return syscall(SYS_capset, &caps.head, caps.data);
}

/*
 * Joining a user namespace gives all its capabilities: the program must not have them, nor get them back.
 * Safe: only gives up.
 */
static int drop_capabilities(bool remap_root)
{
	struct caps none = { .head = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (remap_root)
		return drop_host_capabilities();
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return syscall(SYS_capset, &none.head, none.data);
}

/*
 * Every task of the step does it, in the mount namespace that they share: once would be enough.
 * Safe: in the container's mount namespace, with the capabilities of its user namespace; only takes away.
 */
static int make_root_readonly(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof(attr));
}

/*
 * Restrictions of the user's own mounts. LXC makes only the uppermost mount of a
 * bind read-only, and passes over nosuid, nodev and noexec; here they hold for
 * all that is mounted below, too. Every task does it again, to no effect.
 * Safe: as make_root_readonly(); the targets were checked, and the kernel lets only mounts of this namespace be changed.
 */
static int restrict_mounts(const char *text, struct err *e)
{
	static const struct { const char *flag; uint64_t attribute; } known[] = {
		{ "ro", MOUNT_ATTR_RDONLY }, { "nosuid", MOUNT_ATTR_NOSUID }, { "nodev", MOUNT_ATTR_NODEV },
		{ "noexec", MOUNT_ATTR_NOEXEC },
	};
	struct mount_entry m;
	int rc;

	while ((rc = mounts_next(&text, &m, e)) > 0) {
		struct mount_attr attr = { 0 };

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (mount_has_flag(&m, known[i].flag))
				attr.attr_set |= known[i].attribute;
		if (!attr.attr_set || m.kind == MOUNT_UMOUNT)
			continue;
		/* one that a later mount hides cannot be reached, by anybody */
		if (syscall(SYS_mount_setattr, AT_FDCWD, m.target, mount_has_flag(&m, "bind") ? 0 : AT_RECURSIVE,
			    &attr, sizeof(attr)) < 0 && errno != ENOENT && errno != EINVAL)
			return err_set(e, errno, "--container-mounts: restrict %.200s", m.target);
	}
	return rc;
}

static int go_to_directory(const struct join *how, struct err *e)
{
	if (how->workdir)
		return chdir(how->workdir) == 0 ? 0 : err_set(e, errno, "--container-workdir=%.200s in the container", how->workdir);
	if (*how->cwd && chdir(how->cwd) == 0)
		return 0;
	if (how->fallback && chdir(how->fallback) == 0) {
		if (*how->cwd)
			dprintf(STDERR_FILENO, "slxc: working directory %s is not in the container, starting in %s\n",
				how->cwd, how->fallback);
		return 0;
	}
	if (*how->cwd)
		dprintf(STDERR_FILENO, "slxc: working directory %s is not in the container, starting in /\n", how->cwd);
	return chdir("/") == 0 ? 0 : err_set(e, errno, "go to / in the container");
}

/*
 * The profile that the program is to run under: apparmor(7), "change on exec",
 * without a library in slurmstepd. ENOENT: no AppArmor in this kernel (the file
 * is missing), or no such profile (from write); EINVAL: AppArmor is not enabled.
 */
static int ask_for_profile(enum conf_apparmor mode, struct err *e)
{
	static const char request[] = "exec " JOIN_PROFILE;
	autoclose int fd = -1;

	if (mode == APPARMOR_NONE)
		return 0;
	fd = open("/proc/thread-self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, request, sizeof(request) - 1) == sizeof(request) - 1)
		return 0;
	if (mode == APPARMOR_AUTO && (errno == ENOENT || errno == EINVAL))
		return 0;
	if (errno == ENOENT || errno == EINVAL)
		return err_set(e, 0, "apparmor=required in slxc.conf, and this node %s: tell its administrator",
			fd < 0 || errno == EINVAL ? "has no AppArmor" : "has not loaded the profile " JOIN_PROFILE);
	return err_set(e, errno, "enter the AppArmor profile " JOIN_PROFILE);
}

/*
 * Safe: it is the user's own task that gives up what it was, and nothing is
 * left to be done with more privilege afterwards. Until it executes the user's
 * program nobody but root may trace it (its memory is still slurmstepd's copy,
 * of a program that root executed).
 */
int join_container(const struct join *j, struct err *e)
{
	int net = j->own_network ? CLONE_NEWNET : 0;

	/* As after every change of ids, unless the node's fs.suid_dumpable says otherwise. Until exec. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, errno, "protect the task's memory");
	if (setns(j->init, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | net) < 0)
		return err_set(e, errno, "enter the container%s", errno == ESRCH ? " (it is gone already)" : "");
	/* The new root's /proc shows this process only if it was born in the container's PID namespace. */
	if (access("/proc/self/status", F_OK) < 0)
		return err_set(e, 0, "the task was not born in the container");
	if (j->mounts && restrict_mounts(j->mounts, e) < 0)
		return -1;
	if (j->readonly && make_root_readonly() < 0)
		return err_set(e, errno, "make the container's root file system read-only");
	if (drop_capabilities(j->remap_root) < 0)
		return err_set(e, errno, "give up capabilities");
	if (j->remap_root && fakeids_install() < 0)
		return err_set(e, errno, "install the filter of --container-remap-root");
	if (go_to_directory(j, e) < 0 || ask_for_profile(j->apparmor, e) < 0)
		return -1;
	return j->filter ? filter_install(j->filter, e) : 0;
}
