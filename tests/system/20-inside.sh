#!/bin/bash
# What a program sees inside: who it is, what it may do, /proc, /dev, /sys, the network, the host's files.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
H=$(home_of slxc1)
need_all() { need_plugin; need_image; }

identity() {
	need_all
	same_bare_and_contained sh -c 'id -u; id -g; id -un; id -gn; echo $HOME $USER $LOGNAME; cd; pwd; uname -n'
	assert_eq "$(sed -n 3,4p <<<"$out")" $'slxc1\nslxc1'
	same_bare_and_contained getent passwd slxc1
	same_bare_and_contained sh -c 'getent group slxc1 | cut -d: -f1-3'
	# the image's own entries stay, and the step's user is added once
	contained sh -c 'getent passwd root daemon; grep -c ^slxc1: /etc/passwd /etc/group'
	assert_match "$out" $'^root:x:0:0:.*\ndaemon:.*\n/etc/passwd:1\n/etc/group:1$'
	# another user's container is another user's
	run as slxc2 srun --container=$IMAGE sh -c 'id -un; pwd; ls -ld /etc/passwd; ! ls '"$H"
	assert_rc 0
	assert_match "$out" "^slxc2"$'\n'"$(home_of slxc2)"$'\n.* slxc2 slxc2 '
}

no_privileges() {
	need_all
	contained sh -c 'grep -E "^(Cap...|NoNewPrivs|Seccomp):" /proc/self/status; cat /proc/self/uid_map'
	assert_eq "$(grep -c 'Cap...:.0000000000000000$' <<<"$out")" 5
	assert_match "$out" $'NoNewPrivs:\t1'
	assert_match "$out" "$(id -u slxc1) +$(id -u slxc1) +1$"
	# nothing that needs root works, and no program gives it back
	contained sh -c 'for c in "mount -t tmpfs none /mnt" "umount /proc" "chown 0 /tmp" "mknod /n b 1 1" "hostname x" "chroot / true" "nice -n -5 true" \
		"su -c true" dmesg; do $c 2>/dev/null && [ "${c#nice}" = "$c" ] && echo "works: $c"; done; cat /proc/1/comm'
	assert_eq "$out" slxc-init
	contained stat -c '%n %u' /proc/1 /usr/bin/su
	assert_eq "$out" "/proc/1 $(id -u slxc1)"$'\n'"/usr/bin/su $(id -u slxc1)"
}

supplementary_groups() {
	need_all
	install -d -m 2770 -g slxcteam /tmp/slxc-team
	same_bare_and_contained sh -c 'echo hello >/tmp/slxc-team/file && cat /tmp/slxc-team/file && chmod 640 /tmp/slxc-team/file && rm /tmp/slxc-team/file'
	assert_eq "$out" hello
	contained touch /tmp/slxc-team/file
	assert_eq "$(stat -c '%U %G' /tmp/slxc-team/file)" "slxc1 slxcteam"
	# a group that the user is not in
	chgrp root /tmp/slxc-team
	same_bare_and_contained ls /tmp/slxc-team
	assert_rc 2
	rm -r /tmp/slxc-team
}

proc() {
	local bare
	need_all
	contained sh -c 'cat /proc/[0-9]*/comm | sort -u; readlink /proc/self; echo $$ $PPID'
	assert_eq "$(head -n -2 <<<"$out" | grep -vxE 'cat|sh|sort')" slxc-init
	assert_eq "$(tail -n 1 <<<"$out")" "2 0"
	# Slurm's accounting and limits: the same cgroups as a bare step, not paths above a namespace's root
	run as slxc1 srun --mem=100 sh -c 'sed "s/job_[0-9]*/job/" /proc/self/cgroup'
	bare=$out
	run as slxc1 srun --mem=100 --container=$IMAGE sh -c 'sed "s/job_[0-9]*/job/" /proc/self/cgroup'
	assert_eq "$out" "$bare"
	# orphans are reaped
	contained sh -c '(sh -c "true & echo" & ); until ! ps -e -o stat= | grep -q Z; do :; done; echo none'
	assert_match "$out" none
}

dev() {
	need_all
	contained ls /dev
	assert_eq "$(tr '\n' ' ' <<<"$out")" "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero "
	contained sh -c 'echo x >/dev/null; head -c 4 /dev/zero | od -An -tx1; head -c 8 /dev/urandom | wc -c; head -c 8 /dev/random | wc -c
		head -c 1 /dev/zero >/dev/full; echo to-stderr >/dev/stderr; echo from-stdin | cat /dev/stdin; stat -c %a%t,%T /dev/null'
	assert_match "$out" $'^ 00 00 00 00\n8\n8\nfrom-stdin\n666'
	assert_match "$err" 'o space left'
	assert_match "$err" to-stderr
	contained sh -c 'touch /dev/x || rm /dev/null || ! echo nothing'
	assert_eq "$out" nothing
}

sys() {
	need_all
	contained sh -c 'ls /sys; touch /sys/x; find /sys -maxdepth 6 -writable -type f 2>/dev/null | while read f; do (: >>$f) 2>/dev/null && echo "writable: $f"; done
		for d in /sys /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/x 2>/dev/null && echo "writable: $d"; done; true'
	assert_match "$out" kernel
	assert_no_match "$out" writable
	assert_match "$err" 'Read-only file system'
}

network() {
	need_all
	contained sh -c 'readlink /proc/self/ns/net; sed -n "3,\$s/:.*//p" /proc/net/dev | sort'
	assert_eq "$out" "$(readlink /proc/self/ns/net; sed -n '3,$s/:.*//p' /proc/net/dev | sort)"
	# a socket of the host
	python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); s.accept()[0].send(b"hello")' >"$T/port" &
	wait_for 5 test -s "$T/port"
	contained python3 -c 'import socket, sys; print(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(9).decode())' "$(cat "$T/port")"
	assert_eq "$out" hello
}

shared_memory() {
	need_all
	echo of-the-host >/dev/shm/slxc-test
	contained sh -c 'cat /dev/shm/slxc-test; echo from-inside >/dev/shm/slxc-test2'
	assert_eq "$out" of-the-host
	assert_eq "$(cat /dev/shm/slxc-test2)" from-inside
	rm /dev/shm/slxc-test /dev/shm/slxc-test2
	# System V objects are the step's alone, and vanish with it
	contained sh -c 'ipcmk -M 4096 >/dev/null; ipcs -m | grep -c 0x'
	assert_eq "$out" 1
	contained sh -c 'ipcs -m | grep -c 0x'
	assert_eq "$out" 0
}

# what the host says about names and time
host_files() {
	local f
	need_all
	trap 'mv "$T/hosts" /etc/hosts.new && cat /etc/hosts.new >/etc/hosts && rm /etc/hosts.new' EXIT
	cp /etc/hosts "$T/hosts"
	echo "10.11.12.13 slxc-test-host" >>/etc/hosts
	for f in resolv.conf hosts localtime; do
		[ -e /etc/$f ] || continue
		same_bare_and_contained sha256sum /etc/$f
		assert_rc 0
	done
	same_bare_and_contained getent hosts slxc-test-host
	assert_rc 0
	same_bare_and_contained date +%Z%z
	# changes inside stay inside
	contained sh -c 'echo gone >/etc/hosts; cat /etc/hosts'
	assert_eq "$out" gone
	assert_match "$(cat /etc/hosts)" slxc-test-host
}

nothing_else() {
	local d
	need_all
	for d in /opt /srv /mnt /root /home /usr/local /var/spool /var/lib /etc "$D/var" "$D/etc"; do echo x >"$d/slxc-probe"; done
	# the demo is below /opt, where the home has to be
	contained sh -c 'find / -xdev -name slxc-probe 2>/dev/null; ls -A /opt /srv /home '"$D $D/home"
	for d in /opt /srv /mnt /root /home /usr/local /var/spool /var/lib /etc "$D/var" "$D/etc"; do rm "$d/slxc-probe"; done
	assert_eq "$out" "$(printf '%s\n' /home: '' /opt: "${D#/opt/}" '' "$D:" home '' "$D/home:" slxc1 '' /srv:)"
	# no mount shows the host's or another step's
	contained cat /proc/self/mountinfo
	assert_eq "$(awk '$5 !~ "^/(sys|proc/)" {print $5}' <<<"$out" | sort | tr '\n' ' ')" "/ /dev /dev/.slxc-init /dev/pts /dev/shm $H /proc /tmp "
	# in /proc, what hides a part of it or makes it read-only
	assert_eq "$(awk '$5 ~ "^/proc/" {fs = $0; sub(".* - ", "", fs); split(fs, f, " ")
		if (!(f[2] == "slxc-dev" && $4 == "/null" || f[2] == "slxc" && $4 == "/empty" || f[1] == "proc" && $6 ~ "^ro," && "/proc" $4 == $5)) print}' <<<"$out")" ""
}

root_is_scratch() {
	need_all
	contained sh -c 'echo new >/new && mkdir -p /opt/x/y && echo "#!/bin/sh" >/usr/bin/program && chmod 755 /usr/bin/program && rm /etc/debian_version && program && ls / | grep new'
	assert_rc 0
	assert_eq "$out" new
	contained sh -c 'ls /new /opt/x /usr/bin/program; cat /etc/debian_version'
	assert_match "$out" '^12'
	assert_eq "$(grep -c 'No such file' <<<"$err")" 3
	# one root for all tasks of a step
	contained -n2 sh -c 'if [ $SLURM_PROCID = 0 ]; then echo shared >/shared.new; mv /shared.new /shared; fi; until [ -e /shared ]; do sleep 0.02; done; cat /shared'
	assert_eq "$out" $'shared\nshared'
}

check "identity" identity
check "no privileges" no_privileges
check "supplementary groups give access" supplementary_groups
check "/proc is its own" proc
check "/dev is minimal" dev
check "/sys is read-only" sys
check "the host's network" network
check "the host's /dev/shm, its own System V objects" shared_memory
check "resolv.conf, hosts and localtime follow the host" host_files
check "nothing else of the host" nothing_else
check "the root file system is scratch" root_is_scratch
