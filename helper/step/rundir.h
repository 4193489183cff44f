/*
 * Run-time state on this node: SLXC_RUNDIR (0755 root) with
 *   steps/<job>.<step>.<pid>/info   one per running step, held by a lock while its supervisor lives
 *   images/                         the node's image mounts (0700)
 *   seccomp/                        the compiled seccomp filter (0700)
 *   mnt/                            where each step's private mount namespace has its mounts
 * Root only.
 */
#ifndef SLXC_RUNDIR_H
#define SLXC_RUNDIR_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct request;

#define RUNDIR_STEPS SLXC_RUNDIR "/steps"
#define RUNDIR_IMAGES SLXC_RUNDIR "/images"
#define RUNDIR_MNT SLXC_RUNDIR "/mnt"
#define RUNDIR_SECCOMP SLXC_RUNDIR "/seccomp"

/* What `info` says of a step: enough to destroy and record it when its supervisor is gone. */
struct step_info {
	uint32_t job;
	char step[24];
	char node[65];
	char user[64];
	uid_t uid;
	char image[264];
	char digest[80];
	int64_t start;            /* Unix time, milliseconds */
	double ready_ms;          /* request to ready; negative: never */
	pid_t init;               /* 0: not known yet */
	uint64_t init_start;      /* its start time in /proc/PID/stat, against PID reuse */
	pid_t worker;             /* the same of the worker; 0: none yet */
	uint64_t worker_start;
};

#define ENTRY_NAME_SIZE 64

/* A running step's entry; the lock lives as long as the supervisor has the descriptor open. */
struct entry {
	char name[ENTRY_NAME_SIZE]; /* "<job>.<step>.<pid>", of the supervisor */
	int file;                 /* info, locked */
};

/* Makes the directories above (idempotent). */
int rundir_prepare(struct err *e);

void entry_name(char out[ENTRY_NAME_SIZE], const struct request *r, pid_t supervisor);
int entry_create(struct entry *en, const struct request *r, struct err *e);
int entry_write(const struct entry *en, const struct step_info *info, struct err *e);
/* Removes the entry and closes it. Safe on one that was never created (file < 0). */
void entry_remove(struct entry *en);

/*
 * Opens another supervisor's entry. *holder: its pid, or 0 when it is dead; then
 * this process now has the lock. -1 with ENOENT: it went meanwhile.
 */
int entry_adopt(struct entry *en, const char *name, pid_t *holder, struct step_info *info, struct err *e);

#endif
