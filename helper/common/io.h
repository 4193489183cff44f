/* Small, complete reads and writes. Any privilege may call these. */
#ifndef SLXC_IO_H
#define SLXC_IO_H

#include <stddef.h>
#include <sys/types.h>

#include "err.h"

/* Reads until size bytes or end of file, through EINTR. Returns the bytes read, or -1 (errno). */
ssize_t io_read_full(int fd, void *buf, size_t size);

/* Writes all of it, through EINTR and short writes. 0, or -1 (errno). */
int io_write_all(int fd, const void *buf, size_t size);

/*
 * Reads a whole small file below dirfd (AT_FDCWD: path as it stands) into buf,
 * NUL added. A file of size bytes or more is refused. Follows no symlink in the
 * last component. Returns the length, or -1.
 */
ssize_t io_read_file(int dirfd, const char *path, char *buf, size_t size, struct err *e);

/*
 * openat2(2) (Linux 5.6) beneath dirfd: the path cannot leave dirfd and no
 * symlink is followed. Returns a descriptor (O_CLOEXEC), or -1 (errno).
 */
int io_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/* As io_open_beneath, but symlinks are followed as if dirfd were "/" (RESOLVE_IN_ROOT). */
int io_open_in_root(int dirfd, const char *path, int flags, mode_t mode);

/* Milliseconds of CLOCK_MONOTONIC, with fractions. */
double io_now_ms(void);

#endif
