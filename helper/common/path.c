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

/* Takes the next part off path; 0 when there is none. Repeated slashes are one, as for the kernel. */
static size_t next_part(const char **path, const char **part)
{
	size_t n;

	*part = *path + strspn(*path, "/");
	n = strcspn(*part, "/");
	*path = *part + n;
	return n;
}

bool path_is_below(const char *path, const char *dir)
{
	const char *part, *dir_part;
	size_t n;

	while ((n = next_part(&dir, &dir_part)) > 0)
		if (next_part(&path, &part) != n || memcmp(part, dir_part, n))
			return false;
	return true;
}

bool path_is_system(const char *path)
{
	static const char *const whole[] = {
		"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32",
		"/proc", "/sbin", "/sys", "/usr",
	};
	static const char *const only_itself[] = { "/", "/home", "/opt", "/run", "/tmp", "/var", "/root" };
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (path_is_below(path, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof(only_itself) / sizeof(only_itself[0]); i++)
		if (path_is_below(path, only_itself[i]) && path_is_below(only_itself[i], path))
			return true;
	return false;
}

int path_join(const char *base, const char *path, char *out)
{
	const char *texts[2] = { path[0] == '/' ? "" : base, path };
	size_t used = 0, n;
	char fresh[PATH_MAX];

	for (unsigned i = 0; i < 2; i++) {
		const char *part;

		while ((n = next_part(&texts[i], &part)) > 0) {
			if (n == 1 && part[0] == '.')
				continue;
			if (n == 2 && part[0] == '.' && part[1] == '.') {
				while (used > 0 && fresh[--used] != '/')
					;
				continue;
			}
			if (used + 1 + n >= sizeof(fresh))
				return -1;
			fresh[used++] = '/';
			memcpy(fresh + used, part, n);
			used += n;
		}
	}
	if (used == 0)
		fresh[used++] = '/';
	memcpy(out, fresh, used);
	out[used] = 0;
	return 0;
}
