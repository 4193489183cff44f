#include "config.h"

#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "profile.h"
#include "step.h"

/* An empty variable is as good as none; an empty --container= is an error. */
static void unset_empty(const char *name)
{
	const char *value = getenv(name);

	if (value && !*value)
		unsetenv(name);
}

static const char *from_environment(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static const char *const container_variables[] = { "SRUN_CONTAINER", "SBATCH_CONTAINER", "SALLOC_CONTAINER" };

/* The default of --container-image is the default of --container; one that is wrong is refused later. */
static void set_image_default(void)
{
	struct options o = { .value = { NULL } };
	struct err ignored;

	options_environment(&o, from_environment, NULL, &ignored);
	for (unsigned i = 0; o.value[SET_IMAGE] && i < sizeof(container_variables) / sizeof(container_variables[0]); i++)
		setenv(container_variables[i], o.value[SET_IMAGE], 0);
	options_free(&o);
}

/*
 * salloc leaves the options it was given in the environment, and Slurm's srun and
 * sbatch take them from there as if they were on their own command lines
 * (src/common/plugstack.c). OPTIONS_VARIABLE says the same, without winning.
 */
static void forget_slurms_copies(void)
{
	static const char *const prefixes[] = { "", "SPANK_", "SLURM_SPANK_" };

	for (unsigned i = 0; i < n_options; i++)
		for (unsigned p = 0; p < 3; p++) {
			char name[128];

			snprintf(name, sizeof(name), "%s_SLURM_SPANK_OPTION_slxc_%s", prefixes[p], option_table[i].name);
			for (char *c = name; *c; c++)
				if (*c == '-')
					*c = '_';
			unsetenv(name);
		}
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
	for (unsigned i = 0; i < sizeof(container_variables) / sizeof(container_variables[0]); i++)
		unset_empty(container_variables[i]);
	set_image_default();
	forget_slurms_copies();
	/* for an inner srun they are the default, a nested sbatch does not inherit */
	if (place != IN_SRUN)
		unsetenv(OPTIONS_VARIABLE);
}

/* True when --container has been said, and not only by a variable or by an earlier --container-image. */
static bool is_said(const struct client *c, const char *container)
{
	for (unsigned i = 0; i < sizeof(container_variables) / sizeof(container_variables[0]); i++) {
		const char *value = getenv(container_variables[i]);

		if (value && !strcmp(value, container))
			return false;
	}
	return strcmp(c->image, container);
}

static int contradiction(const char *container, const char *image, struct err *e)
{
	return err_set(e, 0, "--container=%.100s and --container-image=%.100s are different images: say one",
		container, image);
}

int client_option(struct client *c, unsigned i, const char *argument, struct err *e)
{
	char said[NAME_FULL_SIZE] = "";
	const char *image;

	if (options_command(&c->options, i, argument, e) < 0)
		return -1;
	if (option_table[i].setting != SET_IMAGE)
		return 0;
	image = c->options.value[SET_IMAGE];
	if (slurmapi_container_option(said, sizeof(said)) && strcmp(said, image) && is_said(c, said))
		return contradiction(said, image, e);
	snprintf(c->image, sizeof(c->image), "%s", image);
	slurmapi_set_container_option(image);
	return 0;
}

/* All settings, from wherever they come, checked and put where the node finds them. */
static int hand_on(struct client *c, enum slurm_place place, bool contained, struct err *e)
{
	const char *job = getenv(OPTIONS_VARIABLE), *unused = options_needing_container(&c->options);
	autofree char *text = malloc(OPTIONS_TEXT_SIZE);

	if (!text)
		return err_set(e, ENOMEM, "read the options");
	if ((job && options_read(&c->options, job, e) < 0) ||
	    options_environment(&c->options, from_environment, NULL, e) < 0 || options_write(&c->options, text, e) < 0)
		return -1;
	if (c->options.value[SET_PROFILE] && profiles_check(c->options.value[SET_PROFILE], e) < 0)
		return -1;
	/* in a job without one they are for its steps */
	if (place == IN_SRUN && !contained && unused && !c->warned) {
		fprintf(stderr, "slxc: --%s is ignored: the step has no container (--container=IMAGE)\n", unused);
		c->warned = true;
	}
	if (*text)
		setenv(OPTIONS_VARIABLE, text, 1);
	else
		unsetenv(OPTIONS_VARIABLE);
	return 0;
}

int client_after_options(struct client *c, enum slurm_place place, struct err *e)
{
	const char *container = getenv("SLURM_CONTAINER");
	char name[NAME_FULL_SIZE];

	if (*c->image && container && strcmp(container, c->image))
		return contradiction(container, c->image, e);
	if (*c->image && !container) {
		/* a Slurm whose own option could not be set: it is not recorded, but it holds */
		setenv("SLURM_CONTAINER", c->image, 1);
		container = getenv("SLURM_CONTAINER");
	}
	/* an empty one, too: --container=$IMAGE with IMAGE unset must not run on the host */
	if (container && strcmp(container, "none") && name_check(container, name, e) < 0)
		return -1;
	if (!container)
		container = "";
	if (hand_on(c, place, step_wants_container(container), e) < 0)
		return -1;
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
