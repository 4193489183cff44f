/*
 * slxc-step: the privileged half of slxc on a compute node. Run by the plugin as
 * root with an empty environment, never by a user (it is not setuid).
 *
 *   slxc-step step            one step; the plugin's socket is descriptor 3
 *   slxc-step sweep JOB[.STEP]  end and remove what is left of a job, or of one step
 *   slxc-step tidy            remove what dead supervisors left
 */
#include "config.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "supervise.h"
#include "sweep.h"

/*
 * Leaves slurmstepd's process tree: some of Slurm's process trackers kill all
 * its descendants when the step ends, and the supervisor has to outlive that.
 * Safe: the child is this program itself, with what it has already.
 */
static int detach_and_supervise(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0;
	setsid();
	return supervise(3);
}

/* Safe: gives up nothing and gains nothing: it fails unless slurmstepd, or an administrator, is root. */
int main(int argc, char **argv)
{
	openlog("slxc", LOG_PID, LOG_DAEMON);
	umask(022);
	/* slurmstepd may be half the user already: what is made here must be root's */
	if (setresuid(0, 0, 0) < 0 || setresgid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || chdir("/") < 0) {
		fprintf(stderr, "slxc-step: must be run as root\n");
		return 1;
	}
	if (argc == 2 && !strcmp(argv[1], "step"))
		return detach_and_supervise();
	if (argc == 3 && !strcmp(argv[1], "sweep"))
		return sweep_job(argv[2]) < 0;
	if (argc == 2 && !strcmp(argv[1], "tidy"))
		return sweep_dead() < 0;
	fprintf(stderr, "slxc-step: run by spank_slxc.so, not by hand\n");
	return 2;
}
