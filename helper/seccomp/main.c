/*
 * slxc-seccomp: compiles a seccomp policy for this machine.
 *
 *   slxc-seccomp [--cap CAP_NAME]...                 policy on standard input, filter on standard output
 *   slxc-seccomp [--cap CAP_NAME]... --check FILE    says whether it compiles, and what it did
 *
 * slxc-step runs the first as an unprivileged system user: the text is JSON,
 * which root does not parse, and the job's user must have no say in the result.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/filter.h"
#include "common/io.h"
#include "policy.h"

#define MAX_POLICY (1 << 20)
#define MAX_CAPS 64

static int run(int in, const char *const *caps, int check, struct err *e)
{
	autofree char *text = malloc(MAX_POLICY + 1);
	autofree void *filter = NULL;
	ssize_t n = text ? io_read_full(in, text, MAX_POLICY + 1) : -1;
	struct filter_head head;
	struct machine machine;
	struct notes notes;
	size_t size;

	if (n < 0)
		return err_set(e, errno, "read the policy");
	if (n > MAX_POLICY)
		return err_set(e, 0, "the policy is larger than %d bytes", MAX_POLICY);
	machine_here(&machine, caps);
	if (policy_compile(text, n, &machine, &filter, &size, &notes, e) < 0)
		return -1;
	if (!check)
		return io_write_all(STDOUT_FILENO, filter, size) < 0 ? err_set(e, errno, "write the filter") : 0;
	memcpy(&head, filter, sizeof(head));
	printf("%u rules for %s, %u not for this machine; %u and %u instructions\n", notes.rules, machine.arch, notes.skipped,
		head.length[0], head.length[1]);
	if (notes.unknown)
		printf("not known to this libseccomp, so they get the default action: %s%s\n", notes.names,
			notes.unknown > 1 && strlen(notes.names) > sizeof(notes.names) - 64 ? " ..." : "");
	return 0;
}

int main(int argc, char **argv)
{
	const char *caps[MAX_CAPS + 1] = { NULL }, *file = NULL;
	autoclose int opened = -1;
	unsigned n_caps = 0;
	struct err e;
	int i;

	/* other processes of the system user must not write the filter */
	prctl(PR_SET_DUMPABLE, 0);
	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--cap") && n_caps < MAX_CAPS)
			caps[n_caps++] = argv[i + 1];
		else if (!strcmp(argv[i], "--check") && !file)
			file = argv[i + 1];
		else
			break;
	}
	if (i != argc || (!file && isatty(STDOUT_FILENO))) {
		fprintf(stderr, "usage: slxc-seccomp [--cap CAP_NAME]... --check FILE\n");
		return 2;
	}
	if (file && (opened = open(file, O_RDONLY | O_CLOEXEC)) < 0) {
		fprintf(stderr, "slxc-seccomp: %s: %s\n", file, strerror(errno));
		return 1;
	}
	if (run(file ? opened : STDIN_FILENO, caps, file != NULL, &e) == 0)
		return 0;
	err_sanitize(e.text);
	if (file)
		fprintf(stderr, "slxc-seccomp: %s: %s\n", file, e.text);
	else
		fprintf(stderr, "%s\n", e.text);
	return 1;
}
