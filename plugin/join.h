/*
 * Entering the container: the system calls, and nothing of Slurm. What Linux
 * does here is in setns(2), user_namespaces(7) and pid_namespaces(7).
 */
#ifndef SLXC_JOIN_H
#define SLXC_JOIN_H

#include <stdbool.h>

#include "common/conf.h"
#include "common/err.h"
#include "common/filter.h"

/*
 * In the thread of slurmstepd that is going to fork the tasks, while its
 * effective user is the job's and its permitted capabilities are still root's:
 * children forked from now on are born in the PID namespace of init (a pidfd).
 * No thread can be created until join_leave_pid_namespace(). Linux 5.8.
 */
int join_pid_namespace(int init, struct err *e);
int join_leave_pid_namespace(struct err *e);

#define JOIN_PROFILE "slxc-container"

/* What a task becomes part of. */
struct join {
	int init;             /* pidfd of the container's init */
	const char *workdir;  /* the program runs here, or not at all; NULL: see cwd */
	const char *cwd;      /* else here, if the container has it */
	const char *fallback; /* else here: says so on standard error; "/" if that is missing, or NULL */
	const char *mounts;   /* --container-mounts, as the worker made them; NULL: none */
	bool own_network;     /* the container has a network namespace */
	bool readonly;        /* its root file system becomes read-only */
	bool remap_root;      /* the task is its root: see fakeids.h */
	const struct filter *filter; /* seccomp; NULL: none */
	enum conf_apparmor apparmor; /* the profile JOIN_PROFILE, from exec on */
};

/*
 * In the task, as the user, just before its program is executed: joins the
 * user, mount, IPC and UTS namespaces of init, gives up every capability for
 * good (with remap_root it keeps those that a root of an unprivileged container
 * has, which count in the container's own namespaces only), goes to its
 * directory, asks for the AppArmor profile, and installs the seccomp filter as
 * the very last thing. After -1 the task may be half in: the caller must end it.
 */
int join_container(const struct join *j, struct err *e);

#endif
