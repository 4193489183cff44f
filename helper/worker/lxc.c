#include "config.h"

#include "worker/lxc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lxc/lxccontainer.h>

#include "common/cleanup.h"
#include "worker/mounts.h"

struct settings {
	struct lxc_container *c;
	struct err *e;
	int failed;
};

static void set(struct settings *s, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void set(struct settings *s, const char *key, const char *format, ...)
{
	char value[4 * PATH_MAX * 2 + 64];
	va_list ap;

	va_start(ap, format);
	vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	if (!s->failed && !s->c->set_config_item(s->c, key, value)) {
		err_set(s->e, 0, "LXC refused %s = %.200s", key, value);
		s->failed = 1;
	}
}

static void bind_path(struct settings *s, const struct bind *b)
{
	char source[4 * PATH_MAX];

	mounts_encode(b->path, source);
	/* the target is relative to the root, and the same path */
	set(s, "lxc.mount.entry", "%s %s none %s,create=%s 0 0", source, source + 1,
		b->is_file ? "bind,ro" : "rbind", b->is_file ? "file" : "dir");
}

static void set_mount(void *arg, const char *entry)
{
	set(arg, "lxc.mount.entry", "%s", entry);
}

/*
 * What the OCI's default hides or makes read-only in /proc. Nothing of it can be
 * written by a user without capabilities anyway, so this is the second line:
 * for files that an ordinary user may read, and for kernels with a wrong mode.
 */
static void mask_proc(struct settings *s, const char *mnt)
{
	static const char *const files[] = { "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug" };
	static const char *const dirs[] = { "acpi", "asound", "scsi" };
	static const char *const read_only[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };
	char path[32];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s", files[i]);
		if (access(path, F_OK) == 0)
			set(s, "lxc.mount.entry", "%s/dev/null %s none bind 0 0", mnt, path + 1);
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s", dirs[i]);
		if (access(path, F_OK) == 0)
			set(s, "lxc.mount.entry", "%s/empty %s none bind 0 0", mnt, path + 1);
	}
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s", read_only[i]);
		if (access(path, F_OK) == 0)
			set(s, "lxc.mount.entry", "%s %s none rbind,ro,nosuid,nodev,noexec 0 0", path, path + 1);
	}
}

static int configure(struct lxc_container *c, const struct step *s, const char *mnt, struct err *e)
{
	struct settings t = { .c = c, .e = e };
	struct bind binds[MAX_BINDS];
	unsigned n = step_binds(s, binds), inside = s->remap_root ? 0 : s->uid, group = s->remap_root ? 0 : s->gid;

	set(&t, "lxc.rootfs.path", "dir:%s/root", mnt);
	set(&t, "lxc.rootfs.mount", "%s/root", mnt);
	set(&t, "lxc.idmap", "u %u %u 1", inside, s->uid);
	set(&t, "lxc.idmap", "g %u %u 1", group, s->gid);
	set(&t, "lxc.init.uid", "%u", inside);
	set(&t, "lxc.init.gid", "%u", group);
	/* the host's network and cgroups: Slurm's limits and accounting stay in force; new ones cost milliseconds */
	set(&t, "lxc.net.0.type", s->own_network ? "empty" : "none");
	if (s->own_network)
		set(&t, "lxc.net.0.flags", "up"); /* the loopback interface */
	set(&t, "lxc.namespace.keep", s->own_network ? "cgroup time" : "cgroup net time");
	set(&t, "lxc.autodev", "0");
	set(&t, "lxc.console.path", "none");
	set(&t, "lxc.pty.max", "0");
	set(&t, "lxc.tty.max", "0");
	set(&t, "lxc.mount.auto", "proc:rw"); /* mixed would bind sys thrice and more: see mask_proc() */
	if (!mounts_unwanted(s, "/sys"))
		set(&t, "lxc.mount.entry", "%s/sys sys none rbind,create=dir 0 0", mnt);
	set(&t, "lxc.mount.entry", "%s/dev dev none rbind,create=dir 0 0", mnt);
	if (s->own_ipc)
		set(&t, "lxc.mount.entry", "tmpfs dev/shm tmpfs rw,nosuid,nodev,mode=1777 0 0");
	mask_proc(&t, mnt);
	for (unsigned i = 0; i < n; i++)
		if (!mounts_unwanted(s, binds[i].path))
			bind_path(&t, &binds[i]);
	if (!t.failed && mounts_configure(s, mnt, set_mount, &t, e) < 0)
		t.failed = 1;
	if (access("/sys/module/apparmor/parameters/enabled", F_OK) == 0)
		set(&t, "lxc.apparmor.profile", "unconfined");
	return t.failed ? -1 : 0;
}

/* The first error that LXC logged says what failed; the later ones are only consequences. */
static void first_error(const char *log, char *out, size_t size)
{
	autofclose FILE *f = fopen(log, "re");
	char line[1024], *text;

	snprintf(out, size, "LXC gave no reason");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		text = strstr(line, " - ");
		/* it says so in every start, and goes on */
		if (!strstr(line, " ERROR ") || strstr(line, "supplimentary groups"))
			continue;
		/* "... ERROR file - file.c:function:line - text" */
		if (text && (text = strstr(text + 3, " - ")))
			snprintf(out, size, "%s", text + 3);
		return;
	}
}

int lxc_run(const struct step *s, const char *mnt, struct err *e)
{
	static char *const argv[] = { "/dev/.slxc-init", NULL };
	char path[128], log[160], reason[256];
	struct lxc_log options = { .name = s->name, .file = log, .level = "ERROR", .quiet = true };
	struct lxc_container *c;
	int rc = -1;

	snprintf(path, sizeof(path), "%s/lxc", mnt);
	snprintf(log, sizeof(log), "%s/log", path);
	options.lxcpath = path;
	lxc_log_init(&options);
	c = lxc_container_new(s->name, path);
	if (!c)
		return err_set(e, 0, "LXC made no container object");
	/* after configure(): before the first key there is nothing to want it on */
	if (configure(c, s, mnt, e) == 0) {
		if (!c->want_daemonize(c, false) || !c->want_close_all_fds(c, false)) {
			err_set(e, 0, "LXC refused to stay in the foreground");
		} else if (c->start(c, 0, argv)) {
			rc = 0;
		} else {
			first_error(log, reason, sizeof(reason));
			err_set(e, 0, "LXC: %s", reason);
		}
	}
	lxc_container_put(c);
	return rc;
}
