/*
 * slxc-worker: the half of a step's helper that runs as the job's user, without
 * any privilege on the host. Waits for STEP on descriptor 3, writes the files
 * that name the user, tells the supervisor the image's environment, starts the
 * LXC container and is its monitor. The supervisor kills it when the step ends.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/io.h"
#include "common/path.h"
#include "common/paths.h"
#include "common/wire.h"
#include "worker/step.h"
#include "worker/files.h"
#include "worker/lxc.h"

#define MNT SLXC_RUNDIR "/mnt"
#define INIT_FD 3
#define MAX_CONFIG (4 << 20)

/* ENV: what the image defines, for the tasks. */
static int put_environment(int config, struct wire *w, struct err *e)
{
	autofree char *text = malloc(MAX_CONFIG);
	ssize_t size = text ? io_read_full(config, text, MAX_CONFIG) : -1;
	json_t *root, *env, *item;
	json_error_t why;
	size_t i;

	if (size < 0)
		return err_set(e, errno, "read the image's config.json");
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return err_set(e, 0, "the image's config.json is damaged: %s (import the image again)", why.text);
	env = json_object_get(root, "env");
	json_array_foreach(env, i, item) {
		const char *variable = json_string_value(item);

		if (variable && strchr(variable, '=') > variable)
			wire_put(w, "env", "%s", variable);
	}
	env = json_object_get(root, "entrypoint");
	json_array_foreach(env, i, item)
		if (json_is_string(item))
			wire_put(w, "entrypoint", "%s", json_string_value(item));
	item = json_object_get(root, "workdir");
	if (json_is_string(item) && path_is_clean(json_string_value(item)))
		wire_put(w, "workdir", "%s", json_string_value(item));
	json_decref(root);
	return 0;
}

/* The descriptor for init goes to 3 and survives exec; the control socket must not. */
static int place_descriptors(struct wire *w, int *control, int *config)
{
	*control = fcntl(3, F_DUPFD_CLOEXEC, 10);
	*config = fcntl(w->fds[0], F_DUPFD_CLOEXEC, 10);
	if (*control < 0 || *config < 0 || dup2(w->fds[1], INIT_FD) < 0)
		return -1;
	for (unsigned i = 0; i < w->n_fds; i++)
		if (w->fds[i] == INIT_FD)
			w->fds[i] = -1;
	wire_close(w);
	return 0;
}

static int run(struct wire *w, int *control, struct err *e)
{
	static struct step step; /* large; there is one */
	int config, n = wire_recv(*control, w, 0, e);

	if (n == 0)
		exit(0); /* the supervisor is gone */
	if (n < 0 || step_decode(w, &step, e) < 0)
		return -1;
	if (w->n_fds != 2 || place_descriptors(w, control, &config) < 0)
		return err_set(e, EPROTO, "step: descriptors are missing");
	wire_begin(w, "ENV");
	if (put_environment(config, w, e) < 0 || wire_send(*control, w, NULL, 0, e) < 0)
		return -1;
	close(config);
	if (files_write(MNT "/root", &step, e) < 0)
		return -1;
	return lxc_run(&step, MNT, e);
}

int main(void)
{
	static struct wire w;
	struct err e;
	int control = 3;

	/* LXC makes directories with it, and looks for its state below these. */
	umask(022);
	setenv("XDG_RUNTIME_DIR", MNT "/lxc", 1);
	setenv("XDG_CACHE_HOME", MNT "/lxc", 1);
	setenv("HOME", MNT "/lxc", 1);
	if (run(&w, &control, &e) == 0)
		return 0;
	wire_begin(&w, "ERROR");
	wire_put(&w, "text", "%s", e.text);
	wire_send(control, &w, NULL, 0, &e);
	return 1;
}
