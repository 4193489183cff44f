#include <config.h>

#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

START_TEST(read_file_whole)
{
	char buf[6];
	struct err e = { 0 };

	unit_write("f", "12345", 5);
	ck_assert_int_eq(io_read_file(unit_dirfd, "f", buf, sizeof(buf), &e), 5);
	ck_assert_str_eq(buf, "12345");
}
END_TEST

START_TEST(read_file_too_large)
{
	char buf[5];
	struct err e;

	unit_write("f", "12345", 5);
	ck_refused(io_read_file(unit_dirfd, "f", buf, sizeof(buf), &e), e, "read f: more than 4 bytes");
	ck_assert_int_eq(e.code, EFBIG);
}
END_TEST

START_TEST(read_file_refuses_links_and_directories)
{
	char buf[16];
	struct err e;

	unit_write("f", "1", 1);
	ck_assert_int_eq(symlinkat("f", unit_dirfd, "link"), 0);
	ck_refused(io_read_file(unit_dirfd, "link", buf, sizeof(buf), &e), e, "open link: Too many levels");
	ck_refused(io_read_file(unit_dirfd, "none", buf, sizeof(buf), &e), e, "open none: No such file");
	ck_refused(io_read_file(unit_dirfd, ".", buf, sizeof(buf), &e), e, "read .: Is a directory");
}
END_TEST

START_TEST(read_file_does_not_wait_for_a_fifo)
{
	char buf[16];
	struct err e = { 0 };

	ck_assert_int_eq(mkfifoat(unit_dirfd, "fifo", 0600), 0);
	ck_assert_int_eq(io_read_file(unit_dirfd, "fifo", buf, sizeof(buf), &e), 0);
}
END_TEST

START_TEST(beneath_stays_beneath)
{
	ck_assert_int_eq(mkdirat(unit_dirfd, "d", 0755), 0);
	unit_write("d/f", "1", 1);
	ck_assert_int_eq(symlinkat("d", unit_dirfd, "dlink"), 0);
	ck_assert_int_eq(symlinkat("f", unit_dirfd, "d/flink"), 0);
	ck_assert_int_ge(io_open_beneath(unit_dirfd, "d/f", O_RDONLY, 0), 0);
	ck_assert_int_eq(io_open_beneath(unit_dirfd, "../x", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(io_open_beneath(unit_dirfd, "/etc/passwd", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(io_open_beneath(unit_dirfd, "dlink/f", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(io_open_beneath(unit_dirfd, "d/flink", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, ELOOP);
}
END_TEST

START_TEST(in_root_follows_inside)
{
	int fd;
	char c;

	ck_assert_int_eq(mkdirat(unit_dirfd, "etc", 0755), 0);
	unit_write("etc/f", "x", 1);
	ck_assert_int_eq(symlinkat("/etc/f", unit_dirfd, "link"), 0);
	fd = io_open_in_root(unit_dirfd, "../../link", O_RDONLY, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, &c, 1), 1);
	ck_assert_int_eq(c, 'x');
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}
END_TEST

START_TEST(full_reads_and_writes_through_a_pipe)
{
	char in[100000] = "a", out[100000];
	int p[2];
	pid_t pid;

	in[99999] = 'z';
	ck_assert_int_eq(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		_exit(io_write_all(p[1], in, sizeof(in)) == 0 ? 0 : 1);
	}
	close(p[1]);
	ck_assert_int_eq(io_read_full(p[0], out, sizeof(out)), sizeof(out));
	ck_assert_mem_eq(in, out, sizeof(in));
	ck_assert_int_eq(io_read_full(p[0], out, 1), 0);
}
END_TEST

UNIT_MAIN("io", read_file_whole, read_file_too_large, read_file_refuses_links_and_directories,
	read_file_does_not_wait_for_a_fifo, beneath_stays_beneath, in_root_follows_inside,
	full_reads_and_writes_through_a_pipe)
