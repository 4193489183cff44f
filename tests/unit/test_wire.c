#include <config.h>

#include "common/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static int pair[2];
static struct wire w; /* 64 KiB: not for the stack */

static void open_pair(void)
{
	struct err e = { 0 };

	ck_ok(wire_pair(pair, &e), e);
}

START_TEST(there_and_back)
{
	struct err e = { 0 };
	const char *value;
	char key[8];
	size_t pos = 0;

	open_pair();
	wire_begin(&w, "REQUEST");
	wire_put(&w, "a", "%d", 1);
	wire_put(&w, "longer_key", "x=y");
	wire_put(&w, "empty", "%s", "");
	ck_ok(wire_send(pair[0], &w, NULL, 0, &e), e);
	memset(&w, 'z', sizeof(w));
	ck_assert_int_eq(wire_recv(pair[1], &w, 0, &e), 1);
	ck_assert_str_eq(wire_verb(&w), "REQUEST");
	ck_assert(wire_next(&w, &pos, key, sizeof(key), &value));
	ck_assert_str_eq(key, "a");
	ck_assert_str_eq(value, "1");
	ck_assert(wire_next(&w, &pos, key, sizeof(key), &value));
	ck_assert_str_eq(key, "longer_");
	ck_assert_str_eq(value, "x=y");
	ck_assert(wire_next(&w, &pos, key, sizeof(key), &value));
	ck_assert_str_eq(value, "");
	ck_assert(!wire_next(&w, &pos, key, sizeof(key), &value));
	ck_assert_str_eq(wire_get(&w, "longer_key"), "x=y");
	ck_assert_ptr_null(wire_get(&w, "none"));
}
END_TEST

START_TEST(descriptors)
{
	struct err e = { 0 };
	int fds[WIRE_MAX_FDS] = { 0, 0, 0, 0 };

	open_pair();
	wire_begin(&w, "FDS");
	ck_ok(wire_send(pair[0], &w, fds, WIRE_MAX_FDS, &e), e);
	ck_assert_int_eq(wire_recv(pair[1], &w, 0, &e), 1);
	ck_assert_uint_eq(w.n_fds, WIRE_MAX_FDS);
	ck_assert_int_eq(fcntl(w.fds[3], F_GETFD), FD_CLOEXEC);
	fds[0] = w.fds[0];
	wire_close(&w);
	ck_assert_uint_eq(w.n_fds, 0);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
}
END_TEST

START_TEST(too_many_descriptors)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * 10)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = "VERB", .iov_len = 5 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	struct cmsghdr *c;
	struct err e;
	int before = dup(0);

	memset(&control, 0, sizeof(control)); /* ten times descriptor 0 */
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * 10);
	close(before);
	open_pair();
	ck_assert_int_eq(sendmsg(pair[0], &msg, 0), 5);
	ck_refused(wire_recv(pair[1], &w, 0, &e), e, "receive a message: Protocol error");
	ck_assert_uint_eq(w.n_fds, 0);
	close(pair[0]);
	close(pair[1]);
	ck_assert_int_eq(dup(0), before); /* none stayed open */
}
END_TEST

static void refuses_packet(const void *packet, size_t size)
{
	struct err e;

	ck_assert_int_eq(send(pair[0], packet, size, 0), size);
	ck_refused(wire_recv(pair[1], &w, 0, &e), e, "receive a message: Protocol error");
	ck_assert_int_eq(e.code, EPROTO);
	ck_assert_str_eq(wire_verb(&w), "");
}

START_TEST(malformed)
{
	static char big[WIRE_MAX + 1];
	int size = 4 * WIRE_MAX;

	open_pair();
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	refuses_packet("VERB", 4);                   /* no final NUL */
	refuses_packet("", 1);                       /* no verb */
	refuses_packet("VERB\0a=b", 8);              /* the last record without its NUL */
	refuses_packet("VERB\0ab", 8);               /* no '=' */
	refuses_packet("VERB\0=b", 8);               /* no key */
	refuses_packet("VERB\0a=b\0", 10);           /* an empty record */
	memset(big, 'x', sizeof(big));
	big[4] = 0;
	big[6] = '=';
	big[WIRE_MAX] = 0;
	refuses_packet(big, sizeof(big));
}
END_TEST

START_TEST(what_does_not_fit_is_not_sent)
{
	static char big[WIRE_MAX];
	struct err e;

	open_pair();
	memset(big, 'x', sizeof(big) - 1);
	wire_begin(&w, "V");
	wire_put(&w, "k", "%s", big);
	ck_refused(wire_send(pair[0], &w, NULL, 0, &e), e, "message V is larger than 65536 bytes");
	ck_assert_int_eq(e.code, EMSGSIZE);
	big[WIRE_MAX - 5] = 0; /* "V" NUL "k=" value NUL: to the last byte */
	wire_begin(&w, "V");
	wire_put(&w, "k", "%s", big);
	ck_assert_uint_eq(w.len, WIRE_MAX);
	ck_assert(!w.overflow);
	wire_put(&w, "k", "%s", "");
	ck_assert(w.overflow);
}
END_TEST

START_TEST(the_peer_is_gone)
{
	struct err e = { 0 };

	open_pair();
	ck_assert_int_eq(wire_recv(pair[1], &w, MSG_DONTWAIT, &e), -1);
	ck_assert_int_eq(e.code, EAGAIN);
	close(pair[0]);
	ck_assert_int_eq(wire_recv(pair[1], &w, 0, &e), 0);
	wire_begin(&w, "V");
	ck_refused(wire_send(pair[1], &w, NULL, 0, &e), e, "send V: Broken pipe");
}
END_TEST

START_TEST(sender_from_the_kernel)
{
	struct err e = { 0 };
	int on = 1;

	open_pair();
	setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	wire_begin(&w, "UP");
	ck_ok(wire_send(pair[0], &w, NULL, 0, &e), e);
	ck_assert_int_eq(wire_recv(pair[1], &w, 0, &e), 1);
	ck_assert_int_eq(w.pid, getpid());
	ck_assert_uint_eq(w.uid, getuid());
}
END_TEST

UNIT_MAIN("wire", there_and_back, descriptors, too_many_descriptors, malformed, what_does_not_fit_is_not_sent,
	the_peer_is_gone, sender_from_the_kernel)
