/*
 * LXC's command socket, closed. The monitor listens on an abstract Unix socket,
 * which the container's tasks can reach (the network namespace is the host's and
 * the uid is the same), and on which LXC takes commands that run programs outside
 * of the container: lxc.hook.* of a running container can be set. slxc uses none
 * of its commands, so nothing shall listen.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Instead of libc's, for liblxc (an executable's symbols come first). Puts one
 * end of a socket pair in the place of the listening socket: its name is free
 * again, and LXC's main loop waits on something that never says anything.
 */
int listen(int fd, int backlog)
{
	int pair[2], saved, rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	/* pair[1] stays open as long as the monitor lives: closed, it would look like a client */
	rc = dup3(pair[0], fd, O_CLOEXEC);
	saved = errno;
	close(pair[0]);
	errno = saved;
	return rc < 0 ? -1 : 0;
}
