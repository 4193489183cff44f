/* Paths as text: checks that need no file system. Any privilege may call these. */
#ifndef SLXC_PATH_H
#define SLXC_PATH_H

#include <stdbool.h>

/* Absolute, shorter than PATH_MAX, no "." or ".." part. */
bool path_is_clean(const char *path);

/* path is dir or below it (both clean; by text). */
bool path_is_below(const char *path, const char *dir);

/*
 * A directory that belongs to the image and that a directory of the host must
 * not hide: "/" , /usr, /etc, /dev and so on with all below them, and /run,
 * /var, /opt, /home, /tmp themselves.
 */
bool path_is_system(const char *path);

/*
 * path, below base when it is relative, made absolute: "." and ".." parts and
 * repeated slashes are resolved by text. out holds PATH_MAX bytes. -1: too long.
 */
int path_join(const char *base, const char *path, char *out);

#endif
