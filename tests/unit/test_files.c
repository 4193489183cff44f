#include <config.h>

#include "worker/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "unit.h"

/* The container's root is unit_dir/root; what lies beside it is the host's and must stay as it is. */

static struct err e;
static struct step s;

static void usual(void)
{
	s = (struct step){ .uid = 2001, .gid = 2002 };
	strcpy(s.user, "alice");
	strcpy(s.group, "staff");
	strcpy(s.home, "/home/alice");
	strcpy(s.shell, "/bin/bash");
	ck_assert_int_eq(mkdir(unit_path("root"), 0755), 0);
}

static void make_etc(const char *passwd, const char *group)
{
	ck_assert_int_eq(mkdir(unit_path("root/etc"), 0755), 0);
	unit_write("root/etc/passwd", passwd, strlen(passwd));
	unit_write("root/etc/group", group, strlen(group));
}

static const char *text_of(const char *name)
{
	static char text[1 << 16];
	struct err why = { 0 };

	ck_ok(io_read_file(unit_dirfd, name, text, sizeof(text), &why), why);
	return text;
}

static int write_files(void)
{
	char root[4200];

	snprintf(root, sizeof(root), "%s/root", unit_dir);
	return files_write(root, &s, &e);
}

static void link_to(const char *target, const char *name)
{
	ck_assert_int_eq(symlinkat(target, unit_dirfd, name), 0);
}

#define ALICE "alice:x:2001:2002::/home/alice:/bin/bash\n"
#define STAFF "staff:x:2002:alice\n"

START_TEST(entries_are_added)
{
	usual();
	make_etc("root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/no\n", "root:x:0:\n");
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("root/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/no\n" ALICE);
	ck_assert_str_eq(text_of("root/etc/group"), "root:x:0:\n" STAFF);
}
END_TEST

START_TEST(same_name_or_same_id_is_replaced)
{
	usual();
	make_etc("alice:x:5:5::/a:/a\nbob:x:2001:1::/b:/b\nalicex:x:20010:1::/c:/c\nxalice:x:12001:1::/:/\nshort\nalice\n:\n::\n",
		"staff:x:50:\nusers:x:2002:bob\nstaffx:x:20022:\n");
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("root/etc/passwd"), "alicex:x:20010:1::/c:/c\nxalice:x:12001:1::/:/\nshort\nalice\n:\n::\n" ALICE);
	ck_assert_str_eq(text_of("root/etc/group"), "staffx:x:20022:\n" STAFF);
}
END_TEST

START_TEST(last_line_without_an_end)
{
	usual();
	make_etc("root:x:0:0::/root:/bin/sh", "");
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("root/etc/passwd"), "root:x:0:0::/root:/bin/sh\n" ALICE);
	ck_assert_str_eq(text_of("root/etc/group"), STAFF);
}
END_TEST

START_TEST(no_home_no_shell)
{
	usual();
	s.home[0] = s.shell[0] = 0;
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("root/etc/passwd"), "alice:x:2001:2002::/:/bin/sh\n");
}
END_TEST

START_TEST(missing_etc_is_made)
{
	struct stat st;

	usual();
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("root/etc/passwd"), ALICE);
	ck_assert_str_eq(text_of("root/etc/group"), STAFF);
	ck_assert_int_eq(stat(unit_path("root/etc/passwd"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777 & ~022, 0644);
}
END_TEST

START_TEST(longest_strings)
{
	usual();
	memset(s.home, 'h', PATH_MAX - 1);
	memset(s.shell, 's', PATH_MAX - 1);
	memset(s.user, 'u', sizeof(s.user) - 1);
	s.home[0] = '/';
	ck_ok(write_files(), e);
	ck_assert_uint_eq(strlen(text_of("root/etc/passwd")), sizeof(s.user) - 1 + 2 * (PATH_MAX - 1) + strlen(":x:2001:2002:::\n"));
}
END_TEST

START_TEST(host_files_are_copied)
{
	static const char *const names[] = { "hosts", "resolv.conf", "localtime" };

	usual();
	make_etc("", "");
	for (size_t i = 0; i < 3; i++) {
		char host[64], inside[64];

		snprintf(host, sizeof(host), "/etc/%s", names[i]);
		snprintf(inside, sizeof(inside), "root/etc/%s", names[i]);
		unit_write(inside, "the image's", 11);
	}
	ck_ok(write_files(), e);
	for (size_t i = 0; i < 3; i++) {
		static char ours[1 << 16], theirs[1 << 16];
		char host[64], inside[64];
		int fd;
		ssize_t n;

		snprintf(host, sizeof(host), "/etc/%s", names[i]);
		snprintf(inside, sizeof(inside), "root/etc/%s", names[i]);
		fd = open(host, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			ck_assert_str_eq(text_of(inside), "the image's"); /* the host has none */
			continue;
		}
		n = io_read_full(fd, theirs, sizeof(theirs));
		close(fd);
		fd = openat(unit_dirfd, inside, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(io_read_full(fd, ours, sizeof(ours)), n);
		ck_assert_mem_eq(ours, theirs, n);
		close(fd);
	}
}
END_TEST

/* Links that an image may have, each to a file of the host. */
START_TEST(links_are_replaced_not_followed)
{
	static const char *const names[] = { "passwd", "group", "resolv.conf", "hosts", "localtime" };

	usual();
	ck_assert_int_eq(mkdir(unit_path("root/etc"), 0755), 0);
	unit_write("victim", "keep", 4);
	for (size_t i = 0; i < 5; i++) {
		char name[64];

		snprintf(name, sizeof(name), "root/etc/%s", names[i]);
		link_to(i % 2 ? unit_path("victim") : "../../victim", name);
	}
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("victim"), "keep");
	/* nothing of the host's file was taken for the image's passwd either */
	ck_assert_str_eq(text_of("root/etc/passwd"), ALICE);
	ck_assert_str_eq(text_of("root/etc/group"), STAFF);
}
END_TEST

/* /etc/passwd -> ../usr/etc/passwd inside the image is read, and replaced by a file of its own. */
START_TEST(link_within_the_image)
{
	usual();
	ck_assert_int_eq(mkdir(unit_path("root/etc"), 0755), 0);
	ck_assert_int_eq(mkdir(unit_path("root/usr"), 0755), 0);
	unit_write("root/usr/passwd", "root:x:0:0::/:/\n", 16);
	link_to("/usr/passwd", "root/etc/passwd");
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("root/etc/passwd"), "root:x:0:0::/:/\n" ALICE);
	ck_assert_str_eq(text_of("root/usr/passwd"), "root:x:0:0::/:/\n");
}
END_TEST

static void etc_leads_to(const char *target)
{
	link_to(target, "root/etc");
}

START_TEST(etc_is_a_link_out_of_the_root)
{
	usual();
	ck_assert_int_eq(mkdir(unit_path("outside"), 0755), 0);
	unit_write("outside/passwd", "keep", 4);
	etc_leads_to(unit_path("outside"));
	/* there is no such directory inside */
	ck_refused(write_files(), e, "open /etc in the container");
	ck_assert_str_eq(text_of("outside/passwd"), "keep");
	ck_assert_int_eq(faccessat(unit_dirfd, "outside/group", F_OK, 0), -1);
}
END_TEST

START_TEST(etc_climbs_out_of_the_root)
{
	usual();
	ck_assert_int_eq(mkdir(unit_path("outside"), 0755), 0);
	unit_write("outside/passwd", "keep", 4);
	etc_leads_to("../outside");
	ck_refused(write_files(), e, "open /etc in the container");
	ck_assert_str_eq(text_of("outside/passwd"), "keep");
	/* where that is inside the root, it is inside the root */
	ck_assert_int_eq(mkdir(unit_path("root/outside"), 0755), 0);
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("outside/passwd"), "keep");
	ck_assert_str_eq(text_of("root/outside/passwd"), ALICE);
}
END_TEST

START_TEST(etc_is_a_magic_link)
{
	usual();
	etc_leads_to("/proc/self/cwd");
	ck_refused(write_files(), e, "open /etc in the container");
}
END_TEST

START_TEST(etc_is_a_file)
{
	usual();
	unit_write("root/etc", "x", 1);
	ck_refused(write_files(), e, "open /etc in the container: Not a directory");
}
END_TEST

START_TEST(a_directory_where_a_file_belongs)
{
	usual();
	ck_assert_int_eq(mkdir(unit_path("root/etc"), 0755), 0);
	ck_assert_int_eq(mkdir(unit_path("root/etc/passwd"), 0755), 0);
	ck_refused(write_files(), e, "replace /etc/passwd in the container");
}
END_TEST

/* Opening it must not wait for a writer. */
START_TEST(a_fifo_where_a_file_belongs)
{
	usual();
	ck_assert_int_eq(mkdir(unit_path("root/etc"), 0755), 0);
	ck_assert_int_eq(mkfifo(unit_path("root/etc/passwd"), 0644), 0);
	ck_ok(write_files(), e);
	ck_assert_str_eq(text_of("root/etc/passwd"), ALICE);
}
END_TEST

START_TEST(no_root)
{
	s = (struct step){ .uid = 1 };
	ck_refused(write_files(), e, "open the container's root: No such file or directory");
}
END_TEST

UNIT_MAIN("files", entries_are_added, same_name_or_same_id_is_replaced, last_line_without_an_end, no_home_no_shell,
	missing_etc_is_made, longest_strings, host_files_are_copied, links_are_replaced_not_followed, link_within_the_image,
	etc_is_a_link_out_of_the_root, etc_climbs_out_of_the_root, etc_is_a_magic_link, etc_is_a_file,
	a_directory_where_a_file_belongs, a_fifo_where_a_file_belongs, no_root)
