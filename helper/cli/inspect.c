/* slxc inspect: everything that the store knows of an image. */
#include <config.h>

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "store/config.h"
#include "store/store.h"

static const char usage[] =
	"Usage: slxc inspect [--json] NAME|DIGEST\n\n"
	"Shows what an image runs with (environment, entrypoint, working directory), its layers, and where it came from.\n\n"
	"  --json         as one JSON object\n"
	"  --store DIR    use this image store\n";

/* config.json, and with it the name and digest that led there and the layers. NULL: e says why. */
static json_t *read_image(const struct image *img, struct err *e)
{
	autofree char *text = malloc(CONFIG_MAX_SIZE);
	ssize_t n = text ? io_read_full(img->config, text, CONFIG_MAX_SIZE) : -1;
	json_t *config, *layers = json_array();
	json_error_t why;

	config = n < 0 ? NULL : json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(config)) {
		err_set(e, n < 0 ? errno : 0, "read the image's config.json%s", n < 0 ? "" : ": it is damaged; import the image again");
		json_decref(config);
		json_decref(layers);
		return NULL;
	}
	for (unsigned i = 0; i < img->n_layers; i++)
		json_array_append_new(layers, json_string(img->layers[i]));
	json_object_set_new(config, "name", json_string(img->name));
	json_object_set_new(config, "digest", json_string(img->digest));
	json_object_set_new(config, "layers", layers);
	return config;
}

/* Texts from an image are other people's. */
static void print_text(const char *label, const char *text)
{
	char line[4096];

	snprintf(line, sizeof(line), "%s", text);
	err_sanitize(line);
	printf("%-12s  %s\n", label, line);
}

static void print_value(const char *label, const json_t *v)
{
	const char *key;
	json_t *item;
	char text[4096];
	size_t i;

	if (json_is_string(v) && *json_string_value(v))
		print_text(label, json_string_value(v));
	else if (json_is_integer(v))
		printf("%-12s  %lld\n", label, (long long)json_integer_value(v));
	json_array_foreach((json_t *)v, i, item)
		if (json_is_string(item))
			print_text(i ? "" : label, json_string_value(item));
	i = 0;
	json_object_foreach((json_t *)v, key, item) {
		snprintf(text, sizeof(text), "%s=%s", key, json_is_string(item) ? json_string_value(item) : "");
		print_text(i++ ? "" : label, text);
	}
}

static void print_lines(const json_t *config)
{
	static const char *const order[] = {
		"name", "digest", "visibility", "owner", "created", "source", "architecture", "os", "size", "layers",
		"entrypoint", "cmd", "workdir", "env", "labels",
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		print_value(order[i], json_object_get(config, order[i]));
}

static int inspect(struct cli *c, const char *ref, bool json, struct err *e)
{
	struct store s;
	struct image img;
	json_t *config = NULL;
	int rc;

	if (store_open(&s, c->store, e) < 0)
		return -1;
	rc = store_find(&s, ref, geteuid(), &img, e);
	if (rc == 0) {
		config = read_image(&img, e);
		rc = config ? 0 : err_wrap(e, "image '%s'", img.name);
		image_close(&img);
	}
	store_close(&s);
	if (rc == 0 && json) {
		rc = json_dumpf(config, stdout, JSON_INDENT(2)) < 0 ? err_set(e, 0, "write the image as JSON") : 0;
		putchar('\n');
	} else if (rc == 0) {
		print_lines(config);
	}
	json_decref(config);
	return rc;
}

int cli_inspect(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPT_JSON }, CLI_COMMON_OPTIONS, { 0 } };
	bool json = false;
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = o == OPT_JSON ? 0 : cli_common_option(c, o, argv, usage, e);
		json |= o == OPT_JSON;
		if (rc)
			return rc < 0 ? -rc : cli_flush(e);
	}
	if (argc - optind != 1) {
		err_set(e, 0, "inspect takes one NAME or DIGEST: see 'slxc inspect --help'");
		return CLI_USAGE;
	}
	return inspect(c, argv[optind], json, e) < 0 ? CLI_FAILED : cli_flush(e);
}
