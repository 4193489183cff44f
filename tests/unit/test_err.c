#include <config.h>

#include <errno.h>

#include "unit.h"

START_TEST(set_with_code)
{
	struct err e;

	ck_assert_int_eq(err_set(&e, ENOENT, "open %s", "x"), -1);
	ck_assert_str_eq(e.text, "open x: No such file or directory");
	ck_assert_int_eq(e.code, ENOENT);
}
END_TEST

START_TEST(set_without_code)
{
	struct err e;

	ck_assert_int_eq(err_set(&e, 0, "no image '%s'", "x"), -1);
	ck_assert_str_eq(e.text, "no image 'x'");
	ck_assert_int_eq(e.code, 0);
}
END_TEST

START_TEST(wrap_keeps_code)
{
	struct err e;

	err_set(&e, EACCES, "open");
	ck_assert_int_eq(err_wrap(&e, "image %s", "a"), -1);
	ck_assert_str_eq(e.text, "image a: open: Permission denied");
	ck_assert_int_eq(e.code, EACCES);
}
END_TEST

START_TEST(long_text_is_cut)
{
	char big[2 * ERR_TEXT_SIZE];
	struct err e;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	err_set(&e, ENOENT, "%s", big);
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_SIZE - 1);
	err_wrap(&e, "%s", big);
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_SIZE - 1);
}
END_TEST

START_TEST(sanitize)
{
	char text[] = "a\033[31m\r\nb\x7f\xc3\xa4 c";

	err_sanitize(text);
	ck_assert_str_eq(text, "a?[31m??b??? c");
}
END_TEST

UNIT_MAIN("err", set_with_code, set_without_code, wrap_keeps_code, long_text_is_cut, sanitize)
