#include "config.h"

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "common/name.h"
#include "step.h"

/* An empty variable is as good as none; an empty --container= is not. */
static void unset_empty(const char *name)
{
	const char *value = getenv(name);

	if (value && !*value)
		unsetenv(name);
}

void client_before_options(enum slurm_place place)
{
	const char *inherited;

	unset_empty("SLURM_CONTAINER");
	unset_empty("SRUN_CONTAINER");
	unset_empty("SBATCH_CONTAINER");
	unset_empty("SALLOC_CONTAINER");
	inherited = getenv("SLURM_CONTAINER");
	if (inherited && place == IN_SRUN)
		setenv("SRUN_CONTAINER", inherited, 0);
	unsetenv("SLURM_CONTAINER");
	unsetenv(CLIENT_MARKER);
}

int client_after_options(struct err *e)
{
	const char *container = getenv("SLURM_CONTAINER");
	char name[NAME_FULL_SIZE];

	setenv(CLIENT_MARKER, "1", 1);
	if (!container || !step_wants_container(container))
		return 0;
	return name_check(container, name, e);
}
