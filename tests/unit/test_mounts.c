#include <config.h>

#include "common/mounts.h"

#include "unit.h"

static struct err e;
static char out[MOUNTS_TEXT_SIZE];

static void becomes(const char *typed, const char *wanted)
{
	ck_ok(mounts_from_user(typed, "/work/dir", out, &e), e);
	ck_assert_str_eq(out, wanted);
}

static void refuses(const char *typed, const char *why)
{
	ck_refused(mounts_from_user(typed, "/work/dir", out, &e), e, why);
}

START_TEST(what_is_typed)
{
	becomes("/a", "/a");
	becomes("/a:/b", "/a:/b");
	becomes("/a:/b:ro+nosuid,/c", "/a:/b:ro+nosuid,/c");
	becomes("./x:/b", "/work/dir/x:/b");
	becomes("./x", "/work/dir/x");
	becomes("../x//y/./z/..:/b", "/work/x/y:/b");
	becomes("../../../..:/b", "/:/b");
	becomes(".:/b", "/work/dir:/b");
	becomes("/a:./b", "/a:/b");
	becomes("~/x:/b", "$HOME/x:/b");
	becomes("~", "$HOME");
	becomes("$DATA/x:/b/$USER,${DATA}", "$DATA/x:/b/$USER,${DATA}");
	becomes("tmpfs:/b,umount:/tmp,tmpfs:/c:size=4M+mode=0700+noexec", "tmpfs:/b,umount:/tmp,tmpfs:/c:size=4M+mode=0700+noexec");
	becomes("/a b:/c d", "/a b:/c d");
}
END_TEST

START_TEST(nonsense)
{
	refuses("", "is empty");
	refuses(",", "is not SOURCE:TARGET");
	refuses("/a,", "is not SOURCE:TARGET");
	refuses("/a,,/b", "is not SOURCE:TARGET");
	refuses(":/b", "is not SOURCE:TARGET");
	refuses("/a:", "is not SOURCE:TARGET");
	refuses("/a:/b:", "is not SOURCE:TARGET");
	refuses("/a:/b:ro:rw", "is not SOURCE:TARGET");
	refuses("a:/b", "'a' must begin with / or ./ or ~/");
	refuses("~bob:/b", "'~bob' must begin with");
	refuses("/a:b", "'b' must begin with");
	refuses("/a:/b:fast", "unknown flag 'fast'");
	refuses("/a:/b:suid", "unknown flag 'suid'");
	refuses("/a:/b:ro++rw", "unknown flag ''");
	refuses("/a:/b:size=1G", "unknown flag 'size=1G'");
	refuses("tmpfs:/b:rbind", "unknown flag 'rbind' of a tmpfs");
	refuses("tmpfs:/b:size=", "unknown flag 'size=' of a tmpfs");
	refuses("tmpfs:/b:size=1,x", "'x' must begin with");
	refuses("tmpfs", "say where: tmpfs:TARGET");
	refuses("umount", "say where: umount:TARGET");
	refuses("umount:/tmp:ro", "umount takes no flags");
	refuses("/a:/", "nothing can be mounted on / itself");
	refuses("/a:/proc", "nothing can be mounted on /proc itself");
	refuses("/a:/dev", "nothing can be mounted on /dev itself");
	refuses("/a:/proc/self", "nothing can be mounted on /proc/self");
	refuses("/a:/x/../proc//", "nothing can be mounted on /proc itself");
	refuses("/a:/dev/.slxc-init", "nothing can be mounted on /dev/.slxc-init");
	refuses("/a\tb:/c", "control character");
	refuses("$:/b", "is not $NAME");
	refuses("${X:/b", "is not $NAME");
	refuses("$1:/b", "is not $NAME");
}
END_TEST

static const char *value(void *arg, const char *name)
{
	(void)arg;
	return !strcmp(name, "A") ? "/data" : !strcmp(name, "B") ? "b" : !strcmp(name, "BAD") ? "/x:/etc,/y" :
		!strcmp(name, "EMPTY") ? "" : NULL;
}

START_TEST(variables)
{
	ck_ok(mounts_expand("$A/x:/t/$B:ro,${A}${B}", value, NULL, out, &e), e);
	ck_assert_str_eq(out, "/data/x:/t/b:ro,/datab");
	ck_refused(mounts_expand("$NONE", value, NULL, out, &e), e, "the variable NONE is not set in the job");
	ck_refused(mounts_expand("$EMPTY", value, NULL, out, &e), e, "the value of EMPTY ('') is not a path");
	ck_refused(mounts_expand("$BAD", value, NULL, out, &e), e, "the value of BAD ('/x:/etc,/y') is not a path");
}
END_TEST

START_TEST(entries)
{
	const char *text = "/a:/b:ro+rslave,tmpfs:/t,umount:/tmp,/same";
	struct mount_entry m;

	ck_assert_int_eq(mounts_next(&text, &m, &e), 1);
	ck_assert_int_eq(m.kind, MOUNT_BIND);
	ck_assert_str_eq(m.source, "/a");
	ck_assert_str_eq(m.target, "/b");
	ck_assert_str_eq(m.flags, "ro,rslave");
	ck_assert_int_eq(mounts_next(&text, &m, &e), 1);
	ck_assert_int_eq(m.kind, MOUNT_TMPFS);
	ck_assert_str_eq(m.target, "/t");
	ck_assert_int_eq(mounts_next(&text, &m, &e), 1);
	ck_assert_int_eq(m.kind, MOUNT_UMOUNT);
	ck_assert_int_eq(mounts_next(&text, &m, &e), 1);
	ck_assert_str_eq(m.source, "/same");
	ck_assert_str_eq(m.target, "/same");
	ck_assert_int_eq(mounts_next(&text, &m, &e), 0);
}
END_TEST

/* What the node gets is absolute; anything else came past the client. */
START_TEST(on_the_node)
{
	ck_assert_int_eq(mounts_check("", &e), 0);
	ck_refused(mounts_check("a:/b", &e), e, "source 'a' must be a path");
	ck_refused(mounts_check("./a:/b", &e), e, "source './a' must be a path");
	ck_refused(mounts_check("/a/../b", &e), e, "source '/a/../b' must be a path");
	ck_refused(mounts_check("/a:b", &e), e, "target 'b' must be a path");
	ck_refused(mounts_check("/a,", &e), e, "ends with a comma");
}
END_TEST

UNIT_MAIN("mounts", what_is_typed, nonsense, variables, entries, on_the_node)
