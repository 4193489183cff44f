/* Which program a task executes: a bare name is looked up in the container's PATH, and not in the host's. */
#ifndef SLXC_COMMAND_H
#define SLXC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* True for a name that is looked up: srun leaves "ls" to the node, and makes a path of "./ls". */
bool command_is_name(const char *command);

/*
 * In the container. The first executable file of that name in path (as PATH,
 * an empty part is the working directory), or the name itself: then execve(2)
 * says what is wrong with it, as it does without a container.
 */
void command_find(const char *name, const char *path, char *out, size_t size);

#endif
