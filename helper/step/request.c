#include "config.h"

#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/path.h"

/* Digits only, at most max. */
static int parse_u32(const char *text, uint32_t max, uint32_t *out)
{
	unsigned long long n = 0;

	if (!*text || strlen(text) > 10)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	if (n > max)
		return -1;
	*out = n;
	return 0;
}

static int copy_text(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		return -1;
	memcpy(out, text, n + 1);
	return 0;
}

/* A field of /etc/passwd or /etc/group: no separator, no line end. */
static int copy_field(char *out, size_t size, const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c == ':' || (unsigned char)*c < 0x20 || *c == 0x7f)
			return -1;
	return copy_text(out, size, text);
}

/* Takes "" too: there is none. */
static int copy_path(char *out, const char *text)
{
	if (*text && !path_is_clean(text))
		return -1;
	return copy_text(out, PATH_MAX, text);
}

static int set_job(struct request *r, const char *v) { return parse_u32(v, UINT32_MAX, &r->job); }
/* MiB, up to 4 PiB */
static int set_memory(struct request *r, const char *v)
{
	uint32_t number;

	if (parse_u32(v, UINT32_MAX, &number) < 0)
		return -1;
	r->memory = number;
	return 0;
}

static int set_node(struct request *r, const char *v) { return node_name_is_valid(v) ? copy_text(r->node, sizeof(r->node), v) : -1; }
static int set_uid(struct request *r, const char *v) { return parse_u32(v, UINT32_MAX - 1, &r->uid); }
static int set_gid(struct request *r, const char *v) { return parse_u32(v, UINT32_MAX - 1, &r->gid); }
static int set_user(struct request *r, const char *v) { return *v ? copy_field(r->user, sizeof(r->user), v) : -1; }
static int set_group(struct request *r, const char *v) { return *v ? copy_field(r->group, sizeof(r->group), v) : -1; }
static int set_image(struct request *r, const char *v) { return copy_text(r->image, sizeof(r->image), v); }
static int set_home(struct request *r, const char *v) { return *v && !path_is_clean(v) ? -1 : copy_field(r->home, sizeof(r->home), v); }
static int set_shell(struct request *r, const char *v) { return copy_field(r->shell, sizeof(r->shell), v); }
static int set_cwd(struct request *r, const char *v) { return copy_path(r->cwd, v); }
static int set_script(struct request *r, const char *v) { return copy_path(r->script, v); }

static int set_task_prolog(struct request *r, const char *v) { return copy_path(r->task_prolog, v); }

static int copy_answer(enum answer *out, const char *text)
{
	static const char *const words[] = { "", "yes", "no" };

	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(text, words[i])) {
			*out = i;
			return 0;
		}
	return -1;
}

static int set_mount_home(struct request *r, const char *v) { return copy_answer(&r->mount_home, v); }
static int set_writable(struct request *r, const char *v) { return copy_answer(&r->writable, v); }
static int set_remap_root(struct request *r, const char *v) { return copy_answer(&r->remap_root, v); }

static int set_mounts(struct request *r, const char *v)
{
	struct err ignored;

	return mounts_check(v, &ignored) < 0 ? -1 : copy_text(r->mounts, sizeof(r->mounts), v);
}

/* Of net, ipc and uts, in this order; the host name is the container's own anyway. */
static int set_unshare(struct request *r, const char *v)
{
	static const char *const all[] = { "", "net", "ipc", "net,ipc", "uts", "net,uts", "ipc,uts", "net,ipc,uts" };

	for (unsigned i = 0; i < 8; i++)
		if (!strcmp(v, all[i])) {
			r->own_network = i & 1;
			r->own_ipc = i & 2;
			return 0;
		}
	return -1;
}

static int set_scratch(struct request *r, const char *v)
{
	if (!*v)
		return 0;
	return conf_parse_size(v, &r->scratch) < 0 || r->scratch < CONF_MIN_SCRATCH ? -1 : 0;
}

static int set_version(struct request *r, const char *v)
{
	return strcmp(v, WIRE_VERSION) ? -1 : 0;
}

static int set_step(struct request *r, const char *v)
{
	uint32_t number;

	if (strcmp(v, "batch") && strcmp(v, "interactive") && parse_u32(v, UINT32_MAX, &number) < 0)
		return -1;
	return copy_text(r->step, sizeof(r->step), v);
}

/* "2001,2002": empty for none */
static int set_groups(struct request *r, const char *v)
{
	while (*v) {
		size_t n = strcspn(v, ",");
		char digits[12];

		if (n >= sizeof(digits) || r->n_groups == REQUEST_MAX_GROUPS)
			return -1;
		memcpy(digits, v, n);
		digits[n] = 0;
		if (parse_u32(digits, UINT32_MAX - 1, &r->groups[r->n_groups++]) < 0)
			return -1;
		v += n;
		if (*v == ',' && !*++v)
			return -1;
	}
	return 0;
}

/* Every record is needed, once. */
static const struct record {
	const char *key;
	int (*set)(struct request *, const char *value);
} records[] = {
	{ "version", set_version }, { "job", set_job }, { "step", set_step }, { "node", set_node },
	{ "uid", set_uid }, { "gid", set_gid }, { "groups", set_groups }, { "memory", set_memory },
	{ "user", set_user }, { "group", set_group }, { "image", set_image },
	{ "home", set_home }, { "shell", set_shell }, { "cwd", set_cwd }, { "script", set_script },
	{ "task_prolog", set_task_prolog },
	{ "mounts", set_mounts }, { "mount_home", set_mount_home }, { "writable", set_writable },
	{ "remap_root", set_remap_root }, { "unshare", set_unshare }, { "scratch", set_scratch },
};
#define N_RECORDS (sizeof(records) / sizeof(records[0]))

static int set_record(struct request *r, const char *key, const char *value, unsigned *seen, struct err *e)
{
	for (size_t i = 0; i < N_RECORDS; i++) {
		if (strcmp(key, records[i].key))
			continue;
		if (*seen & (1u << i))
			return err_set(e, EPROTO, "request: %s given twice", key);
		*seen |= 1u << i;
		if (records[i].set(r, value) < 0)
			return err_set(e, EPROTO, "request: bad %s '%.64s'", key, value);
		return 0;
	}
	return err_set(e, EPROTO, "request: unknown record '%.32s' (plugin and helper of different versions?)", key);
}

int request_decode(const struct wire *w, struct request *r, struct err *e)
{
	struct request *fresh;
	const char *value;
	unsigned seen = 0;
	size_t pos = 0;
	char key[32];
	int rc = -1;

	if (strcmp(wire_verb(w), "REQUEST"))
		return err_set(e, EPROTO, "request: expected REQUEST, got '%.16s'", wire_verb(w));
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return err_set(e, ENOMEM, "request");
	while (wire_next(w, &pos, key, sizeof(key), &value))
		if (set_record(fresh, key, value, &seen, e) < 0)
			goto out;
	for (size_t i = 0; i < N_RECORDS; i++)
		if (!(seen & (1u << i))) {
			err_set(e, EPROTO, "request: %s is missing", records[i].key);
			goto out;
		}
	*r = *fresh;
	rc = 0;
out:
	free(fresh);
	return rc;
}
