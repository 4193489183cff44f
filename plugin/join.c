#include "config.h"

#include "join.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

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
 * Joining a user namespace gives all its capabilities: the program must not have them, nor get them back.
 * Safe: only gives up.
 */
static int drop_capabilities(void)
{
	struct caps none = { .head = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return syscall(SYS_capset, &none.head, none.data);
}

static int enter_directory(const char *cwd, struct err *e)
{
	if (*cwd && chdir(cwd) == 0)
		return 0;
	if (*cwd)
		dprintf(STDERR_FILENO, "slxc: working directory %s is not in the container, starting in /\n", cwd);
	if (chdir("/") < 0)
		return err_set(e, errno, "go to / in the container");
	return 0;
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
	if (setns(j->init, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return err_set(e, errno, "enter the container%s", errno == ESRCH ? " (it is gone already)" : "");
	/* The new root's /proc shows this process only if it was born in the container's PID namespace. */
	if (access("/proc/self/status", F_OK) < 0)
		return err_set(e, 0, "the task was not born in the container");
	if (drop_capabilities() < 0)
		return err_set(e, errno, "give up capabilities");
	if (enter_directory(j->cwd, e) < 0 || ask_for_profile(j->apparmor, e) < 0)
		return -1;
	return j->filter ? filter_install(j->filter, e) : 0;
}
