#include "config.h"

#include "filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

int filter_is_valid(const void *data, size_t size)
{
	struct filter_head h;

	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	if (h.magic != FILTER_MAGIC || h.length[0] < 1 || h.length[0] > BPF_MAXINSNS || h.length[1] > BPF_MAXINSNS)
		return 0;
	return size == sizeof(h) + (h.length[0] + h.length[1]) * sizeof(struct sock_filter);
}

int filter_read(int fd, struct filter *f, struct err *e)
{
	autofree char *data = malloc(FILTER_MAX_SIZE + 1);
	size_t size = 0, code;
	ssize_t n;

	if (!data)
		return err_set(e, ENOMEM, "read the seccomp filter");
	while (size <= FILTER_MAX_SIZE && (n = pread(fd, data + size, FILTER_MAX_SIZE + 1 - size, size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "read the seccomp filter");
		size += n;
	}
	if (!filter_is_valid(data, size))
		return err_set(e, EPROTO, "read the seccomp filter");
	memcpy(&f->head, data, sizeof(f->head));
	code = size - sizeof(f->head);
	memmove(data, data + sizeof(f->head), code);
	f->code = (struct sock_filter *)steal_pointer(&data);
	return 0;
}

void filter_free(struct filter *f)
{
	free(f->code);
	f->code = NULL;
}

int filter_install(const struct filter *f, struct err *e)
{
	struct sock_filter *code = f->code + f->head.length[0] + f->head.length[1];

	/* the last one first: the first may well allow no more seccomp(2) */
	for (int i = FILTER_PROGRAMS; i-- > 0;) {
		struct sock_fprog program = { .len = f->head.length[i] };

		code -= f->head.length[i];
		program.filter = code;
		if (program.len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0)
			return err_set(e, errno, "install the seccomp filter");
	}
	return 0;
}
