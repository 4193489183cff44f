#include <config.h>

#include "common/name.h"

#include "unit.h"

static void accepts(const char *ref, const char *full)
{
	char out[NAME_FULL_SIZE];
	struct err e = { 0 };

	ck_ok(name_check(ref, out, &e), e);
	ck_assert_str_eq(out, full);
}

static void refuses(const char *ref, const char *why)
{
	char out[NAME_FULL_SIZE] = "untouched";
	struct err e;

	ck_refused(name_check(ref, out, &e), e, why);
	ck_assert_str_eq(out, "untouched");
}

START_TEST(good_names)
{
	accepts("debian", "debian:latest");
	accepts("debian:12", "debian:12");
	accepts("lab/py.torch_x-1:2.4-RC_1", "lab/py.torch_x-1:2.4-RC_1");
	accepts("a/b/c/d", "a/b/c/d:latest");
	accepts("0:_", "0:_");
}
END_TEST

START_TEST(names_that_leave_the_store)
{
	refuses("..", "not valid at '..'");
	refuses("../x", "not valid at '../x'");
	refuses("a/../b", "not valid at '../b'");
	refuses("/etc/passwd", "not valid at '/etc/passwd'");
	refuses("a//b", "not valid at '/b'");
	refuses("a/", "not valid at ''");
	refuses("a:..", "not valid at '..'");
	refuses("a:x/y", "not valid at '/y'");
	refuses(".hidden", "not valid");
}
END_TEST

START_TEST(names_with_wrong_letters)
{
	refuses("", "image name is empty");
	refuses("Debian", "in lower case");
	refuses("debian:", "not valid at ''");
	refuses("debian:1:2", "not valid at ':2'");
	refuses("de bian", "not valid at ' bian'");
	refuses("debian\n", "not valid");
	refuses("-a", "not valid");
	refuses("a-", "not valid");
	refuses("a:-x", "not valid");
	refuses("a:.x", "not valid");
	refuses("caf\xc3\xa9", "not valid");
}
END_TEST

START_TEST(long_names)
{
	char ref[10001], out[NAME_FULL_SIZE], tag[NAME_MAX_LEN];
	struct err e;

	memset(ref, 'a', sizeof(ref) - 1);
	ref[sizeof(ref) - 1] = 0;
	refuses(ref, "longer than 255 bytes");
	ref[NAME_MAX_LEN + 1] = 0;
	refuses(ref, "longer than 255 bytes");
	ref[NAME_MAX_LEN] = 0;
	ck_ok(name_check(ref, out, &e), e);
	ck_assert_uint_eq(strlen(out), NAME_MAX_LEN + 7);
	memset(tag, 'a', sizeof(tag));
	memcpy(tag, "x:", 2);
	tag[2 + 128] = 0;
	ck_ok(name_check(tag, out, &e), e);
	tag[2 + 128] = 'a';
	tag[2 + 129] = 0;
	refuses(tag, "not valid");
}
END_TEST

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(digests)
{
	ck_assert(digest_is_valid("sha256:" HEX, ':'));
	ck_assert(digest_is_valid("sha256-" HEX, '-'));
	ck_assert(!digest_is_valid("sha256:" HEX, '-'));
	ck_assert(!digest_is_valid("sha256-" HEX, ':'));
	ck_assert(!digest_is_valid("sha256:" HEX "0", ':'));
	ck_assert(!digest_is_valid("sha256:" HEX "\n", ':'));
	ck_assert(!digest_is_valid("sha256:", ':'));
	ck_assert(!digest_is_valid("sha256", ':'));
	ck_assert(!digest_is_valid("", ':'));
	ck_assert(!digest_is_valid("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", ':'));
	ck_assert(!digest_is_valid("sha512:" HEX, ':'));
}
END_TEST

START_TEST(node_names)
{
	char long_name[66];

	memset(long_name, 'n', 65);
	long_name[65] = 0;
	ck_assert(node_name_is_valid("n1"));
	ck_assert(node_name_is_valid("Node-1.site_x"));
	ck_assert(!node_name_is_valid(""));
	ck_assert(!node_name_is_valid(".."));
	ck_assert(!node_name_is_valid("a/b"));
	ck_assert(!node_name_is_valid("a b"));
	ck_assert(!node_name_is_valid(long_name));
	long_name[64] = 0;
	ck_assert(node_name_is_valid(long_name));
}
END_TEST

UNIT_MAIN("name", good_names, names_that_leave_the_store, names_with_wrong_letters, long_names, digests, node_names)
