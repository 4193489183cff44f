#include "config.h"

#include "fakeids.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__riscv)
#define NATIVE AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#else
#error "fakeids.c does not know this architecture"
#endif

/* Answers "done" (errno 0) to one system call. */
#define FAKE(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0)

/* Safe: a filter that only ever answers instead of the kernel, for this task and its children. */
int fakeids_install(void)
{
	struct sock_filter code[] = {
		/* another architecture's numbers (32-bit programs): left alone */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_chown
		FAKE(SYS_chown),
#endif
#ifdef SYS_lchown
		FAKE(SYS_lchown),
#endif
		FAKE(SYS_fchown),
		FAKE(SYS_fchownat),
		FAKE(SYS_setuid),
		FAKE(SYS_setgid),
		FAKE(SYS_setreuid),
		FAKE(SYS_setregid),
		FAKE(SYS_setresuid),
		FAKE(SYS_setresgid),
		FAKE(SYS_setgroups),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
