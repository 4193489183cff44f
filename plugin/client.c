#include "config.h"

#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"

/* An empty variable is as good as none; an empty --container= is an error. */
static void unset_empty(const char *name)
{
	const char *value = getenv(name);

	if (value && !*value)
		unsetenv(name);
}

void client_before_options(enum slurm_place place)
{
	const char *inherited = getenv("SLURM_CONTAINER");

	if (!inherited)
		inherited = getenv(CLIENT_MARKER);
	if (inherited && *inherited && place == IN_SRUN)
		setenv("SRUN_CONTAINER", inherited, 0);
	unsetenv("SLURM_CONTAINER");
	unsetenv(CLIENT_MARKER);
	unset_empty("SRUN_CONTAINER");
	unset_empty("SBATCH_CONTAINER");
	unset_empty("SALLOC_CONTAINER");
}

int client_after_options(struct client *c, enum slurm_place place, struct err *e)
{
	const char *container = getenv("SLURM_CONTAINER");
	char name[NAME_FULL_SIZE];

	/* an empty one, too: --container=$IMAGE with IMAGE unset must not run on the host */
	if (container && strcmp(container, "none") && name_check(container, name, e) < 0)
		return -1;
	if (!container)
		container = "";
	/* sbatch and salloc start nothing in the later components themselves */
	if (c->seen && place == IN_SRUN && strcmp(c->container, container))
		return err_set(e, 0, "the components of one srun cannot have different containers ('%.64s' and '%.64s'): "
			"use one srun for each, with --het-group", c->container, container);
	if (!c->seen) {
		c->seen = true;
		snprintf(c->container, sizeof(c->container), "%s", container);
		setenv(CLIENT_MARKER, container, 1);
	}
	if (place == IN_SRUN)
		unsetenv("SLURM_CONTAINER"); /* else Slurm would not set it for the next component */
	return 0;
}

void client_before_launch(const struct client *c)
{
	if (*c->container)
		setenv("SLURM_CONTAINER", c->container, 1);
}
