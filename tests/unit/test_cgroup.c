#include <config.h>

#include "step/cgroup.h"

#include "unit.h"

static char out[64];

static void finds(const char *text, const char *subtree)
{
	ck_assert_msg(cgroup_find_subtree(text, out, sizeof(out)) == 1, "nothing found in: %s", text);
	ck_assert_str_eq(out, subtree);
}

static void finds_nothing(const char *text)
{
	strcpy(out, "as before");
	ck_assert_msg(cgroup_find_subtree(text, out, sizeof(out)) == 0, "'%s' found in: %s", out, text);
	ck_assert_str_eq(out, "as before");
}

START_TEST(what_slurm_makes)
{
	finds("0::/system.slice/slurmstepd.scope/job_12/step_0/slurm\n", "/system.slice/slurmstepd.scope");
	finds("0::/system.slice/node1_slurmstepd.scope/job_7/step_batch/user/task_0\n", "/system.slice/node1_slurmstepd.scope");
	finds("0::/job_1/step_0/slurm\n", "");
	finds("0::/a/job_1", "/a");
	/* both versions at once: only version 2 counts */
	finds("2:cpu:/slurm/uid_0/job_9/step_0\n1:name=systemd:/x\n0::/b/job_9/step_0\n", "/b");
}
END_TEST

START_TEST(not_in_a_step)
{
	finds_nothing("");
	finds_nothing("0::/\n");
	finds_nothing("0::/user.slice/user-0.slice\n");
	finds_nothing("4:memory:/slurm/uid_0/job_9/step_0\n3:cpu:/job_9\n");
	finds_nothing("0::/user.slice\n4:memory:/slurm/job_9\n");
	finds_nothing("0::");
	finds_nothing("10::/a/job_1\n");
}
END_TEST

START_TEST(does_not_fit)
{
	char text[256] = "0::/";

	memset(text + 4, 'x', 62);
	strcpy(text + 66, "/job_1/step_0\n");
	finds("0::/yyyy/job_1\n", "/yyyy");
	text[66] = 0;
	strcat(text, "x/job_1/step_0\n");
	finds_nothing(text);
}
END_TEST

UNIT_MAIN("cgroup", what_slurm_makes, not_in_a_step, does_not_fit)
