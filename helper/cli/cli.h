/*
 * The slxc command: main.c has the table of subcommands and reports, once, what
 * they return. A subcommand gets its own arguments (argv[0] is its name), writes
 * its result to stdout and returns an exit status, CLI_FAILED and CLI_USAGE with e set.
 * Runs as whoever calls it; never set-user-ID.
 */
#ifndef SLXC_CLI_H
#define SLXC_CLI_H

#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli {
	char store[PATH_MAX]; /* --store, else slxc.conf's store= */
};

/* Values of long options that have no letter. */
enum { OPT_STORE = 256, OPT_PRIVATE, OPT_OWNER, OPT_ENV, OPT_ENTRYPOINT, OPT_WORKDIR, OPT_REPLACE, OPT_JSON };

/* The options that every subcommand has. */
#define CLI_COMMON_OPTIONS { "store", required_argument, NULL, OPT_STORE }, { "help", no_argument, NULL, 'h' }

/*
 * Takes care of an option that is no subcommand's own: --store, --help (prints
 * usage and returns 1: the subcommand is done), and wrong ones (CLI_USAGE negated, e set). 0: go on.
 */
int cli_common_option(struct cli *c, int option, char **argv, const char *usage, struct err *e);

int cli_import(struct cli *c, int argc, char **argv, struct err *e);
int cli_images(struct cli *c, int argc, char **argv, struct err *e);
int cli_inspect(struct cli *c, int argc, char **argv, struct err *e);
int cli_doctor(struct cli *c, int argc, char **argv, struct err *e);
int cli_completion(struct cli *c, int argc, char **argv, struct err *e);
int cli_ps(struct cli *c, int argc, char **argv, struct err *e);
int cli_config(struct cli *c, int argc, char **argv, struct err *e);
int cli_rm(struct cli *c, int argc, char **argv, struct err *e);

/* "108 MB": decimal units, as disks are sold. Returns buf. */
const char *cli_size(uint64_t bytes, char *buf, size_t size);

/* Checks that what went to stdout got there. CLI_OK or CLI_FAILED. */
int cli_flush(struct err *e);

#endif
