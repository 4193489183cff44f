/* The slxc.conf that is installed: every key of helper/common/conf.c, each with its default, all commented out. */
#include <config.h>

#include "common/conf.h"

#include <stdio.h>

#include "unit.h"

static char text[1 << 16];

static void read_whole(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n;

	ck_assert_msg(f != NULL, "%s is missing", path);
	n = fread(text, 1, sizeof(text) - 1, f);
	ck_assert_uint_gt(n, 0);
	text[n] = 0;
	fclose(f);
}

/* "#key=value" becomes "key=value"; a comment begins with "# ". */
static unsigned uncomment(char *out)
{
	unsigned keys = 0;

	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		n += line[n] == '\n';
		if (line[0] == '#' && line[1] != ' ') {
			memcpy(out, line + 1, n - 1);
			out += n - 1;
			keys++;
		}
		line += n;
	}
	*out = 0;
	return keys;
}

static void ck_defaults(const struct conf *c)
{
	struct conf d;

	conf_defaults(&d);
	ck_assert_str_eq(c->store, d.store);
	ck_assert_uint_eq(c->scratch_size, d.scratch_size);
	ck_assert_uint_eq(c->scratch_percent, d.scratch_percent);
	ck_assert_uint_eq(c->scratch_inodes, d.scratch_inodes);
	ck_assert_int_eq(c->mount_home, d.mount_home);
	ck_assert_int_eq(c->mount_cwd, d.mount_cwd);
	ck_assert_int_eq(c->mount_tmp, d.mount_tmp);
	ck_assert_str_eq(c->profiles, d.profiles);
	ck_assert_str_eq(c->partition_profiles, d.partition_profiles);
	ck_assert_str_eq(c->account_profiles, d.account_profiles);
	ck_assert_uint_eq(c->start_timeout, d.start_timeout);
	ck_assert_str_eq(c->seccomp, d.seccomp);
	ck_assert_int_eq(c->apparmor, d.apparmor);
	ck_assert_int_eq(c->allow_root, d.allow_root);
}

START_TEST(sets_nothing_as_it_is)
{
	struct err e = { 0 };
	struct conf c;

	read_whole(SHIPPED_CONF);
	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		ck_assert_msg(*line == '#' || *line == '\n' || *line == 0, "not a comment: %.60s", line);
	unit_write("slxc.conf", text, strlen(text));
	ck_ok(conf_load(&c, unit_path("slxc.conf"), &e), e);
	ck_defaults(&c);
}
END_TEST

START_TEST(every_key_with_its_default)
{
	static char set[1 << 16];
	struct err e = { 0 };
	struct conf c;
	unsigned keys;

	read_whole(SHIPPED_CONF);
	keys = uncomment(set);
	unit_write("slxc.conf", set, strlen(set));
	ck_ok(conf_load(&c, unit_path("slxc.conf"), &e), e);
	ck_defaults(&c);
	/* each key of the table is there; that none is twice or unknown, conf_load() has said */
	read_whole(CONF_SOURCE);
	for (const char *at = text; (at = strstr(at, "\n\t{ \"")); at++) {
		char line[64], name[32];

		ck_assert_int_eq(sscanf(at, " { \"%31[a-z_]\", set_", name), 1);
		snprintf(line, sizeof(line), "%s=", name);
		ck_assert_msg(strstr(set, line) != NULL, "%s is not in slxc.conf", name);
		keys--;
	}
	ck_assert_uint_eq(keys, 0);
}
END_TEST

UNIT_MAIN("conf_shipped", sets_nothing_as_it_is, every_key_with_its_default)
