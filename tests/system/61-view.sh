#!/bin/bash
# What a contained task sees of the node, and what is handed to it: /proc, /sys, sockets, descriptors, environment, limits.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

proc_masked() {
	contained bash -c '
		for f in kcore keys latency_stats timer_list timer_stats sched_debug; do [ ! -e /proc/$f ] || [ ! -s /proc/$f -a -z "$(cat /proc/$f 2>/dev/null)" ] || echo "shows $f"; done
		for d in acpi asound scsi; do [ -z "$(ls /proc/$d 2>/dev/null)" ] || echo "shows $d"; done
		for d in bus fs irq sys sysrq-trigger; do
			[ ! -e /proc/$d ] || grep -q " /proc/$d proc ro,nosuid,nodev,noexec" /proc/self/mounts || echo "$d is not read-only"
		done
		[ -z "$(ls /sys/firmware 2>/dev/null)$(ls /sys/devices/virtual/powercap 2>/dev/null)" ] || echo "shows firmware or powercap"
		grep -E "^[^ ]+ /sys[ /]" /proc/self/mounts | grep -vE "^[^ ]+ [^ ]+ [^ ]+ ro,nosuid,nodev,noexec"
		echo 0 2>/dev/null >/proc/sys/kernel/core_pattern && echo "core_pattern written"
		true'
	assert_rc 0
	assert_eq "$out" ""
}

# programs still find what they need there
proc_works() {
	contained bash -c 'head -n 1 /proc/meminfo; grep -c ^processor /proc/cpuinfo; cat /proc/sys/kernel/pid_max; echo 300 >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj; ls -d /sys/devices/system/cpu/cpu0'
	assert_rc 0
	assert_eq "$(wc -l <<<"$out")" 5
	assert_eq "$(sed -n 4p <<<"$out")" 300
}

# only the processes of the step, and none of slxc's own but PID 1
processes() {
	contained bash -c 'for p in /proc/[0-9]*; do cat $p/comm; done | sort -u | tr "\n" " "'
	assert_match "$out" "slxc-init"
	assert_no_match "$out" 'slurm|srun|slxc-step|slxc-worker|munged'
}

descriptors() {
	local options
	put list.sh <<-'S'
		#!/bin/bash
		for f in /proc/$$/fd/*; do
			t=$(readlink "$f")
			[ -n "$t" ] || continue # the glob's own
			case $t in socket:* | pipe:* | anon_inode:*) t=${t%%:*} ;; */list.sh) continue ;; esac
			echo "${f##*/} $t"
		done | sort -n
	S
	for options in '' '-n2 -l' '--pty' '--input=none' '-o out.%t -e err.%t'; do
		# shellcheck disable=SC2086
		run as slxc1 srun $options ./list.sh
		bare=$(sort <<<"$out")
		# shellcheck disable=SC2086
		run as slxc1 srun $options --container="$IMAGE" ./list.sh
		assert_rc 0
		assert_eq "$(sort <<<"$out")" "$bare" "descriptors bare (wanted) and contained (got)"
		assert_no_match "$out" 'slxc|erofs|seccomp|slurmd|\[pidfd\]|^[3-9] '
		rm -f "$(home_of slxc1)"/{out,err}.[0-9]
	done
}

# the job's, and what the image defines; nothing of slurmstepd's or of slxc's programs
environment() {
	ENV=(HAND_MADE=1)
	run as slxc1 srun --container="$IMAGE" env
	assert_rc 0
	contained_env=$(cut -d= -f1 <<<"$out" | sort -u)
	run as slxc1 srun env
	new=$(comm -23 <(echo "$contained_env") <(cut -d= -f1 <<<"$out" | sort -u) | tr '\n' ' ')
	assert_match "$contained_env" HAND_MADE
	# what says that there is a container
	assert_no_match "$new" 'LXC|SLURMD_|LD_|NOTIFY|INVOCATION|JOURNAL|XDG_CACHE'
	echo "only in the container: $new"
}

# no socket file of the host's services, no LXC command socket in the host's network namespace
sockets() {
	start_step slxc1 -- 'find / -xdev -type s 2>/dev/null; ls -d /run/munge /run/dbus /run/slurm* /var/spool/slurm* /run/user /run/slxc* /var/lib/slxc 2>/dev/null; grep -F @ /proc/net/unix; echo end; sleep 1'
	wait_for 10 grep -q '^end' "$spawn_out"
	assert_no_match "$(cat "$spawn_out")" '/run/|/var/spool|/var/lib/slxc|lxc'
	run grep -E '@.*lxc' /proc/net/unix
	assert_eq "$out" ""
	scancel "$job"
	reap "$pid"
}

limits() {
	# what the job's limits say is what a task has
	same_bare_and_contained bash -c 'ulimit -a; cat /proc/self/limits'
	same_bare_and_contained --propagate=NOFILE,NPROC -- bash -c 'ulimit -n; ulimit -u'
	conf scratch_inodes=300 scratch_size=4M
	contained bash -c 'mkdir /many && cd /many && for ((i = 0; i < 1000; i++)); do : >f$i || exit 7; done'
	assert_rc 7
	assert_match "$err" 'No space left'
	contained bash -c 'exec 2>/dev/null; head -c 8000000 /dev/zero >/big; stat -c %s /big'
	[ "$out" -le 4194304 ] || fail "$out bytes written"
	# /dev and the other small file systems take nothing
	contained bash -c 'for d in /dev /sys /proc /dev/pts /proc/acpi; do [ ! -d $d ] || ! echo x 2>/dev/null >$d/x || echo "$d can be written"; done'
	assert_eq "$out" ""
}

# what a task leaves running dies with the step
orphans() {
	contained bash -c 'for ((i = 0; i < 400; i++)); do sleep 100 & done 2>/dev/null; exit 0'
	assert_rc 0
	node_is_idle_not_drained || wait_for 10 node_is_idle_not_drained
}

need_plugin
need_image
check "/proc and /sys are masked" proc_masked
check "/proc is useful" proc_works
check "processes" processes
CHECK_TIMEOUT=120 check "no descriptor is left in a task" descriptors
check "environment" environment
check "no sockets of the host" sockets
check "limits" limits
check "hundreds of orphans" orphans
