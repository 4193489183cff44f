#!/bin/bash
# The home, the working directory and /tmp are there, unless slxc.conf says otherwise; the root is scratch with a limit.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
H=$(home_of slxc1)
CONF=$D/etc/slxc/slxc.conf
WORK=/srv/slxc-work # outside of the home and of /tmp
need_all() { need_plugin; need_image; }

# conf LINE...: that slxc.conf, until the case ends
conf() {
	trap 'cp "$LOGS/slxc.conf" "$CONF"' EXIT
	printf '%s\n' "$@" >"$CONF"
}

home_and_tmp() {
	need_all
	contained sh -c 'umask 027; echo word >$HOME/written; mkdir $HOME/dir; echo word >/tmp/slxc-written'
	assert_rc 0
	assert_eq "$(cat "$H/written" /tmp/slxc-written)" $'word\nword'
	assert_eq "$(stat -c '%U %G %a' "$H/written" "$H/dir" /tmp/slxc-written | sort -u)" $'slxc1 slxc1 640\nslxc1 slxc1 750'
	echo from-outside >"$H/written"
	contained cat written
	assert_eq "$out" from-outside
	contained rm -r written dir /tmp/slxc-written
	assert_rc 0
	[ ! -e "$H/written" ]
	[ ! -e "$H/dir" ]
}

# make_work [NAME]: a directory of slxc1 there, and one beside it
make_work() { install -d -o slxc1 "/srv/${1:-slxc-work}" /srv/slxc-other; }
remove_work() { rm -rf "/srv/${1:-slxc-work}" /srv/slxc-other; }

srun_chdir() {
	local d
	need_all
	make_work
	same_bare_and_contained --chdir=$WORK -- sh -c 'pwd; echo $PWD; echo word >file; cat '$WORK/file
	assert_match "$out" $WORK.*word
	contained --chdir=$WORK ls /srv
	assert_eq "$out" slxc-work
	assert_eq "$(stat -c %U $WORK/file)" slxc1
	remove_work
	for d in 'slxc two words' 'slxc#1,2:3\x' $'slxc-\u00e9\u4e16' 'slxc\040"q"'; do
		make_work "$d"
		same_bare_and_contained --chdir="/srv/$d" -- sh -c 'pwd; touch file; ls'
		assert_eq "$out" "/srv/$d"$'\n'file
		remove_work "$d"
	done
}

started_elsewhere() {
	need_all
	make_work
	run as slxc1 bash -c "cd $WORK && srun --container=$IMAGE sh -c 'pwd; ls /srv'"
	assert_eq "$out" $WORK$'\n'slxc-work
	run as slxc1 bash -c "cd /usr/share && srun --container=$IMAGE pwd"
	assert_eq "$out" /usr/share
	assert_no_match "$err" slxc:
	remove_work
}

sbatch_chdir() {
	need_all
	make_work
	submit slxc1 --chdir=$WORK --container=$IMAGE --wrap 'pwd; ls /srv; echo word >file'
	wait_job_over "$job"
	# its output is where a bare one's is
	assert_eq "$(cat "$WORK/slurm-$job.out")" $WORK$'\n'slxc-work
	assert_eq "$(cat $WORK/file)" word
	remove_work
}

# the image's /usr is not covered by the host's
system_directory() {
	need_all
	install -d /usr/local/slxc-probe
	same_bare_and_contained --chdir=/usr/lib -- pwd
	contained --chdir=/usr/local sh -c 'pwd; ls'
	assert_no_match "$out" slxc-probe
	contained --chdir=/usr/local/slxc-probe pwd
	assert_eq "$rc $out" "0 /"
	assert_match "$err" 'slxc: working directory /usr/local/slxc-probe is not in the container, starting in /'
	rmdir /usr/local/slxc-probe
}

# a bare step goes to /tmp; with --container Slurm 24.11 itself refuses
missing_directory() {
	need_all
	contained --chdir=/nowhere pwd
	assert_match "$err" "couldn't chdir to .?/nowhere"
	if [ "$rc" != 0 ]; then
		assert_eq "$out" ""
		assert_match "$err" '_pre_task_child_privileged'
	else
		assert_eq "$out" /tmp
	fi
	wait_for 5 node_is_idle_not_drained
}

no_home() {
	need_all
	conf mount_home=no
	contained --chdir=/tmp sh -c 'echo $HOME; ls -d $HOME; ls -d /tmp/.'
	assert_eq "$out" "$H"$'\n'/tmp/.
	# the working directory is another thing
	contained pwd
	assert_eq "$out" "$H"
	conf mount_home=no mount_cwd=no
	contained pwd
	assert_eq "$out" /
	assert_match "$err" "working directory $H is not in the container"
	# and a batch script runs all the same
	submit slxc1 --container=$IMAGE -o home.out --wrap 'pwd; ls '"$H"
	wait_job_over "$job"
	assert_match "$(cat "$H/home.out")" $'/\nls: '
	rm "$H/home.out"
}

no_cwd() {
	need_all
	make_work
	conf mount_cwd=no
	contained --chdir=$WORK sh -c 'pwd; ls -A /srv; ls -d ~'
	assert_eq "$out" "/"$'\n'"$H"
	assert_match "$err" "working directory $WORK is not in the container, starting in /"
	contained pwd
	assert_eq "$out" "$H"
	remove_work
}

no_tmp() {
	need_all
	touch /tmp/slxc-probe
	contained ls /tmp/slxc-probe
	assert_rc 0
	conf mount_tmp=no
	contained sh -c 'ls -A /tmp; echo word >/tmp/inside && cat /tmp/inside'
	rm /tmp/slxc-probe
	assert_eq "$out" word
	[ ! -e /tmp/inside ]
}

no_space() {
	need_all
	conf scratch_size=8M
	contained sh -c 'head -c 20000000 /dev/zero >/big; echo status $?; stat -c %s /big; rm /big; head -c 1000000 /dev/zero >/small && echo fits; head -c 20000000 /dev/zero >big && echo at home; rm big'
	assert_match "$out" $'^status 1\n[5-8][0-9]{6}\nfits\nat home$'
	assert_match "$err" 'No space left on device'
	conf scratch_inodes=200
	contained sh -c 'i=0; while [ $i -lt 400 ] && : >/f$i; do i=$((i + 1)); done; true'
	assert_match "$err" 'No space left on device'
	wait_for 5 node_is_idle_not_drained
}

# what is written there is the job's memory: with 60 MB of it, a program that fits alone does not
memory() {
	local grow='import os; x = bytearray(60000000); print("fits")'
	need_all
	# by default half of the step's, and never more than all of it
	contained --mem=100 df -m --output=size /
	assert_eq "$(tail -n 1 <<<"$out" | tr -d ' ')" 50
	conf scratch_size=8G
	contained --mem=100 df -m --output=size /
	assert_eq "$(tail -n 1 <<<"$out" | tr -d ' ')" 100
	grep -q ConstrainRAMSpace=yes "$D/etc/cgroup.conf" || t_skip "no cgroups here"
	run as slxc1 srun --mem=100 --container=$IMAGE sh -c "head -c 60000000 /dev/zero >/big && rm /big && python3 -c '$grow'"
	assert_eq "$rc $out" "0 fits"
	run as slxc1 srun --mem=100 --container=$IMAGE sh -c "head -c 60000000 /dev/zero >/big && python3 -c '$grow'"
	assert_ne "$rc" 0
	assert_no_match "$out" fits
	assert_match "$err" 'Out Of Memory'
}

conf_error() {
	need_all
	conf mount_hom=no
	contained true
	assert_slxc_error "slxc.conf:1: unknown key 'mount_hom'"
	wait_for 5 node_is_idle_not_drained
}

cp "$CONF" "$LOGS/slxc.conf"
check "home and /tmp" home_and_tmp
check "srun --chdir outside of both" srun_chdir
check "srun in another directory" started_elsewhere
check "sbatch --chdir" sbatch_chdir
check "a working directory in /usr" system_directory
check "a working directory that is not there" missing_directory
check "mount_home=no" no_home
check "mount_cwd=no" no_cwd
check "mount_tmp=no" no_tmp
check "scratch_size, scratch_inodes" no_space
check "scratch counts as the job's memory" memory
check "a mistake in slxc.conf" conf_error
cp "$LOGS/slxc.conf" "$CONF"
