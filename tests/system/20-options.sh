#!/bin/bash
# The options beside --container: image, mounts, working directory, home, root, writing, sharing, scratch. Each one works, by
# command line, by variable (SLXC_, PYXIS_), as an #SBATCH line, and is refused where it is typed when it makes no sense.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
HOME1=$(home_of slxc1)

jobs_so_far() { scontrol -o show job 2>/dev/null | sed -n 's/^JobId=\([0-9]*\).*/\1/p' | sort -n | tail -n 1; }

# nonsense PATTERN OPTION...: srun, sbatch and an #SBATCH line say the one line, and nothing is queued
nonsense() {
	local before
	before=$(jobs_so_far)
	forget_marks
	run as slxc1 srun --container="$IMAGE" "${@:2}" bash -c "$(probe)"
	assert_rc 1
	_one_line "$err" "$1"
	run as slxc1 sbatch -o /dev/null --container="$IMAGE" "${@:2}" --wrap "$(probe)"
	assert_rc 1
	_one_line "$err" "$1"
	{ echo '#!/bin/bash'; printf '#SBATCH "%s"\n' "${@:2}"; probe; } >"$T/nonsense.sh"
	run as slxc1 sbatch -o /dev/null --container="$IMAGE" "$T/nonsense.sh"
	assert_rc 1
	_one_line "$err" "$1"
	no_task_ran
	assert_eq "$(jobs_so_far)" "$before" "newest job"
}

# in_job OPTION... -- TEXT: salloc with the options runs it on this host; its srun's are steps of the job. $out, $err
in_job() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	run as slxc1 salloc -Q "${options[@]}" bash -c "$2"
}

# batch LINE... -- COMMAND: a batch job with these #SBATCH lines; its output in $out, its state in $state
batch() {
	echo '#!/bin/bash' >"$T/batch.sh"
	while [ "$1" != -- ]; do echo "#SBATCH $1" >>"$T/batch.sh"; shift; done
	echo "$2" >>"$T/batch.sh"
	submit slxc1 -o "$T/batch.out" "$T/batch.sh"
	wait_job_over "$job"
	state=$(job_state "$job")
	out=$(cat "$T/batch.out")
	echo "batch: $state: $out"
}

files() {
	as slxc1 bash -c 'mkdir -p o/d/sub && echo one >o/d/f && echo two >o/d/sub/g'
	undo "rm -rf '$HOME1/o'"
}

help_shows() {
	local command o
	for command in srun sbatch salloc; do
		run as slxc1 $command --help
		for o in image mounts workdir mount-home remap-root writable readonly env unshare scratch entrypoint entrypoint-log profile; do
			grep -q -- "--container-$o" <<<"$out" || fail "$command --help does not show --container-$o"
		done
		grep -q -- --no-container-mount-home <<<"$out"
		grep -q -- --no-container-remap-root <<<"$out"
	done
}

# ---- image

image_option() {
	run as slxc1 srun --container-image="$IMAGE" cat /proc/1/comm
	assert_eq "$out" slxc-init
	run as slxc1 srun --container-image="$IMAGE" bash -c 'echo $SLURM_JOB_ID $SLURM_CONTAINER'
	assert_eq "$(job_field "${out% *}" Container)" "$IMAGE" "recorded of the job"
	assert_eq "${out#* }" "$IMAGE"
	assert_eq "$(acct "${out% *}.0" Container)" "$IMAGE" "recorded of the step"
	run as slxc1 srun --container-image=none cat /proc/1/comm
	assert_ne "$out" slxc-init
	for v in SLXC PYXIS; do
		ENV=("${v}_CONTAINER_IMAGE=$IMAGE")
		run as slxc1 srun cat /proc/1/comm
		assert_eq "$out" slxc-init
		run as slxc1 srun --container=none cat /proc/1/comm
		assert_ne "$out" slxc-init
		run as slxc1 srun --container-image=none cat /proc/1/comm
		assert_ne "$out" slxc-init
	done
	ENV=()
	batch "--container-image=$IMAGE" -- 'cat /proc/1/comm; echo $SLURM_CONTAINER'
	assert_eq "$out" "slxc-init"$'\n'"$IMAGE"
	assert_eq "$(job_field "$job" Container)" "$IMAGE"
	# the command line wins over the script
	submit slxc1 -o "$T/over.out" --container-image=none "$T/batch.sh"
	wait_job_over "$job"
	assert_no_match "$(cat "$T/over.out")" slxc-init
}

image_refused() {
	nonsense "image name 'Debian:12' is not valid" --container-image=Debian:12
	nonsense "--container-image is empty" --container-image=
	nonsense "/x.sqsh is a file: import it first" --container-image=/x.sqsh
	nonsense "--container=$IMAGE and --container-image=other:1 are different images: say one" --container-image=other:1
	run as slxc1 srun --container-image=other:1 --container="$IMAGE" true
	assert_rc 1
	_one_line "$err" "are different images"
	run as slxc1 srun --container-image="$IMAGE" --container="$IMAGE" true
	assert_rc 0
	# pyxis's form, whole
	refused "no image 'registry.site/lab/tools:2'" --container-image=me@registry.site#lab/tools:2
}

# ---- mounts

mounts() {
	files
	contained --container-mounts=./o/d:/new/place cat /new/place/f /new/place/sub/g
	assert_eq "$out" $'one\ntwo'
	contained --container-mounts="$HOME1/o/d/f:/new/file" cat /new/file
	assert_eq "$out" one
	contained --no-container-mount-home --chdir=/tmp --container-mounts="$HOME1/o/d" cat "$HOME1/o/d/f"
	assert_eq "$out" one
	contained --container-mounts='~/o/d:/a,$HOME/o:/b/${USER}' cat /a/f /b/slxc1/d/f
	assert_eq "$out" $'one\none'
	contained --container-mounts=./o/d:/a --container-mounts=./o/d:/b cat /a/f /b/f
	assert_eq "$out" $'one\none'
	# through a link of the image: /var/run is /run
	contained --container-mounts=./o/d:/var/run/x cat /run/x/f
	assert_eq "$out" one
	contained bash -c 'ls -d /new /a /b' || true
	assert_ne "$rc" 0
}

mount_flags() {
	files
	contained --container-mounts=./o/d:/a:ro bash -c 'touch /a/f 2>&1; ls -d o/d/f'
	assert_match "$out" 'Read-only file system'
	contained --container-mounts=./o/d:/a bash -c 'echo new >/a/w && cat o/d/w'
	assert_eq "$out" new
	contained --container-mounts=./o/d:/a:rw+nosuid+nodev+noexec+rprivate bash -c 'grep " /a " /proc/mounts; cp /bin/true /a/t; /a/t || echo noexec'
	assert_match "$out" 'rw,nosuid,nodev,noexec'
	assert_match "$out" 'noexec$'
	# what is mounted below, too
	mkdir -p "$T/m/sub" && mount -t tmpfs -o mode=1777 none "$T/m/sub"
	undo "umount '$T/m/sub'"
	contained --container-mounts="$T/m:/a:ro" touch /a/sub/x
	assert_match "$err" 'Read-only file system'
	contained --container-mounts="$T/m:/a" touch /a/sub/x
	assert_rc 0
	contained --container-mounts="$T/m:/a:bind" ls -A /a/sub
	assert_eq "$out" ""
	contained --container-mounts=./o/d:/a:x-create=auto+rslave grep ' /a ' /proc/self/mountinfo
	assert_rc 0
	contained --container-mounts=tmpfs:/a:size=1M+mode=0700 bash -c 'stat -fc %T /a; df -k /a | tail -n 1; touch /a/x'
	assert_match "$out" 'tmpfs'
	assert_match "$out" ' 1024 '
	contained --container-mounts=umount:/tmp bash -c 'ls -A /tmp | wc -l; grep -c " /tmp " /proc/mounts || true'
	assert_eq "$out" $'0\n0'
}

mounts_otherwise() {
	local v
	files
	for v in SLXC PYXIS; do
		ENV=("${v}_CONTAINER_MOUNTS=./o/d:/a")
		contained cat /a/f
		assert_eq "$out" one
		contained --container-mounts=./o:/b ls / # said: the variable does not count
		assert_no_match "$out" $'(^|\n)a($|\n)'
	done
	ENV=()
	batch "--container=$IMAGE" '--container-mounts=$HOME/o/d:/a:ro,tmpfs:/b' -- 'cat /a/f; stat -fc %T /b'
	assert_eq "$out" $'one\ntmpfs'
	# a job without a container, its steps have one
	batch '--container-mounts=$HOME/o/d:/a' -- "srun -Q --container=$IMAGE cat /a/f; srun -Q --container=$IMAGE --container-mounts=\$HOME/o:/b cat /b/d/f; srun -Q cat /proc/1/comm"
	assert_match "$out" $'^one\none\n'
	assert_no_match "$out" slxc-init
	in_job --container-mounts=./o/d:/a -- "srun --container=$IMAGE cat /a/f"
	assert_eq "$out" one
	in_job --container="$IMAGE" --container-mounts=./o/d:/a -- 'srun cat /a/f; srun --container-mounts=./o:/b cat /b/d/f'
	assert_eq "$out" $'one\none'
	# a nested sbatch starts anew
	batch "--container-mounts=\$HOME/o/d:/a" -- "sbatch --parsable --wait -o nested.out --container=$IMAGE --wrap 'ls /a'; cat nested.out; rm nested.out"
	assert_match "$out" "cannot access '/a'"
}

mounts_refused() {
	nonsense "'x' must begin with / or ./ or ~/, or be tmpfs or umount" --container-mounts=x:/a
	nonsense "=/a:/b:ro:rw is not SOURCE:TARGET" --container-mounts=/a:/b:ro:rw
	nonsense "unknown flag 'fast'" --container-mounts=/tmp:/a:fast
	nonsense "nothing can be mounted on /proc itself" --container-mounts=/tmp:/proc
	nonsense "say where: tmpfs:TARGET" --container-mounts=tmpfs
	ENV=(PYXIS_CONTAINER_MOUNTS=x)
	nonsense "'x' must begin with"
	ENV=()
	# known only on the node: before any task runs
	refused "the source $HOME1/no-such on this node: No such file" --container="$IMAGE" --container-mounts=./no-such:/a
	refused "the source /root/x on this node: Permission denied" --container="$IMAGE" --container-mounts=/root/x:/a
	refused "the variable NO_SUCH is not set" --container="$IMAGE" --container-mounts='$NO_SUCH:/a'
	refused "umount:/usr: slxc mounts nothing there" --container="$IMAGE" --container-mounts=umount:/usr
	refused_batch "the source /no/such on this node" --container="$IMAGE" --container-mounts=/no/such:/a
	unplugged
	ENV+=(SLURM_SLXC_OPTIONS=mounts=x)
	refused "'x' must begin with" --container="$IMAGE"
	ENV[-1]=SLURM_SLXC_OPTIONS=root=yes
	refused "SLURM_SLXC_OPTIONS holds 'root=yes'" --container="$IMAGE"
	ENV[-1]=SLURM_SLXC_OPTIONS='mounts=$X:/a'
	ENV+=(X=/a/../b)
	refused "source '/a/../b' must be a path" --container="$IMAGE"
}

# ---- working directory, home

workdir() {
	contained --container-workdir=/usr/lib pwd
	assert_eq "$out" /usr/lib
	contained --container-workdir=/usr/./share/../lib/ pwd
	assert_eq "$out" /usr/lib
	contained pwd
	assert_eq "$out" "$HOME1"
	ENV=(PYXIS_CONTAINER_WORKDIR=/var)
	contained pwd
	assert_eq "$out" /var
	ENV=()
	batch "--container=$IMAGE" --container-workdir=/opt -- pwd
	assert_eq "$out" /opt
	in_job --container="$IMAGE" --container-workdir=/opt -- 'srun pwd; srun --container-workdir=/var pwd'
	assert_eq "$out" $'/opt\n/var'
	nonsense "--container-workdir takes an absolute path of the container, not 'lib'" --container-workdir=lib
	refused "--container-workdir=/no/such in the container: No such file" --container="$IMAGE" --container-workdir=/no/such
	# the image's own, where the step's is not in the container
	import_programs small:1 sh
	mkdir -p "$T/small/work"
	import_small small:1 --workdir /work
	run as slxc1 srun --container=small:1 --chdir=/usr/share sh -c pwd
	assert_eq "$out" /work
}

mount_home() {
	contained --no-container-mount-home --chdir=/tmp ls "$HOME1"
	assert_ne "$rc" 0
	contained --container-mount-home --chdir=/tmp ls "$HOME1"
	assert_rc 0
	ENV=(PYXIS_CONTAINER_MOUNT_HOME=no)
	contained --chdir=/tmp ls "$HOME1"
	assert_ne "$rc" 0
	ENV=()
	conf mount_home=no
	contained --chdir=/tmp ls "$HOME1"
	assert_ne "$rc" 0
	contained --chdir=/tmp --container-mount-home ls "$HOME1"
	assert_rc 0
	batch "--container=$IMAGE" --chdir=/tmp --container-mount-home -- 'cd && pwd'
	assert_eq "$out" "$HOME1"
	nonsense "--container-mount-home and --no-container-mount-home contradict each other: say one" --container-mount-home --no-container-mount-home
	ENV=(SLXC_CONTAINER_MOUNT_HOME=maybe)
	nonsense "SLXC_CONTAINER_MOUNT_HOME is yes or no, not 'maybe'"
}

# ---- root, writing

remap_root() {
	contained id -u
	assert_eq "$out" "$(id -u slxc1)"
	contained --container-remap-root bash -c 'id -u; id -g; id -un'
	assert_eq "$out" $'0\n0\nroot'
	# the user's files are root's, and new ones the user's
	contained --container-remap-root bash -c 'stat -c %u "$HOME" / /etc/passwd; touch remapped'
	assert_eq "$out" $'0\n0\n0'
	assert_eq "$(stat -c %U "$HOME1/remapped")" slxc1
	rm "$HOME1/remapped"
	# what package managers do
	contained --container-remap-root bash -c 'echo x >/x && chown 42:42 /x && chgrp mail /x && chmod 0 /x && cat /x'
	assert_eq "$out" x
	# nothing of the host: no files of others, no modules, no time
	contained --container-remap-root bash -c 'cat /root/../dev/mem 2>&1; date -s 2000-01-01 2>&1 >/dev/null; grep CapEff /proc/self/status'
	assert_match "$out" 'cannot set date: Operation not permitted'
	contained grep CapEff /proc/self/status
	assert_match "$out" '0000000000000000'
	ENV=(PYXIS_CONTAINER_REMAP_ROOT=1)
	contained id -u
	assert_eq "$out" 0
	contained --no-container-remap-root id -u
	assert_eq "$out" "$(id -u slxc1)"
	ENV=()
	batch "--container=$IMAGE" --container-remap-root -- 'id -u'
	assert_eq "$out" 0
	in_job --container="$IMAGE" --container-remap-root -- 'srun id -u; srun --no-container-remap-root id -u'
	assert_eq "$out" $'0\n'"$(id -u slxc1)"
	nonsense "contradict each other" --container-remap-root --no-container-remap-root
	# a file of another user stays closed
	(umask 077; echo secret >"$T/secret")
	chmod 755 "$T"
	contained --container-remap-root --container-mounts="$T:/t" bash -c 'cat /t/secret; chmod 777 /t/secret'
	assert_ne "$rc" 0
	assert_no_match "$out" secret
}

# a package of Debian's, as dpkg and apt want to install it: with other owners, and as the user _apt
packages() {
	mkdir -p "$T/p/DEBIAN" "$T/p/usr/share/slxc-test" "$T/repo"
	printf 'Package: slxc-test\nVersion: 1\nArchitecture: all\nMaintainer: slxc <root@localhost>\nDescription: a test\n' >"$T/p/DEBIAN/control"
	printf '#!/bin/sh\nset -e\nchown mail:adm /usr/share/slxc-test/f\n' >"$T/p/DEBIAN/postinst"
	chmod 755 "$T/p/DEBIAN/postinst"
	echo here >"$T/p/usr/share/slxc-test/f"
	chown -R 33:42 "$T/p/usr/share/slxc-test"
	dpkg-deb -b "$T/p" "$T/repo/slxc-test_1_all.deb"
	chmod -R a+rX "$T/repo"
	contained --container-remap-root --container-mounts="$T/repo:/repo" bash -c '
		apt-get -y install /repo/slxc-test_1_all.deb && cat /usr/share/slxc-test/f && dpkg -s slxc-test | grep Status'
	assert_rc 0
	assert_match "$out" $'here\nStatus: install ok installed'
}

writable() {
	contained bash -c 'touch /x && ls /x'
	assert_rc 0
	contained --container-readonly bash -c 'touch /x'
	assert_match "$err" 'Read-only file system'
	contained --container-readonly -n3 bash -c 'touch /tmp/rw.$SLURM_PROCID $HOME/rw.$SLURM_PROCID && rm /tmp/rw.$SLURM_PROCID $HOME/rw.$SLURM_PROCID'
	assert_rc 0
	contained --container-readonly --container-remap-root bash -c 'touch /x'
	assert_match "$err" 'Read-only file system'
	for v in SLXC_CONTAINER_READONLY=yes PYXIS_CONTAINER_WRITABLE=0; do
		ENV=("$v")
		contained touch /x
		assert_match "$err" 'Read-only file system'
		contained --container-writable touch /x
		assert_rc 0
	done
	ENV=()
	batch "--container=$IMAGE" --container-readonly -- 'touch /x'
	assert_match "$out" 'Read-only file system'
	nonsense "--container-writable and --container-readonly contradict each other: say one" --container-writable --container-readonly
}

scratch() {
	contained --container-scratch=2M bash -c 'df -k / | awk "NR == 2 {print \$2}"; head -c 3M /dev/zero >/x'
	assert_match "$out" '^2048$'
	assert_match "$err" 'No space left'
	# no more than the step's memory
	contained --mem=100M --container-scratch=100G bash -c 'df -k / | awk "NR == 2 {print \$2}"'
	assert_eq "$out" 102400
	ENV=(SLXC_CONTAINER_SCRATCH=3M)
	contained bash -c 'df -k / | awk "NR == 2 {print \$2}"'
	assert_eq "$out" 3072
	ENV=()
	batch "--container=$IMAGE" --container-scratch=4M -- 'df -k / | awk "NR == 2 {print \$2}"'
	assert_eq "$out" 4096
	nonsense "--container-scratch is a size of at least 64K such as 500M or 8G, not '1Z'" --container-scratch=1Z
	nonsense "not '10'" --container-scratch=10
}

# ---- sharing

unshare_option() {
	contained bash -c 'grep -c : /proc/net/dev; readlink /proc/self/ns/net'
	assert_eq "${out##*$'\n'}" "$(readlink /proc/self/ns/net)"
	# not /sys: that is the host's, and shows the host's network
	contained --container-unshare=net bash -c 'sed -n "s/^ *\(.*\):.*/\1/p" /proc/net/dev; exec 3<>/dev/udp/127.0.0.1/9 && echo up'
	assert_eq "$out" $'lo\nup'
	contained --container-unshare=net -n2 readlink /proc/self/ns/net
	assert_eq "$(sort -u <<<"$out" | wc -l)" 1
	assert_ne "${out%%$'\n'*}" "$(readlink /proc/self/ns/net)"
	touch /dev/shm/slxc-test
	undo "rm -f /dev/shm/slxc-test"
	contained ls /dev/shm/slxc-test
	assert_rc 0
	contained --container-unshare=ipc -n2 bash -c 'ls -A /dev/shm; sleep 0.5; touch /dev/shm/x.$SLURM_PROCID'
	assert_rc 0
	assert_eq "$out" ""
	contained --container-unshare=uts,ipc,net true
	assert_rc 0
	ENV=(SLXC_CONTAINER_UNSHARE=net)
	contained sed -n "s/^ *\(.*\):.*/\1/p" /proc/net/dev
	assert_eq "$out" lo
	ENV=()
	batch "--container=$IMAGE" --container-unshare=net -- 'sed -n "s/^ *\(.*\):.*/\1/p" /proc/net/dev'
	assert_eq "$out" lo
	nonsense "'pid' is none of net, ipc, uts" --container-unshare=net,pid
}

# ---- without a container

ignored() {
	run as slxc1 srun --container-mounts=/tmp:/a cat /proc/1/comm
	assert_rc 0
	assert_ne "$out" slxc-init
	_one_line "$err" "--container-mounts is ignored: the step has no container"
	run as slxc1 srun --container=none --container-readonly true
	assert_rc 0
	_one_line "$err" "--container-readonly is ignored"
	ENV=(SLXC_CONTAINER_MOUNTS=/tmp:/a)
	run as slxc1 srun true
	assert_rc 0
	assert_no_match "$err" slxc
}

# as documented: an inner step has the options of its job, each of which it can say anew
inherited() {
	files
	in_job --container="$IMAGE" --container-mounts=./o/d:/a --container-readonly -- \
		'srun bash -c "cat /a/f; touch /x"; srun --container-writable bash -c "cat /a/f; touch /x && echo written"; srun --container=none cat /proc/1/comm'
	assert_match "$err" 'Read-only file system'
	assert_match "$out" $'^one\none\nwritten\n'
	assert_no_match "$out" slxc-init
	_one_line "$err"$'\nslxc: only' only
}

need_plugin
need_image
check "srun, sbatch, salloc --help" help_shows
check "--container-image" image_option
check "--container-image refused" image_refused
check "--container-mounts" mounts
check "--container-mounts flags" mount_flags
check "--container-mounts by variable, #SBATCH, job" mounts_otherwise
check "--container-mounts refused" mounts_refused
check "--container-workdir" workdir
check "--container-mount-home" mount_home
check "--container-remap-root" remap_root
check "--container-remap-root and packages" packages
check "--container-writable and readonly" writable
check "--container-scratch" scratch
check "--container-unshare" unshare_option
check "options without a container" ignored
check "options of the job in its steps" inherited
