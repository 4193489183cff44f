/* Starting the worker: the one place where the supervisor becomes the user. Root. */
#ifndef SLXC_WORKER_H
#define SLXC_WORKER_H

#include <sys/types.h>

#include "common/conf.h"
#include "common/err.h"
#include "request.h"

struct worker {
	pid_t pid;    /* 0: none */
	int pidfd;
	int control;  /* packet socket to the worker; -1: none */
	int init;     /* packet socket on which the container's init says UP, with SO_PASSCRED */
	int init_far; /* the other end, until it is handed over */
};

#define WORKER_NONE { .pid = 0, .pidfd = -1, .control = -1, .init = -1, .init_far = -1 }

/* Forks and executes it as the request's user; it waits for worker_send_step(). */
int worker_start(struct worker *w, const struct request *r, struct err *e);

/* Hands it the step, the image's configuration and init's socket. cwd: where the step runs. */
int worker_send_step(struct worker *w, const struct request *r, const struct conf *conf,
	const char *cwd, int config, struct err *e);

/* Kills it, waits for it, and closes what belonged to it. Safe on one that never started. */
void worker_destroy(struct worker *w);

#endif
