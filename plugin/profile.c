#include "config.h"

#include "profile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/paths.h"

/* profiles.d, beside slxc.conf */
void profiles_dir(char *out, size_t size)
{
	snprintf(out, size, "%.*s/profiles.d", (int)(strrchr(SLXC_CONF_FILE, '/') - SLXC_CONF_FILE), SLXC_CONF_FILE);
}

void profiles_free(struct profiles *p)
{
	options_free(&p->options);
	for (unsigned i = 0; i < p->n_env; i++)
		free(p->env[i]);
	p->n_env = 0;
}

/* "a, b, c" for an error message. */
static void list_profiles(const char *path, char *out, size_t size)
{
	autoclosedir DIR *dir = opendir(path);
	struct dirent *d;

	snprintf(out, size, "none");
	for (unsigned n = 0; dir && (d = readdir(dir));) {
		size_t length = strlen(d->d_name), used = n ? strlen(out) : 0;

		if (length > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + length - 5, ".conf") && used + length < size)
			snprintf(out + used, size - used, "%s%.*s", n++ ? ", " : "", (int)length - 5, d->d_name);
	}
}

static int add_env(struct profiles *p, const char *text, const char *where, struct err *e)
{
	const char *s = text;

	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	if (*s != '=' || s == text || isdigit((unsigned char)*text))
		return err_set(e, 0, "%s: env is NAME=VALUE, not '%.40s'", where, text);
	if (p->n_env == PROFILE_MAX_ENV)
		return err_set(e, 0, "%s: the profiles have more than %d variables", where, PROFILE_MAX_ENV);
	p->env[p->n_env] = strdup(text);
	if (!p->env[p->n_env])
		return err_set(e, ENOMEM, "%s", where);
	p->n_env++;
	return 0;
}

static int set_line(struct profiles *p, char *line, const char *where, struct err *e)
{
	char *eq = strchr(line, '='), *value, *end;

	if (!eq)
		return err_set(e, 0, "%s: '%.40s' is not a line of the form key=value", where, line);
	for (end = eq; end > line && isspace((unsigned char)end[-1]); end--)
		;
	*end = 0;
	for (value = eq + 1; isspace((unsigned char)*value); value++)
		;
	if (!strcmp(line, "env"))
		return add_env(p, value, where, e);
	if (!strcmp(line, "mounts") && (*value == '.' || strstr(value, ",.")))
		return err_set(e, 0, "%s: a profile's mounts have no relative paths", where);
	if (options_profile(&p->options, line, value, e) < 0)
		return err_wrap(e, "%s", where);
	return 0;
}

static int read_profile(struct profiles *p, FILE *f, const char *path, struct err *e)
{
	autofree char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) >= 0) {
		char where[PATH_MAX + 16], *text = line;

		number++;
		snprintf(where, sizeof(where), "%s:%u", path, number);
		if (strlen(line) != (size_t)n)
			return err_set(e, 0, "%s: the line holds a zero byte", where);
		while (n > 0 && isspace((unsigned char)line[n - 1]))
			line[--n] = 0;
		while (isspace((unsigned char)*text))
			text++;
		if (*text && *text != '#' && set_line(p, text, where, e) < 0)
			return -1;
	}
	return ferror(f) ? err_set(e, EIO, "read %s", path) : 0;
}

static int load_one(struct profiles *p, const char *name, struct err *e)
{
	char dir[PATH_MAX - 80], path[PATH_MAX], all[200];
	autofclose FILE *f = NULL;
	struct stat st;

	profiles_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/%.64s.conf", dir, name);
	f = fopen(path, "re");
	if (!f && errno == ENOENT) {
		list_profiles(dir, all, sizeof(all));
		return err_set(e, 0, "no profile '%.64s' on this cluster: there are %s", name, all);
	}
	if (!f || fstat(fileno(f), &st) < 0)
		return err_set(e, errno, "open %s", path);
	if (!S_ISREG(st.st_mode) || (geteuid() == 0 && (st.st_uid != 0 || (st.st_mode & 022))))
		return err_set(e, 0, "%s must be a file of root that only root can write", path);
	return read_profile(p, f, path, e);
}

int profiles_load(struct profiles *p, const char *list, struct err *e)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		char name[80];

		snprintf(name, sizeof(name), "%.*s", (int)(n < 79 ? n : 79), list);
		if (load_one(p, name, e) < 0)
			return -1;
		list += n + (list[n] == ',');
	}
	return 0;
}

/* What comes after the last "none"; *found when there was one. */
static const char *after_none(const char *list, bool *found)
{
	const char *rest = list;

	*found = false;
	for (const char *s = list; *s;) {
		size_t n = strcspn(s, ",");
		const char *next = s + n + (s[n] == ',');

		if (n == 4 && !strncmp(s, "none", 4)) {
			rest = next;
			*found = true;
		}
		s = next;
	}
	return rest;
}

int profiles_check(const char *list, struct err *e)
{
	struct profiles p = { .n_env = 0 };
	char dir[PATH_MAX];
	bool found;
	int rc;

	profiles_dir(dir, sizeof(dir));
	if (access(dir, X_OK) < 0)
		return 0;
	rc = profiles_load(&p, after_none(list, &found), e);
	profiles_free(&p);
	return rc;
}

/* The profiles of name in "NAME:PROFILE[,PROFILE] NAME:..."; of every name when it is NULL. */
static int load_for(struct profiles *p, const char *table, const char *name, struct err *e)
{
	while (*(table += strspn(table, " \t"))) {
		size_t n = strcspn(table, " \t"), length = strcspn(table, ":");

		if (!name || (strlen(name) == length && !strncmp(table, name, length))) {
			char list[CONF_PROFILES_SIZE];

			snprintf(list, sizeof(list), "%.*s", (int)(n - length - 1), table + length + 1);
			if (profiles_load(p, list, e) < 0)
				return -1;
		}
		table += n;
	}
	return 0;
}

int profiles_of_conf(struct profiles *p, const struct conf *conf, struct err *e)
{
	if (profiles_load(p, conf->profiles, e) < 0 || load_for(p, conf->partition_profiles, NULL, e) < 0)
		return -1;
	return load_for(p, conf->account_profiles, NULL, e);
}

int profiles_of_step(struct profiles *p, const struct conf *conf, const char *partition, const char *account,
	const char *users, struct err *e)
{
	bool none;

	users = after_none(users, &none);
	if (!none && (profiles_load(p, conf->profiles, e) < 0 ||
		      load_for(p, conf->partition_profiles, partition, e) < 0 ||
		      load_for(p, conf->account_profiles, account, e) < 0))
		return err_wrap(e, "slxc.conf, tell the administrator");
	return profiles_load(p, users, e);
}

int profiles_apply(const struct profiles *p, struct options *o, struct err *e)
{
	for (int s = 0; s < N_SETTINGS; s++) {
		const char *ours = p->options.value[s];
		char *users = o->value[s], *both;

		if (!ours || (users && s != SET_MOUNTS))
			continue;
		if (asprintf(&both, "%s%s%s", ours, users ? "," : "", users ? users : "") < 0)
			return err_set(e, ENOMEM, "read the profiles");
		free(users);
		o->value[s] = both;
	}
	return 0;
}

void profile_expand(const char *text, const char *(*value)(void *arg, const char *name), void *arg, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	while (*text && used + 1 < size) {
		bool brace = text[0] == '$' && text[1] == '{';
		const char *name = text + 1 + brace, *v;
		char copy[128];
		size_t n = 0;

		while (isalnum((unsigned char)name[n]) || name[n] == '_')
			n++;
		if (*text != '$' || n == 0 || n >= sizeof(copy) || (brace && name[n] != '}')) {
			out[used++] = *text++;
			out[used] = 0;
			continue;
		}
		memcpy(copy, name, n);
		copy[n] = 0;
		text = name + n + brace;
		v = value(arg, copy);
		used += snprintf(out + used, size - used, "%s", v ? v : "");
	}
	out[size - 1] = 0;
}
