#!/bin/bash
# The root file system behaves as a disk does: what package managers do to files of the image works.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
need_all() { need_plugin; need_image; }

# inside COMMANDS: a script in which any command that fails ends it ("a && b" and "! a" would not: there is "not")
inside() {
	contained bash -ec 'not() { if "$@"; then echo "succeeded: $*"; exit 1; fi; }'"$1"
	assert_rc 0
}

replace() {
	need_all
	inside '
		# as dpkg does: unpack beside, link the old one away, rename over it
		cp /usr/bin/gzip /usr/bin/gzip.dpkg-new
		ln /usr/bin/gzip /usr/bin/gzip.dpkg-tmp
		mv /usr/bin/gzip.dpkg-new /usr/bin/gzip
		rm /usr/bin/gzip.dpkg-tmp
		echo word | gzip | gzip -d
		sed -i s/root/toor/ /etc/group
		grep toor /etc/group | cut -d: -f1
		rm /etc/debian_version
		not ls /etc/debian_version 2>/dev/null
		echo 13 >/etc/debian_version
		cat /etc/debian_version'
	assert_eq "$out" $'word\ntoor\n13'
}

directories() {
	need_all
	inside '
		mv /usr/share/base-files /usr/share/moved; ls /usr/share/moved >/dev/null
		mv /usr/share/moved /usr/share/base-files
		mv /usr/share/doc /opt/doc; ls /opt/doc | head -n 1
		rm -rf /usr/share/common-licenses; mkdir /usr/share/common-licenses
		ls -A /usr/share/common-licenses | wc -l
		touch /usr/share/common-licenses/new; ls /usr/share/common-licenses
		rm -rf /usr/lib/python3; ln -s /opt /usr/lib/python3; readlink /usr/lib/python3
		mkdir -p /var/lib/new/deep/er; rmdir /var/lib/new/deep/er
		not rmdir /var/lib/new 2>/dev/null
		rm -rf /var/lib/dpkg/info; mkdir /var/lib/dpkg/info; mv /var/lib/dpkg/info /var/lib/dpkg/info2; mkdir /var/lib/dpkg/info'
	assert_match "$out" $'^[a-z0-9.+-]+\n0\nnew\n/opt$'
}

attributes() {
	need_all
	inside '
		chmod 4750 /usr/bin/gzip; stat -c %a /usr/bin/gzip
		chmod 1777 /usr/share; stat -c %a /usr/share
		touch -d @1000000000 /etc/debian_version; stat -c %Y /etc/debian_version
		ln /etc/debian_version /etc/linked; echo more >>/etc/linked; tail -n 1 /etc/debian_version; stat -c %h /etc/linked
		chgrp '"$(id -g slxc1)"' /etc/linked
		truncate -s 1G /sparse; stat -c "%s %b" /sparse
		mkfifo /fifo; test -p /fifo
		python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"/socket\")"; test -S /socket'
	assert_eq "$out" $'4750\n1777\n1000000000\nmore\n2\n1073741824 0'
	# every file of the image is the user's own (what is mounted shows up as a directory)
	contained sh -c 'find / -xdev ! -uid $(id -u) 2>/dev/null | grep -vxE "/(dev|proc|sys|tmp)"; find / -xdev -type f ! -readable; true'
	assert_eq "$out" ""
}

locks_and_maps() {
	need_all
	inside '
		exec 9>/var/lock.file; flock -n 9; not flock -n /var/lock.file true
		cp /bin/true /program; /program
		cp /etc/passwd /copy; dd if=/copy of=/etc/passwd bs=1M conv=notrunc,fsync status=none; cmp /copy /etc/passwd; echo same'
	assert_eq "$out" same
}

# dpkg itself: a package with a file, a directory and a conffile, and removal of one of the image's
packages() {
	need_all
	inside '
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin
		cd /tmp; mkdir -p /p/DEBIAN /p/usr/share/slxc /p/etc
		printf "Package: slxc-test\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: t\n" >/p/DEBIAN/control
		echo /etc/slxc.conf >/p/DEBIAN/conffiles
		echo conf >/p/etc/slxc.conf; echo data >/p/usr/share/slxc/data
		dpkg-deb -b /p /p.deb >/dev/null
		dpkg --force-not-root -i /p.deb >/dev/null
		cat /usr/share/slxc/data; dpkg -l slxc-test | tail -n 1 | cut -c1-2
		dpkg --force-not-root -P slxc-test >/dev/null
		ls -d /usr/share/slxc 2>/dev/null || echo gone
		# one of the image, as it is
		dpkg --force-not-root --force-depends -P procps >/dev/null
		[ -e /bin/ps ] || echo removed'
	assert_eq "$out" $'data\nii\ngone\nremoved'
}

check "files are replaced as dpkg does" replace
check "directories of the image are moved, removed, made again" directories
check "modes, times, links, special files" attributes
check "locks, programs, shared mappings" locks_and_maps
check "a package is installed and removed" packages
