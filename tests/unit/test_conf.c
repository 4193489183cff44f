#include <config.h>

#include "common/conf.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static int load(const char *text, struct conf *c, struct err *e)
{
	unit_write("slxc.conf", text, strlen(text));
	return conf_load(c, unit_path("slxc.conf"), e);
}

static void refuses(const char *text, const char *why)
{
	struct conf c = { .start_timeout = 7 };
	struct err e;

	ck_refused(load(text, &c, &e), e, why);
	ck_assert_uint_eq(c.start_timeout, 7);
}

START_TEST(scratch_is_never_more_than_the_step_has)
{
	struct conf c;

	conf_defaults(&c);
	conf_limit_scratch(&c, 0);
	ck_assert_uint_eq(c.scratch_size, 0);
	conf_limit_scratch(&c, 2000);
	ck_assert_uint_eq(c.scratch_size, 1000 << 20);
	c.scratch_size = (uint64_t)8 << 30;
	conf_limit_scratch(&c, 1024);
	ck_assert_uint_eq(c.scratch_size, 1 << 30);
	c.scratch_size = 4096;
	conf_limit_scratch(&c, 1024);
	ck_assert_uint_eq(c.scratch_size, 4096);
}
END_TEST

START_TEST(no_file_is_the_defaults)
{
	struct conf c, d;
	struct err e = { 0 };

	conf_defaults(&d);
	ck_ok(conf_load(&c, unit_path("none"), &e), e);
	ck_assert_str_eq(c.store, d.store);
	ck_assert_uint_eq(c.scratch_percent, 50);
	ck_assert_uint_eq(c.scratch_size, 0);
	ck_assert(c.mount_home && c.mount_cwd && c.mount_tmp && !c.allow_root);
	ck_assert_uint_eq(c.start_timeout, 60);
	ck_assert_ptr_nonnull(strstr(c.seccomp, "/seccomp.json"));
}
END_TEST

START_TEST(every_key)
{
	struct conf c;
	struct err e = { 0 };

	ck_ok(load("# comment\n\n  store = /a/b \nscratch_size=8G\nscratch_inodes=2M\nmount_home=no\nmount_cwd=no\n"
		"mount_tmp=no\nstart_timeout=5\nallow_root=yes\nseccomp=/x/p.json", &c, &e), e);
	ck_assert_str_eq(c.store, "/a/b");
	ck_assert_uint_eq(c.scratch_size, (uint64_t)8 << 30);
	ck_assert_uint_eq(c.scratch_inodes, 2 << 20);
	ck_assert(!c.mount_home && !c.mount_cwd && !c.mount_tmp && c.allow_root);
	ck_assert_uint_eq(c.start_timeout, 5);
	ck_assert_str_eq(c.seccomp, "/x/p.json");
	ck_ok(load("scratch_size=25%\nseccomp=none\n", &c, &e), e);
	ck_assert_str_eq(c.seccomp, "");
	ck_assert_uint_eq(c.scratch_percent, 25);
	ck_assert_uint_eq(c.scratch_size, 0);
}
END_TEST

START_TEST(refusals_name_file_and_line)
{
	refuses("\nstor=/x\n", "slxc.conf:2: unknown key 'stor'");
	refuses("store=/x\nstore=/y\n", "slxc.conf:2: store is set twice");
	refuses("nonsense\n", "slxc.conf:1: 'nonsense' is not a line of the form key=value");
	refuses("store=x\n", "store is an absolute path, not 'x'");
	refuses("store=\n", "store is an absolute path");
	refuses("mount_home=maybe\n", "mount_home is yes or no, not 'maybe'");
	refuses("=x\n", "unknown key ''");
}
END_TEST

START_TEST(numbers_out_of_range)
{
	refuses("scratch_size=0%\n", "scratch_size is a size such as 8G");
	refuses("scratch_size=101%\n", "scratch_size is");
	refuses("scratch_size=%\n", "scratch_size is");
	refuses("scratch_size=-1\n", "scratch_size is");
	refuses("scratch_size=1X\n", "scratch_size is");
	refuses("scratch_size=1GB\n", "scratch_size is");
	refuses("scratch_size=99999999999999999999\n", "scratch_size is");
	refuses("scratch_size=16777216T\n", "scratch_size is");
	refuses("scratch_inodes=3\n", "scratch_inodes is a number of at least 16");
	refuses("start_timeout=0\n", "start_timeout is 1 to 3600 seconds");
	refuses("start_timeout=3601\n", "start_timeout is 1 to 3600 seconds");
	refuses("start_timeout=5s\n", "start_timeout is");
}
END_TEST

START_TEST(a_zero_byte_is_no_end_of_line)
{
	static const char text[] = "store=/x\0y\n";
	struct conf c;
	struct err e;

	unit_write("slxc.conf", text, sizeof(text) - 1);
	ck_refused(conf_load(&c, unit_path("slxc.conf"), &e), e, "slxc.conf:1: the line holds a zero byte");
}
END_TEST

START_TEST(not_a_file)
{
	struct conf c;
	struct err e;

	ck_refused(conf_load(&c, unit_dir, &e), e, "is not a file");
}
END_TEST

START_TEST(writable_by_others)
{
	struct conf c;
	struct err e;

	if (geteuid() != 0)
		return;
	unit_write("slxc.conf", "", 0);
	ck_assert_int_eq(chmod(unit_path("slxc.conf"), 0664), 0);
	ck_refused(conf_load(&c, unit_path("slxc.conf"), &e), e, "must belong to root and be writable by root only");
	ck_assert_int_eq(chmod(unit_path("slxc.conf"), 0644), 0);
	ck_assert_int_eq(chown(unit_path("slxc.conf"), 12345, 0), 0);
	ck_refused(conf_load(&c, unit_path("slxc.conf"), &e), e, "must belong to root and be writable by root only");
}
END_TEST

UNIT_MAIN("conf", scratch_is_never_more_than_the_step_has, no_file_is_the_defaults, every_key, refusals_name_file_and_line, numbers_out_of_range,
	a_zero_byte_is_no_end_of_line, not_a_file, writable_by_others)
