#include <config.h>

#include "intercept.h"

#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static int calls;

/* Not fork() itself: in one program with its caller it would come here again. */
static pid_t instead(void)
{
	calls++;
	return _Fork();
}

static pid_t other(void)
{
	return -7;
}

START_TEST(test_the_programs_calls_come_here)
{
	pid_t pid;
	int status;

	ck_assert_int_eq(intercept_fork(instead), 0);
	pid = fork();
	if (pid == 0)
		_exit(calls == 1 ? 5 : 6);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 5 << 8);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(test_the_first_stays)
{
	pid_t pid;

	ck_assert_int_eq(intercept_fork(instead), 0);
	ck_assert_int_eq(intercept_fork(other), 0);
	pid = fork();
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(calls, 1);
}
END_TEST

UNIT_MAIN("intercept", test_the_programs_calls_come_here, test_the_first_stays)
