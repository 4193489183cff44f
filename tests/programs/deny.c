/*
 * deny SYSCALL[:FLAGS]=ERRNO... -- PROGRAM ARG...: runs PROGRAM, for which these
 * system calls fail, as they would on another kernel or with another sysctl.
 * FLAGS: only when the first argument has one of these bits.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int number; } calls[] = {
	{ "open_tree", SYS_open_tree }, { "mount_setattr", SYS_mount_setattr }, { "clone", SYS_clone },
	{ "unshare", SYS_unshare }, { "mount", SYS_mount }, { "pidfd_open", SYS_pidfd_open },
	{ "setns", SYS_setns }, { "close_range", SYS_close_range },
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static int find(const char *name, size_t length)
{
	for (size_t i = 0; i < N_CALLS; i++)
		if (strlen(calls[i].name) == length && !strncmp(calls[i].name, name, length))
			return calls[i].number;
	fprintf(stderr, "deny: unknown system call %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	struct sock_filter code[128];
	struct sock_fprog program = { .filter = code };
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		char *end = argv[i] + strcspn(argv[i], ":=");
		unsigned number = find(argv[i], end - argv[i]);
		unsigned flags = *end == ':' ? strtoul(end + 1, &end, 0) : 0;
		unsigned error = *end == '=' ? strtoul(end + 1, NULL, 0) : EPERM;
		struct sock_filter one[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, flags ? 3 : 1),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
			BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		};

		if (!flags) {
			one[2] = one[4];
			memcpy(code + program.len, one, 3 * sizeof(one[0]));
			program.len += 3;
		} else {
			memcpy(code + program.len, one, sizeof(one));
			program.len += 5;
		}
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (i + 1 >= argc) {
		fprintf(stderr, "usage: deny SYSCALL[:FLAGS]=ERRNO... -- PROGRAM ARG...\n");
		return 2;
	}
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("deny: seccomp");
		return 1;
	}
	execv(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 1;
}
