/* Where things are at run time: from configure (--with-storedir and so on), never from a request. */
#ifndef SLXC_PATHS_H
#define SLXC_PATHS_H

#ifndef SLXC_CONF_FILE /* given by the Makefiles */
#error "build with SLXC_PATH_FLAGS"
#endif

/* SLXC_CONF_FILE   /etc/slxc/slxc.conf
 * SLXC_LIBEXECDIR  slxc-step, slxc-worker, slxc-init, slxc-seccomp
 * SLXC_DATADIR     /usr/share/slxc: seccomp.json, the default policy
 * SLXC_RUNDIR      /run/slxc
 * SLXC_LOGDIR      /var/log/slxc
 * SLXC_STOREDIR    /var/lib/slxc, unless slxc.conf says store= */

#endif
