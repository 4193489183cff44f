/* What the unit tests share: a directory that goes away, errors that say the right thing, main(). */
#ifndef SLXC_UNIT_H
#define SLXC_UNIT_H

#include <check.h>
#include <string.h>

#include "common/err.h"

/* The test's own empty directory, absolute, its descriptor in unit_dirfd. As a checked fixture. */
extern char unit_dir[4096];
extern int unit_dirfd;
void unit_setup(void);
void unit_teardown(void);

/* unit_dir/name, valid until the next call. */
const char *unit_path(const char *name);

/* Makes the file unit_dir/name. */
void unit_write(const char *name, const void *text, size_t size);

/* The call failed, and the text that the user gets has this in it. */
#define ck_refused(call, e, expected) \
	do { \
		memset(&(e), 0, sizeof(e)); \
		ck_assert_int_eq((call), -1); \
		ck_assert_msg(strstr((e).text, expected) != NULL, "the error is '%s', not '%s'", (e).text, expected); \
	} while (0)

/* The call gave no error. */
#define ck_ok(call, e) ck_assert_msg((call) >= 0, "%s", (e).text)

/* One test case with the directory, run as this program. Returns main()'s status. */
int unit_main(const char *name, const TTest *const *tests, size_t n);
#define UNIT_MAIN(name, ...) \
	int main(void) \
	{ \
		const TTest *const tests[] = { __VA_ARGS__ }; \
		return unit_main(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}

#endif
