/* The supervisor of one step on this node, from request to record. Root. */
#ifndef SLXC_SUPERVISE_H
#define SLXC_SUPERVISE_H

/*
 * Serves the plugin on the packet socket fd until the step is over: returns the
 * exit status. Whatever happens, when this returns the container is destroyed,
 * its entry in the run directory is gone and its record is written.
 */
int supervise(int fd);

#endif
