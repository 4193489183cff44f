/*
 * The options beside --container: one table with name, help, environment names
 * and check (options.c). The client reads them from three places, the first that
 * says something wins:
 *
 *   the command line and #SBATCH lines
 *   OPTIONS_VARIABLE, what the job said (an inner srun)
 *   SLXC_CONTAINER_..., then PYXIS_CONTAINER_...
 *
 * and hands them to the node as text in OPTIONS_VARIABLE. There the text is
 * checked again: users can write to it.
 */
#ifndef SLXC_OPTIONS_H
#define SLXC_OPTIONS_H

#include <stdbool.h>

#include "common/err.h"
#include "common/mounts.h"

/* One "setting=value" a line. Slurm hands on every variable that begins with SLURM_. */
#define OPTIONS_VARIABLE "SLURM_SLXC_OPTIONS"
#define OPTIONS_TEXT_SIZE 32768

enum setting {
	SET_IMAGE,       /* name[:tag]; in the client only: it becomes --container */
	SET_MOUNTS,      /* as mounts_from_user() gives it */
	SET_WORKDIR,     /* absolute */
	SET_MOUNT_HOME,  /* "yes" or "no" */
	SET_WRITABLE,    /* "yes" or "no" */
	SET_ENV,         /* names, comma separated */
	SET_REMAP_ROOT,  /* "yes" or "no" */
	SET_UNSHARE,     /* of net, ipc, uts, comma separated */
	SET_SCRATCH,     /* bytes, in digits */
	SET_ENTRYPOINT,  /* "yes" or "no" */
	SET_ENTRYPOINT_LOG, /* "yes" or "no" */
	SET_PROFILE,     /* names, comma separated */
	N_SETTINGS
};

struct options {
	char *value[N_SETTINGS];         /* NULL: not said; owned */
	bool from_command[N_SETTINGS];
};

/* What srun --help shows, and how it is called. */
struct option_entry {
	const char *name;       /* "container-mounts" */
	const char *argument;   /* NULL: takes none */
	const char *help;
	enum setting setting;
	const char *flag;       /* the value of one that takes no argument */
	const char *variable;   /* "MOUNTS" for SLXC_CONTAINER_MOUNTS; NULL: none */
};
extern const struct option_entry option_table[];
extern const unsigned n_options;

void options_free(struct options *o);

/*
 * An option of the command line, table entry number i. Mounts and names of
 * variables add up; of the others the last one counts, but two that contradict
 * each other (--container-writable --container-readonly) are refused.
 */
int options_command(struct options *o, unsigned i, const char *argument, struct err *e);

/* What the environment says where the command line said nothing. value(arg, NAME): NULL when unset. */
int options_environment(struct options *o, const char *(*value)(void *arg, const char *name), void *arg, struct err *e);

/* From and to the text of OPTIONS_VARIABLE; settings that are there already stay. */
int options_read(struct options *o, const char *text, struct err *e);
int options_write(const struct options *o, char *text, struct err *e);

/* A line of a profile (profile.h): the key has _ for -. A later one wins; mounts add up. */
int options_profile(struct options *o, const char *key, const char *value, struct err *e);

/* The first option of the command line that only a container has use for, or NULL. */
const char *options_needing_container(const struct options *o);

/* "yes" */
bool options_is(const struct options *o, enum setting s, bool unsaid);

#endif
