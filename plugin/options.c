#include "config.h"

#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/name.h"
#include "common/path.h"

const struct option_entry option_table[] = {
	{ "container-image", "[USER@][REGISTRY#]IMAGE[:TAG]",
	  "[slxc] the image: another spelling of --container",
	  SET_IMAGE, NULL, "IMAGE" },
	{ "container-mounts", "SRC:DST[:FLAGS][,SRC:DST...]",
	  "[slxc] files and directories of the host in the container. FLAGS are joined by \"+\", e.g. ro+nosuid. "
	  "SRC alone is the same path inside, tmpfs:DST an empty directory, umount:DST takes a default mount away",
	  SET_MOUNTS, NULL, "MOUNTS" },
	{ "container-workdir", "PATH",
	  "[slxc] the working directory in the container",
	  SET_WORKDIR, NULL, "WORKDIR" },
	{ "container-mount-home", NULL,
	  "[slxc] have the home directory in the container",
	  SET_MOUNT_HOME, "yes", "MOUNT_HOME" },
	{ "no-container-mount-home", NULL,
	  "[slxc] do not have the home directory in the container",
	  SET_MOUNT_HOME, "no", NULL },
	{ "container-remap-root", NULL,
	  "[slxc] be root in the container (and the same user as ever outside)",
	  SET_REMAP_ROOT, "yes", "REMAP_ROOT" },
	{ "no-container-remap-root", NULL,
	  "[slxc] be the same user in the container",
	  SET_REMAP_ROOT, "no", NULL },
	{ "container-writable", NULL,
	  "[slxc] the container's root file system can be written; what is written ends with the step",
	  SET_WRITABLE, "yes", "WRITABLE" },
	{ "container-readonly", NULL,
	  "[slxc] the container's root file system is read-only",
	  SET_WRITABLE, "no", "READONLY" },
	{ "container-env", "NAME[,NAME...]",
	  "[slxc] variables of the job that win over those of the image",
	  SET_ENV, NULL, "ENV" },
	{ "container-unshare", "net[,ipc][,uts]",
	  "[slxc] do not share the host's network (net: loopback only), shared memory (ipc), host name (uts)",
	  SET_UNSHARE, NULL, "UNSHARE" },
	{ "container-scratch", "SIZE",
	  "[slxc] how much can be written to the container's root file system, e.g. 4G",
	  SET_SCRATCH, NULL, "SCRATCH" },
	{ "container-entrypoint", NULL,
	  "[slxc] run the image's entrypoint before the program, and have the environment that it makes",
	  SET_ENTRYPOINT, "yes", "ENTRYPOINT" },
	{ "no-container-entrypoint", NULL,
	  "[slxc] do not run the image's entrypoint",
	  SET_ENTRYPOINT, "no", NULL },
	{ "container-entrypoint-log", NULL,
	  "[slxc] show what the entrypoint prints, on standard error",
	  SET_ENTRYPOINT_LOG, "yes", "ENTRYPOINT_LOG" },
	{ "container-profile", "NAME[,NAME...]",
	  "[slxc] sets of mounts, variables and limits that the administrator has named; none: not the usual ones either",
	  SET_PROFILE, NULL, "PROFILE" },
};
const unsigned n_options = sizeof(option_table) / sizeof(option_table[0]);

/* ---- values: what the user typed becomes what is handed on */

static int give(char **out, const char *text, struct err *e)
{
	*out = strdup(text);
	return *out ? 0 : err_set(e, ENOMEM, "read the options");
}

/* [USER@][REGISTRY#]IMAGE[:TAG] as pyxis has it: an image of the store, whose name may begin with a registry. */
static int read_image(const char *text, const char *option, char **out, struct err *e)
{
	const char *image = text, *at, *hash;
	char name[NAME_FULL_SIZE], full[NAME_FULL_SIZE];

	if (text[0] == '/' || (text[0] == '.' && text[1] == '/'))
		return err_set(e, 0, "%s=%.200s is a file: import it first ('slxc import NAME %.200s'), then say its NAME",
			option, text, text);
	if (!strncmp(image, "docker://", 9))
		image += 9;
	hash = strchr(image, '#');
	at = strchr(image, '@');
	if (at && (!hash || at < hash))
		image = at + 1;
	if (snprintf(name, sizeof(name), "%s", image) >= (int)sizeof(name))
		return err_set(e, 0, "%s: the image name '%.32s...' is longer than %d bytes", option, text, NAME_MAX_LEN);
	hash = strchr(name, '#');
	if (hash)
		name[hash - name] = '/';
	if (strcmp(name, "none") && name_check(name, full, e) < 0)
		return err_wrap(e, "%s", option);
	return give(out, name, e);
}

static int read_mounts(const char *text, const char *option, char **out, struct err *e)
{
	autofree char *mounts = malloc(MOUNTS_TEXT_SIZE);
	char cwd[PATH_MAX];

	(void)option;
	if (!mounts || !getcwd(cwd, sizeof(cwd)))
		return err_set(e, errno, "read --container-mounts");
	if (mounts_from_user(text, cwd, mounts, e) < 0)
		return -1;
	return give(out, mounts, e);
}

static int read_workdir(const char *text, const char *option, char **out, struct err *e)
{
	char clean[PATH_MAX];

	if (text[0] != '/' || path_join("/", text, clean) < 0)
		return err_set(e, 0, "%s takes an absolute path of the container, not '%.100s'", option, text);
	return give(out, clean, e);
}

/* yes and no, as people write them in variables */
static int read_bool(const char *text, const char *option, char **out, struct err *e)
{
	static const char *const words[2][5] = { { "no", "n", "0", "false", "off" }, { "yes", "y", "1", "true", "on" } };

	for (int value = 0; value < 2; value++)
		for (int i = 0; i < 5; i++)
			if (!strcasecmp(text, words[value][i]))
				return give(out, words[value][0], e);
	return err_set(e, 0, "%s is yes or no, not '%.40s'", option, text);
}

static int read_names(const char *text, const char *option, char **out, struct err *e)
{
	for (const char *s = text;;) {
		size_t n = strcspn(s, ",");

		if (n == 0 || isdigit((unsigned char)*s))
			return err_set(e, 0, "%s=%.100s is not NAME[,NAME...]", option, text);
		for (size_t i = 0; i < n; i++)
			if (!isalnum((unsigned char)s[i]) && s[i] != '_')
				return err_set(e, 0, "%s: '%.*s' is not the name of a variable", option, n < 64 ? (int)n : 64, s);
		s += n;
		if (!*s++)
			return give(out, text, e);
	}
}

static int read_profiles(const char *text, const char *option, char **out, struct err *e)
{
	if (conf_check_profiles(text) < 0)
		return err_set(e, 0, "%s=%.100s is not NAME[,NAME...] in lower case letters, digits, - and _", option, text);
	return give(out, text, e);
}

static int read_unshare(const char *text, const char *option, char **out, struct err *e)
{
	static const char *const known[] = { "net", "ipc", "uts" };
	bool said[3] = { false };
	char clean[16] = "";

	for (const char *s = text;;) {
		size_t n = strcspn(s, ","), i;

		for (i = 0; i < 3 && (strlen(known[i]) != n || strncmp(s, known[i], n)); i++)
			;
		if (i == 3)
			return err_set(e, 0, "%s: '%.*s' is none of net, ipc, uts", option, n < 40 ? (int)n : 40, s);
		said[i] = true;
		s += n;
		if (!*s++)
			break;
	}
	for (size_t i = 0; i < 3; i++)
		if (said[i])
			sprintf(clean + strlen(clean), "%s%s", *clean ? "," : "", known[i]);
	return give(out, clean, e);
}

static int read_scratch(const char *text, const char *option, char **out, struct err *e)
{
	char digits[24];
	uint64_t bytes;

	if (conf_parse_size(text, &bytes) < 0 || bytes < CONF_MIN_SCRATCH)
		return err_set(e, 0, "%s is a size of at least 64K such as 500M or 8G, not '%.40s'", option, text);
	snprintf(digits, sizeof(digits), "%" PRIu64, bytes);
	return give(out, digits, e);
}

static const struct {
	const char *key;        /* in OPTIONS_VARIABLE */
	int (*read)(const char *text, const char *option, char **out, struct err *e);
	bool adds_up;
} settings[N_SETTINGS] = {
	[SET_IMAGE] = { "image", read_image, false },
	[SET_MOUNTS] = { "mounts", read_mounts, true },
	[SET_WORKDIR] = { "workdir", read_workdir, false },
	[SET_MOUNT_HOME] = { "mount-home", read_bool, false },
	[SET_WRITABLE] = { "writable", read_bool, false },
	[SET_ENV] = { "env", read_names, true },
	[SET_REMAP_ROOT] = { "remap-root", read_bool, false },
	[SET_UNSHARE] = { "unshare", read_unshare, false },
	[SET_SCRATCH] = { "scratch", read_scratch, false },
	[SET_ENTRYPOINT] = { "entrypoint", read_bool, false },
	[SET_ENTRYPOINT_LOG] = { "entrypoint-log", read_bool, false },
	[SET_PROFILE] = { "profile", read_profiles, true },
};

/* ---- from the command line, the environment, the job */

void options_free(struct options *o)
{
	for (int i = 0; i < N_SETTINGS; i++)
		free(o->value[i]);
	*o = (struct options){ .value = { NULL } };
}

static int check_text(const char *text, const char *option, struct err *e)
{
	if (!*text)
		return err_set(e, 0, "%s is empty", option);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(e, 0, "%s holds a control character", option);
	return 0;
}

/* A list with one more entry, none twice: Slurm may say the same option again. */
static int add_up(char **list, char *more, struct err *e)
{
	autofree char *old = *list;
	autofree char *new = more;
	size_t n = strlen(new);

	for (const char *s = old; s; s = strchr(s, ','), s = s ? s + 1 : NULL)
		if (!strncmp(s, new, n) && (s[n] == 0 || s[n] == ',')) {
			*list = steal_pointer(&old);
			return 0;
		}
	if (asprintf(list, "%s,%s", old, new) < 0) {
		*list = NULL;
		return err_set(e, ENOMEM, "read the options");
	}
	return 0;
}

static int set(struct options *o, enum setting s, const char *text, const char *option, struct err *e)
{
	char *value;

	if (check_text(text, option, e) < 0 || settings[s].read(text, option, &value, e) < 0)
		return -1;
	if (settings[s].adds_up && o->value[s])
		return add_up(&o->value[s], value, e);
	free(o->value[s]);
	o->value[s] = value;
	return 0;
}

int options_command(struct options *o, unsigned i, const char *argument, struct err *e)
{
	const struct option_entry *entry = &option_table[i];
	enum setting s = entry->setting;
	char option[64];

	snprintf(option, sizeof(option), "--%s", entry->name);
	if (entry->flag && o->value[s] && o->from_command[s] && strcmp(o->value[s], entry->flag)) {
		const struct option_entry *other = option_table;

		while (other->setting != s || other == entry)
			other++;
		return err_set(e, 0, "--%s and --%s contradict each other: say one", other->name, entry->name);
	}
	if (set(o, s, entry->flag ? entry->flag : argument ? argument : "", option, e) < 0)
		return -1;
	if (strlen(o->value[s]) >= MOUNTS_TEXT_SIZE)
		return err_set(e, 0, "%s: all together longer than %d bytes", option, MOUNTS_TEXT_SIZE - 1);
	o->from_command[s] = true;
	return 0;
}

/* The value of a variable for a setting: READONLY=yes is writable "no". */
static int set_variable(struct options *o, const struct option_entry *entry, const char *name, const char *text,
	struct err *e)
{
	if (set(o, entry->setting, text, name, e) < 0)
		return -1;
	if (entry->flag && !strcmp(entry->flag, "no")) {
		bool yes = !strcmp(o->value[entry->setting], "yes");

		free(o->value[entry->setting]);
		return give(&o->value[entry->setting], yes ? "no" : "yes", e);
	}
	return 0;
}

int options_environment(struct options *o, const char *(*value)(void *arg, const char *name), void *arg, struct err *e)
{
	static const char *const prefixes[] = { "SLXC", "PYXIS" };

	for (unsigned p = 0; p < 2; p++)
		for (unsigned i = 0; i < n_options; i++) {
			const struct option_entry *entry = &option_table[i];
			const char *text;
			char name[64];

			if (!entry->variable || o->value[entry->setting])
				continue;
			snprintf(name, sizeof(name), "%s_CONTAINER_%s", prefixes[p], entry->variable);
			text = value(arg, name);
			/* an empty variable is as good as none */
			if (text && *text && set_variable(o, entry, name, text, e) < 0)
				return -1;
		}
	return 0;
}

static int read_line(struct options *o, const char *line, struct err *e)
{
	const char *eq = strchr(line, '=');
	char option[64];

	for (int s = 0; eq && s < N_SETTINGS; s++) {
		if (strlen(settings[s].key) != (size_t)(eq - line) || strncmp(line, settings[s].key, eq - line))
			continue;
		snprintf(option, sizeof(option), "--container-%s", settings[s].key);
		return o->value[s] ? 0 : set(o, s, eq + 1, option, e);
	}
	return err_set(e, 0, OPTIONS_VARIABLE " holds '%.40s' (clients and nodes of different versions of slxc?)", line);
}

int options_read(struct options *o, const char *text, struct err *e)
{
	struct options fresh = { .value = { NULL } };
	autofree char *copy = strdup(text);
	char *rest = copy, *line;
	int rc = copy ? 0 : err_set(e, ENOMEM, "read the options");

	while (rc == 0 && (line = strsep(&rest, "\n")))
		if (*line)
			rc = read_line(&fresh, line, e);
	for (int i = 0; rc == 0 && i < N_SETTINGS; i++)
		if (!o->value[i])
			o->value[i] = steal_pointer(&fresh.value[i]);
	options_free(&fresh);
	return rc;
}

int options_write(const struct options *o, char *text, struct err *e)
{
	size_t used = 0;

	text[0] = 0;
	for (int i = 0; i < N_SETTINGS; i++) {
		int n;

		/* it is what --container says by then */
		if (i == SET_IMAGE || !o->value[i])
			continue;
		n = snprintf(text + used, OPTIONS_TEXT_SIZE - used, "%s%s=%s", used ? "\n" : "", settings[i].key, o->value[i]);
		if (n < 0 || used + n >= OPTIONS_TEXT_SIZE)
			return err_set(e, 0, "the options of the container are longer than %d bytes", OPTIONS_TEXT_SIZE);
		used += n;
	}
	return 0;
}

int options_profile(struct options *o, const char *key, const char *value, struct err *e)
{
	for (int s = 0; s < N_SETTINGS; s++) {
		const char *k = key, *name = settings[s].key;

		/* what says which container, or is the user's alone, is in no profile */
		if (s == SET_IMAGE || s == SET_PROFILE || s == SET_ENV)
			continue;
		while (*name && (*k == *name || (*k == '_' && *name == '-'))) {
			k++;
			name++;
		}
		if (!*k && !*name)
			return set(o, s, value, key, e);
	}
	return err_set(e, 0, "unknown key '%.40s'", key);
}

const char *options_needing_container(const struct options *o)
{
	for (unsigned i = 0; i < n_options; i++) {
		const struct option_entry *entry = &option_table[i];

		if (entry->setting != SET_IMAGE && o->from_command[entry->setting] &&
		    (!entry->flag || !strcmp(entry->flag, o->value[entry->setting])))
			return entry->name;
	}
	return NULL;
}

bool options_is(const struct options *o, enum setting s, bool unsaid)
{
	return o->value[s] ? !strcmp(o->value[s], "yes") : unsaid;
}
