/*
 * Makes tar archives, also ones that no tar would write, and unpacks them. One at
 * a time: unit_dir/a.tar into unit_dir/tree.
 */
#ifndef SLXC_UNIT_TAR_H
#define SLXC_UNIT_TAR_H

#include <archive.h>
#include <sys/stat.h>

#include "store/unpack.h"

extern struct archive *tar_archive;      /* being written */
extern struct unpack_result tar_result;
extern int tar_tree;                     /* unit_dir/tree */

/* Starts a.tar with one of ARCHIVE_FILTER_*: pax, names as they are. */
void tar_begin(int filter);
void tar_begin_as(int filter, int format, const char *options);
void tar_end(void);

/* Adds an entry, and frees it. data: of a file, or NULL. */
void tar_put(struct archive_entry *entry, const char *data);
struct archive_entry *tar_entry(const char *path, mode_t mode);
void tar_put_file(const char *path, mode_t mode, const char *data);
void tar_put_link(const char *path, const char *target, int hard);

/* Makes a.tar this long. */
void tar_cut(off_t size);

/* unpack() of a.tar, by default with limits of 1 MiB and 100 entries. */
int tar_unpack(struct err *e);
int tar_unpack_limited(const struct unpack_limits *limits, struct err *e);

/* What is in the tree. */
struct stat tar_look(const char *name);
void tar_reads(const char *name, const char *expected);

/* There is no unit_dir/path. */
void unit_lacks(const char *path);

#endif
