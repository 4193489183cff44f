/*
 * Entering the container: the system calls, and nothing of Slurm. What Linux
 * does here is in setns(2), user_namespaces(7) and pid_namespaces(7).
 */
#ifndef SLXC_JOIN_H
#define SLXC_JOIN_H

#include <stdbool.h>

#include "common/err.h"

/*
 * In the thread of slurmstepd that is going to fork the tasks, while its
 * effective user is the job's and its permitted capabilities are still root's:
 * children forked from now on are born in the PID namespace of init (a pidfd).
 * No thread can be created until join_leave_pid_namespace(). Linux 5.8.
 */
int join_pid_namespace(int init, struct err *e);
int join_leave_pid_namespace(struct err *e);

struct join {
	const char *workdir;  /* the program runs here, or not at all; "": see cwd */
	const char *cwd;      /* else here, if the container has it */
	const char *fallback; /* else here: says so on standard error; "/" if that is missing, too */
	const char *mounts;   /* --container-mounts, as the worker made them; "" for none */
	bool own_network;     /* the container has a network namespace */
	bool readonly;        /* its root file system becomes read-only */
	bool remap_root;      /* the task is its root: see fakeids.h */
};

/*
 * In the task, as the user, just before its program is executed: joins the
 * user, mount, IPC and UTS namespaces of init, and gives up every capability
 * for good; with remap_root it keeps those that a root of an unprivileged
 * container has, which count in the container's own namespaces only. After -1
 * the task may be half in: the caller must end it.
 */
int join_container(int init, const struct join *how, struct err *e);

#endif
