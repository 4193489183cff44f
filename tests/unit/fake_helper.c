/*
 * slxc-step for the tests of the plugin. Appends how it was called to
 * PRIVATE_DIR/calls and does as PRIVATE_DIR/behaviour says; what it receives is
 * written to PRIVATE_DIR/REQUEST, JOIN and DONE, a record a line.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/filter.h"
#include "common/io.h"
#include "common/wire.h"

static struct wire w;
static struct err e;

static int says(const char *word)
{
	static char text[256];
	FILE *f = text[0] ? NULL : fopen(PRIVATE_DIR "/behaviour", "re");

	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = 0;
		fclose(f);
	}
	return !strcmp(text, word);
}

/* Receives one message and writes it down. Ends the program when there is none. */
static void receive(void)
{
	char path[4096], key[64];
	const char *value;
	size_t pos = 0;
	FILE *f;

	if (wire_recv(3, &w, 0, &e) <= 0)
		exit(0);
	snprintf(path, sizeof(path), PRIVATE_DIR "/%.16s", wire_verb(&w));
	f = fopen(path, "we");
	while (f && wire_next(&w, &pos, key, sizeof(key), &value))
		fprintf(f, "%s=%s\n", key, value);
	if (f)
		fclose(f);
}

static void ready(unsigned n_fds)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0), fds[2] = { pidfd, pidfd };
	const uint32_t filter[5] = { FILTER_MAGIC, says("short filter") ? 2 : 1, 0, BPF_RET | BPF_K, SECCOMP_RET_ALLOW };
	char longer[400];

	memset(longer, 'n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	wire_begin(&w, "READY");
	wire_put(&w, "seccomp", says("filter") || says("short filter") || says("no filter") ? "yes" : "none");
	if (says("filter") || says("short filter")) {
		fds[1] = memfd_create("filter", 0);
		io_write_all(fds[1], filter, sizeof(filter)); /* its offset is at the end */
	}
	wire_put(&w, "apparmor", "auto");
	wire_put(&w, "env", "LANG=C.UTF-8");
	wire_put(&w, "env", "EMPTY=");
	wire_put(&w, "env", "OPTS=a=b c");
	wire_put(&w, "env", "NOVALUE");
	wire_put(&w, "env", "%s=1", longer);
	wire_put(&w, "other", "X=1");
	wire_send(3, &w, fds, n_fds, &e);
	close(pidfd);
}

static void error(const char *text)
{
	wire_begin(&w, "ERROR");
	wire_put(&w, "text", "%s", text);
	wire_send(3, &w, NULL, 0, &e);
}

static int serve(void)
{
	if (says("exit"))
		return 0;
	receive();
	if (says("exit after request"))
		return 0;
	if (says("error at once")) {
		error("no image 'x'");
		return 0;
	}
	receive();
	if (says("error"))
		error("image \033[31m'x'\r\nnode1: error: all is well\x7f\xc3\xa4");
	if (says("long error")) {
		static char text[60000];

		memset(text, 'y', sizeof(text) - 1);
		error(text);
	}
	if (says("error without text")) {
		wire_begin(&w, "ERROR");
		wire_send(3, &w, NULL, 0, &e);
	}
	if (says("garbage"))
		send(3, "\xff\xfe\0\0\0=\0x", 8, MSG_NOSIGNAL);
	if (says("unknown verb")) {
		wire_begin(&w, "HELLO\033[2J");
		wire_send(3, &w, NULL, 0, &e);
	}
	if (says("no descriptor"))
		ready(0);
	if (says("two descriptors"))
		ready(2);
	if (says("ready") || says("two readys") || says("never ends") || says("dies later"))
		ready(1);
	if (says("filter") || says("short filter"))
		ready(2);
	if (says("two readys") || says("no filter"))
		ready(1);
	if (says("dies later"))
		return 0;
	receive();
	if (says("never ends"))
		receive();
	wire_begin(&w, "ENDED");
	wire_send(3, &w, NULL, 0, &e);
	return 0;
}

int main(int argc, char **argv)
{
	FILE *calls = fopen(PRIVATE_DIR "/calls", "ae");
	int extra_fds = 0;

	for (int fd = 4; fd < 64; fd++)
		extra_fds += fcntl(fd, F_GETFD) >= 0 && (!calls || fd != fileno(calls));
	if (calls) {
		for (int i = 1; i < argc; i++)
			fprintf(calls, "%s%s", i > 1 ? " " : "", argv[i]);
		fprintf(calls, "%s%s\n", extra_fds ? " with more descriptors" : "", environ[0] ? " with an environment" : "");
		fclose(calls);
	}
	if (argc < 2 || strcmp(argv[1], "step"))
		return 0;
	while (says("never detaches"))
		pause();
	if (fork() != 0)
		_exit(0);
	return serve();
}
