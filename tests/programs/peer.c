/*
 * peer [-c] [-l] [-e] [-r FILE] HELPER KEY=VALUE...: speaks to a real slxc-step as the plugin does: REQUEST with these records, JOIN,
 * and once READY, DONE. Prints what comes back, a line a message ("VERB text"), and the helper's exit status.
 * -c: the helper's descriptors 0 to 2 are closed. -l: every resource limit that can be is nothing. -e: a hostile environment.
 * -r: the first message is that file's bytes. -d: hangs up after the request.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire.h"

static struct wire w;
static struct err e;
static int far;

static void start(const char *helper, int closed, int limits, int hostile)
{
	char *const argv[] = { "slxc-step", "step", NULL };
	char *const bad[] = { "LD_PRELOAD=/tmp/evil.so", "LD_LIBRARY_PATH=/tmp", "TMPDIR=/tmp/evil", "XDG_RUNTIME_DIR=/tmp/evil",
		"LXC_CONFIG_FILE=/tmp/evil", "GCONV_PATH=/tmp", "LOCPATH=/tmp", "MALLOC_CHECK_=3", "GLIBC_TUNABLES=glibc.malloc.check=3",
		"PATH=/tmp/evil", "IFS=x", "HOME=/tmp/evil", NULL };
	char *const none[] = { NULL };

	dup2(far, 3);
	for (int fd = closed ? 0 : 64; fd < 3; fd++)
		close(fd);
	for (int what = 0; limits && what < RLIMIT_NLIMITS; what++) {
		/* what even an exec needs stays, a little */
		rlim_t n = what == RLIMIT_NOFILE ? 64 : what == RLIMIT_STACK ? 1 << 20 : what == RLIMIT_AS || what == RLIMIT_DATA ? 1 << 28 :
			what == RLIMIT_CPU ? 10 : 0;
		struct rlimit l = { n, n };

		setrlimit(what, &l);
	}
	execve(helper, argv, hostile ? bad : none);
	_exit(126);
}

static int receive(const char *until)
{
	while (wire_recv(3 + 7, &w, 0, &e) == 1) {
		const char *text = wire_get(&w, "text");

		printf("%s%s%s\n", wire_verb(&w), text ? " " : "", text ? text : "");
		wire_close(&w);
		if (!strcmp(wire_verb(&w), until))
			return 1;
	}
	return 0;
}

static void send_file(const char *path)
{
	static char bytes[1 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (send(10, bytes, n > 0 ? n : 0, MSG_NOSIGNAL) < 0)
		perror("peer: send");
	close(fd);
}

int main(int argc, char **argv)
{
	int closed = 0, limits = 0, hostile = 0, hang_up = 0, option, pair[2], status = 0;
	const char *file = NULL;
	pid_t pid;

	while ((option = getopt(argc, argv, "+clder:")) != -1)
		switch (option) {
		case 'c': closed = 1; break;
		case 'l': limits = 1; break;
		case 'e': hostile = 1; break;
		case 'd': hang_up = 1; break;
		case 'r': file = optarg; break;
		default: return 2;
		}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (wire_pair(pair, &e) < 0)
		return 1;
	dup3(pair[0], 10, O_CLOEXEC);
	far = fcntl(pair[1], F_DUPFD_CLOEXEC, 20);
	pid = fork();
	if (pid == 0)
		start(argv[optind], closed, limits, hostile);
	close(pair[0]);
	close(pair[1]);
	close(far);
	if (file) {
		send_file(file);
	} else {
		wire_begin(&w, "REQUEST");
		for (int i = optind + 1; i < argc; i++) {
			char *eq = strchr(argv[i], '=');

			*eq = 0;
			wire_put(&w, argv[i], "%s", eq + 1);
		}
		wire_send(10, &w, NULL, 0, &e);
	}
	waitpid(pid, &status, 0);
	printf("launcher %d\n", status);
	if (hang_up)
		return 0;
	wire_begin(&w, "JOIN");
	wire_put(&w, "cwd", "/");
	wire_send(10, &w, NULL, 0, &e);
	if (receive("READY")) {
		wire_begin(&w, "DONE");
		wire_send(10, &w, NULL, 0, &e);
		receive("ENDED");
	}
	return 0;
}
