/* slxc ps: the containers that run on this node, from the entries that their supervisors keep. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/paths.h"

#define STEPS SLXC_RUNDIR "/steps"

static const char usage[] =
	"Usage: slxc ps [--json] [JOB]\n\n"
	"Lists the containers that run on this node, or those of one job; everybody's, as squeue does.\n\n"
	"  --json    as JSON\n";

struct row {
	unsigned job;
	char step[24], user[64], image[264], digest[80];
	int64_t start;          /* Unix time, ms */
	double ready_ms;        /* negative: not up yet */
	int init;
};

/* One supervisor's info file; false when it has gone meanwhile. */
static bool read_row(const char *name, struct row *r)
{
	char path[sizeof(STEPS) + 300], text[1024];
	struct err gone;

	*r = (struct row){ .ready_ms = -1 };
	snprintf(path, sizeof(path), STEPS "/%s/info", name);
	if (io_read_file(AT_FDCWD, path, text, sizeof(text), &gone) < 0)
		return false;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (sscanf(line, "job=%u", &r->job) != 1 && sscanf(line, "step=%23[^\n]", r->step) != 1 &&
		    sscanf(line, "user=%63[^\n]", r->user) != 1 && sscanf(line, "image=%263[^\n]", r->image) != 1 &&
		    sscanf(line, "digest=%79[^\n]", r->digest) != 1 && sscanf(line, "start_ms=%" SCNd64, &r->start) != 1 &&
		    sscanf(line, "ready_ms=%lf", &r->ready_ms) != 1)
			sscanf(line, "init=%d", &r->init);
	return r->job != 0;
}

static int by_job(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->job != y->job ? (x->job > y->job) - (x->job < y->job) : strcmp(x->step, y->step);
}

/* rows: to be freed. No directory: slxc has not run here since the node started. */
static int collect(unsigned job, struct row **rows, size_t *n, struct err *e)
{
	autoclosedir DIR *dir = opendir(STEPS);
	struct dirent *d;

	*rows = NULL;
	*n = 0;
	if (!dir)
		return errno == ENOENT ? 0 : err_set(e, errno, "open " STEPS);
	while ((d = readdir(dir))) {
		struct row *more = d->d_name[0] == '.' ? NULL : realloc(*rows, (*n + 1) * sizeof(**rows));

		if (!more)
			continue;
		*rows = more;
		if (read_row(d->d_name, &more[*n]) && (!job || more[*n].job == job))
			++*n;
	}
	if (*n)
		qsort(*rows, *n, sizeof(**rows), by_job);
	return 0;
}

static void format_time(int64_t ms, char *out, size_t size)
{
	time_t seconds = ms / 1000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void print_table(const struct row *rows, size_t n)
{
	printf("%-16s  %-12s  %-20s  %8s  %s\n", "STEP", "USER", "SINCE", "READY", "IMAGE");
	for (size_t i = 0; i < n; i++) {
		char step[48], since[32], ready[32] = "-";

		snprintf(step, sizeof(step), "%u.%s", rows[i].job, rows[i].step);
		format_time(rows[i].start, since, sizeof(since));
		if (rows[i].ready_ms >= 0)
			snprintf(ready, sizeof(ready), "%.0f ms", rows[i].ready_ms);
		printf("%-16s  %-12s  %-20s  %8s  %s\n", step, rows[i].user, since, ready, rows[i].image);
	}
}

static int print_json(const struct row *rows, size_t n, struct err *e)
{
	json_t *list = json_array();
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		char since[32];

		format_time(rows[i].start, since, sizeof(since));
		rc |= json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "job", rows[i].job,
			"step", rows[i].step, "user", rows[i].user, "image", rows[i].image, "digest", rows[i].digest,
			"start", since, "ready_ms", rows[i].ready_ms >= 0 ? json_real(rows[i].ready_ms) : json_null(),
			"init", rows[i].init ? json_integer(rows[i].init) : json_null()));
	}
	if (rc == 0 && json_dumpf(list, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	else
		rc = err_set(e, 0, "write the list as JSON");
	json_decref(list);
	return rc < 0 ? -1 : 0;
}

int cli_ps(struct cli *c, int argc, char **argv, struct err *e)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPT_JSON }, CLI_COMMON_OPTIONS, { 0 } };
	autofree struct row *rows = NULL;
	unsigned long job = 0;
	bool json = false;
	char *end = "";
	size_t n;
	int o, rc;

	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		rc = o == OPT_JSON ? 0 : cli_common_option(c, o, argv, usage, e);
		json |= o == OPT_JSON;
		if (rc)
			return rc < 0 ? -rc : cli_flush(e);
	}
	if (optind < argc)
		job = strtoul(argv[optind], &end, 10);
	if (argc - optind > 1 || (optind < argc && (job == 0 || job > UINT32_MAX || *end))) {
		err_set(e, 0, "ps takes one JOB at most, a number: see 'slxc ps --help'");
		return CLI_USAGE;
	}
	rc = collect(job, &rows, &n, e);
	if (rc == 0 && json)
		rc = print_json(rows, n, e);
	else if (rc == 0)
		print_table(rows, n);
	return rc < 0 ? CLI_FAILED : cli_flush(e);
}
