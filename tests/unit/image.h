/* A small image in a store, for the tests that mount one. */
#ifndef SLXC_UNIT_IMAGE_H
#define SLXC_UNIT_IMAGE_H

#include "store/store.h"

/*
 * Ends the program as skipped when this machine cannot mount an image: needs
 * root, EROFS, and idmapped mounts of it (Linux 5.19).
 */
void image_skip_unless_mountable(void);

/*
 * A store in unit_dir with two layers:
 *   0: lower "lower\n", both "lower\n", dir/inner "inner\n", closed "closed\n" (0600), setuid (4755)
 *   1: upper "upper\n", both "upper\n"
 */
void image_make(struct store *s, char *store_path, struct image *img);

#endif
