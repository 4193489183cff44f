/* slxc: images of a site's store. One table of subcommands; the only place that reports and exits. */
#include <config.h>

#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "common/conf.h"
#include "common/paths.h"

static const struct command {
	const char *name;
	int (*run)(struct cli *, int argc, char **argv, struct err *e);
	const char *summary;
	bool needs_no_store; /* nor slxc.conf, so that it can say what is wrong with it */
} commands[] = {
	{ "import", cli_import, "make an image from a directory or a tar archive", false },
	{ "images", cli_images, "list the images", false },
	{ "inspect", cli_inspect, "show everything of an image", false },
	{ "rm", cli_rm, "remove images", false },
	{ "ps", cli_ps, "list the containers on this node", true },
	{ "config", cli_config, "check or show the configuration", true },
	{ "doctor", cli_doctor, "check what containers need on this host", true },
	{ "completion", cli_completion, "make bash or zsh complete slxc's words", true },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
	puts("Usage: slxc [--store DIR] COMMAND ...\n\n"
		"Container images for jobs: srun --container=NAME ...\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-10s  %s\n", commands[i].name, commands[i].summary);
	puts("\n'slxc COMMAND --help' tells more.\n"
		"  --store DIR   use this image store, and not the one that slxc.conf names\n"
		"  --version     print the version\n"
		"Exit status: 0 done, 1 failed, 2 wrong usage.");
}

static int set_store(struct cli *c, const char *path, struct err *e)
{
	if (path[0] != '/' || strlen(path) >= sizeof(c->store)) {
		err_set(e, 0, "--store takes an absolute path, not '%.100s'", path);
		return -CLI_USAGE;
	}
	strcpy(c->store, path);
	return 0;
}

int cli_common_option(struct cli *c, int option, char **argv, const char *usage, struct err *e)
{
	switch (option) {
	case OPT_STORE:
		return set_store(c, optarg, e);
	case 'h':
		fputs(usage, stdout);
		return 1;
	case ':':
		err_set(e, 0, "%.100s needs a value: see --help", argv[optind - 1]);
		return -CLI_USAGE;
	default:
		err_set(e, 0, "unknown option '%.100s': see --help", argv[optind - 1]);
		return -CLI_USAGE;
	}
}

const char *cli_size(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double n = bytes;
	unsigned u = 0;

	while (n >= 999.5 && u < sizeof(units) / sizeof(units[0]) - 1) {
		n /= 1000;
		u++;
	}
	snprintf(buf, size, u && n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[u]);
	return buf;
}

int cli_flush(struct err *e)
{
	if (fflush(stdout) == EOF || ferror(stdout)) {
		err_set(e, errno, "write the output");
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* The options before the command. 0: run argv[optind]; else done, as from cli_common_option(). */
static int global_options(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {
		{ "version", no_argument, NULL, 'V' }, CLI_COMMON_OPTIONS, { 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "+:hV", options, NULL)) >= 0) {
		int rc = 1;

		if (o == 'h')
			print_help();
		else if (o == 'V')
			puts("slxc " PACKAGE_VERSION);
		else
			rc = cli_common_option(c, o, argv, "", e);
		if (rc)
			return rc;
	}
	if (optind == argc) {
		err_set(e, 0, "no command: see 'slxc --help'");
		return -CLI_USAGE;
	}
	return 0;
}

static int load_conf(struct cli *c, struct err *e)
{
	struct conf conf;

	if (c->store[0])
		return 0;
	if (conf_load(&conf, SLXC_CONF_FILE, e) < 0)
		return -1;
	strcpy(c->store, conf.store);
	return 0;
}

static int run(int argc, char **argv, struct err *e)
{
	struct cli c = { .store = "" };
	int rc;

	opterr = 0;
	rc = global_options(&c, argc, argv, e);
	if (rc)
		return rc < 0 ? -rc : cli_flush(e);
	argc -= optind;
	argv += optind;
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		if (!commands[i].needs_no_store && load_conf(&c, e) < 0)
			return CLI_FAILED;
		optind = 0; /* getopt_long starts again */
		return commands[i].run(&c, argc, argv, e);
	}
	err_set(e, 0, "unknown command '%.100s': see 'slxc --help'", argv[0]);
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	int status;

	setlocale(LC_CTYPE, "C.UTF-8");
	umask(022);
	status = run(argc, argv, &e);
	if (status != CLI_OK) {
		err_sanitize(e.text);
		fprintf(stderr, "slxc: %s\n", e.text);
	}
	return status;
}
