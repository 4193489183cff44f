#include "config.h"

#include "command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool command_is_name(const char *command)
{
	return *command && *command != '.' && !strchr(command, '/');
}

void command_find(const char *name, const char *path, char *out, size_t size)
{
	for (const char *dir = path;;) {
		size_t n = strcspn(dir, ":");
		struct stat st;
		int length = n ? snprintf(out, size, "%.*s/%s", (int)n, dir, name) : snprintf(out, size, "./%s", name);

		if (length >= 0 && (size_t)length < size && access(out, X_OK) == 0 && stat(out, &st) == 0 && S_ISREG(st.st_mode))
			return;
		dir += n;
		if (!*dir++)
			break;
	}
	snprintf(out, size, "%s", name);
}
