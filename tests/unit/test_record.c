#include <config.h>

#include "step/record.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define LOG SLXC_LOGDIR "/steps.jsonl"

static struct err e;

static struct record usual(void)
{
	return (struct record){
		.info = {
			.job = 7, .step = "batch", .node = "n1", .user = "alice", .uid = 2001, .image = "debian:12",
			.digest = "sha256-00", .start = 1764000000123, .ready_ms = 12.34, .init = 5, .init_start = 6,
		},
		.end = "ended",
	};
}

/* Appends it to an empty log and reads the one line back. */
static json_t *appended(const struct record *r)
{
	json_error_t why;
	const char *text;
	json_t *root;

	unlink(LOG);
	ck_ok(record_append(r, &e), e);
	text = private_read(LOG);
	ck_assert_msg(strchr(text, '\n') == text + strlen(text) - 1, "not one line: %s", text);
	root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	ck_assert_msg(root != NULL, "%s: %s", why.text, text);
	return root;
}

static const char *string(json_t *root, const char *key)
{
	const char *value = json_string_value(json_object_get(root, key));

	ck_assert_msg(value != NULL, "%s is no string", key);
	return value;
}

START_TEST(every_key)
{
	struct record r = usual();
	json_t *root;

	r.scratch_bytes = UINT64_C(1) << 50;
	r.scratch_inodes = 12;
	root = appended(&r);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "version")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "job")), 7);
	ck_assert_str_eq(string(root, "step"), "batch");
	ck_assert_str_eq(string(root, "user"), "alice");
	ck_assert_int_eq(json_integer_value(json_object_get(root, "uid")), 2001);
	ck_assert_str_eq(string(root, "node"), "n1");
	ck_assert_str_eq(string(root, "image"), "debian:12");
	ck_assert_str_eq(string(root, "digest"), "sha256-00");
	ck_assert_str_eq(string(root, "start"), "2025-11-24T16:00:00.123Z");
	ck_assert_uint_eq(strlen(string(root, "end")), strlen("2025-11-24T16:00:00.123Z"));
	ck_assert_str_ge(string(root, "end"), "2025-11-24T16:00:00.123Z");
	ck_assert(json_number_value(json_object_get(root, "ready_ms")) > 12.2);
	ck_assert(json_number_value(json_object_get(root, "ready_ms")) < 12.4);
	ck_assert_str_eq(string(root, "how"), "ended");
	ck_assert_ptr_null(json_object_get(root, "error"));
	ck_assert_uint_eq(json_array_size(json_object_get(root, "tasks")), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "scratch_bytes")), INT64_C(1) << 50);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "scratch_inodes")), 12);
	json_decref(root);
}
END_TEST

START_TEST(never_ready_has_no_time)
{
	struct record r = usual();
	json_t *root;

	r.info.ready_ms = -1;
	r.end = "failed";
	r.error = "no image 'x': import it";
	root = appended(&r);
	ck_assert_ptr_null(json_object_get(root, "ready_ms"));
	ck_assert_str_eq(string(root, "how"), "failed");
	ck_assert_str_eq(string(root, "error"), "no image 'x': import it");
	json_decref(root);
}
END_TEST

START_TEST(hostile_strings)
{
	static const char *const texts[] = {
		"\"", "\\", "\\\"", "\",\"uid\":0,\"x\":\"", "}\n{\"job\":1}", "a\tb\rc\nd\be\ff", "\x1b[2J\x01\x1f\x7f", "", "</script>",
		"%s%n%d",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct record r = usual();
		json_t *root;

		snprintf(r.info.user, sizeof(r.info.user), "%s", texts[i]);
		snprintf(r.info.image, sizeof(r.info.image), "%s", texts[i]);
		snprintf(r.info.step, sizeof(r.info.step), "%s", texts[i]);
		r.error = texts[i];
		root = appended(&r);
		ck_assert_str_eq(string(root, "user"), texts[i]);
		ck_assert_str_eq(string(root, "image"), texts[i]);
		ck_assert_str_eq(string(root, "error"), texts[i]);
		ck_assert_int_eq(json_integer_value(json_object_get(root, "uid")), 2001);
		json_decref(root);
	}
}
END_TEST

/* Every byte, in a text that is no UTF-8: still one line of JSON, and printable. */
START_TEST(bytes_outside_ascii)
{
	struct record r = usual();
	char text[256];
	json_t *root;

	for (int i = 1; i < 256; i++)
		text[i - 1] = i;
	text[255] = 0;
	r.error = text;
	root = appended(&r);
	ck_assert_ptr_nonnull(json_object_get(root, "error"));
	json_decref(root);
	for (const char *c = private_read(LOG); *c; c++)
		ck_assert((*c >= 0x20 && *c < 0x7f) || *c == '\n');
}
END_TEST

START_TEST(statuses)
{
	__typeof__(*((struct record *)NULL)->statuses) list[] = { { 0, 0 }, { 1, 3 << 8 }, { 4294967295u, 9 }, { 3, 11 | 0x80 } };
	struct record r = usual();
	json_t *root, *tasks;

	r.statuses = list;
	r.n_statuses = 4;
	root = appended(&r);
	tasks = json_object_get(root, "tasks");
	ck_assert_uint_eq(json_array_size(tasks), 4);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(tasks, 0), "exit")), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(tasks, 1), "exit")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(tasks, 2), "task")), 4294967295);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(tasks, 2), "signal")), 9);
	ck_assert_ptr_null(json_object_get(json_array_get(tasks, 2), "exit"));
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(tasks, 3), "signal")), 11);
	json_decref(root);
}
END_TEST

START_TEST(times)
{
	static const struct { int64_t ms; const char *text; } cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" }, { 999, "1970-01-01T00:00:00.999Z" },
		{ INT64_C(4102444800005), "2100-01-01T00:00:00.005Z" }, { INT64_C(1709164799000), "2024-02-28T23:59:59.000Z" },
	};

	setenv("TZ", "Asia/Kolkata", 1); /* the record is in UTC wherever the node is */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record r = usual();
		json_t *root;

		r.info.start = cases[i].ms;
		root = appended(&r);
		ck_assert_str_eq(string(root, "start"), cases[i].text);
		json_decref(root);
	}
}
END_TEST

START_TEST(appends_and_keeps_others_out)
{
	struct record r = usual();
	const char *text;
	struct stat st;
	int lines = 0;

	for (int i = 0; i < 3; i++)
		ck_ok(record_append(&r, &e), e);
	for (text = private_read(LOG); (text = strchr(text, '\n')); text++)
		lines++;
	ck_assert_int_eq(lines, 3);
	ck_assert_int_eq(stat(LOG, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(a_log_that_cannot_be_written)
{
	struct record r = usual();

	private_write("log/x", "");
	private_write("victim", "keep\n");
	ck_assert_int_eq(symlink(PRIVATE_DIR "/victim", LOG), 0);
	ck_refused(record_append(&r, &e), e, "write " LOG);
	ck_assert_int_eq(e.code, ELOOP);
	ck_assert_str_eq(private_read(private_path("victim")), "keep\n");
	ck_assert_int_eq(unlink(LOG), 0);
	ck_assert_int_eq(mkdir(LOG, 0755), 0);
	ck_refused(record_append(&r, &e), e, "write " LOG);
}
END_TEST

PRIVATE_MAIN("record", every_key, never_ready_has_no_time, hostile_strings, bytes_outside_ascii, statuses, times,
	appends_and_keeps_others_out, a_log_that_cannot_be_written)
