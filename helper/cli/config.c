/* slxc config: what slxc.conf and the profiles say, and whether they are right. */
#include <config.h>

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/paths.h"
#include "profile.h"

static const char usage[] =
	"Usage: slxc config check | show [--json]\n\n"
	"check  reads slxc.conf and every profile beside it, and says of each file whether it is right; exit status 1 when\n"
	"       one is not.\n"
	"show   prints every key of slxc.conf with the value that is in effect.\n\n"
	"  --json    show: as one JSON object\n";

/* ---- show */

struct value {
	const char *key;
	char text[PATH_MAX + 16];
};

static const char *yes_no(bool b)
{
	return b ? "yes" : "no";
}

static void add(struct value *v, unsigned *n, const char *key, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add(struct value *v, unsigned *n, const char *key, const char *format, ...)
{
	va_list ap;

	v[*n].key = key;
	va_start(ap, format);
	vsnprintf(v[*n].text, sizeof(v[*n].text), format, ap);
	va_end(ap);
	++*n;
}

#define MAX_KEYS 32

static unsigned values_of(const struct conf *c, struct value v[MAX_KEYS])
{
	unsigned n = 0;

	add(v, &n, "store", "%s", c->store);
	if (c->scratch_size)
		add(v, &n, "scratch_size", "%" PRIu64, c->scratch_size);
	else
		add(v, &n, "scratch_size", "%u%%", c->scratch_percent);
	add(v, &n, "scratch_inodes", "%" PRIu64, c->scratch_inodes);
	add(v, &n, "mount_home", "%s", yes_no(c->mount_home));
	add(v, &n, "mount_cwd", "%s", yes_no(c->mount_cwd));
	add(v, &n, "mount_tmp", "%s", yes_no(c->mount_tmp));
	add(v, &n, "profiles", "%s", c->profiles);
	add(v, &n, "partition_profiles", "%s", c->partition_profiles);
	add(v, &n, "account_profiles", "%s", c->account_profiles);
	add(v, &n, "start_timeout", "%u", c->start_timeout);
	add(v, &n, "seccomp", "%s", c->seccomp[0] ? c->seccomp : "none");
	add(v, &n, "apparmor", "%s", conf_apparmor_name(c->apparmor));
	add(v, &n, "allow_root", "%s", yes_no(c->allow_root));
	return n;
}

static int show(const struct conf *c, bool json, struct err *e)
{
	struct value *v = calloc(MAX_KEYS, sizeof(*v));
	unsigned n = v ? values_of(c, v) : 0;
	json_t *object = json_object();
	int rc = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!json)
			printf("%s=%s\n", v[i].key, v[i].text);
		else
			rc |= json_object_set_new(object, v[i].key, json_string(v[i].text));
	}
	if (json && (rc < 0 || json_dumpf(object, stdout, JSON_INDENT(2)) < 0))
		rc = err_set(e, 0, "write the configuration as JSON");
	else if (json)
		putchar('\n');
	json_decref(object);
	free(v);
	return rc < 0 ? -1 : 0;
}

/* ---- check */

/* One line for one file. Returns 1 when it is wrong. */
static int say(const char *file, int rc, struct err *e)
{
	if (rc == 0) {
		printf("%s: right\n", file);
		return 0;
	}
	err_sanitize(e->text);
	/* most of the texts begin with the file's name, and its line */
	printf("%s%s%s\n", strncmp(e->text, file, strlen(file)) ? file : "", strncmp(e->text, file, strlen(file)) ? ": " : "",
		e->text);
	return 1;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_profile(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".conf");
}

static unsigned check_profiles(const char *dir, unsigned *files)
{
	struct dirent **all = NULL;
	int n = scandir(dir, &all, is_profile, by_name);
	unsigned wrong = 0;

	for (int i = 0; i < n; i++) {
		struct profiles p = { .n_env = 0 };
		char path[PATH_MAX + 300], name[300];
		struct err e;
		int rc;

		snprintf(path, sizeof(path), "%s/%s", dir, all[i]->d_name);
		snprintf(name, sizeof(name), "%.*s", (int)strlen(all[i]->d_name) - 5, all[i]->d_name);
		if (conf_check_profiles(name) < 0)
			rc = err_set(&e, 0, "the name of a profile is lower case letters, digits, - and _");
		else
			rc = profiles_load(&p, name, &e);
		profiles_free(&p);
		wrong += say(path, rc, &e);
		++*files;
		free(all[i]);
	}
	free(all);
	return wrong;
}

/* The profiles that slxc.conf names are there. */
static int check_names(const struct conf *c, struct err *e)
{
	struct profiles p = { .n_env = 0 };
	int rc = profiles_of_conf(&p, c, e);

	profiles_free(&p);
	return rc;
}

static int check(struct err *e)
{
	char dir[PATH_MAX];
	struct conf conf;
	unsigned files = 1, wrong = 0;
	int rc = conf_load(&conf, SLXC_CONF_FILE, e);

	if (rc == 0)
		rc = check_names(&conf, e);
	wrong += say(SLXC_CONF_FILE, rc, e);
	profiles_dir(dir, sizeof(dir));
	wrong += check_profiles(dir, &files);
	if (wrong)
		return err_set(e, 0, "%u of %u configuration files are wrong", wrong, files);
	return 0;
}

int cli_config(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPT_JSON }, CLI_COMMON_OPTIONS, { 0 } };
	bool json = false;
	struct conf conf;
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = o == OPT_JSON ? 0 : cli_common_option(c, o, argv, usage, e);
		json |= o == OPT_JSON;
		if (rc)
			return rc < 0 ? -rc : cli_flush(e);
	}
	if (argc - optind == 1 && !strcmp(argv[optind], "check") && !json) {
		rc = check(e);
	} else if (argc - optind == 1 && !strcmp(argv[optind], "show")) {
		rc = conf_load(&conf, SLXC_CONF_FILE, e);
		if (rc == 0)
			rc = show(&conf, json, e);
	} else {
		err_set(e, 0, "config takes check or show: see 'slxc config --help'");
		return CLI_USAGE;
	}
	if (rc < 0) {
		fflush(stdout);
		return CLI_FAILED;
	}
	return cli_flush(e);
}
