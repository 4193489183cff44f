#include "config.h"

#include "slurm.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slurm/slurm.h>
#include <slurm/spank.h>

enum slurm_place slurmapi_place(void)
{
	switch (spank_context()) {
	case S_CTX_LOCAL:
		return IN_SRUN;
	case S_CTX_ALLOCATOR:
		return IN_ALLOCATOR;
	case S_CTX_REMOTE:
		return IN_STEP;
	case S_CTX_SLURMD:
		return IN_DAEMON;
	case S_CTX_JOB_SCRIPT:
		return IN_JOB_SCRIPT;
	default:
		return IN_OTHER;
	}
}

int slurmapi_step(struct spank_handle *sp, struct slurm_step *s)
{
	uint32_t id = 0;
	gid_t *groups = NULL;
	int n = 0;

	memset(s, 0, sizeof(*s));
	if (spank_get_item(sp, S_JOB_ID, &s->job) != ESPANK_SUCCESS ||
	    spank_get_item(sp, S_JOB_STEPID, &id) != ESPANK_SUCCESS ||
	    spank_get_item(sp, S_JOB_UID, &s->uid) != ESPANK_SUCCESS ||
	    spank_get_item(sp, S_JOB_GID, &s->gid) != ESPANK_SUCCESS)
		return -1;
	if (spank_get_item(sp, S_JOB_SUPPLEMENTARY_GIDS, &groups, &n) == ESPANK_SUCCESS && groups && n > 0) {
		s->groups = groups;
		s->n_groups = n;
	}
	if (spank_get_item(sp, S_STEP_ALLOC_MEM, &s->memory) != ESPANK_SUCCESS)
		s->memory = 0;
	s->is_batch = id == SLURM_BATCH_SCRIPT;
	s->is_extern = id == SLURM_EXTERN_CONT;
	if (s->is_batch)
		strcpy(s->name, "batch");
	else if (id == SLURM_INTERACTIVE_STEP)
		strcpy(s->name, "interactive");
	else
		snprintf(s->name, sizeof(s->name), "%u", id);
	return 0;
}

uint32_t slurmapi_job_id(struct spank_handle *sp)
{
	uint32_t job = 0;

	return spank_get_item(sp, S_JOB_ID, &job) == ESPANK_SUCCESS ? job : 0;
}

int slurmapi_getenv(struct spank_handle *sp, const char *name, char *out, size_t size)
{
	spank_err_t rc;

	out[0] = 0;
	rc = spank_getenv(sp, name, out, size);
	if (rc == ESPANK_NOSPACE)
		out[size - 1] = 0;
	else if (rc != ESPANK_SUCCESS)
		out[0] = 0;
	return rc == ESPANK_SUCCESS ? 1 : rc == ESPANK_NOSPACE ? -1 : 0;
}

void slurmapi_setenv(struct spank_handle *sp, const char *name, const char *value)
{
	spank_setenv(sp, name, value, 1);
}

char **slurmapi_environment(struct spank_handle *sp)
{
	char **env = NULL;

	return spank_get_item(sp, S_JOB_ENV, &env) == ESPANK_SUCCESS ? env : NULL;
}

static char **command(struct spank_handle *sp)
{
	char **argv = NULL;
	int argc = 0;

	if (spank_get_item(sp, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS || argc < 1 || !argv || !argv[0])
		return NULL;
	return argv;
}

const char *slurmapi_command(struct spank_handle *sp)
{
	char **argv = command(sp);

	return argv ? argv[0] : NULL;
}

void slurmapi_set_command(struct spank_handle *sp, const char *path)
{
	char **argv = command(sp), *copy = strdup(path);

	/* the old one is Slurm's memory; this process executes another program next */
	if (argv && copy)
		argv[0] = copy;
}

void slurmapi_set_launcher(const char *program)
{
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(24,5,0)
	int (*init)(int argc, char **argv, char *binary) = dlsym(RTLD_DEFAULT, "run_command_init");

	if (init)
		init(0, NULL, (char *)program);
#else
	(void)program;
#endif
}

/* slurm_conf is Slurm's own variable; its type is public, and this plugin is built for one release. */
void slurmapi_task_prolog(char *out, size_t size)
{
	const slurm_conf_t *conf = dlsym(RTLD_DEFAULT, "slurm_conf");

	snprintf(out, size, "%s", conf && conf->task_prolog ? conf->task_prolog : "");
}

void slurmapi_batch_script(struct spank_handle *sp, char *out, size_t size)
{
	char **argv = NULL;
	int argc = 0;

	out[0] = 0;
	if (spank_get_item(sp, S_JOB_ARGV, &argc, &argv) == ESPANK_SUCCESS && argc > 0 && argv && argv[0])
		snprintf(out, size, "%s", argv[0]);
}

void slurmapi_task(struct spank_handle *sp, uint32_t *global, uint32_t *local)
{
	int id = 0;

	*global = *local = 0;
	spank_get_item(sp, S_TASK_GLOBAL_ID, global);
	if (spank_get_item(sp, S_TASK_ID, &id) == ESPANK_SUCCESS)
		*local = id;
}

int slurmapi_task_status(struct spank_handle *sp)
{
	int status = 0;

	spank_get_item(sp, S_TASK_EXIT_STATUS, &status);
	return status;
}

/* Since 25.11 slurm_load_job() takes the id of a step. */
static int load_job(job_info_msg_t **info, uint32_t job)
{
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(25,11,0)
	slurm_step_id_t id = SLURM_STEP_ID_INITIALIZER;

	id.job_id = job;
	return slurm_load_job(info, id, 0);
#else
	return slurm_load_job(info, job, 0);
#endif
}

int slurmapi_job_container(uint32_t job, char *out, size_t size)
{
	job_info_msg_t *info = NULL;
	int rc = 0;

	if (load_job(&info, job) != SLURM_SUCCESS)
		return -1;
	for (uint32_t i = 0; i < info->record_count; i++) {
		const slurm_job_info_t *j = &info->job_array[i];

		/* the answer is about this job; all of an array's tasks asked for the same */
		if (!j->container || !*j->container)
			continue;
		snprintf(out, size, "%s", j->container);
		rc = 1;
	}
	slurm_free_job_info_msg(info);
	return rc;
}

/* src/common/slurm_opt.h; the same in 22.05, 24.11 and 26.05 */
bool slurmapi_container_option(char *out, size_t size)
{
	void *opt = dlsym(RTLD_DEFAULT, "opt");
	char *(*get)(void *opt, const char *name) = dlsym(RTLD_DEFAULT, "slurm_option_get");
	const char *value = opt && get ? get(opt, "container") : NULL;

	/* a copy that is not given back: the memory is Slurm's kind, and this happens once */
	if (value)
		snprintf(out, size, "%s", value);
	return value;
}

bool slurmapi_set_container_option(const char *name)
{
	void *opt = dlsym(RTLD_DEFAULT, "opt");
	int (*set)(void *opt, const char *name, const char *value, bool early) = dlsym(RTLD_DEFAULT, "slurm_option_set");

	return opt && set && set(opt, "container", name, false) == SLURM_SUCCESS;
}

void slurmapi_error(const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	slurm_error("slxc: %s", text);
}

void slurmapi_info(const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	slurm_info("slxc: %s", text);
}
