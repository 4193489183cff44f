#include <config.h>

#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/wire.h"

int fuzz_receive(const uint8_t *data, size_t size, struct wire *w, struct err *e)
{
	static int pair[2] = { -1, -1 };

	if (pair[0] < 0)
		FUZZ_ASSERT(wire_pair(pair, e) == 0);
	/* an empty packet cannot be told from the end of the connection */
	if (size == 0 || send(pair[0], data, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
		return 0;
	return wire_recv(pair[1], w, 0, e);
}
