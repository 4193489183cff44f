#include "config.h"

#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/paths.h"
#include "request.h"

/* Safe: constant paths below a directory of root's alone; what is there already is not believed. */
static int make_dir(const char *path, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_set(e, errno, "make %s", path);
	if (lstat(path, &st) < 0)
		return err_set(e, errno, "look at %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
		return err_set(e, 0, "%s must be a directory of root that only root can write", path);
	return 0;
}

int rundir_prepare(struct err *e)
{
	/* The usual case: all is there. One call, no write. */
	struct stat st;

	if (lstat(RUNDIR_MNT, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 && !(st.st_mode & 077))
		return 0;
	if (make_dir(SLXC_RUNDIR, 0755, e) < 0 || make_dir(RUNDIR_STEPS, 0755, e) < 0 ||
	    make_dir(RUNDIR_IMAGES, 0700, e) < 0)
		return -1;
	return make_dir(RUNDIR_MNT, 0700, e);
}

/* fcntl locks: they die with the process, are not inherited, and say who holds them. */
static int lock_file(int fd, pid_t *holder)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	*holder = 0;
	if (fcntl(fd, F_SETLK, &l) == 0)
		return 0;
	if (errno != EACCES && errno != EAGAIN)
		return -1;
	l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(fd, F_GETLK, &l) < 0)
		return -1;
	*holder = l.l_type == F_UNLCK ? 0 : l.l_pid;
	return *holder ? 0 : lock_file(fd, holder);
}

void entry_name(char out[ENTRY_NAME_SIZE], const struct request *r, pid_t supervisor)
{
	snprintf(out, ENTRY_NAME_SIZE, "%u.%s.%d", r->job, r->step, supervisor);
}

/* Safe: the name is made of two numbers and a word that request.c checked, in a directory of root's alone. */
int entry_create(struct entry *en, const struct request *r, struct err *e)
{
	char path[sizeof(RUNDIR_STEPS) + sizeof(en->name) + 8];
	pid_t holder;

	entry_name(en->name, r, getpid());
	snprintf(path, sizeof(path), RUNDIR_STEPS "/%s", en->name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "make %s", path);
	strcat(path, "/info");
	en->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (en->file < 0 || lock_file(en->file, &holder) < 0 || holder) {
		err_set(e, errno, "make %s", path);
		entry_remove(en);
		return -1;
	}
	return 0;
}

int entry_write(const struct entry *en, const struct step_info *i, struct err *e)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
		"job=%u\nstep=%s\nnode=%s\nuser=%s\nuid=%u\nimage=%s\ndigest=%s\nstart_ms=%" PRId64 "\n"
		"ready_ms=%.1f\ninit=%d\ninit_start=%" PRIu64 "\nworker=%d\nworker_start=%" PRIu64 "\n",
		i->job, i->step, i->node, i->user, i->uid, i->image, i->digest, i->start,
		i->ready_ms, i->init, i->init_start, i->worker, i->worker_start);

	/* One write of a few hundred bytes over the shorter one before: a reader sees old or new. */
	if (n < 0 || (size_t)n >= sizeof(text) || pwrite(en->file, text, n, 0) != n || ftruncate(en->file, n) < 0)
		return err_set(e, errno, "write " RUNDIR_STEPS "/%s/info", en->name);
	return 0;
}

/* Safe: the same name, in a directory of root's alone; no recursion. */
void entry_remove(struct entry *en)
{
	char path[sizeof(RUNDIR_STEPS) + sizeof(en->name) + 8];

	if (!en->name[0])
		return;
	snprintf(path, sizeof(path), RUNDIR_STEPS "/%s/info", en->name);
	unlink(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
	if (en->file >= 0)
		close(en->file);
	en->file = -1;
	en->name[0] = 0;
}

/* Line by line: one that is empty or missing does not hide those behind it. */
static void read_info(const char *text, struct step_info *i)
{
	*i = (struct step_info){ .ready_ms = -1 };
	while (*text) {
		if (sscanf(text, "job=%u", &i->job) == 1 || sscanf(text, "step=%23[^\n]", i->step) == 1 ||
		    sscanf(text, "node=%64[^\n]", i->node) == 1 || sscanf(text, "user=%63[^\n]", i->user) == 1 ||
		    sscanf(text, "uid=%u", &i->uid) == 1 || sscanf(text, "image=%263[^\n]", i->image) == 1 ||
		    sscanf(text, "digest=%79[^\n]", i->digest) == 1 || sscanf(text, "start_ms=%" SCNd64, &i->start) == 1 ||
		    sscanf(text, "ready_ms=%lf", &i->ready_ms) == 1 || sscanf(text, "init=%d", &i->init) == 1 ||
		    sscanf(text, "init_start=%" SCNu64, &i->init_start) == 1 || sscanf(text, "worker=%d", &i->worker) == 1)
			;
		else
			sscanf(text, "worker_start=%" SCNu64, &i->worker_start);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

int entry_adopt(struct entry *en, const char *name, pid_t *holder, struct step_info *info, struct err *e)
{
	char path[sizeof(RUNDIR_STEPS) + sizeof(en->name) + 8], text[1024] = "";
	ssize_t n;

	en->file = -1;
	if (snprintf(en->name, sizeof(en->name), "%s", name) >= (int)sizeof(en->name))
		return err_set(e, ENAMETOOLONG, RUNDIR_STEPS "/%.64s", name);
	snprintf(path, sizeof(path), RUNDIR_STEPS "/%s/info", en->name);
	en->file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (en->file < 0)
		return err_set(e, errno, "open %s", path);
	if (lock_file(en->file, holder) < 0)
		return err_set(e, errno, "lock %s", path);
	n = pread(en->file, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = 0;
	read_info(text, info);
	return 0;
}
