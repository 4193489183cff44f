#include <config.h>

#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/io.h"

char unit_dir[4096];
int unit_dirfd = -1;

void unit_setup(void)
{
	char cwd[3000];

	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	snprintf(unit_dir, sizeof(unit_dir), "%s/unit.XXXXXX", cwd);
	ck_assert_ptr_nonnull(mkdtemp(unit_dir));
	unit_dirfd = open(unit_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(unit_dirfd, 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void unit_teardown(void)
{
	close(unit_dirfd);
	nftw(unit_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *unit_path(const char *name)
{
	static char path[8192];

	snprintf(path, sizeof(path), "%s/%s", unit_dir, name);
	return path;
}

void unit_write(const char *name, const void *text, size_t size)
{
	int fd = open(unit_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, text, size), 0);
	close(fd);
}

int unit_main(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, unit_setup, unit_teardown);
	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
