#include "config.h"

#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/paths.h"

#define RECORD_VERSION 1
#define LOG_FILE SLXC_LOGDIR "/steps.jsonl"

static void put_string(FILE *f, const char *key, const char *text)
{
	fprintf(f, ",\"%s\":\"", key);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(f, "\\%c", *c);
		else if (*c < 0x20 || *c >= 0x7f)
			fprintf(f, "\\u%04x", *c);
		else
			putc(*c, f);
	}
	putc('"', f);
}

/* RFC 3339, UTC, milliseconds */
static void put_time(FILE *f, const char *key, int64_t ms)
{
	time_t seconds = ms / 1000;
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(f, ",\"%s\":\"%s.%03dZ\"", key, text, (int)(ms % 1000));
}

static void put_statuses(FILE *f, const struct record *r)
{
	fprintf(f, ",\"tasks\":[");
	for (unsigned i = 0; i < r->n_statuses; i++) {
		int s = r->statuses[i].status;

		fprintf(f, "%s{\"task\":%" PRIu32 ",", i ? "," : "", r->statuses[i].task);
		if (WIFSIGNALED(s))
			fprintf(f, "\"signal\":%d}", WTERMSIG(s));
		else
			fprintf(f, "\"exit\":%d}", WEXITSTATUS(s));
	}
	putc(']', f);
}

static void put_record(FILE *f, const struct record *r)
{
	const struct step_info *i = &r->info;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	fprintf(f, "{\"version\":%d,\"job\":%" PRIu32, RECORD_VERSION, i->job);
	put_string(f, "step", i->step);
	put_string(f, "user", i->user);
	fprintf(f, ",\"uid\":%u", i->uid);
	put_string(f, "node", i->node);
	put_string(f, "image", i->image);
	put_string(f, "digest", i->digest);
	put_time(f, "start", i->start);
	put_time(f, "end", now.tv_sec * 1000LL + now.tv_nsec / 1000000);
	if (i->ready_ms >= 0)
		fprintf(f, ",\"ready_ms\":%.1f", i->ready_ms);
	put_string(f, "how", r->end);
	if (r->error)
		put_string(f, "error", r->error);
	put_statuses(f, r);
	fprintf(f, ",\"scratch_bytes\":%" PRIu64 ",\"scratch_inodes\":%" PRIu64 "}\n",
		r->scratch_bytes, r->scratch_inodes);
}

/* Safe: a directory and a file of root's alone, at a path fixed when slxc was built. */
int record_append(const struct record *r, struct err *e)
{
	autoclose int fd = -1;
	autofree char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return err_set(e, errno, "make a record");
	put_record(f, r);
	if (fclose(f) != 0)
		return err_set(e, ENOMEM, "make a record");
	if (mkdir(SLXC_LOGDIR, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "make " SLXC_LOGDIR);
	/* 0640: who ran what is for administrators */
	fd = open(LOG_FILE, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 || io_write_all(fd, text, size) < 0)
		return err_set(e, errno, "write " LOG_FILE);
	return 0;
}
