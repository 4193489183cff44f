/*
 * hostile: slxc-worker as a malicious user would have it. What it does is the word in MODE_FILE. Speaks the wire
 * protocol of helper/common/wire.h, which it is linked with.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire.h"

#define CONTROL 3

static struct wire w;
static struct err e;
static char mode[64];
static int init_socket = -1;

static int is(const char *word)
{
	return !strcmp(mode, word);
}

static void say(int socket, const char *verb, const char *key, const char *value)
{
	wire_begin(&w, verb);
	if (key)
		wire_put(&w, key, "%s", value);
	wire_send(socket, &w, NULL, 0, &e);
}

static void raw(const char *bytes, size_t size)
{
	send(CONTROL, bytes, size, MSG_NOSIGNAL);
}

/* n descriptors with an otherwise good message. */
static void descriptors(int n)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * 64)];
		struct cmsghdr align;
	} control = { .space = { 0 } };
	static char text[] = "ENV\0env=A=1";
	struct iovec iov = { text, sizeof(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	for (int i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &(int){ open("/dev/zero", O_RDONLY) }, sizeof(int));
	sendmsg(CONTROL, &m, MSG_NOSIGNAL);
}

static void up(void)
{
	say(init_socket, "UP", NULL, NULL);
}

/* Claims, in the kernel's own words, to be somebody else. */
static void up_as(pid_t pid)
{
	union {
		char space[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control = { .space = { 0 } };
	struct ucred cred = { .pid = pid, .uid = getuid(), .gid = getgid() };
	struct iovec iov = { "UP", 3 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	if (sendmsg(init_socket, &m, MSG_NOSIGNAL) < 0)
		up();
}

/* A child in namespaces of that kind says UP. */
static void up_from_child(int flags, int twice)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (twice)
			unshare(CLONE_NEWUSER);
		if (flags && unshare(flags) < 0)
			_exit(1);
		if (flags & CLONE_NEWPID && fork() > 0) {
			pause();
			_exit(0);
		}
		up();
		pause();
	}
	pause();
}

int main(void)
{
	static char big[200000];
	FILE *f = fopen(MODE_FILE, "r");

	if (f && fgets(mode, sizeof(mode), f))
		mode[strcspn(mode, "\n")] = 0;
	if (wire_recv(CONTROL, &w, 0, &e) != 1 || w.n_fds != 2)
		return 1;
	init_socket = w.fds[1];
	if (is("truncated"))
		raw("ENV\0env=A=1", 11);
	else if (is("empty"))
		raw("\0", 1);
	else if (is("no equals sign"))
		raw("ENV\0xyz", 8);
	else if (is("repeated"))
		for (int i = 0; i < 2; i++)
			say(CONTROL, "ENV", "env", "A=1");
	else if (is("oversize")) {
		memset(big, 'x', sizeof(big));
		memcpy(big, "ENV\0env=A=", 10);
		big[sizeof(big) - 1] = 0;
		raw(big, sizeof(big));
		raw(big, 65537);
	} else if (is("out of order")) {
		static const char *const verbs[] = { "READY", "REQUEST", "ENDED", "DONE", "JOIN", "STEP", "UP", "ERROR" };

		for (size_t i = 0; i < 8; i++)
			say(CONTROL, verbs[i], "cwd", "/");
	} else if (is("flood")) {
		for (;;)
			say(CONTROL, "NOISE", "x", "y");
	} else if (is("flood init")) {
		for (;;)
			say(init_socket, "NOISE", "x", "y");
	} else if (is("descriptors"))
		descriptors(3);
	else if (is("many descriptors"))
		descriptors(60);
	else if (is("long error")) {
		memset(big, '\033', 60000);
		say(CONTROL, "ERROR", "text", big);
	} else if (is("strange environment")) {
		wire_begin(&w, "ENV");
		for (int i = 0; i < 2000; i++)
			wire_put(&w, "env", "%d=%d", i, i);
		wire_put(&w, "env", "LD_PRELOAD=/no/such");
		wire_put(&w, "text", "x");
		wire_send(CONTROL, &w, NULL, 0, &e);
	} else if (is("up itself"))
		up();
	else if (is("up as init"))
		up_as(1);
	else if (is("up as parent"))
		up_as(getppid());
	else if (is("up from child"))
		up_from_child(0, 0);
	else if (is("up without mounts"))
		up_from_child(CLONE_NEWUSER | CLONE_NEWPID, 0);
	else if (is("up from below"))
		up_from_child(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS, 1);
	else if (is("up and gone")) {
		if (fork() == 0) {
			up();
			_exit(0);
		}
	} else if (is("exits holding")) {
		/* the socket stays open elsewhere */
		if (fork() == 0)
			pause();
		return 0;
	} else if (is("stops"))
		raise(SIGSTOP);
	else if (is("ignores")) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		if (fork() == 0)
			setsid();
	} else if (is("forks")) {
		for (int i = 0; i < 200; i++)
			if (fork() == 0) {
				setsid();
				pause();
			}
	}
	pause();
	return 0;
}
