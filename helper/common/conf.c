#include "config.h"

#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "paths.h"

void conf_defaults(struct conf *c)
{
	*c = (struct conf){
		.store = SLXC_STOREDIR,
		.scratch_percent = 50,
		.scratch_inodes = 1000000,
		.mount_home = true,
		.mount_cwd = true,
		.mount_tmp = true,
		.start_timeout = 60,
		.seccomp = SLXC_DATADIR "/seccomp.json",
	};
}

/* Digits, with K, M, G or T (powers of 1024) when a unit is allowed. */
static int parse_number(const char *text, bool unit, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	unsigned shift = 0;

	if (!isdigit((unsigned char)*text))
		return -1;
	for (; isdigit((unsigned char)*text); text++) {
		if (n > (UINT64_MAX - 9) / 10)
			return -1;
		n = n * 10 + (*text - '0');
	}
	if (unit && *text) {
		const char *units = "KMGT";
		const char *u = strchr(units, toupper((unsigned char)*text));

		if (!u)
			return -1;
		shift = 10 * (u - units + 1);
		text++;
	}
	if (*text || n > (max >> shift))
		return -1;
	*out = n << shift;
	return 0;
}

int conf_parse_size(const char *text, uint64_t *out)
{
	return parse_number(text, true, INT64_MAX, out);
}

static int parse_bool(const char *text, bool *out)
{
	if (!strcmp(text, "yes"))
		*out = true;
	else if (!strcmp(text, "no"))
		*out = false;
	else
		return -1;
	return 0;
}

static int set_store(struct conf *c, const char *v)
{
	if (v[0] != '/' || strlen(v) >= sizeof(c->store))
		return -1;
	strcpy(c->store, v);
	return 0;
}

static int set_scratch_size(struct conf *c, const char *v)
{
	size_t n = strlen(v);
	uint64_t number;
	char digits[8];

	if (n > 1 && n < sizeof(digits) && v[n - 1] == '%') {
		memcpy(digits, v, n - 1);
		digits[n - 1] = 0;
		if (parse_number(digits, false, 100, &number) < 0 || number == 0)
			return -1;
		c->scratch_percent = number;
		c->scratch_size = 0;
		return 0;
	}
	if (parse_number(v, true, INT64_MAX, &number) < 0 || number < 4096)
		return -1;
	c->scratch_size = number;
	return 0;
}

void conf_limit_scratch(struct conf *c, uint64_t memory)
{
	uint64_t bytes = memory << 20;

	if (!memory)
		return;
	if (!c->scratch_size)
		c->scratch_size = bytes / 100 * c->scratch_percent;
	if (c->scratch_size > bytes)
		c->scratch_size = bytes;
}

static int set_scratch_inodes(struct conf *c, const char *v)
{
	uint64_t number;

	if (parse_number(v, true, INT64_MAX, &number) < 0 || number < 16)
		return -1;
	c->scratch_inodes = number;
	return 0;
}

static int set_start_timeout(struct conf *c, const char *v)
{
	uint64_t number;

	if (parse_number(v, false, 3600, &number) < 0 || number < 1)
		return -1;
	c->start_timeout = number;
	return 0;
}

int conf_check_profiles(const char *list)
{
	for (;;) {
		size_t n = strspn(list, "abcdefghijklmnopqrstuvwxyz0123456789_-");

		if (n == 0 || n > 64 || *list == '-')
			return -1;
		list += n;
		if (!*list)
			return 0;
		if (*list++ != ',')
			return -1;
	}
}

static int set_profiles(struct conf *c, const char *v)
{
	if ((*v && conf_check_profiles(v) < 0) || strlen(v) >= sizeof(c->profiles))
		return -1;
	strcpy(c->profiles, v);
	return 0;
}

/* "NAME:PROFILE[,PROFILE] ..." */
static int copy_table(char *out, const char *text)
{
	if (strlen(text) >= CONF_PROFILES_SIZE)
		return -1;
	for (const char *s = text; *s; s += strspn(s, " \t")) {
		size_t n = strcspn(s, " \t"), name = strcspn(s, ":");
		char list[CONF_PROFILES_SIZE];

		if (name == 0 || name >= n)
			return -1;
		memcpy(list, s + name + 1, n - name - 1);
		list[n - name - 1] = 0;
		if (conf_check_profiles(list) < 0)
			return -1;
		s += n;
	}
	strcpy(out, text);
	return 0;
}

static int set_partition_profiles(struct conf *c, const char *v) { return copy_table(c->partition_profiles, v); }
static int set_account_profiles(struct conf *c, const char *v) { return copy_table(c->account_profiles, v); }
static int set_seccomp(struct conf *c, const char *v)
{
	if (!strcmp(v, "none")) {
		c->seccomp[0] = 0;
		return 0;
	}
	if (v[0] != '/' || strlen(v) >= sizeof(c->seccomp))
		return -1;
	strcpy(c->seccomp, v);
	return 0;
}

static const char *const apparmor_names[] = { "auto", "required", "none" };

int conf_parse_apparmor(const char *text, enum conf_apparmor *out)
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(text, apparmor_names[i])) {
			*out = i;
			return 0;
		}
	return -1;
}

const char *conf_apparmor_name(enum conf_apparmor a)
{
	return apparmor_names[a];
}

static int set_apparmor(struct conf *c, const char *v) { return conf_parse_apparmor(v, &c->apparmor); }
static int set_mount_home(struct conf *c, const char *v) { return parse_bool(v, &c->mount_home); }
static int set_mount_cwd(struct conf *c, const char *v) { return parse_bool(v, &c->mount_cwd); }
static int set_mount_tmp(struct conf *c, const char *v) { return parse_bool(v, &c->mount_tmp); }
static int set_allow_root(struct conf *c, const char *v) { return parse_bool(v, &c->allow_root); }

static const struct key {
	const char *name;
	int (*set)(struct conf *, const char *value);
	const char *form;
} keys[] = {
	{ "store", set_store, "an absolute path" },
	{ "scratch_size", set_scratch_size, "a size such as 8G, or a share of memory such as 50%" },
	{ "scratch_inodes", set_scratch_inodes, "a number of at least 16" },
	{ "mount_home", set_mount_home, "yes or no" },
	{ "mount_cwd", set_mount_cwd, "yes or no" },
	{ "mount_tmp", set_mount_tmp, "yes or no" },
	{ "profiles", set_profiles, "a list NAME[,NAME]" },
	{ "partition_profiles", set_partition_profiles, "a list PARTITION:NAME[,NAME] ..." },
	{ "account_profiles", set_account_profiles, "a list ACCOUNT:NAME[,NAME] ..." },
	{ "start_timeout", set_start_timeout, "1 to 3600 seconds" },
	{ "seccomp", set_seccomp, "an absolute path, or none" },
	{ "apparmor", set_apparmor, "auto, required or none" },
	{ "allow_root", set_allow_root, "yes or no" },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

static int set_line(struct conf *c, char *line, unsigned *seen, const char *where, struct err *e)
{
	char *eq = strchr(line, '=');
	char *name, *value;

	if (!eq)
		return err_set(e, 0, "%s: '%.40s' is not a line of the form key=value", where, line);
	*eq = 0;
	name = trim(line);
	value = trim(eq + 1);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(name, keys[i].name))
			continue;
		if (*seen & (1u << i))
			return err_set(e, 0, "%s: %s is set twice", where, name);
		*seen |= 1u << i;
		if (keys[i].set(c, value) < 0)
			return err_set(e, 0, "%s: %s is %s, not '%.40s'", where, name, keys[i].form, value);
		return 0;
	}
	return err_set(e, 0, "%s: unknown key '%.40s'", where, name);
}

int conf_load(struct conf *c, const char *path, struct err *e)
{
	autofclose FILE *f = fopen(path, "re");
	autofree char *line = NULL;
	size_t size = 0;
	unsigned seen = 0, lineno = 0;
	struct conf fresh;
	struct stat st;
	ssize_t n;

	conf_defaults(&fresh);
	if (!f && errno == ENOENT) {
		*c = fresh;
		return 0;
	}
	if (!f || fstat(fileno(f), &st) < 0)
		return err_set(e, errno, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "%s is not a file", path);
	if (geteuid() == 0 && (st.st_uid != 0 || (st.st_mode & 022)))
		return err_set(e, 0, "%s must belong to root and be writable by root only", path);
	while ((n = getline(&line, &size, f)) >= 0) {
		char where[PATH_MAX + 16];
		char *text;

		lineno++;
		if (strlen(line) != (size_t)n)
			return err_set(e, 0, "%s:%u: the line holds a zero byte", path, lineno);
		text = trim(line);
		if (!*text || *text == '#')
			continue;
		snprintf(where, sizeof(where), "%s:%u", path, lineno);
		if (set_line(&fresh, text, &seen, where, e) < 0)
			return -1;
	}
	if (ferror(f))
		return err_set(e, EIO, "read %s", path);
	*c = fresh;
	return 0;
}
