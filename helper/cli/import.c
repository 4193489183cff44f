/* slxc import: a directory or a tar archive becomes an image of one layer. */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "store/config.h"
#include "store/pack.h"
#include "store/tree.h"
#include "store/unpack.h"
#include "store/writer.h"

#define MAX_ENV 256
#define PROGRESS_MS 100

static const char usage[] =
	"Usage: slxc import [OPTION]... NAME SOURCE\n\n"
	"Makes the image NAME from SOURCE: a directory, a tar archive (compressed or not), or - for standard input.\n"
	"A NAME that is there already leads to the new image afterwards.\n\n"
	"  --private            only its owner (and root) may use it; else everybody may\n"
	"  --owner USER         whose it is, when root imports it for somebody (default: who runs slxc)\n"
	"  --env NAME=VALUE     a variable that its steps have; may be repeated\n"
	"  --entrypoint WORD    what --container-entrypoint runs before the program; repeated: its arguments\n"
	"  --workdir DIR        where its steps start when their own directory is not in the container\n"
	"  --replace            accepted for scripts: replacing is what happens anyway\n"
	"  --store DIR          use this image store\n";

struct import {
	char name[NAME_FULL_SIZE];
	char source[PATH_MAX];          /* as recorded */
	int source_fd;
	const char *env[MAX_ENV + 1];
	unsigned n_env;
	const char *entrypoint[MAX_ENV + 1];
	unsigned n_entrypoint;
	const char *workdir;
	bool is_private;
	uid_t owner;
	bool terminal;                  /* show how far it is */
	double shown;                   /* when, ms */
	double start;
};

#define bad_usage(e, ...) (err_set(e, 0, __VA_ARGS__), -CLI_USAGE)

static int add_env(struct import *im, const char *text, struct err *e)
{
	const char *s = text;

	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	if (*s != '=' || s == text || isdigit((unsigned char)*text))
		return bad_usage(e, "--env takes NAME=VALUE, not '%.100s'", text);
	if (im->n_env == MAX_ENV)
		return bad_usage(e, "more than %d times --env", MAX_ENV);
	for (unsigned i = 0; i < im->n_env; i++)
		if (!strncmp(im->env[i], text, s - text + 1))
			return bad_usage(e, "--env sets the same variable twice: '%.100s'", text);
	im->env[im->n_env++] = text;
	return 0;
}

static int set_owner(struct import *im, const char *name, struct err *e)
{
	struct passwd *pw = getpwnam(name);

	if (!pw)
		return bad_usage(e, "--owner: there is no user '%.100s'", name);
	if (pw->pw_uid != im->owner && geteuid() != 0)
		return bad_usage(e, "--owner %.100s: only root imports for others", name);
	im->owner = pw->pw_uid;
	return 0;
}

static int set_option(struct cli *c, struct import *im, int option, char **argv, struct err *e)
{
	switch (option) {
	case OPT_PRIVATE:
		im->is_private = true;
		return 0;
	case OPT_OWNER:
		return set_owner(im, optarg, e);
	case OPT_ENV:
		return add_env(im, optarg, e);
	case OPT_ENTRYPOINT:
		if (im->n_entrypoint == MAX_ENV)
			return bad_usage(e, "more than %d times --entrypoint", MAX_ENV);
		im->entrypoint[im->n_entrypoint++] = optarg;
		return 0;
	case OPT_WORKDIR:
		if (optarg[0] != '/')
			return bad_usage(e, "--workdir takes an absolute path, not '%.100s'", optarg);
		im->workdir = optarg;
		return 0;
	case OPT_REPLACE:
		return 0;
	default:
		return cli_common_option(c, option, argv, usage, e);
	}
}

/* 0, 1 (done: help), or -CLI_USAGE. */
static int parse(struct cli *c, struct import *im, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {
		{ "private", no_argument, NULL, OPT_PRIVATE },
		{ "owner", required_argument, NULL, OPT_OWNER },
		{ "env", required_argument, NULL, OPT_ENV },
		{ "entrypoint", required_argument, NULL, OPT_ENTRYPOINT },
		{ "workdir", required_argument, NULL, OPT_WORKDIR },
		{ "replace", no_argument, NULL, OPT_REPLACE },
		CLI_COMMON_OPTIONS, { 0 },
	};
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = set_option(c, im, o, argv, e);
		if (rc)
			return rc;
	}
	if (argc - optind != 2)
		return bad_usage(e, "import takes a NAME and a SOURCE: see 'slxc import --help'");
	if (digest_is_valid(argv[optind], ':'))
		return bad_usage(e, "'%.100s' is a digest: give the image a name, for example debian:12", argv[optind]);
	if (name_check(argv[optind], im->name, e) < 0)
		return -CLI_USAGE;
	return 0;
}

static int open_source(struct import *im, const char *path, struct err *e)
{
	autofree char *full = NULL;

	if (!strcmp(path, "-")) {
		if (isatty(STDIN_FILENO))
			return err_set(e, 0, "standard input is a terminal: pipe a tar archive into it");
		strcpy(im->source, "-");
		im->source_fd = STDIN_FILENO;
		return 0;
	}
	im->source_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (im->source_fd < 0)
		return err_set(e, errno, "open %.200s", path);
	full = realpath(path, NULL);
	if (snprintf(im->source, sizeof(im->source), "%s", full ? full : path) >= (int)sizeof(im->source))
		return err_set(e, ENAMETOOLONG, "open %.200s", path);
	return 0;
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
	struct import *im = arg;
	double now = io_now_ms();
	char a[32], b[32];

	if (!im->terminal || now - im->shown < PROGRESS_MS)
		return;
	im->shown = now;
	if (total)
		fprintf(stderr, "\r%s: %3.0f%% of %s\033[K", im->name, 100.0 * done / total, cli_size(total, b, sizeof(b)));
	else
		fprintf(stderr, "\r%s: %s\033[K", im->name, cli_size(done, a, sizeof(a)));
	fflush(stderr);
}

static void show(struct import *im, const char *what)
{
	if (im->terminal) {
		fprintf(stderr, "\r%s%s%s\033[K", *what ? im->name : "", *what ? ": " : "", what);
		fflush(stderr);
	}
}

static int unpack_source(struct import *im, struct writer *w, struct unpack_result *r, struct err *e)
{
	static const struct unpack_limits limits = { UNPACK_MAX_BYTES, UNPACK_MAX_ENTRIES };
	autoclose int tree = tree_make_dir(w->work, "tree", 0755, e);
	struct source *src;
	int rc;

	if (tree < 0)
		return -1;
	src = source_open(im->source_fd, w->store.root, e);
	if (!src)
		return -1;
	rc = unpack(src, tree, &limits, show_progress, im, r, e);
	source_close(src);
	return rc;
}

static int pack(struct import *im, struct writer *w, struct err *e)
{
	show(im, "packing");
	return pack_erofs(w->work, "tree", "layer.erofs", e);
}

/* Leaves the store locked. A layer that somebody else adds or removes meanwhile is noticed there. */
static int add_layer(struct import *im, struct writer *w, const char *layer, struct err *e)
{
	bool packed = !writer_has_layer(w, layer);

	if (packed && pack(im, w, e) < 0)
		return -1;
	if (writer_lock(w, e) < 0)
		return -1;
	if (writer_has_layer(w, layer))
		return 0;
	if (!packed && pack(im, w, e) < 0)
		return -1;
	return writer_put_layer(w, "layer.erofs", layer, e);
}

/* In the lock of add_layer(). Returns as writer_put_image(). */
static int add_image(struct import *im, struct writer *w, const char *layer, char *digest, char *old, struct err *e)
{
	char layers[1][DIGEST_LEN + 1];
	struct config config = {
		.architecture = config_architecture(), .os = "linux", .env = im->env, .entrypoint = im->entrypoint, .workdir = im->workdir,
		.name = im->name, .source = im->source, .created = time(NULL),
		.owner = im->owner, .is_private = im->is_private,
	};
	struct new_image image = {
		.digest = digest, .layers = (const char (*)[DIGEST_LEN + 1])layers, .n_layers = 1,
		.is_private = im->is_private, .owner = im->owner,
	};
	int64_t size = writer_layer_size(w, layer, e);
	autofree char *text = NULL;
	int rc;

	if (size < 0)
		return -1;
	memcpy(layers[0], layer, sizeof(layers[0]));
	config.size = size;
	if (config_digest(&config, image.layers, 1, digest, e) < 0)
		return -1;
	text = config_format(&config, e);
	if (!text)
		return -1;
	image.config = text;
	rc = writer_put_image(w, &image, e);
	if (rc < 0 || writer_put_ref(w, im->name, digest, old, e) < 0)
		return -1;
	return rc;
}

static void report(const struct import *im, const struct unpack_result *r, int64_t size, const char *digest,
	const char *old, int rc)
{
	char a[32], b[32];

	printf("%s: %s, %llu files of %s packed into %s, %.1f s\n", im->name, digest,
		(unsigned long long)r->entries, cli_size(r->bytes, a, sizeof(a)), cli_size(size, b, sizeof(b)),
		(io_now_ms() - im->start) / 1000);
	if (r->skipped)
		printf("%s: %llu device nodes, fifos and sockets left out\n", im->name, (unsigned long long)r->skipped);
	if (im->is_private && im->owner == 0)
		printf("%s: private to root: --owner USER makes it somebody else's\n", im->name);
	if (rc == 2)
		printf("%s: the store has the same image for everybody, so this one is not private\n", im->name);
	if (*old && !strcmp(old, digest))
		printf("%s: the same image as before\n", im->name);
	else if (*old)
		printf("%s: replaced %.19s, which stays: 'slxc rm %.19s' removes it if it has no other name\n",
			im->name, old, old);
}

static int import(struct cli *c, struct import *im, struct err *e)
{
	struct unpack_result r;
	char digest[DIGEST_LEN + 1], old[DIGEST_LEN + 1];
	struct writer w;
	int64_t size = -1;
	int rc = -1;

	if (writer_open(&w, c->store, e) < 0)
		return -1;
	if (unpack_source(im, &w, &r, e) == 0 && add_layer(im, &w, r.layer, e) == 0)
		rc = add_image(im, &w, r.layer, digest, old, e);
	if (rc >= 0)
		size = writer_layer_size(&w, r.layer, e);
	writer_unlock(&w);
	show(im, "");
	writer_close(&w);
	if (rc < 0)
		return -1;
	report(im, &r, size, digest, old, rc);
	return 0;
}

int cli_import(struct cli *c, int argc, char **argv, struct err *e)
{
	struct import im = {
		.source_fd = -1, .owner = geteuid(), .terminal = isatty(STDERR_FILENO), .start = io_now_ms(),
	};
	int rc = parse(c, &im, argc, argv, e);

	if (rc)
		return rc < 0 ? -rc : cli_flush(e);
	if (open_source(&im, argv[optind + 1], e) < 0)
		return CLI_FAILED;
	rc = import(c, &im, e);
	if (im.source_fd > STDIN_FILENO)
		close(im.source_fd);
	if (rc < 0) {
		err_wrap(e, "import %.100s from %.100s", im.name, argv[optind + 1]);
		return CLI_FAILED;
	}
	return cli_flush(e);
}
