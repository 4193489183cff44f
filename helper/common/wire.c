#include "config.h"

#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void wire_begin(struct wire *w, const char *verb)
{
	w->len = 0;
	w->overflow = 0;
	w->n_fds = 0;
	w->pid = 0;
	w->len = strlen(verb) + 1;
	memcpy(w->buf, verb, w->len);
}

void wire_put(struct wire *w, const char *key, const char *format, ...)
{
	size_t room = sizeof(w->buf) - w->len;
	size_t k = strlen(key);
	va_list ap;
	int n;

	if (w->overflow || k + 2 > room) {
		w->overflow = 1;
		return;
	}
	memcpy(w->buf + w->len, key, k);
	w->buf[w->len + k] = '=';
	va_start(ap, format);
	n = vsnprintf(w->buf + w->len + k + 1, room - k - 1, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room - k - 1) {
		w->overflow = 1;
		return;
	}
	w->len += k + 1 + n + 1;
}

int wire_send(int sock, const struct wire *w, const int *fds, unsigned n_fds, struct err *e)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * WIRE_MAX_FDS)];
		struct cmsghdr align;
	} control = { .space = { 0 } };
	struct iovec iov = { .iov_base = (void *)w->buf, .iov_len = w->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (w->overflow)
		return err_set(e, EMSGSIZE, "message %s is larger than %d bytes", w->buf, WIRE_MAX);
	if (n_fds) {
		struct cmsghdr *c = &control.align; /* CMSG_FIRSTHDR, which might be NULL for all that a compiler knows */

		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, "send %s", w->buf);
	return 0;
}

/* Takes descriptors and credentials out of the control data. -1: more than there is room for. */
static int take_control(struct wire *w, struct msghdr *msg)
{
	int rc = (msg->msg_flags & MSG_CTRUNC) ? -1 : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS) {
			unsigned n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

			for (unsigned i = 0; i < n; i++) {
				int fd;

				memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
				if (w->n_fds < WIRE_MAX_FDS) {
					w->fds[w->n_fds++] = fd;
				} else {
					close(fd);
					rc = -1;
				}
			}
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			w->pid = cred.pid;
			w->uid = cred.uid;
		}
	}
	return rc;
}

/* verb NUL (key=value NUL)*, nothing empty but values */
static int is_well_formed(const struct wire *w)
{
	size_t pos;

	if (w->len == 0 || w->buf[w->len - 1] != 0 || w->buf[0] == 0)
		return 0;
	for (pos = strlen(w->buf) + 1; pos < w->len; pos += strlen(w->buf + pos) + 1) {
		const char *eq = strchr(w->buf + pos, '=');

		if (!eq || eq == w->buf + pos)
			return 0;
	}
	return 1;
}

int wire_recv(int sock, struct wire *w, int flags, struct err *e)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * (WIRE_MAX_FDS + 1)) + CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = w->buf, .iov_len = sizeof(w->buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.space, .msg_controllen = sizeof(control.space),
	};
	ssize_t n;
	int bad;

	w->len = 0;
	w->n_fds = 0;
	w->overflow = 0;
	w->pid = 0;
	w->uid = (uid_t)-1;
	/* ECONNRESET: the peer closed with something of ours unread; what it had sent still comes after that */
	do
		n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return err_set(e, errno, "receive a message");
	if (n == 0)
		return 0;
	w->len = n;
	bad = take_control(w, &msg) < 0;
	if (bad || (msg.msg_flags & MSG_TRUNC) || !is_well_formed(w)) {
		wire_close(w);
		w->len = 0;
		return err_set(e, EPROTO, "receive a message");
	}
	return 1;
}

void wire_close(struct wire *w)
{
	for (unsigned i = 0; i < w->n_fds; i++)
		if (w->fds[i] >= 0)
			close(w->fds[i]);
	w->n_fds = 0;
}

const char *wire_verb(const struct wire *w)
{
	return w->len ? w->buf : "";
}

bool wire_next(const struct wire *w, size_t *pos, char *key, size_t key_size, const char **value)
{
	const char *record, *eq;
	size_t k;

	if (*pos == 0)
		*pos = strlen(wire_verb(w)) + 1;
	if (*pos >= w->len)
		return false;
	record = w->buf + *pos;
	*pos += strlen(record) + 1;
	eq = strchr(record, '=');
	k = (size_t)(eq - record) < key_size ? (size_t)(eq - record) : key_size - 1;
	memcpy(key, record, k);
	key[k] = 0;
	*value = eq + 1;
	return true;
}

const char *wire_get(const struct wire *w, const char *key)
{
	const char *value;
	size_t pos = 0;
	char k[64];

	while (wire_next(w, &pos, k, sizeof(k), &value))
		if (!strcmp(k, key))
			return value;
	return NULL;
}

int wire_pair(int pair[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "make a socket pair");
	return 0;
}
