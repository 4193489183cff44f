/* A writer's own directory below the store's tmp/, and the end of those that crashed. */
#ifndef SLXC_STORE_WORKDIR_H
#define SLXC_STORE_WORKDIR_H

#include "writer.h"

/*
 * Makes tmp/<id>.lock, held, and tmp/<id>; fills w->id, w->own_lock, w->work.
 * The lock is there before the directory and goes after it.
 */
int workdir_make(struct writer *w, struct err *e);
void workdir_remove(struct writer *w);

/* Removes what is in tmp/ and whose lock nobody holds. Best effort: what resists stays. */
void workdir_sweep(const struct writer *w);

#endif
