#!/bin/bash
# The cluster works without slxc, and the leak checker sees a leak of each kind.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

bare_srun() {
	run as slxc1 srun -n2 bash -c 'id -un; pwd'
	assert_rc 0
	assert_eq "$(sort -u <<<"$out")" "$(printf '%s\nslxc1' "$(home_of slxc1)")"
	run as slxc1 srun bash -c 'exit 3'
	assert_rc 3
}

bare_sbatch() {
	as slxc1 bash -c 'printf "#!/bin/bash\necho in \$SLURM_JOB_ID\nsrun hostname\n" >bare.sh'
	submit slxc2 -o /dev/null --wrap 'id -un'
	wait_job_over "$job"
	submit slxc1 -o bare.out bare.sh
	wait_job_over "$job"
	assert_eq "$(head -n 1 "$(home_of slxc1)/bare.out")" "in $job"
	assert_eq "$(acct "$job" State)" COMPLETED
	assert_eq "$(acct "$job.0" State)" COMPLETED
	as slxc1 rm bare.sh bare.out
}

accounting() {
	run as slxc1 srun python3 -c 'import time; x = "x" * 60000000; time.sleep(1.3)'
	assert_rc 0
	assert_match "$(acct "$(last_job slxc1).0" MaxRSS)" '^[6-9][0-9][0-9.]*[KM]$|^[6-9][0-9]{4}K$'
}

several_at_once() {
	local i pids=()
	for i in 1 2 3 4 5 6; do spawn slxc1 srun -n2 sleep 0.5; pids+=("$pid"); done
	for i in "${pids[@]}"; do reap "$i"; assert_rc 0; done
}

restarts() {
	spawn slxc1 srun sleep 2
	wait_for 10 as slxc1 squeue -h -t R
	local old
	old=$(slurmd_pid)
	cluster_restart_slurmd
	assert_ne "$(slurmd_pid)" "$old"
	reap "$pid"
	assert_rc 0
}

teams() {
	run as slxc1 srun id -Gn
	assert_match "$out" slxcteam
}

# seen PATTERN: the checker reports such a line
seen() {
	run "$LIB/leakcheck" -w 0
	assert_rc 1
	assert_match "$out" "$1"
}
clean() {
	run "$LIB/leakcheck"
	assert_rc 0
}

leak_user_process() {
	spawn slxc1 sleep 1000
	seen "process $pid sleep .* of a user"
	kill "$pid"
	clean
}

leak_container() {
	unshare --fork --pid --mount-proc --kill-child setpriv --reuid slxc1 --regid slxc1 --clear-groups sleep 1000 &
	local u=$!
	wait_for 5 pgrep -P $u
	wait_for 5 eval '[ "$(ps -o comm= --ppid '$u')" = sleep ]'
	seen 'process [0-9]+ sleep .*namespaces of its own'
	pkill -KILL -P $u
	clean
}

leak_helper() {
	cp /bin/sleep "$T/slxc-worker"
	"$T/slxc-worker" 1000 &
	seen "process $! slxc-worker .* of slxc"
	kill $!
	clean
}

leak_mount() {
	# as slxc-step makes it
	install -d -m 700 "$RUNDIR/images"
	mkdir -p "$RUNDIR/images/sha256-x" "$RUNDIR/other"
	mount -t tmpfs none "$RUNDIR/images/sha256-x"
	clean
	mount -t tmpfs none "$RUNDIR/other"
	seen "mount $RUNDIR/other"
	umount "$RUNDIR/other" "$RUNDIR/images/sha256-x"
	rmdir "$RUNDIR/other" "$RUNDIR/images/sha256-x"
	clean
}

leak_mount_elsewhere() {
	mkdir -p "$RUNDIR/other"
	unshare --mount --propagation private bash -c 'mount -t tmpfs none "$0" && touch "$1" && exec sleep 1000' "$RUNDIR/other" "$T/ready" &
	wait_for 5 test -e "$T/ready"
	seen "mount $RUNDIR/other in mnt"
	kill -KILL $!
	clean
	rmdir "$RUNDIR/other"
}

leak_files() {
	mkdir -p "$RUNDIR/steps/9.0" "$D/var/store/tmp/x"
	seen "directory $RUNDIR/steps/9.0"
	assert_match "$out" "file $D/var/store/tmp/x"
	rmdir "$RUNDIR/steps/9.0" "$D/var/store/tmp/x"
	clean
}

leak_loop() {
	local dev
	mkdir -p "$D/var/store"
	truncate -s 1M "$D/var/store/loop-test"
	dev=$(losetup -f --show "$D/var/store/loop-test") || t_skip "no loop devices here"
	seen "loop device $dev"
	losetup -d "$dev"
	rm "$D/var/store/loop-test"
	clean
}

leak_cgroup() {
	local d
	[ -d "/sys/fs/cgroup/freezer/$(basename "$D")" ] || t_skip "no cgroup v1 here"
	d=/sys/fs/cgroup/freezer/$(basename "$D")/uid_9
	mkdir -p "$d/job_9"
	seen "cgroup $d/job_9"
	rmdir "$d/job_9" "$d"
	clean
}

leak_job() {
	submit slxc1 --hold -o /dev/null --wrap true
	seen "job $job of slxc1 .PENDING."
	scancel "$job"
	clean
}

leak_drained() {
	scontrol update nodename=$NODE state=drain reason=test
	seen "node $NODE is drain"
	scontrol update nodename=$NODE state=resume
	clean
}

check "srun: output, exit status" bare_srun
check "sbatch, with a step" bare_sbatch
check "sacct has MaxRSS" accounting
check "six jobs of two tasks at once" several_at_once
check "supplementary groups" teams
check "a job survives a restart of slurmd" restarts
check "leak checker: process of a user" leak_user_process
check "leak checker: container" leak_container
check "leak checker: helper" leak_helper
check "leak checker: mount" leak_mount
check "leak checker: mount in another namespace" leak_mount_elsewhere
check "leak checker: step directory, import" leak_files
check "leak checker: loop device" leak_loop
check "leak checker: cgroup" leak_cgroup
check "leak checker: job" leak_job
check "leak checker: drained node" leak_drained
