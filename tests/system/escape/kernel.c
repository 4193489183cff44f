/* Attempts at the kernel: what a program needs no container for, and what a container should take away. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "attempts.h"

static int mount_tmpfs(void) { return result(mount("x", "/tmp", "tmpfs", 0, NULL)); }
static int new_mount_api(void) { return result(syscall(SYS_open_tree, AT_FDCWD, "/", 1)); }
static int fsopen_ext4(void) { return result(syscall(SYS_fsopen, "ext4", 0)); }
static int unshare_user(void) { return result(unshare(CLONE_NEWUSER)); }
static int unshare_mount(void) { return result(unshare(CLONE_NEWNS)); }

/* A file system image of the user's own, in a user namespace of his own. */
static int mount_own_image(void)
{
	static const char *const kinds[] = { "ext4", "erofs", "squashfs", "fuse", "overlay", "tmpfs" };

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return HELD;
	for (size_t i = 0; i < 6; i++)
		if (mount("none", "/tmp", kinds[i], 0, i == 4 ? "lowerdir=/usr:/etc" : NULL) == 0)
			return THROUGH;
	return HELD;
}

static int clone_user(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int clone3_user(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int join_namespace(void)
{
	static const char *const names[] = { "user", "mnt", "pid", "ipc", "net", "cgroup" };
	char path[64];

	for (size_t i = 0; i < 6; i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", i % 2 ? 1 : getpid(), names[i]);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && setns(fd, 0) == 0)
			return THROUGH;
	}
	return HELD;
}

static int file_by_handle(void)
{
	/* inode 2, generation 0: the root of most file systems */
	struct { struct file_handle h; uint32_t id[2]; } f = { .h = { .handle_bytes = 8, .handle_type = 1 }, .id = { 2, 0 } };
	int dir = open("/", O_RDONLY | O_DIRECTORY);

	return result(syscall(SYS_open_by_handle_at, dir, &f, O_RDONLY));
}

static int add_a_key(void) { return result(syscall(SYS_add_key, "user", "slxc-escape", "x", 1, -3)); }
static int session_keyring(void) { return result(syscall(SYS_keyctl, 0, -3, 1)); }

static int bpf_map(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int page_faults(void) { return result(syscall(SYS_userfaultfd, 1 /* user mode only */)); }

static int io_uring(void)
{
	char params[120] = { 0 };

	return result(syscall(SYS_io_uring_setup, 4, params));
}

static int count_events(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK,
		.exclude_kernel = 1, .exclude_hv = 1 };

	return result(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int load_module(void)
{
	return result(syscall(SYS_finit_module, open("/proc/self/exe", O_RDONLY), "", 0));
}

static int kexec(void) { return result(syscall(SYS_kexec_load, 0, 0, NULL, 0)); }
static int watch_everything(void) { return result(syscall(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, O_RDONLY)); }
static int change_root(void) { return result(chroot("/tmp")); }

static int kernel_log(void)
{
	char text[64];

	return klogctl(3, text, sizeof(text)) < 0 && open("/dev/kmsg", O_RDONLY | O_NONBLOCK) < 0 ? HELD : THROUGH;
}

static int type_into_terminal(unsigned long request)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), slave, zero = 0;
	char name[64];
	unsigned n;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0 || ioctl(master, TIOCGPTN, &n) < 0)
		return NOT_HERE;
	setsid();
	snprintf(name, sizeof(name), "/dev/pts/%u", n);
	slave = open(name, O_RDWR);
	ioctl(slave, TIOCSCTTY, 0);
	return slave < 0 ? NOT_HERE : result(syscall(SYS_ioctl, slave, request, "x"));
}

static int tiocsti(void) { return type_into_terminal(TIOCSTI); }
/* the kernel looks at the lower 32 bits: a filter that compares 64 does not see it */
static int tiocsti_high(void) { return type_into_terminal(TIOCSTI | 1ul << 40); }

static int device_node(void)
{
	char path[] = "/tmp/slxc-node.XXXXXX";
	int rc;

	close(mkstemp(path));
	unlink(path);
	rc = mknod(path, S_IFCHR | 0666, makedev(1, 3)) == 0 && open(path, O_WRONLY) >= 0 ? THROUGH : HELD;
	unlink(path);
	return rc;
}

static int become_root(void) { return setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0 ? THROUGH : HELD; }

static int raise_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = 1, .permitted = 1, .inheritable = 1 } };

	return result(syscall(SYS_capset, &head, data));
}

static int bounding_set(void)
{
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			return THROUGH;
	return HELD;
}

static int new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? HELD : THROUGH; }
static int raw_packets(void) { return result(socket(AF_PACKET, SOCK_RAW, 0)); }
static int raise_priority(void) { return result(setpriority(PRIO_PROCESS, 0, -20)); }

#ifdef __x86_64__
/* The 32-bit way in: i386's numbers. */
static long call32(long number, long a, long b, long c)
{
	long rc;

	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	if ((int)rc < 0 && (int)rc > -4096) {
		errno = -(int)rc;
		return -1;
	}
	return rc;
}

static int unshare_32(void) { return result(call32(310, CLONE_NEWUSER, 0, 0)); }
static int keyctl_32(void) { return result(call32(288, 0, -3, 1)); }
static int userfaultfd_32(void) { return result(call32(374, 1, 0, 0)); }
static int unshare_x32(void) { return result(syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER)); }
static int getpid_x32(void) { return result(syscall(0x40000000 | SYS_getpid)); }
#endif

const struct attempt kernel_attempts[] = {
	{ "mount a tmpfs", mount_tmpfs }, { "clone a mount (open_tree)", new_mount_api }, { "fsopen of ext4", fsopen_ext4 },
	{ "mount an image in an own user namespace", mount_own_image },
	{ "new user namespace: unshare", unshare_user }, { "new user namespace: clone", clone_user },
	{ "new user namespace: clone3", clone3_user }, { "new mount namespace", unshare_mount },
	{ "join a namespace", join_namespace }, { "open_by_handle_at", file_by_handle },
	{ "keys: add_key", add_a_key }, { "keys: session keyring", session_keyring },
	{ "bpf: make a map", bpf_map }, { "userfaultfd", page_faults }, { "io_uring", io_uring },
	{ "perf_event_open", count_events }, { "load a module", load_module }, { "kexec", kexec },
	{ "fanotify", watch_everything }, { "chroot", change_root }, { "kernel log", kernel_log },
	{ "TIOCSTI", tiocsti }, { "TIOCSTI, request of 64 bits", tiocsti_high },
	{ "make a device node", device_node }, { "setuid 0", become_root }, { "raise a capability", raise_capability },
	{ "capability bounding set", bounding_set }, { "new privileges on exec", new_privileges },
	{ "raw packets", raw_packets }, { "raise priority", raise_priority },
#ifdef __x86_64__
	{ "32-bit: unshare", unshare_32 }, { "32-bit: keyctl", keyctl_32 }, { "32-bit: userfaultfd", userfaultfd_32 },
	{ "x32: unshare", unshare_x32 }, { "x32: any call", getpid_x32 },
#endif
	{ NULL, NULL }
};
