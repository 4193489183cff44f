/*
 * The container of --container-remap-root has one user id and one group id, 0.
 * Package managers give files to other ids and become other users; the kernel
 * refuses both (EINVAL). This seccomp filter makes the system calls that only
 * change ids do nothing and succeed, which is all that they could do there.
 */
#ifndef SLXC_FAKEIDS_H
#define SLXC_FAKEIDS_H

/*
 * For this task and all it starts. Needs no_new_privs. Takes nothing away from
 * the kernel's checks: a call is either made as ever, or not made. 0 or -1 (errno).
 */
int fakeids_install(void);

#endif
