#include <config.h>

#include "step/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

struct pair {
	const char *key, *value;
};

static const struct pair right[] = {
	{ "version", WIRE_VERSION }, { "job", "4294967295" }, { "step", "12" }, { "node", "n-1.site_a" },
	{ "uid", "2001" }, { "gid", "2002" }, { "groups", "2002,27,4294967294" }, { "memory", "2000" },
	{ "user", "alice" }, { "group", "users" }, { "image", "debian:12" },
	{ "home", "/home/alice" }, { "shell", "/bin/bash" }, { "cwd", "/home/alice/my work" }, { "script", "" },
	{ "task_prolog", "/etc/slurm/prolog" },
	{ "mounts", "/data:/data:ro" }, { "mount_home", "" }, { "writable", "yes" }, { "remap_root", "no" },
	{ "unshare", "net,ipc" }, { "scratch", "1048576" },
};
#define N_RIGHT (sizeof(right) / sizeof(right[0]))

static struct wire w;
static struct request r;
static struct err e;

/* The right request with one record said differently; value NULL leaves it out. */
static int decode_with(const char *key, const char *value)
{
	wire_begin(&w, "REQUEST");
	for (size_t i = 0; i < N_RIGHT; i++) {
		const char *v = strcmp(right[i].key, key) ? right[i].value : value;

		if (v)
			wire_put(&w, right[i].key, "%s", v);
	}
	ck_assert(!w.overflow);
	return request_decode(&w, &r, &e);
}

/* Refused, the text says why, and r is as it was. */
static void refuses(const char *key, const char *value, const char *why)
{
	memset(&r, 0x5a, sizeof(r));
	ck_refused(decode_with(key, value), e, why);
	for (size_t i = 0; i < sizeof(r); i++)
		ck_assert_msg(((unsigned char *)&r)[i] == 0x5a, "%s: byte %zu of the output was changed", why, i);
}

static void takes(const char *key, const char *value)
{
	ck_ok(decode_with(key, value), e);
}

static char *text_of(size_t length, char first)
{
	char *text = malloc(length + 1);

	memset(text, 'x', length);
	text[0] = first;
	text[length] = 0;
	return text;
}

START_TEST(right_request)
{
	takes("", NULL);
	ck_assert_uint_eq(r.job, 4294967295u);
	ck_assert_str_eq(r.step, "12");
	ck_assert_str_eq(r.node, "n-1.site_a");
	ck_assert_uint_eq(r.uid, 2001);
	ck_assert_uint_eq(r.gid, 2002);
	ck_assert_uint_eq(r.n_groups, 3);
	ck_assert_uint_eq(r.memory, 2000);
	ck_assert_uint_eq(r.groups[0], 2002);
	ck_assert_uint_eq(r.groups[1], 27);
	ck_assert_uint_eq(r.groups[2], 4294967294u);
	ck_assert_str_eq(r.user, "alice");
	ck_assert_str_eq(r.group, "users");
	ck_assert_str_eq(r.image, "debian:12");
	ck_assert_str_eq(r.home, "/home/alice");
	ck_assert_str_eq(r.shell, "/bin/bash");
	ck_assert_str_eq(r.cwd, "/home/alice/my work");
	ck_assert_str_eq(r.script, "");
}
END_TEST

START_TEST(missing_record)
{
	char why[64];

	snprintf(why, sizeof(why), "request: %s is missing", right[_i].key);
	refuses(right[_i].key, NULL, why);
}
END_TEST

START_TEST(repeated_record)
{
	char why[64];

	decode_with("", NULL);
	wire_put(&w, right[_i].key, "%s", right[_i].value);
	snprintf(why, sizeof(why), "request: %s given twice", right[_i].key);
	ck_refused(request_decode(&w, &r, &e), e, why);
}
END_TEST

START_TEST(unknown_record)
{
	decode_with("", NULL);
	wire_put(&w, "root", "yes");
	ck_refused(request_decode(&w, &r, &e), e, "request: unknown record 'root' (plugin and helper of different versions?)");
	decode_with("", NULL);
	wire_put(&w, "uid ", "0");
	ck_refused(request_decode(&w, &r, &e), e, "request: unknown record 'uid '");
	/* a key that is longer than any is cut, and is still none of ours */
	decode_with("", NULL);
	wire_put(&w, "a-key-that-is-longer-than-the-room-for-keys-by-far", "0");
	ck_refused(request_decode(&w, &r, &e), e, "request: unknown record 'a-key-that-is-longer-than-the-r'");
}
END_TEST

START_TEST(other_verb)
{
	wire_begin(&w, "DONE");
	ck_refused(request_decode(&w, &r, &e), e, "request: expected REQUEST, got 'DONE'");
	w.len = 0;
	ck_refused(request_decode(&w, &r, &e), e, "request: expected REQUEST, got ''");
}
END_TEST

START_TEST(other_version)
{
	refuses("version", "2", "request: bad version '2'");
	refuses("version", "", "request: bad version ''");
	refuses("version", "01", "request: bad version '01'");
}
END_TEST

START_TEST(numbers)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1e3", "4294967296", "18446744073709551617",
		"99999999999999999999999999", "1\n", "one" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char why[96];

		snprintf(why, sizeof(why), "request: bad job '%s'", bad[i]);
		refuses("job", bad[i], why);
		snprintf(why, sizeof(why), "request: bad uid '%s'", bad[i]);
		refuses("uid", bad[i], why);
		snprintf(why, sizeof(why), "request: bad gid '%s'", bad[i]);
		refuses("gid", bad[i], why);
	}
	/* (uid_t)-1 means "leave it as it is" to setresuid(2) */
	refuses("uid", "4294967295", "request: bad uid '4294967295'");
	refuses("gid", "4294967295", "request: bad gid '4294967295'");
	takes("uid", "0");
	takes("uid", "4294967294");
}
END_TEST

START_TEST(steps)
{
	takes("step", "batch");
	takes("step", "interactive");
	takes("step", "4294967295");
	refuses("step", "extern", "request: bad step 'extern'");
	refuses("step", "../1", "request: bad step '../1'");
	refuses("step", "1/2", "request: bad step '1/2'");
	refuses("step", "..", "request: bad step '..'");
	refuses("step", "", "request: bad step ''");
	refuses("step", "batch ", "request: bad step 'batch '");
}
END_TEST

START_TEST(nodes)
{
	char *longest = text_of(64, 'n'), *longer = text_of(65, 'n');

	takes("node", longest);
	refuses("node", longer, "request: bad node 'n");
	refuses("node", "", "request: bad node ''");
	refuses("node", "..", "request: bad node '..'");
	refuses("node", "a/b", "request: bad node 'a/b'");
	refuses("node", "a\nb", "request: bad node 'a\nb'");
	free(longest);
	free(longer);
}
END_TEST

START_TEST(memory)
{
	takes("memory", "0");
	ck_assert_uint_eq(r.memory, 0);
	takes("memory", "4294967295");
	ck_assert_uint_eq(r.memory, 4294967295u);
	refuses("memory", "", "request: bad memory ''");
	refuses("memory", "4294967296", "request: bad memory '4294967296'");
	refuses("memory", "1G", "request: bad memory '1G'");
}
END_TEST

START_TEST(groups)
{
	static char most[REQUEST_MAX_GROUPS * 11 + 16];
	size_t used = 0;

	takes("groups", "");
	ck_assert_uint_eq(r.n_groups, 0);
	takes("groups", "0");
	ck_assert_uint_eq(r.n_groups, 1);
	refuses("groups", ",", "request: bad groups ','");
	refuses("groups", "1,", "request: bad groups '1,'");
	refuses("groups", ",1", "request: bad groups ',1'");
	refuses("groups", "1,,2", "request: bad groups '1,,2'");
	refuses("groups", "1 2", "request: bad groups '1 2'");
	refuses("groups", "1,-2", "request: bad groups '1,-2'");
	refuses("groups", "4294967295", "request: bad groups '4294967295'");
	refuses("groups", "000000000000000001", "request: bad groups '0");
	for (unsigned i = 0; i < REQUEST_MAX_GROUPS; i++)
		used += snprintf(most + used, sizeof(most) - used, "%s4294967%03u", i ? "," : "", i % 290);
	takes("groups", most);
	ck_assert_uint_eq(r.n_groups, REQUEST_MAX_GROUPS);
	strcat(most, ",1");
	refuses("groups", most, "request: bad groups '4294967000");
}
END_TEST

/* What becomes a line of passwd or group must not become two, or another user's. */
START_TEST(names)
{
	char *longest = text_of(63, 'a'), *longer = text_of(64, 'a');
	static const char *const keys[] = { "user", "group" };

	for (unsigned i = 0; i < 2; i++) {
		char why[64];

		takes(keys[i], longest);
		takes(keys[i], "DOMAIN\\some user");
		snprintf(why, sizeof(why), "request: bad %s '", keys[i]);
		refuses(keys[i], longer, why);
		refuses(keys[i], "", why);
		refuses(keys[i], "root:x:0", why);
		refuses(keys[i], "a\nroot", why);
		refuses(keys[i], "a\rb", why);
		refuses(keys[i], "a\x7f", why);
	}
	takes("shell", "");
	refuses("shell", "/bin/sh\nroot::0:0::/:/bin/sh", "request: bad shell '/bin/sh");
	refuses("shell", "/bin/sh:", "request: bad shell '/bin/sh:'");
	free(longest);
	free(longer);
}
END_TEST

START_TEST(images)
{
	char *longest = text_of(NAME_MAX_LEN, 'i'), *longer = text_of(NAME_MAX_LEN + 1, 'i');

	/* whether it is a name at all is for store_find(): here it only has to fit */
	takes("image", longest);
	refuses("image", longer, "request: bad image 'i");
	free(longest);
	free(longer);
}
END_TEST

START_TEST(paths)
{
	static const char *const keys[] = { "home", "cwd", "script" };
	char *longest = text_of(PATH_MAX - 1, '/'), *longer = text_of(PATH_MAX, '/');

	for (unsigned i = 0; i < 3; i++) {
		char why[64];

		takes(keys[i], "");
		takes(keys[i], "/");
		takes(keys[i], longest);
		snprintf(why, sizeof(why), "request: bad %s '", keys[i]);
		refuses(keys[i], longer, why);
		refuses(keys[i], "relative", why);
		refuses(keys[i], "/home/../etc", why);
		refuses(keys[i], "/home/alice/..", why);
		refuses(keys[i], "/./x", why);
	}
	free(longest);
	free(longer);
}
END_TEST

/* The home directory becomes a field of passwd as well. */
START_TEST(home_is_one_field)
{
	refuses("home", "/home/a:/bin/sh", "request: bad home '/home/a:/bin/sh'");
	refuses("home", "/home/a\nroot::0:0::/:/bin/sh", "request: bad home '/home/a");
	takes("cwd", "/data/10:30");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { right_request, unknown_record, other_verb, other_version, numbers, steps, nodes,
		groups, memory, names, images, paths, home_is_one_field };
	Suite *suite = suite_create("request");
	TCase *tcase = tcase_create("request");
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, missing_record, 0, N_RIGHT);
	tcase_add_loop_test(tcase, repeated_record, 0, N_RIGHT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
