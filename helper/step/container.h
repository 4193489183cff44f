/* The container's init, as the supervisor knows it: verified, and killed for certain. Root only. */
#ifndef SLXC_CONTAINER_H
#define SLXC_CONTAINER_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct container {
	pid_t pid;         /* of init, on the host; 0: none */
	uint64_t start;    /* its start time (field 22 of /proc/PID/stat) */
	int pidfd;         /* -1: none */
};

/*
 * Takes pid, which claims to be the init of the step's container, after checking
 * what the kernel says of it: a child of the worker, PID 1 of a PID namespace
 * and in a mount namespace that both belong to a user namespace owned by uid and
 * made directly below the host's. So a worker that lies cannot send the step's
 * tasks into another container or keep them on the host. The namespace ioctls
 * are those of ioctl_ns(2), Linux 4.11.
 */
int container_verify(struct container *c, pid_t pid, pid_t worker, uid_t uid, struct err *e);

/* SIGKILL to init; the kernel then kills its PID namespace. Harmless on one that is gone. */
void container_kill(struct container *c);

/* Start time of a process, or 0: to tell a pid from its reuse. */
uint64_t process_start_time(pid_t pid);

#endif
