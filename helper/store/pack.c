#include <config.h>

#include "pack.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/spawn.h"

#define MESSAGE_SIZE 300

/* Where configure found it, else where distributions put it; never from the caller's PATH. */
static const char *find_mkfs(void)
{
	static const char *const paths[] = {
		MKFS_EROFS, "/usr/bin/mkfs.erofs", "/usr/sbin/mkfs.erofs", "/sbin/mkfs.erofs",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (paths[i][0] == '/' && access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* The last lines of what the program wrote, as one. */
static void last_words(int fd, char *text, size_t size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end > (off_t)size - 1 ? end - ((off_t)size - 1) : 0;
	ssize_t n = end > 0 ? pread(fd, text, size - 1, from) : 0;

	text[n > 0 ? n : 0] = 0;
	for (n = strlen(text); n > 0 && text[n - 1] == '\n'; n--)
		text[n - 1] = 0;
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

int pack_erofs(int dir, const char *tree, const char *file, struct err *e)
{
	const char *mkfs = find_mkfs();
	char out[300], in[300], message[MESSAGE_SIZE];
	char *argv[] = { "mkfs.erofs", "-zlz4", "-C65536", "--all-root", "-x-1", out, in, NULL };
	autoclose int log = memfd_create("mkfs.erofs", MFD_CLOEXEC);
	struct spawn s = { .path = mkfs, .argv = argv, .fds = { -1, -1, log }, .extra = dir };
	int status;

	if (!mkfs)
		return err_set(e, 0, "mkfs.erofs is not on this machine: install erofs-utils");
	if (log < 0)
		return err_set(e, errno, "start mkfs.erofs");
	/* dir is the child's descriptor 3 */
	if (snprintf(out, sizeof(out), "/proc/self/fd/3/%s", file) >= (int)sizeof(out) ||
	    snprintf(in, sizeof(in), "/proc/self/fd/3/%s", tree) >= (int)sizeof(in))
		return err_set(e, ENAMETOOLONG, "pack %.100s", tree);
	status = spawn_wait(&s, e);
	if (status < 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	last_words(log, message, sizeof(message));
	if (WIFSIGNALED(status))
		return err_set(e, 0, "mkfs.erofs was killed by signal %d", WTERMSIG(status));
	return err_set(e, 0, "mkfs.erofs failed: %s", *message ? message : "it did not say why");
}
