/*
 * A seccomp filter as slxc-seccomp writes it: a head and up to two BPF programs,
 * in the machine's byte order. Two, because the second says what the first
 * cannot: a system call that is allowed except with certain arguments. The kernel
 * runs both, and the stricter answer counts (seccomp(2)).
 */
#ifndef SLXC_FILTER_H
#define SLXC_FILTER_H

#include <linux/filter.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

#define FILTER_MAGIC 0x3143786cu  /* "lxC1" */
#define FILTER_PROGRAMS 2

/* The file: this head, then length[0] and length[1] instructions. */
struct filter_head {
	uint32_t magic;
	uint32_t length[FILTER_PROGRAMS]; /* 1 to BPF_MAXINSNS each; the second may be 0 */
};

#define FILTER_MAX_SIZE (sizeof(struct filter_head) + FILTER_PROGRAMS * BPF_MAXINSNS * sizeof(struct sock_filter))

struct filter {
	struct filter_head head;
	struct sock_filter *code;  /* owned; one program after the other */
};

/* True when size bytes at data are a whole filter. The kernel checks the programs themselves. */
int filter_is_valid(const void *data, size_t size);

/* Reads the file from its start, wherever its offset is (several may share it). 0, or -1 with f untouched. Any privilege. */
int filter_read(int fd, struct filter *f, struct err *e);
void filter_free(struct filter *f);

/*
 * Puts this thread and what it executes below the filter, for good. Needs
 * NO_NEW_PRIVS. Does not switch on the mitigations of speculation that seccomp
 * once implied (SPEC_ALLOW): they cost a program much, and the task trusts
 * itself as much as a bare one does. Linux 4.17.
 */
int filter_install(const struct filter *f, struct err *e);

#endif
