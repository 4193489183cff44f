#include <config.h>

#include "worker/step.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static struct wire w;
static struct step s;
static struct err e;

static const struct { const char *key, *value; } right[] = {
	{ "name", "slxc-1.0-0123456789abcdef" }, { "uid", "2001" }, { "gid", "2002" }, { "user", "alice" },
	{ "group", "users" }, { "home", "/home/alice" }, { "shell", "/bin/sh" }, { "cwd", "/data" }, { "script", "/spool/script" },
	{ "task_prolog", "" }, { "mounts", "/a:/b" },
	{ "mount_home", "yes" }, { "mount_cwd", "no" }, { "mount_tmp", "yes" },
};
#define N_RIGHT (sizeof(right) / sizeof(right[0]))

static int decode_with(const char *key, const char *value)
{
	wire_begin(&w, "STEP");
	for (size_t i = 0; i < N_RIGHT; i++) {
		const char *v = strcmp(right[i].key, key) ? right[i].value : value;

		if (v)
			wire_put(&w, right[i].key, "%s", v);
	}
	return step_decode(&w, &s, &e);
}

START_TEST(decode)
{
	ck_ok(decode_with("", NULL), e);
	ck_assert_str_eq(s.name, "slxc-1.0-0123456789abcdef");
	ck_assert_uint_eq(s.uid, 2001);
	ck_assert_uint_eq(s.gid, 2002);
	ck_assert_str_eq(s.user, "alice");
	ck_assert_str_eq(s.group, "users");
	ck_assert_str_eq(s.home, "/home/alice");
	ck_assert_str_eq(s.shell, "/bin/sh");
	ck_assert_str_eq(s.cwd, "/data");
	ck_assert_str_eq(s.script, "/spool/script");
	ck_assert_str_eq(s.mounts, "/a:/b");
	ck_assert(s.mount_home && !s.mount_cwd && s.mount_tmp);
}
END_TEST

START_TEST(decode_refuses)
{
	static char longer[MOUNTS_TEXT_SIZE + 1];
	char why[64];

	/* what is not said about a mount is "no" */
	for (size_t i = 0; i < N_RIGHT - 3; i++) {
		snprintf(why, sizeof(why), "step: bad or missing %s", right[i].key);
		ck_refused(decode_with(right[i].key, NULL), e, why);
		memset(longer, 'x', sizeof(longer) - 1);
		ck_refused(decode_with(right[i].key, longer), e, why);
	}
	ck_ok(decode_with("mount_home", NULL), e);
	ck_assert(!s.mount_home);
	ck_ok(decode_with("mount_home", "YES"), e);
	ck_assert(!s.mount_home);
	wire_begin(&w, "REQUEST");
	ck_refused(step_decode(&w, &s, &e), e, "step: expected STEP, got 'REQUEST'");
}
END_TEST

static const char *make_dir(char *out, const char *name)
{
	snprintf(out, PATH_MAX, "%s", unit_path(name));
	ck_assert(mkdir(out, 0755) == 0 || errno == EEXIST);
	return out;
}

static unsigned n;
static struct bind binds[MAX_BINDS];

static void expect(const char *path, bool is_file)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(binds[i].path, path)) {
			ck_assert_int_eq(binds[i].is_file, is_file);
			return;
		}
	ck_abort_msg("%s is not bound", path);
}

static void usual(void)
{
	memset(&s, 0, sizeof(s));
	s.mount_home = s.mount_cwd = s.mount_tmp = true;
}

START_TEST(all_of_them)
{
	usual();
	make_dir(s.home, "home");
	make_dir(s.cwd, "cwd");
	unit_write("script", "x", 1);
	snprintf(s.script, sizeof(s.script), "%s", unit_path("script"));
	n = step_binds(&s, binds);
	/* fewer when the tests themselves run below /tmp */
	if (!strncmp(unit_dir, "/tmp/", 5)) {
		ck_assert_uint_eq(n, 1);
	} else {
		ck_assert_uint_eq(n, 4);
		expect(s.home, false);
		expect(s.cwd, false);
		expect(s.script, true);
	}
	expect("/tmp", false);
}
END_TEST

START_TEST(switched_off)
{
	usual();
	make_dir(s.home, "home");
	make_dir(s.cwd, "cwd");
	s.mount_tmp = false;
	n = step_binds(&s, binds);
	ck_assert_uint_eq(n, 2);
	s.mount_home = false;
	n = step_binds(&s, binds);
	ck_assert_uint_eq(n, 1);
	expect(s.cwd, false);
	s.mount_cwd = false;
	ck_assert_uint_eq(step_binds(&s, binds), 0);
}
END_TEST

START_TEST(none_twice)
{
	usual();
	s.mount_tmp = false;
	make_dir(s.home, "home");
	make_dir(s.cwd, "home/work");
	unit_write("home/script", "x", 1);
	snprintf(s.script, sizeof(s.script), "%s", unit_path("home/script"));
	n = step_binds(&s, binds);
	ck_assert_uint_eq(n, 1);
	expect(s.home, false);
	/* a name that begins alike is another directory */
	make_dir(s.cwd, "homework");
	n = step_binds(&s, binds);
	ck_assert_uint_eq(n, 2);
	expect(s.cwd, false);
	strcpy(s.cwd, s.home);
	ck_assert_uint_eq(step_binds(&s, binds), 1);
}
END_TEST

START_TEST(below_tmp)
{
	usual();
	strcpy(s.cwd, "/tmp/");
	strcpy(s.home, "/tmp");
	n = step_binds(&s, binds);
	ck_assert_uint_eq(n, 1);
	expect("/tmp", false);
}
END_TEST

START_TEST(never_over_the_system)
{
	static const char *const system[] = { "/", "/etc", "/usr/bin", "/usr", "/home", "/var", "/proc/self", "/dev/shm", "//usr", "/usr//bin" };

	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++) {
		usual();
		s.mount_tmp = false;
		strcpy(s.home, system[i]);
		strcpy(s.cwd, system[i]);
		ck_assert_msg(step_binds(&s, binds) == 0, "%s would hide the image's", system[i]);
	}
}
END_TEST

START_TEST(not_there_or_not_that_kind)
{
	usual();
	s.mount_tmp = false;
	snprintf(s.home, sizeof(s.home), "%s", unit_path("missing"));
	unit_write("file", "x", 1);
	snprintf(s.cwd, sizeof(s.cwd), "%s", unit_path("file"));
	make_dir(s.script, "directory");
	ck_assert_uint_eq(step_binds(&s, binds), 0);
}
END_TEST

/* The worker is the user: what the user cannot reach is not there. */
START_TEST(out_of_the_users_reach)
{
	char closed[PATH_MAX];

	if (geteuid() != 0)
		return;
	usual();
	s.mount_tmp = false;
	make_dir(closed, "closed");
	make_dir(s.home, "closed/home");
	ck_assert_int_eq(chmod(closed, 0700), 0);
	ck_assert_int_eq(seteuid(2001), 0);
	n = step_binds(&s, binds);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

UNIT_MAIN("step_binds", decode, decode_refuses, all_of_them, switched_off, none_twice, below_tmp, never_over_the_system,
	not_there_or_not_that_kind, out_of_the_users_reach)
