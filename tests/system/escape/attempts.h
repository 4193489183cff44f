/* Attempts at getting out of a container. Each is a function of its own process; the program says what came of it. */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <sys/types.h>

/* What it answers; errno says why it was held. */
enum { HELD, THROUGH, NOT_HERE };

struct attempt {
	const char *name;
	int (*run)(void);
};

/* What the caller says (NAME=VALUE arguments) of the node; "" or 0: unknown. */
struct target {
	pid_t pid;           /* target: a bare process of the same user */
	pid_t other;         /* other: a process of the same user in another container */
	pid_t stepd;         /* stepd: this step's slurmstepd */
	const char *evil;    /* evil: where the directory with suid, caps and nodes is; "" is "/" */
	const char *secret;  /* secret: a file of the host that every user may read */
	const char *rundir;  /* rundir: slxc's run-time directory */
	const char *image;   /* image: the layers file of another user's private image */
	const char *layer;   /* layer: the file of its layer */
	const char *munge;   /* munge: the socket of munged */
};
extern struct target target;

extern const struct attempt kernel_attempts[], container_attempts[];

/* THROUGH when the call did not fail. */
int result(long rc);

#endif
