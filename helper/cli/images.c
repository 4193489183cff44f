/* slxc images: what the store has for the caller. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "store/config.h"
#include "store/list.h"

static const char usage[] =
	"Usage: slxc images [--json] [NAME]\n\n"
	"Lists the images that the caller may use; with NAME (or a whole digest) only that one.\n\n"
	"  --json         as JSON, with whole digests\n"
	"  --store DIR    use this image store\n";

struct row {
	char name[NAME_FULL_SIZE]; /* "" when no name leads to it */
	char digest[DIGEST_LEN + 1];
	struct config_summary config;
	bool is_private, has_config, is_damaged;
};

/* What can be seen of an image. 1: a row; 0: not for the caller. */
static int fill_row(const struct store *s, const struct list_entry *entry, struct row *row)
{
	const char *ref = entry->name[0] ? entry->name : entry->digest;
	char path[DIGEST_LEN + sizeof("images/") + sizeof("/layers")];
	struct config_summary unknown = { .owner = -1, .size = -1 };
	struct image img;
	struct stat st;
	struct err why;

	memset(row, 0, sizeof(*row));
	memcpy(row->name, entry->name, sizeof(row->name));
	memcpy(row->digest, entry->digest, sizeof(row->digest));
	row->config = unknown;
	if (store_find(s, ref, geteuid(), &img, &why) == 0) {
		memcpy(row->digest, img.digest, sizeof(row->digest));
		row->has_config = config_read_summary(img.config, &row->config, &why) == 0;
		row->is_damaged = !row->has_config;
		image_close(&img);
	} else if (why.code == ENOENT || why.code == EACCES) {
		return 0;
	} else {
		row->is_damaged = why.code != EPERM;
	}
	snprintf(path, sizeof(path), "images/%s/layers", row->digest);
	path[sizeof("images/") - 1 + 6] = '-';
	row->is_private = fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !(st.st_mode & S_IROTH);
	return 1;
}

static const char *visibility(const struct row *r)
{
	return r->is_damaged ? "damaged" : r->is_private ? "private" : "public";
}

static const char *owner_name(const struct row *r, char *buf, size_t size)
{
	struct passwd *pw = r->config.owner >= 0 ? getpwuid(r->config.owner) : NULL;

	if (pw)
		snprintf(buf, size, "%s", pw->pw_name);
	else if (r->config.owner >= 0)
		snprintf(buf, size, "%lld", (long long)r->config.owner);
	else
		snprintf(buf, size, "-");
	return buf;
}

static void print_table(const struct row *rows, size_t n)
{
	int width = 4;

	for (size_t i = 0; i < n; i++)
		if ((int)strlen(rows[i].name) > width)
			width = strlen(rows[i].name);
	printf("%-*s  %-19s  %7s  %-20s  %-12s  %s\n", width, "NAME", "DIGEST", "SIZE", "CREATED", "OWNER", "VISIBILITY");
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		char size[32] = "-", owner[64], created[sizeof(r->config.created)];

		if (r->config.size >= 0)
			cli_size(r->config.size, size, sizeof(size));
		snprintf(created, sizeof(created), "%s", *r->config.created ? r->config.created : "-");
		err_sanitize(created);
		printf("%-*s  %-19.19s  %7s  %-20s  %-12s  %s\n", width, r->name[0] ? r->name : "-",
			r->digest[0] ? r->digest : "-", size, created, owner_name(r, owner, sizeof(owner)), visibility(r));
	}
}

static json_t *known_or_null(int64_t n)
{
	return n >= 0 ? json_integer(n) : json_null();
}

static int print_json(const struct row *rows, size_t n, struct err *e)
{
	json_t *list = json_array();
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		json_t *o = json_pack("{s:s?, s:s, s:o, s:s?, s:o, s:s, s:s?}",
			"name", r->name[0] ? r->name : NULL, "digest", r->digest, "size", known_or_null(r->config.size),
			"created", r->has_config ? r->config.created : NULL, "owner", known_or_null(r->config.owner),
			"visibility", visibility(r), "source", r->has_config ? r->config.source : NULL);

		rc |= json_array_append_new(list, o);
	}
	if (rc == 0 && json_dumpf(list, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	else
		rc = err_set(e, 0, "write the list as JSON");
	json_decref(list);
	return rc < 0 ? -1 : 0;
}

static bool has_name(const struct list *refs, const char *digest)
{
	for (size_t i = 0; i < refs->n; i++)
		if (!strcmp(refs->entries[i].digest, digest))
			return true;
	return false;
}

/* Every reference, and every image that has none. rows: to be freed. */
static int collect(const struct store *s, struct row **rows, size_t *n, struct err *e)
{
	struct list refs = { 0 }, images = { 0 };
	int rc = -1;

	if (list_refs(s, &refs, e) == 0 && list_images(s, &images, e) == 0) {
		struct row *r = calloc(refs.n + images.n + 1, sizeof(*r));
		size_t used = 0;

		for (size_t i = 0; r && i < refs.n; i++)
			used += fill_row(s, &refs.entries[i], &r[used]);
		for (size_t i = 0; r && i < images.n; i++)
			if (!has_name(&refs, images.entries[i].digest))
				used += fill_row(s, &images.entries[i], &r[used]);
		*rows = r;
		*n = used;
		rc = r ? 0 : err_set(e, ENOMEM, "list the images");
	}
	list_free(&refs);
	list_free(&images);
	return rc;
}

/* Keeps the rows of the image that was asked for. There is none: the error is store_find()'s. */
static int keep_one(const struct store *s, const char *ref, struct row *rows, size_t *n, struct err *e)
{
	bool is_digest = digest_is_valid(ref, ':');
	char name[NAME_FULL_SIZE];
	struct image img;
	size_t kept = 0;

	if (!is_digest && name_check(ref, name, e) < 0)
		return -1;
	for (size_t i = 0; i < *n; i++)
		if (!strcmp(is_digest ? rows[i].digest : rows[i].name, is_digest ? ref : name))
			memmove(&rows[kept++], &rows[i], sizeof(*rows));
	*n = kept;
	if (kept)
		return 0;
	if (store_find(s, ref, geteuid(), &img, e) < 0)
		return -1;
	image_close(&img); /* imported this very moment */
	return 0;
}

int cli_images(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPT_JSON }, CLI_COMMON_OPTIONS, { 0 } };
	autofree struct row *rows = NULL;
	bool json = false;
	struct store s;
	size_t n = 0;
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = o == OPT_JSON ? 0 : cli_common_option(c, o, argv, usage, e);
		json |= o == OPT_JSON;
		if (rc)
			return rc < 0 ? -rc : cli_flush(e);
	}
	if (argc - optind > 1) {
		err_set(e, 0, "images takes one NAME at most: see 'slxc images --help'");
		return CLI_USAGE;
	}
	if (store_open(&s, c->store, e) < 0)
		return CLI_FAILED;
	rc = collect(&s, &rows, &n, e);
	if (rc == 0 && optind < argc)
		rc = keep_one(&s, argv[optind], rows, &n, e);
	store_close(&s);
	if (rc == 0 && json)
		rc = print_json(rows, n, e);
	else if (rc == 0)
		print_table(rows, n);
	return rc < 0 ? CLI_FAILED : cli_flush(e);
}
