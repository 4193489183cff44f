/*
 * The messages between plugin, supervisor, worker and init: one packet of a
 * SOCK_SEQPACKET socket pair each, 64 KiB at most. A message is a verb and
 * key=value records, every one ended by NUL:
 *
 *   plugin -> supervisor   REQUEST ... (see step/request.h), JOIN cwd=PATH,
 *                          DONE status=TASK:WAITSTATUS ...
 *   supervisor -> plugin   READY seccomp=yes|none apparmor=auto|required|none
 *                          env=NAME=VALUE ... with the pidfd of the container's init and, for yes, the filter (common/filter.h)
 *                          (the answer to JOIN), or ERROR text=...; ENDED: all is cleaned up,
 *                          with a pidfd of the supervisor and the step's mount namespace
 *   supervisor -> worker   STEP ... with config.json and init's socket
 *   worker -> supervisor   ENV env=NAME=VALUE ..., ERROR text=...
 *   init -> supervisor     UP (the sender's pid and uid come from the kernel)
 *
 * The other side may be dead, slow or hostile: nothing here trusts a length or
 * assumes a final NUL. Any privilege may call these.
 */
#ifndef SLXC_WIRE_H
#define SLXC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"

#define WIRE_VERSION "1"
#define WIRE_MAX 65536
#define WIRE_MAX_FDS 4

struct wire {
	size_t len;
	int overflow;             /* a wire_put did not fit: wire_send refuses */
	int fds[WIRE_MAX_FDS];    /* received descriptors (O_CLOEXEC), owned: wire_close() */
	unsigned n_fds;
	pid_t pid;                /* sender, when the socket has SO_PASSCRED, else 0 */
	uid_t uid;
	char buf[WIRE_MAX];
};

/* Starts a message; put() adds a record. A value that holds NUL cannot be said, so none is. */
void wire_begin(struct wire *w, const char *verb);
void wire_put(struct wire *w, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sends with up to WIRE_MAX_FDS descriptors, which stay the caller's. Never raises SIGPIPE. 0 or -1. */
int wire_send(int sock, const struct wire *w, const int *fds, unsigned n_fds, struct err *e);

/*
 * Receives one message. Returns 1, 0 at end of file (the peer is gone), or -1:
 * e->code EAGAIN when flags has MSG_DONTWAIT and there is none, EPROTO when it
 * is malformed (too long, no final NUL, a record without '=', too many
 * descriptors). flags: 0, MSG_PEEK (the message stays for others, descriptors
 * are received but the caller owns its own copies), MSG_DONTWAIT.
 */
int wire_recv(int sock, struct wire *w, int flags, struct err *e);

/* Closes the descriptors that wire_recv got and that nobody took (steal_fd). */
void wire_close(struct wire *w);

/* The verb, always a string. */
const char *wire_verb(const struct wire *w);

/*
 * Walks the records: *pos starts at 0. Copies the key (cut at key_size) and
 * points *value into w. Returns false after the last.
 */
bool wire_next(const struct wire *w, size_t *pos, char *key, size_t key_size, const char **value);

/* The value of the first record with that key, or NULL. */
const char *wire_get(const struct wire *w, const char *key);

/* A pair of connected packet sockets, O_CLOEXEC. 0 or -1. */
int wire_pair(int pair[2], struct err *e);

#endif
