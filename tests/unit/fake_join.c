#include <config.h>

#include <errno.h>
#include <stdio.h>

#include "fake_slurm.h"
#include "join.h"

struct fake_join fake_join;

int join_pid_namespace(int init, struct err *e)
{
	if (fake_join.refuse)
		return err_set(e, EPERM, "%s", fake_join.refuse);
	fake_join.entered_pid_namespace++;
	fake_join.init = init;
	return 0;
}

int join_leave_pid_namespace(struct err *e)
{
	fake_join.left_pid_namespace++;
	return 0;
}

int join_container(const struct join *j, struct err *e)
{
	fake_join.entered_container++;
	fake_join.init = j->init;
	fake_join.filter_length = j->filter ? j->filter->head.length[0] : 0;
	snprintf(fake_join.cwd, sizeof(fake_join.cwd), "%s", j->cwd);
	return 0;
}
