#include "config.h"

#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define MOUNT "/sys/fs/cgroup"

/* ".../job_12/step_0/slurm": what is before "/job_". Slurm's names below that are its own business. */
int cgroup_find_subtree(const char *text, char *out, size_t size)
{
	const char *line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text;
	const char *path, *job, *end;

	if (!line)
		return 0;
	path = strchr(line, '/');
	end = path ? strchrnul(path, '\n') : NULL;
	job = path ? strstr(path, "/job_") : NULL;
	if (!job || job > end || (size_t)(job - path) >= size)
		return 0;
	memcpy(out, path, job - path);
	out[job - path] = 0;
	return 1;
}

/* Safe: the paths are the kernel's and Slurm's; the only process that moves is this one. */
int cgroup_leave_step(struct err *e)
{
	char text[4096], subtree[PATH_MAX], path[PATH_MAX + 64];
	autoclose int procs = -1;
	struct statfs fs;

	if (statfs(MOUNT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	if (io_read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text), e) < 0)
		return -1;
	if (!cgroup_find_subtree(text, subtree, sizeof(subtree)))
		return 0;
	snprintf(path, sizeof(path), MOUNT "%s/slxc", subtree);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "make %s", path);
	strcat(path, "/cgroup.procs");
	procs = open(path, O_WRONLY | O_CLOEXEC);
	if (procs < 0 || io_write_all(procs, "0", 1) < 0)
		return err_set(e, errno, "write %s", path);
	return 0;
}
