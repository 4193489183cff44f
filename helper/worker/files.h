/* The few files of the image that a step changes before it starts: the user's name, the host's network names and time. */
#ifndef SLXC_WORKER_FILES_H
#define SLXC_WORKER_FILES_H

#include "common/err.h"
#include "worker/step.h"

/*
 * Writes below root (the overlay; the image itself is not touched): etc/passwd
 * and etc/group with an entry for the user, copies of the host's resolv.conf,
 * hosts and localtime. Nothing outside root can be reached, whatever symlinks
 * the image has.
 */
int files_write(const char *root, const struct step *s, struct err *e);

#endif
