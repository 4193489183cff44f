#!/bin/bash
# The supervisor between a hostile worker, a hostile user and a caller that says nonsense.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
MODE=$LOGS/mode
chmod 755 "$LOGS"

nothing_left() { "$LIB/leakcheck" -k "$LOGS/known"; }

# a program of tests/programs that speaks the wire protocol
compile_peer() {
	mkdir -p "$LOGS/include"
	: >"$LOGS/include/config.h"
	gcc -O1 -Wall -D_GNU_SOURCE -static -DMODE_FILE="\"$MODE\"" -I"$LOGS/include" -I"$LIB/../helper" -o "$LOGS/$1" \
		"$LIB/programs/$1.c" "$LIB"/../helper/common/{wire,err}.c
}

# nothing but a whole and true story gets a step to run; the node does not mind
hostile_worker() {
	local mode line
	compile_peer hostile
	conf start_timeout=1
	replace_program slxc-worker <"$LOGS/hostile"
	while IFS='|' read -r mode line <&9; do
		echo "$mode" >"$MODE"
		refused "$line" --container="$IMAGE"
		nothing_left || fail "$mode: something is left"
	done 9<<-'T'
		truncated|was not up after 1 seconds
		empty|was not up after 1 seconds
		no equals sign|was not up after 1 seconds
		repeated|said ENV twice
		oversize|was not up after 1 seconds
		out of order|was not up after 1 seconds
		flood|was not up after 1 seconds
		flood init|did not say UP
		descriptors|was not up after 1 seconds
		many descriptors|was not up after 1 seconds
		long error|\?\?\?\?
		strange environment|was not up after 1 seconds
		up itself|not the worker's child
		up as init|not the worker's child
		up as parent|not the worker's child
		up from child|not PID 1 of its namespace
		up without mounts|not the worker's child|not the user's own
		up from below|not
		up and gone|container's init
		exits holding|ended before the container was up
		stops|was not up after 1 seconds
		ignores|was not up after 1 seconds
		forks|was not up after 1 seconds
	T
	node_is_idle_not_drained || wait_for 10 node_is_idle_not_drained
}

# what its user does to his worker and to PID 1 from a bare login, while the step runs
user_against_his_own() {
	local p what
	for what in worker init; do
		start_step slxc1 -- 'sleep 30'
		p=$(helper_pid "$step" $what)
		as slxc1 kill -STOP "$p"
		as slxc1 python3 -c 'import os, sys; os.setpriority(os.PRIO_PROCESS, int(sys.argv[1]), 19)' "$p"
		run as slxc1 timeout 1 strace -q -p "$p"
		[ $what = worker ] || assert_ne "$rc" 0
		scancel "$job"
		reap "$pid"
		nothing_left || fail "$what stopped: something is left"
	done
	# its memory and descriptors are not the user's to look at
	start_step slxc1 -- 'sleep 30'
	p=$(helper_pid "$step" init)
	run as slxc1 ls "/proc/$p/fd"
	assert_ne "$rc" 0
	p=$(helper_pid "$step" step)
	for what in KILL STOP TERM; do
		run as slxc1 kill -$what "$p"
		assert_ne "$rc" 0
	done
	run as slxc1 strace -q -p "$p"
	assert_ne "$rc" 0
	scancel "$job"
	reap "$pid"
}

# by hand what the plugin does, as root
request() {
	records=(version=1 job=4000000 step=0 node=node1 "uid=$(id -u slxc1)" "gid=$(id -g slxc1)" groups= user=slxc1 group=slxc1
		"image=$IMAGE" home= shell=/bin/sh cwd= script= memory=0 "${more[@]}")
}
# what else it wants to be told: empty is the default
more=()
learn_request() {
	compile_peer peer
	request
	peer
	while [[ $out =~ request:\ ([a-z_]+)\ is\ missing ]]; do
		more+=("${BASH_REMATCH[1]}=")
		request
		peer
	done
}

# peer OPTION... : through run; the step of request()
peer() { run timeout 20 "$LOGS/peer" "$@" "$LIBEXEC/slxc-step" "${records[@]}"; }

odd_callers() {
	local options
	learn_request
	peer
	assert_eq "$out" $'launcher 0\nREADY\nENDED'
	for options in -c -e '-c -e'; do
		# shellcheck disable=SC2086
		peer $options
		assert_eq "$out" $'launcher 0\nREADY\nENDED' "with $options"
	done
	# limits of nothing: it may fail, but says so and leaves nothing
	peer -l
	assert_match "$out" 'READY|ERROR|launcher'
	peer -d
	wait_for 10 nothing_left
}

odd_requests() {
	local i
	learn_request
	refuses() { peer; assert_match "$out" "ERROR .*$1"; assert_no_match "$out" READY; request; }
	records[0]=version=2; refuses 'bad version'
	records+=(job=1); refuses 'job given twice'
	records+=(colour=blue); refuses "unknown record 'colour'"
	records[1]=job=-1; refuses 'bad job'
	records[1]=job=99999999999; refuses 'bad job'
	records[2]=step=../..; refuses 'bad step'
	records[3]=node=../x; refuses 'bad node'
	records[4]=uid=4294967295; refuses 'bad uid'
	records[4]=uid=0; refuses 'steps of root are not run'
	records[7]=$'user=a\nroot:x:0'; refuses 'bad user'
	records[9]=image=../../etc; refuses 'image|not valid|name'
	records[10]=home=relative; refuses 'bad home'
	records[12]=cwd=/a/../../etc; refuses 'bad cwd'
	records[6]=groups=$(seq -s, 2000); refuses 'bad groups'
	for ((i = 0; i < 15 + ${#more[@]}; i++)); do unset "records[$i]"; refuses 'is missing'; done
	# bytes that are no request
	for i in 0 1 2 100 65535 65536 65537 200000; do
		head -c "$i" /dev/urandom >"$T/bytes"
		run timeout 20 "$LOGS/peer" -r "$T/bytes" "$LIBEXEC/slxc-step"
		assert_no_match "$out" READY
	done
	printf 'REQUEST\0version=1' >"$T/bytes"
	run timeout 20 "$LOGS/peer" -r "$T/bytes" "$LIBEXEC/slxc-step"
	assert_match "$out" ERROR
}

# run by a user it does nothing, whatever he gives it
not_for_users() {
	local args
	for args in step 'sweep 1' tidy '' 'step x' -h; do
		# shellcheck disable=SC2086
		run as slxc1 "$LIBEXEC/slxc-step" $args
		assert_ne "$rc" 0
		assert_match "$err" 'must be run as root'
	done
}

# the environment of the job reaches no program of slxc's
environment() {
	local what p
	ENV=(LD_PRELOAD=/no/such/evil.so TMPDIR=/no/such XDG_RUNTIME_DIR=/no/such XDG_CACHE_HOME=/no/such LXC_CONFIG_FILE=/no/such LXC_LOG_LEVEL=TRACE
		GLIBC_TUNABLES=glibc.malloc.check=3)
	start_step slxc1 -- 'sleep 30'
	for what in step worker init; do
		p=$(helper_pid "$step" $what)
		assert_no_match "$(tr '\0' ' ' <"/proc/$p/environ")" 'no/such|LD_PRELOAD|SLURM_|TRACE'
	done
	scancel "$job"
	reap "$pid"
}

# the log's file system is full: the step runs, and is only not recorded
full_disk() {
	local log=$D/var/log/slxc
	mount -t tmpfs -o size=4k,mode=755 x "$log"
	undo "umount '$log'"
	head -c 100000 /dev/zero >"$log/full" 2>/dev/null || true
	contained true
	assert_rc 0
	umount "$log"
	# the run-time directory's is: the step fails with a reason
	mount -t tmpfs -o size=4k,nr_inodes=3,mode=755 x "$RUNDIR/steps"
	undo "umount '$RUNDIR/steps'"
	head -c 100000 /dev/zero >"$RUNDIR/steps/full" 2>/dev/null || true
	refused 'No space left' --container="$IMAGE"
	umount "$RUNDIR/steps"
	not_refused
}

need_plugin
need_image
CHECK_TIMEOUT=180 check "a hostile worker" hostile_worker
CHECK_TIMEOUT=120 check "a user against his own worker and init" user_against_his_own
check "callers with closed descriptors, hostile environment, no resources" odd_callers
CHECK_TIMEOUT=120 check "requests that are none" odd_requests
check "run by a user" not_for_users
check "a hostile environment" environment
check "a full disk" full_disk
