#include "config.h"

#include "worker/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/path.h"

static int copy(const struct wire *w, const char *key, char *out, size_t size, struct err *e)
{
	const char *value = wire_get(w, key);

	if (!value || strlen(value) >= size)
		return err_set(e, EPROTO, "step: bad or missing %s", key);
	strcpy(out, value);
	return 0;
}

static bool is_yes(const struct wire *w, const char *key)
{
	const char *value = wire_get(w, key);

	return value && !strcmp(value, "yes");
}

int step_decode(const struct wire *w, struct step *s, struct err *e)
{
	char uid[12], gid[12];

	if (strcmp(wire_verb(w), "STEP"))
		return err_set(e, EPROTO, "step: expected STEP, got '%.16s'", wire_verb(w));
	if (copy(w, "name", s->name, sizeof(s->name), e) < 0 ||
	    copy(w, "uid", uid, sizeof(uid), e) < 0 || copy(w, "gid", gid, sizeof(gid), e) < 0 ||
	    copy(w, "user", s->user, sizeof(s->user), e) < 0 || copy(w, "group", s->group, sizeof(s->group), e) < 0 ||
	    copy(w, "home", s->home, sizeof(s->home), e) < 0 || copy(w, "shell", s->shell, sizeof(s->shell), e) < 0 ||
	    copy(w, "task_prolog", s->task_prolog, sizeof(s->task_prolog), e) < 0 ||
	    copy(w, "mounts", s->mounts, sizeof(s->mounts), e) < 0 ||
	    copy(w, "cwd", s->cwd, sizeof(s->cwd), e) < 0 || copy(w, "script", s->script, sizeof(s->script), e) < 0)
		return -1;
	s->uid = strtoul(uid, NULL, 10);
	s->gid = strtoul(gid, NULL, 10);
	s->mount_home = is_yes(w, "mount_home");
	s->mount_cwd = is_yes(w, "mount_cwd");
	s->mount_tmp = is_yes(w, "mount_tmp");
	s->remap_root = is_yes(w, "remap_root");
	s->own_network = is_yes(w, "own_network");
	s->own_ipc = is_yes(w, "own_ipc");
	return 0;
}

/* stat() as the user also wakes an automounter. */
static unsigned add(struct bind *binds, unsigned n, const char *path, bool is_file)
{
	struct stat st;

	for (unsigned i = 0; i < n; i++)
		if (!binds[i].is_file && path_is_below(path, binds[i].path))
			return n;
	if (n == MAX_BINDS || stat(path, &st) < 0 || S_ISDIR(st.st_mode) == is_file)
		return n;
	binds[n] = (struct bind){ .path = path, .is_file = is_file };
	return n + 1;
}

unsigned step_binds(const struct step *s, struct bind binds[MAX_BINDS])
{
	unsigned n = 0;

	if (s->mount_tmp)
		n = add(binds, n, "/tmp", false);
	if (s->mount_home && s->home[0] && !path_is_system(s->home))
		n = add(binds, n, s->home, false);
	if (s->mount_cwd && s->cwd[0] && !path_is_system(s->cwd))
		n = add(binds, n, s->cwd, false);
	if (s->script[0])
		n = add(binds, n, s->script, true);
	if (s->task_prolog[0])
		n = add(binds, n, s->task_prolog, true);
	return n;
}
