/* slxc rm: references, then the images that have none, then the layers that no image has. */
#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "store/list.h"
#include "store/writer.h"

#define SHORTEST_PREFIX (7 + 12) /* "sha256:" and 12 digits, as slxc images shows */

static const char usage[] =
	"Usage: slxc rm NAME|DIGEST...\n\n"
	"Removes a name; its image too, when that was the last name for it; then the layers that no image has.\n"
	"A digest (12 of its digits are enough) removes the image with all its names.\n"
	"Steps that use an image now keep it until they end, and so does the space it takes.\n\n"
	"  --store DIR    use this image store\n";

static bool has_prefix(const char *digest, const char *prefix)
{
	return !strncmp(digest, prefix, strlen(prefix));
}

static bool is_digest_prefix(const char *text)
{
	char full[DIGEST_LEN + 1] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	size_t n = strlen(text);

	if (n < SHORTEST_PREFIX || n > DIGEST_LEN)
		return false;
	memcpy(full, text, n);
	return digest_is_valid(full, ':');
}

/* The whole digest for its beginning. */
static int complete(const struct list *images, const char *prefix, char *digest, struct err *e)
{
	unsigned found = 0;

	for (size_t i = 0; i < images->n; i++)
		if (has_prefix(images->entries[i].digest, prefix)) {
			strcpy(digest, images->entries[i].digest);
			found++;
		}
	if (found == 1)
		return 0;
	if (found)
		return err_set(e, 0, "%.80s is the beginning of several digests: give more of it", prefix);
	return err_set(e, 0, "no image '%.80s': see 'slxc images'", prefix);
}

static int remove_digest(struct writer *w, const char *prefix, struct err *e)
{
	struct list refs = { 0 }, images = { 0 };
	char digest[DIGEST_LEN + 1];
	int rc = -1;

	if (list_images(&w->store, &images, e) == 0 && complete(&images, prefix, digest, e) == 0)
		rc = list_refs(&w->store, &refs, e);
	for (size_t i = 0; rc == 0 && i < refs.n; i++) {
		if (strcmp(refs.entries[i].digest, digest))
			continue;
		rc = writer_remove_ref(w, refs.entries[i].name, e);
		if (rc == 0)
			printf("%s: name removed\n", refs.entries[i].name);
	}
	if (rc == 0)
		rc = writer_remove_image(w, digest, e);
	if (rc == 0)
		printf("%s: image removed\n", digest);
	list_free(&refs);
	list_free(&images);
	return rc;
}

static int remove_name(struct writer *w, const char *ref, struct err *e)
{
	char name[NAME_FULL_SIZE], digest[DIGEST_LEN + 1] = "";
	struct list refs;
	unsigned left = 0;
	bool found = false;
	int rc = 0;

	if (name_check(ref, name, e) < 0 || list_refs(&w->store, &refs, e) < 0)
		return -1;
	for (size_t i = 0; i < refs.n; i++)
		if (!strcmp(refs.entries[i].name, name)) {
			strcpy(digest, refs.entries[i].digest);
			found = true;
		}
	for (size_t i = 0; i < refs.n; i++)
		left += strcmp(refs.entries[i].name, name) && !strcmp(refs.entries[i].digest, digest);
	list_free(&refs);
	if (!found)
		return err_set(e, 0, "no image '%.100s': see 'slxc images'", name);
	rc = writer_remove_ref(w, name, e);
	if (rc == 0)
		printf("%s: name removed\n", name);
	if (rc < 0 || left || !*digest)
		return rc;
	if (writer_remove_image(w, digest, e) == 0)
		printf("%s: image removed\n", digest);
	else if (e->code != ENOENT) /* a name that led nowhere */
		rc = -1;
	return rc;
}

static int remove_all(struct writer *w, char **refs, struct err *e)
{
	struct err first = { 0 };
	bool failed = false;
	uint64_t freed;
	char size[32];

	if (writer_lock(w, e) < 0)
		return -1;
	for (; *refs; refs++) { /* one that is wrong does not keep the others */
		if ((is_digest_prefix(*refs) ? remove_digest : remove_name)(w, *refs, e) == 0)
			continue;
		if (!failed)
			first = *e;
		failed = true;
	}
	if (writer_remove_unused_layers(w, &freed, e) < 0)
		return err_wrap(e, "the names are removed, the layers stay");
	if (freed)
		printf("%s of layers removed; steps that use them now keep them until they end\n",
			cli_size(freed, size, sizeof(size)));
	if (failed)
		*e = first;
	return failed ? -1 : 0;
}

int cli_rm(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	struct store s;
	struct writer w;
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = cli_common_option(c, o, argv, usage, e);
		if (rc)
			return rc < 0 ? -rc : cli_flush(e);
	}
	if (optind == argc) {
		err_set(e, 0, "rm takes a NAME or a DIGEST: see 'slxc rm --help'");
		return CLI_USAGE;
	}
	if (store_open(&s, c->store, e) < 0) /* writer_open() would make it */
		return CLI_FAILED;
	store_close(&s);
	if (writer_open(&w, c->store, e) < 0)
		return CLI_FAILED;
	rc = remove_all(&w, argv + optind, e);
	writer_close(&w);
	return rc < 0 ? CLI_FAILED : cli_flush(e);
}
