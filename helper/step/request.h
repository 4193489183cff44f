/*
 * What the plugin asks of the supervisor: one step on this node. Identity (job,
 * uid, gid, groups, node) was taken from SPANK by the plugin, which is root;
 * the rest is text a user can influence and is checked here, before anything is
 * done with it. An unknown, repeated, missing or oversize record refuses the
 * whole request.
 */
#ifndef SLXC_REQUEST_H
#define SLXC_REQUEST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/mounts.h"
#include "common/name.h"
#include "common/wire.h"

#define REQUEST_MAX_GROUPS 1024

enum answer { UNSAID, YES, NO };

struct request {
	uint32_t job;
	char step[24];            /* "0", "12", "batch", "interactive" */
	char node[65];
	uid_t uid;
	gid_t gid;
	unsigned n_groups;
	gid_t groups[REQUEST_MAX_GROUPS];
	uint64_t memory;          /* of the step on this node, MiB; 0: not known */
	char user[64];            /* login name, or the uid in digits */
	char group[64];           /* name of gid, or the gid in digits */
	char image[NAME_MAX_LEN + 1];
	char home[PATH_MAX];      /* absolute; empty: none */
	char shell[PATH_MAX];
	char cwd[PATH_MAX];       /* where the step will most likely run; empty: unknown */
	char script[PATH_MAX];    /* the batch script's file; empty: not a batch step */
	char task_prolog[PATH_MAX]; /* slurm.conf's: run in each task, so it has to be in the container; empty: none */
	/* the user's options; a question left open is slxc.conf's */
	char mounts[MOUNTS_TEXT_SIZE]; /* see common/mounts.h */
	enum answer mount_home;
	enum answer writable;
	enum answer remap_root;
	bool own_network;
	bool own_ipc;             /* of its own anyway; with this /dev/shm is, too */
	uint64_t scratch;         /* bytes; 0: not said */
};

/* Reads a REQUEST message. 0, or -1 with r untouched and a text that names the record. */
int request_decode(const struct wire *w, struct request *r, struct err *e);

#endif
