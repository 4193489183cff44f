#include <config.h>

#include "store/config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/sha256.h"
#include "unit.h"

#define LAYER "sha256-1111111111111111111111111111111111111111111111111111111111111111"

static const char layers[1][DIGEST_LEN + 1] = { LAYER };
static const char *const env[] = { "PATH=/bin", "LANG=C.UTF-8", NULL };

static struct config sample(void)
{
	return (struct config){
		.architecture = "amd64", .os = "linux", .env = env, .workdir = "/data",
		.name = "debian:12", .source = "/srv/x.tar", .created = 1000000000, .owner = 2001,
		.is_private = true, .size = 4096,
	};
}

static void digest_of(const struct config *c, char *digest)
{
	struct err e = { 0 };

	ck_ok(config_digest(c, layers, 1, digest, &e), e);
	ck_assert(digest_is_valid(digest, ':'));
}

START_TEST(written_as_documented)
{
	struct config c = sample();
	struct err e = { 0 };
	char *text = config_format(&c, &e);
	const char *created, *visibility, *workdir;
	json_t *o, *list;
	json_int_t owner, size;

	ck_assert_msg(text != NULL, "%s", e.text);
	o = json_loads(text, 0, NULL);
	ck_assert_int_eq(json_unpack(o, "{s:s, s:s, s:s, s:I, s:I, s:o}", "created", &created, "visibility", &visibility,
		"workdir", &workdir, "owner", &owner, "size", &size, "env", &list), 0);
	ck_assert_str_eq(created, "2001-09-09T01:46:40Z");
	ck_assert_str_eq(visibility, "private");
	ck_assert_str_eq(workdir, "/data");
	ck_assert_int_eq(owner, 2001);
	ck_assert_int_eq(size, 4096);
	ck_assert_str_eq(json_string_value(json_array_get(list, 1)), "LANG=C.UTF-8");
	ck_assert_uint_eq(json_array_size(json_object_get(o, "cmd")), 0);
	ck_assert(json_is_object(json_object_get(o, "labels")));
	json_decref(o);
	free(text);
}
END_TEST

START_TEST(digest_is_of_the_content)
{
	struct config c = sample();
	char first[DIGEST_LEN + 1], other[DIGEST_LEN + 1];
	const char *const no_env[] = { NULL };
	const char *const labels[] = { "a=b=c", NULL };

	digest_of(&c, first);
	c.created = 1;
	c.name = "other:1";
	c.source = "-";
	c.owner = 0;
	c.is_private = false;
	c.size = 0;
	digest_of(&c, other);
	ck_assert_str_eq(first, other);
	c.env = no_env;
	digest_of(&c, other);
	ck_assert_str_ne(first, other);
	c = sample();
	c.labels = labels;
	digest_of(&c, other);
	ck_assert_str_ne(first, other);
	c = sample();
	c.workdir = NULL;
	digest_of(&c, other);
	ck_assert_str_ne(first, other);
}
END_TEST

/* So that the digests of a store do not change with slxc: written out by hand. */
START_TEST(digest_is_what_the_header_says)
{
	static const char text[] = "{\"architecture\":\"amd64\",\"cmd\":[],\"entrypoint\":[],"
		"\"env\":[\"PATH=/bin\",\"LANG=C.UTF-8\"],\"labels\":{},\"layers\":[\"" LAYER "\"],\"os\":\"linux\","
		"\"workdir\":\"/data\"}";
	char expected[DIGEST_LEN + 1], digest[DIGEST_LEN + 1];
	struct config c = sample();
	struct err e = { 0 };
	struct sha256 *h = sha256_create(&e);

	ck_ok(sha256_update(h, text, sizeof(text) - 1, &e), e);
	ck_ok(sha256_final(h, ':', expected, &e), e);
	sha256_destroy(h);
	digest_of(&c, digest);
	ck_assert_str_eq(digest, expected);
}
END_TEST

START_TEST(not_text)
{
	const char *const bad[] = { "A=\xff", NULL };
	struct config c = sample();
	char digest[DIGEST_LEN + 1];
	struct err e;

	c.env = bad;
	ck_refused(config_digest(&c, layers, 1, digest, &e), e, "write config.json: a value is not UTF-8 text");
	ck_assert_ptr_null(config_format(&c, &e));
	ck_assert_str_eq(e.text, "write config.json: a value is not UTF-8 text");
	c = sample();
	c.source = "/srv/\xff";
	ck_assert_ptr_null(config_format(&c, &e));
}
END_TEST

static int summary_of(const char *text, size_t size, struct config_summary *s, struct err *e)
{
	int fd, rc;

	unit_write("config.json", text, size);
	fd = openat(unit_dirfd, "config.json", O_RDONLY);
	rc = config_read_summary(fd, s, e);
	close(fd);
	return rc;
}

START_TEST(summary)
{
	static char big[CONFIG_MAX_SIZE + 1];
	struct config c = sample();
	struct config_summary s;
	struct err e = { 0 };
	char *text = config_format(&c, &e);

	ck_ok(summary_of(text, strlen(text), &s, &e), e);
	ck_assert_str_eq(s.created, "2001-09-09T01:46:40Z");
	ck_assert_str_eq(s.source, "/srv/x.tar");
	ck_assert_int_eq(s.owner, 2001);
	ck_assert_int_eq(s.size, 4096);
	free(text);
	ck_ok(summary_of("{}", 2, &s, &e), e);
	ck_assert_int_eq(s.owner, -1);
	ck_refused(summary_of("{", 1, &s, &e), e, "read config.json: ");
	ck_refused(summary_of("[]", 2, &s, &e), e, "read config.json: Expected object");
	ck_refused(summary_of("{\"size\":\"x\"}", 12, &s, &e), e, "read config.json: Expected integer");
	memset(big, ' ', sizeof(big));
	ck_refused(summary_of(big, sizeof(big), &s, &e), e, "read config.json: File too large");
}
END_TEST

UNIT_MAIN("config", written_as_documented, digest_is_of_the_content, digest_is_what_the_header_says, not_text, summary)
