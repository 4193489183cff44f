/* The compiled programs are run by a BPF interpreter here, so that any system call of any architecture can be asked for. */
#include <config.h>

#include "seccomp/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/filter.h"
#include "common/io.h"
#include "unit.h"

#define X32 0x40000000u
#define ALLOWED SECCOMP_RET_ALLOW
#define ERROR(n) (SECCOMP_RET_ERRNO | (n))

static const struct machine here = { .arch = "amd64", .kernel = { 6, 1 } };
static void *filter;
static struct notes notes;
static struct err e;

static int compile_on(const char *text, const struct machine *m)
{
	size_t size;
	int rc;

	free(filter);
	filter = NULL;
	rc = policy_compile(text, strlen(text), m, &filter, &size, &notes, &e);
	if (rc == 0)
		ck_assert(filter_is_valid(filter, size));
	return rc;
}

static int compile(const char *text)
{
	return compile_on(text, &here);
}

static uint32_t run_program(const struct sock_filter *code, uint32_t length, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (uint32_t pc = 0; pc < length; pc++) {
		const struct sock_filter *i = &code[pc];
		int yes;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + i->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = (a & i->k) != 0;
			break;
		default:
			ck_abort_msg("instruction %04x", i->code);
			return 0;
		}
		pc += yes ? i->jt : i->jf;
	}
	ck_abort_msg("the program does not return");
	return 0;
}

/* What the kernel does with two filters: the one of higher precedence (a smaller signed action). */
static uint32_t answer_args(uint32_t arch, int number, uint64_t a0, uint64_t a1)
{
	struct seccomp_data data = { .nr = number, .arch = arch, .args = { a0, a1 } };
	const struct filter_head *h = filter;
	const struct sock_filter *code = (const struct sock_filter *)(h + 1);
	uint32_t first = run_program(code, h->length[0], &data);
	uint32_t second = h->length[1] ? run_program(code + h->length[0], h->length[1], &data) : ALLOWED;

	return (int32_t)(second & SECCOMP_RET_ACTION_FULL) < (int32_t)(first & SECCOMP_RET_ACTION_FULL) ? second : first;
}

static uint32_t answer(int number)
{
	return answer_args(AUDIT_ARCH_X86_64, number, 0, 0);
}

static void refuses(const char *text, const char *why)
{
	ck_refused(compile(text), e, why);
}

#ifdef __x86_64__
static void load_default(void)
{
	static char text[65536];
	int fd = open(DEFAULT_POLICY, O_RDONLY | O_CLOEXEC);
	ssize_t n = io_read_full(fd, text, sizeof(text) - 1);

	ck_assert_int_gt(n, 0);
	text[n] = 0;
	close(fd);
	ck_ok(compile(text), e);
}

START_TEST(default_denies)
{
	static const int denied[] = { SYS_mount, SYS_umount2, SYS_pivot_root, SYS_open_tree, SYS_fsopen, SYS_move_mount, SYS_setns,
		SYS_keyctl, SYS_add_key, SYS_request_key, SYS_bpf, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module,
		SYS_finit_module, SYS_delete_module, SYS_open_by_handle_at, SYS_userfaultfd, SYS_perf_event_open, SYS_io_uring_setup,
		SYS_chroot, SYS_swapon, SYS_reboot, SYS_acct, SYS_sethostname, SYS_settimeofday, SYS_iopl, SYS_syslog };

	load_default();
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		ck_assert_msg(answer(denied[i]) == ERROR(EPERM), "%d: %x", denied[i], answer(denied[i]));
	ck_assert_uint_eq(answer(SYS_clone3), ERROR(ENOSYS));
	/* calls of kernels to come */
	ck_assert_uint_eq(answer(900), ERROR(ENOSYS));
}
END_TEST

START_TEST(default_allows)
{
	static const int allowed[] = { SYS_read, SYS_execve, SYS_clone, SYS_unshare, SYS_fork, SYS_vfork, SYS_process_vm_readv,
		SYS_process_vm_writev, SYS_ptrace, SYS_mbind, SYS_move_pages, SYS_set_mempolicy, SYS_sched_setaffinity, SYS_shmget,
		SYS_ioctl, SYS_socket, SYS_futex, SYS_seccomp, SYS_prctl, SYS_memfd_create, SYS_pidfd_open, SYS_mlock, SYS_kcmp,
		SYS_name_to_handle_at, SYS_rseq, SYS_clock_gettime, SYS_setuid, SYS_mknod, SYS_epoll_pwait2 };

	load_default();
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		ck_assert_msg(answer(allowed[i]) == ALLOWED, "%d: %x", allowed[i], answer(allowed[i]));
}
END_TEST

START_TEST(default_looks_at_arguments)
{
	load_default();
	for (int bit = 0; bit < 64; bit++) {
		uint64_t flag = 1ull << bit;
		uint32_t expected = flag & 0x7e020000 ? ERROR(EPERM) : ALLOWED;

		ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_clone, flag | SIGCHLD, 0), expected);
		ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_unshare, flag, 0), flag == 0x80 ? ERROR(EPERM) : expected);
		ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 120, flag, 0), expected);
	}
	/* a thread of glibc's */
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_clone, 0x3d0f00, 0), ALLOWED);
	/* the kernel looks at 32 bits of the request: what is above must not hide it */
	for (int bit = 32; bit < 64; bit++) {
		ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_ioctl, 0, 0x5412 | 1ull << bit), ERROR(EPERM));
		ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_ioctl, 0, 0x541c | 1ull << bit), ERROR(EPERM));
	}
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_ioctl, 0, 0x5412), ERROR(EPERM));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_ioctl, 0, 0x5413), ALLOWED);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_personality, 0xffffffff, 0), ALLOWED);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_personality, 0x0040000, 0), ALLOWED);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_personality, 0x0400000, 0), ERROR(ENOSYS));
}
END_TEST

START_TEST(default_on_other_entries)
{
	load_default();
	/* i386: read, mount, add_key, keyctl, clone3, bpf, perf_event_open, open_by_handle_at */
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 3, 0, 0), ALLOWED);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 21, 0, 0), ERROR(EPERM));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 286, 0, 0), ERROR(EPERM));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 288, 0, 0), ERROR(EPERM));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 435, 0, 0), ERROR(ENOSYS));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 357, 0, 0), ERROR(EPERM));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 336, 0, 0), ERROR(EPERM));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 342, 0, 0), ERROR(EPERM));
	/* x32, every call; an architecture that is none of this machine's */
	for (unsigned n = 0; n < 600; n++) {
		ck_assert_uint_eq(answer(X32 | n), ERROR(ENOSYS));
		ck_assert_uint_eq(answer_args(AUDIT_ARCH_AARCH64, n, 0, 0), ERROR(ENOSYS));
	}
}
END_TEST

START_TEST(dockers_conditions)
{
	static const char *const admin[] = { "CAP_SYS_ADMIN", NULL };
	const struct machine with_cap = { .arch = "amd64", .kernel = { 6, 1 }, .caps = admin };
	const struct machine old = { .arch = "amd64", .kernel = { 4, 7 } }, arm = { .arch = "arm64", .kernel = { 4, 8 } };
	const char *text = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\"syscalls\":["
		"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
		"{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13,\"args\":null,\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
		"{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[],\"includes\":{\"minKernel\":\"4.8\"}},"
		"{\"name\":\"sync\",\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"arm64\"]},\"excludes\":{}},"
		"{\"names\":[\"getpid\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"arches\":[\"arm64\",\"s390x\"]}}]}";

	ck_ok(compile(text), e);
	ck_assert_uint_eq(answer(SYS_mount), ERROR(EPERM));
	ck_assert_uint_eq(answer(SYS_bpf), ERROR(EACCES));
	ck_assert_uint_eq(answer(SYS_ptrace), ALLOWED);
	ck_assert_uint_eq(answer(SYS_sync), ERROR(EPERM));
	ck_assert_uint_eq(answer(SYS_getpid), ALLOWED);
	ck_assert_uint_eq(notes.rules, 3);
	ck_assert_uint_eq(notes.skipped, 2);
	ck_assert_uint_eq(notes.unknown, 1);
	ck_assert_str_eq(notes.names, "no_such_call");
	ck_ok(compile_on(text, &with_cap), e);
	ck_assert_uint_eq(answer(SYS_mount), ALLOWED);
	ck_assert_uint_eq(answer(SYS_bpf), ERROR(EPERM));
	ck_ok(compile_on(text, &old), e);
	ck_assert_uint_eq(answer(SYS_ptrace), ERROR(EPERM));
	ck_ok(compile_on(text, &arm), e);
	ck_assert_uint_eq(answer(SYS_sync), ALLOWED);
	ck_assert_uint_eq(answer(SYS_getpid), ERROR(EPERM));
}
END_TEST

START_TEST(arguments)
{
	/* two entries for one argument are alternatives; a denial wins wherever it stands */
	ck_ok(compile("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X32\"],\"syscalls\":["
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
		"{\"index\":0,\"value\":2,\"valueTwo\":0,\"op\":\"SCMP_CMP_EQ\"}]},"
		"{\"names\":[\"dup3\"],\"action\":\"SCMP_ACT_KILL_PROCESS\",\"args\":[{\"index\":1,\"value\":5,\"op\":\"SCMP_CMP_GT\"}]},"
		"{\"names\":[\"dup3\"],\"action\":\"SCMP_ACT_LOG\"}]}"), e);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_socket, 1, 0), ALLOWED);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_socket, 2, 0), ALLOWED);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_socket, 3, 0), ERROR(EPERM));
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_dup3, 0, 5), SECCOMP_RET_LOG);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, SYS_dup3, 0, 6), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_X86_64, X32 | SYS_socket, 1, 0), ALLOWED);
	ck_assert_uint_eq(answer_args(AUDIT_ARCH_I386, 3, 0, 0), ERROR(ENOSYS));
}
END_TEST

START_TEST(list_of_what_is_denied)
{
	ck_ok(compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
		"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]}"), e);
	ck_assert_uint_eq(answer(SYS_mount), ERROR(ENOSYS));
	ck_assert_uint_eq(answer(SYS_read), ALLOWED);
	/* here a typing error would open what was to be closed */
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"muont\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
		"system call 'muont' is not known to this libseccomp, and would be allowed");
}
END_TEST
#endif

START_TEST(errors)
{
	refuses("", "line 1:");
	refuses("{\n\"defaultAction\": \"SCMP_ACT_ALLOW\",\n}", "line 3:");
	refuses("[]", "not a JSON object");
	refuses("{}", "defaultAction: action '' is not one");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultAction\":\"SCMP_ACT_ALLOW\"}", "duplicate");
	refuses("{\"defaultAction\":\"ALLOW\"}", "action 'ALLOW' is not one");
	refuses("{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "action 'SCMP_ACT_NOTIFY' is not one");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\"}", "unknown key 'listenerPath'");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}", "syscalls is not an array");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[1]}", "rule 1 of syscalls: not a JSON object");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\"}]}", "rule 1 of syscalls: no names");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[1],\"action\":\"SCMP_ACT_LOG\"}]}", "names are strings");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5000}]}",
		"errnoRet is a number");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\",\"arg\":[]}]}",
		"unknown key 'arg'");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,"
		"\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}", "needs index");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\","
		"\"includes\":{\"cap\":[]}}]}", "unknown key 'cap' in includes");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_PDP11\"]}", "unknown architecture 'SCMP_ARCH_PDP11'");
	refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]}", "flags: only");
}
END_TEST

UNIT_MAIN("policy",
#ifdef __x86_64__
	default_denies, default_allows, default_looks_at_arguments, default_on_other_entries, dockers_conditions, arguments,
	list_of_what_is_denied,
#endif
	errors)
