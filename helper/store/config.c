#include <config.h>

#include "store/config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "sha256.h"

const char *config_architecture(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i686", "386" }, { "armv7l", "arm" },
		{ "ppc64le", "ppc64le" }, { "s390x", "s390x" }, { "riscv64", "riscv64" }, { "loongarch64", "loong64" },
	};
	struct utsname u;

	uname(&u);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(u.machine, names[i][0]))
			return names[i][1];
	return "unknown";
}

static json_t *string_list(const char *const *list)
{
	json_t *a = json_array();

	for (; a && list && *list; list++)
		if (json_array_append_new(a, json_string(*list)) < 0) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static json_t *label_object(const char *const *list)
{
	json_t *o = json_object();

	for (; o && list && *list; list++) {
		const char *eq = strchr(*list, '=');
		autofree char *key = eq ? strndup(*list, eq - *list) : NULL;

		if (!key || json_object_set_new(o, key, json_string(eq + 1)) < 0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

/* The part that counts for the digest. NULL: out of memory, or a string that is not UTF-8. */
static json_t *content(const struct config *c)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}",
		"architecture", c->architecture, "os", c->os,
		"env", string_list(c->env), "entrypoint", string_list(c->entrypoint), "cmd", string_list(c->cmd),
		"labels", label_object(c->labels), "workdir", c->workdir ? c->workdir : "");
}

char *config_format(const struct config *c, struct err *e)
{
	json_t *o = content(c);
	char created[32];
	char *text = NULL;
	struct tm tm;

	gmtime_r(&c->created, &tm);
	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (o && json_object_set_new(o, "name", json_string(c->name)) == 0 &&
	    json_object_set_new(o, "source", json_string(c->source)) == 0 &&
	    json_object_set_new(o, "created", json_string(created)) == 0 &&
	    json_object_set_new(o, "owner", json_integer(c->owner)) == 0 &&
	    json_object_set_new(o, "visibility", json_string(c->is_private ? "private" : "public")) == 0 &&
	    json_object_set_new(o, "size", json_integer(c->size)) == 0)
		text = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	if (!text)
		err_set(e, 0, "write config.json: a value is not UTF-8 text");
	else if (strlen(text) > CONFIG_MAX_SIZE)
		err_set(e, 0, "write config.json: more than %d bytes", CONFIG_MAX_SIZE);
	else
		return text;
	free(text);
	return NULL;
}

int config_digest(const struct config *c, const char (*layers)[DIGEST_LEN + 1], unsigned n_layers, char *digest,
	struct err *e)
{
	json_t *o = content(c), *list = json_array();
	struct sha256 *h = sha256_create(e);
	autofree char *text = NULL;
	int rc = -1;

	for (unsigned i = 0; i < n_layers; i++)
		json_array_append_new(list, json_string(layers[i]));
	if (json_object_set_new(o, "layers", list) == 0) /* takes list, even when o is NULL */
		text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	if (h && !text)
		err_set(e, 0, "write config.json: a value is not UTF-8 text");
	else if (h && sha256_update(h, text, strlen(text), e) == 0)
		rc = sha256_final(h, ':', digest, e);
	sha256_destroy(h);
	return rc;
}

/* Copies UTF-8 text; one that is too long is cut between two characters. */
static void copy_text(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	memcpy(out, text, n);
	out[n] = 0;
}

int config_read_summary(int fd, struct config_summary *s, struct err *e)
{
	autofree char *text = malloc(CONFIG_MAX_SIZE + 1);
	ssize_t n = text ? io_read_full(fd, text, CONFIG_MAX_SIZE + 1) : -1;
	const char *created = "", *source = "";
	json_int_t owner = -1, size = -1;
	json_error_t why;
	json_t *o;

	if (n < 0)
		return err_set(e, errno, "read config.json");
	if (n > CONFIG_MAX_SIZE)
		return err_set(e, EFBIG, "read config.json");
	o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (!o || json_unpack_ex(o, &why, 0, "{s?s, s?s, s?I, s?I}", "created", &created, "source", &source,
			"owner", &owner, "size", &size) < 0) {
		json_decref(o);
		return err_set(e, 0, "read config.json: %.160s", why.text);
	}
	copy_text(s->created, sizeof(s->created), created);
	copy_text(s->source, sizeof(s->source), source);
	s->owner = owner;
	s->size = size;
	json_decref(o);
	return 0;
}
