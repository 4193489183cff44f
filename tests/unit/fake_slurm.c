#include <config.h>

#include "fake_slurm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENV 64

struct fake_slurm fake_slurm;

static struct {
	char *name, *value;
} environment[MAX_ENV];

void fake_slurm_reset(void)
{
	static const gid_t groups[] = { 2002, 27 };

	fake_slurm = (struct fake_slurm){
		.step = { .job = 7, .name = "0", .uid = 2001, .gid = 2002, .groups = groups, .n_groups = 2 },
	};
	fake_join = (struct fake_join){ .init = -1 };
	for (int i = 0; i < MAX_ENV; i++) {
		free(environment[i].name);
		free(environment[i].value);
		environment[i].name = environment[i].value = NULL;
	}
}

void fake_setenv(const char *name, const char *value)
{
	int i = 0;

	while (i < MAX_ENV - 1 && environment[i].name && strcmp(environment[i].name, name))
		i++;
	free(environment[i].name);
	free(environment[i].value);
	environment[i].name = strdup(name);
	environment[i].value = value ? strdup(value) : NULL;
}

const char *fake_getenv(const char *name)
{
	for (int i = 0; i < MAX_ENV; i++)
		if (environment[i].name && !strcmp(environment[i].name, name))
			return environment[i].value;
	return NULL;
}

int slurmapi_step(struct spank_handle *sp, struct slurm_step *step)
{
	if (fake_slurm.step_rc == 0)
		*step = fake_slurm.step;
	return fake_slurm.step_rc;
}

uint32_t slurmapi_job_id(struct spank_handle *sp)
{
	return fake_slurm.step.job;
}

int slurmapi_getenv(struct spank_handle *sp, const char *name, char *out, size_t size)
{
	const char *value = fake_getenv(name);

	*out = 0;
	if (!value)
		return 0;
	/* as spank_getenv(): what does not fit is cut */
	return snprintf(out, size, "%s", value) < (int)size ? 1 : -1;
}

void slurmapi_setenv(struct spank_handle *sp, const char *name, const char *value)
{
	fake_setenv(name, value);
}

void slurmapi_batch_script(struct spank_handle *sp, char *out, size_t size)
{
	snprintf(out, size, "%s", fake_slurm.script ? fake_slurm.script : "");
}

int slurmapi_job_container(uint32_t job, char *out, size_t size)
{
	fake_slurm.asked_slurmctld++;
	if (fake_slurm.job_container_rc == 1)
		snprintf(out, size, "%s", fake_slurm.job_container);
	return fake_slurm.job_container_rc;
}

char **slurmapi_environment(struct spank_handle *sp)
{
	return NULL;
}

const char *slurmapi_command(struct spank_handle *sp)
{
	return fake_slurm.command;
}

void slurmapi_set_command(struct spank_handle *sp, const char *path)
{
	snprintf(fake_slurm.executed, sizeof(fake_slurm.executed), "%s", path);
}

void slurmapi_set_launcher(const char *program)
{
	(void)program;
}

void slurmapi_task_prolog(char *out, size_t size)
{
	snprintf(out, size, "%s", fake_slurm.task_prolog ? fake_slurm.task_prolog : "");
}

/* As a Slurm whose options no plugin can set. */
bool slurmapi_container_option(char *out, size_t size)
{
	(void)out;
	(void)size;
	return fake_slurm.container_option ? snprintf(out, size, "%s", fake_slurm.container_option) >= 0 : false;
}

bool slurmapi_set_container_option(const char *name)
{
	(void)name;
	return false;
}

static void note(const char *format, va_list ap)
{
	size_t used = strlen(fake_slurm.log);

	vsnprintf(fake_slurm.log + used, sizeof(fake_slurm.log) - used - 1, format, ap);
	strcat(fake_slurm.log, "\n");
}

void slurmapi_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note(format, ap);
	va_end(ap);
}

void slurmapi_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note(format, ap);
	va_end(ap);
}
