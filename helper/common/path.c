#include "config.h"

#include "path.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

bool path_is_clean(const char *path)
{
	const char *part = path;

	if (path[0] != '/' || strnlen(path, PATH_MAX) >= PATH_MAX)
		return false;
	while (*part) {
		size_t n = strcspn(part, "/");

		if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += n;
		part += *part == '/';
	}
	return true;
}

static size_t length_without_slashes(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

bool path_is_below(const char *path, const char *dir)
{
	size_t n = length_without_slashes(dir);

	if (strncmp(path, dir, n))
		return false;
	return n == 1 || path[n] == 0 || path[n] == '/';
}

bool path_is_system(const char *path)
{
	static const char *const whole[] = {
		"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32",
		"/proc", "/sbin", "/sys", "/usr",
	};
	static const char *const only_itself[] = { "/", "/home", "/opt", "/run", "/tmp", "/var", "/root" };
	size_t n = length_without_slashes(path);

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (path_is_below(path, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof(only_itself) / sizeof(only_itself[0]); i++)
		if (strlen(only_itself[i]) == n && !strncmp(path, only_itself[i], n))
			return true;
	return false;
}
