/*
 * SLXC_LOGDIR/steps.jsonl: one line of JSON per finished step and node, appended
 * with one write(2). Root only. Keys: see doc/records in the administrator's guide.
 */
#ifndef SLXC_RECORD_H
#define SLXC_RECORD_H

#include "common/err.h"
#include "rundir.h"

#define RECORD_MAX_STATUSES 8192

struct record {
	struct step_info info;
	const char *end;            /* how it ended: "ended", "killed", "failed", "lost" */
	const char *error;          /* why, or NULL */
	unsigned n_statuses;
	struct { uint32_t task; int status; } *statuses; /* wait(2) statuses, from the plugin */
	uint64_t scratch_bytes, scratch_inodes;
};

/* Appends the line. A log that cannot be written never fails a step: -1 is for the log only. */
int record_append(const struct record *r, struct err *e);

#endif
