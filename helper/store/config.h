/*
 * An image's config.json: what it runs with, and where it came from. Written by
 * the importer, read by the worker (as the job's user) and by `slxc images`.
 * Only programs that are never root's half link this (jansson).
 *
 * One JSON object:
 *
 *   architecture  "amd64", "arm64", ... (Go's names, as in OCI images)
 *   os            "linux"
 *   env           list of "NAME=VALUE"
 *   entrypoint    list of strings
 *   cmd           list of strings
 *   workdir       absolute path, or ""
 *   labels        object of strings
 *   name          "debian:12", as imported
 *   source        where from
 *   created       when it was imported, RFC 3339, UTC
 *   owner         uid of who imported it, or for whom
 *   visibility    "public" or "private"
 *   size          bytes of its layers as packed
 *
 * The image's digest is the SHA-256 of the first seven and of the list of its
 * layers ("layers": ["sha256-<hex>", ...], lowest first), as one JSON object in
 * UTF-8 with its keys sorted and no white space. The other six say how this copy
 * came to be, and are left out, so that the same content has the same digest
 * whoever imports it, whenever and under whatever name.
 */
#ifndef SLXC_STORE_CONFIG_H
#define SLXC_STORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/err.h"
#include "common/name.h"

#define CONFIG_MAX_SIZE (1024 * 1024)

struct config {
	const char *architecture;
	const char *os;
	const char *const *env;        /* lists end with NULL; NULL is the empty list */
	const char *const *entrypoint;
	const char *const *cmd;
	const char *const *labels;     /* "key=value" */
	const char *workdir;           /* NULL: "" */
	const char *name;
	const char *source;
	time_t created;
	uid_t owner;
	bool is_private;
	uint64_t size;
};

/* What `slxc images` shows of a config.json. */
struct config_summary {
	char created[32];
	char source[1024];             /* cut when longer */
	int64_t owner;                 /* -1: not said */
	int64_t size;                  /* -1: not said */
};

/* This machine's architecture, in OCI's words. */
const char *config_architecture(void);

/* The text of config.json, to be freed, or NULL (a text that is not UTF-8, ...). */
char *config_format(const struct config *c, struct err *e);

/* Writes "sha256:<hex>" as told above. layers: "sha256-<hex>" each. */
int config_digest(const struct config *c, const char (*layers)[DIGEST_LEN + 1], unsigned n_layers, char *digest,
	struct err *e);

/* Reads fd from where it stands. */
int config_read_summary(int fd, struct config_summary *s, struct err *e);

#endif
