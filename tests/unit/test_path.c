#include <config.h>

#include "common/path.h"

#include <limits.h>
#include <stdlib.h>

#include "unit.h"

START_TEST(clean_is_absolute_without_dots)
{
	static const char *const good[] = { "/", "//", "/a", "/a/", "/a//b", "/.a", "/a..", "/..a", "/...", "/a/.b/c" };
	static const char *const bad[] = { "", "a", "a/b", "./a", "/.", "/./a", "/a/.", "/..", "/a/..", "/a/../b", "/a/b/../", "../a" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(path_is_clean(good[i]), "'%s' was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!path_is_clean(bad[i]), "'%s' was taken", bad[i]);
}
END_TEST

START_TEST(clean_is_shorter_than_path_max)
{
	char *path = malloc(PATH_MAX + 1);

	memset(path, 'x', PATH_MAX);
	path[0] = '/';
	path[PATH_MAX] = 0;
	ck_assert(!path_is_clean(path));
	path[PATH_MAX - 1] = 0;
	ck_assert(path_is_clean(path));
	free(path);
}
END_TEST

START_TEST(below_is_by_whole_parts)
{
	ck_assert(path_is_below("/a", "/a"));
	ck_assert(path_is_below("/a/b", "/a"));
	ck_assert(path_is_below("/a/b", "/a/"));
	ck_assert(path_is_below("/a/", "/a"));
	ck_assert(path_is_below("/anything", "/"));
	ck_assert(path_is_below("/", "/"));
	ck_assert(!path_is_below("/ab", "/a"));
	ck_assert(!path_is_below("/a", "/a/b"));
	ck_assert(!path_is_below("/", "/a"));
	ck_assert(!path_is_below("/b/a", "/a"));
}
END_TEST

/* //usr and /usr are one directory for the kernel. */
START_TEST(below_knows_repeated_slashes)
{
	ck_assert(path_is_below("//a", "/a"));
	ck_assert(path_is_below("/a//b/c", "/a/b"));
	ck_assert(path_is_below("/a/b", "//a"));
	ck_assert(!path_is_below("//ab", "/a"));
}
END_TEST

START_TEST(system_directories)
{
	static const char *const system[] = { "/", "/usr", "/usr/local", "/etc", "/etc/", "/dev/shm", "/proc", "/sys/fs",
		"/lib64", "/home", "/home/", "/tmp", "/run", "/var", "/opt", "/root", "//usr", "//", "/usr//lib", "//home//" };
	static const char *const users[] = { "/home/alice", "/var/lib/app", "/opt/tool", "/tmp/x", "/run/user/1", "/usrlocal",
		"/scratch", "/etcetera", "/root/x" };

	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
		ck_assert_msg(path_is_system(system[i]), "%s would be hidden", system[i]);
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		ck_assert_msg(!path_is_system(users[i]), "%s would not be shown", users[i]);
}
END_TEST

UNIT_MAIN("path", clean_is_absolute_without_dots, clean_is_shorter_than_path_max, below_is_by_whole_parts,
	below_knows_repeated_slashes, system_directories)
