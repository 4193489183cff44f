#!/bin/bash
# The same thing bare and contained: exit codes, limits, binding, environment, output.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
H=$(home_of slxc1)
need_all() { need_plugin; need_image; }

exit_codes() {
	local n
	need_all
	for n in 0 1 42 255; do
		same_bare_and_contained sh -c "exit $n"
		assert_rc $n
	done
	same_bare_and_contained -n3 sh -c 'exit $SLURM_PROCID'
	assert_rc 2
	# not there, not a program
	same_bare_and_contained ./nothing
	assert_ne "$rc" 0
	put data <<<'just text'
	chmod 644 "$H/data"
	same_bare_and_contained ./data
	assert_ne "$rc" 0
	same_bare_and_contained /nowhere/program
	assert_match "$err" 'No such file'
	rm "$H/data"
}

# the program kills itself; Slurm's messages are the same
killed() {
	local s
	need_all
	for s in TERM KILL SEGV ABRT USR2; do
		same_bare_and_contained sh -c "kill -$s \$\$"
		assert_eq "$rc" $((128 + $(kill -l $s)))
		assert_eq "$(grep -o 'task 0.*' <<<"$err")" "$(grep -o 'task 0.*' <<<"$bare_err")"
	done
	program fault
	same_bare_and_contained ./fault
	assert_rc 139
	assert_match "$err" 'task 0: Segmentation fault'
	rm "$H/fault"
}

batch_exit() {
	need_all
	same_batch --wrap 'exit 0'
	assert_eq "$state" COMPLETED
	same_batch --wrap 'exit 3'
	assert_eq "$state $(job_field "$job" ExitCode)" "FAILED 3:0"
	same_batch --wrap 'kill -SEGV $$'
	assert_eq "$state $(job_field "$job" ExitCode)" "FAILED 0:11"
	same_batch --wrap 'kill -KILL $$'
	# an interpreter that is not there
	put script <<<'#!/nowhere/sh'
	same_batch script
	assert_eq "$state" FAILED
	rm "$H/script"
}

limits() {
	local o
	need_all
	same_bare_and_contained bash -c 'ulimit -Sa; ulimit -Ha'
	for o in ALL NONE CORE,NOFILE; do
		run as slxc1 bash -c "ulimit -S -c 0 -n 555 -s 1000 -t 99; srun --propagate=$o bash -c 'ulimit -Sa'"
		bare_out=$out
		run as slxc1 bash -c "ulimit -S -c 0 -n 555 -s 1000 -t 99; srun --propagate=$o --container=$IMAGE bash -c 'ulimit -Sa'"
		assert_rc 0
		assert_eq "$out" "$bare_out" "--propagate=$o, bare (wanted) and contained (got)"
	done
	assert_match "$out" 'open files .* 555'
}

umask_and_nice() {
	need_all
	for u in 027 077; do
		run as slxc1 bash -c "umask $u; srun --container=$IMAGE sh -c 'umask; nice; >made; stat -c %a made; rm made'"
		bare_out=$out
		run as slxc1 bash -c "umask $u; srun sh -c 'umask; nice; >made; stat -c %a made; rm made'"
		assert_eq "$bare_out" "$out"
		assert_match "$out" "^0$u"
	done
	same_bare_and_contained sh -c 'cat /proc/self/oom_score_adj; grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status; cut -d" " -f18,19,40,41 /proc/self/stat'
}

binding() {
	local o
	need_all
	for o in none map_cpu:1 map_cpu:0 mask_cpu:0x2 mask_cpu:0x3; do
		same_bare_and_contained -c2 --cpu-bind=$o -- sh -c 'grep Cpus_allowed: /proc/self/status; taskset -p $$ | sed s/.*:// ; nproc'
		assert_rc 0
	done
	run as slxc1 srun -n2 -l --cpu-bind=map_cpu:0,1 --container=$IMAGE grep Cpus_allowed_list /proc/self/status
	assert_eq "$(sort <<<"$out" | tr -s ' \t' ' ')" $'0: Cpus_allowed_list: 0\n1: Cpus_allowed_list: 1'
}

# the limit of the cgroup that the task is in, or of one above it
MEMORY='
	p=$(awk -F: "\$2 == \"memory\" {print \"/memory\" \$3}" /proc/self/cgroup)
	[ -n "$p" ] || p=$(sed -n "s/^0:://p" /proc/self/cgroup)
	while [ -n "$p" ]; do
		for f in /sys/fs/cgroup$p/memory.limit_in_bytes /sys/fs/cgroup$p/memory.max; do [ ! -e $f ] || cat $f; done
		p=${p%/*}
	done'
memory_limit() {
	need_all
	same_bare_and_contained --mem=123 -- sh -c "$MEMORY"
	grep -q ConstrainRAMSpace=yes "$D/etc/cgroup.conf" || t_skip "no cgroups here"
	assert_match "$out" $((123 * 1024 * 1024))
}

out_of_memory() {
	need_all
	grep -q ConstrainRAMSpace=yes "$D/etc/cgroup.conf" || t_skip "no cgroups here"
	put grow.py <<<'x = bytearray(300000000)'
	same_bare_and_contained --mem=100 -- python3 grow.py
	assert_ne "$rc" 0
	assert_match "$err" 'Out Of Memory'
	assert_match "$err" 'oom.kill event'
	same_bare_and_contained --mem=100 -- sh -c 'python3 grow.py; echo status $?'
	assert_match "$out" 'status 137'
	same_batch --mem=100 -- --wrap 'python3 grow.py'
	assert_eq "$state" OUT_OF_MEMORY
	rm "$H/grow.py"
}

# names without exception; values but for what names the job (SLUID: since Slurm 25.11), its step and its processes
environment() {
	local names
	need_all
	ENV=("MINE=two  words'\"\$x" $'LINES2=one\ntwo' "EMPTY=" "PATH=$D/usr/bin:/usr/bin:/bin:/mine")
	names='env -0 | tr "\n" "~" | tr "\0" "\n" | sort | grep -vE "^(_|SLURM_CONTAINER|SLURM_SLXC_[A-Z]*)=" |
		sed -E "s/^(SLURM_[A-Z_]*(JOB_?ID|PID|PORT|PORTS|LAUNCH_NODE_IPADDR|_TIME|SLUID))=.*/\1/"'
	same_bare_and_contained -n1 -- sh -c "$names"
	assert_match "$out" $'MINE=two  words'
	assert_match "$out" 'LINES2=one~two'
	same_bare_and_contained sh -c 'test $SLURM_TASK_PID = $$ && echo same'
	assert_eq "$out" same
	printf '#!/bin/sh\n%s\n' "$names" | put env.sh
	same_batch env.sh
	assert_match "$out" 'MINE=two  words'
	rm "$H/env.sh"
}

# files as FILE-OPTIONS make them: names and contents of all, by a checksum
outputs() {
	local o
	need_all
	as slxc1 mkdir -p bare contained
	put talk.sh <<-'C'
		#!/bin/sh
		echo out $SLURM_PROCID
		echo err $SLURM_PROCID >&2
	C
	for o in "-o f.%t.out" "-o f.out -e f.err" "-l -n1 -o f.out" "-o f.%n.%s -e none" "-o f --open-mode=append" "-o none"; do
		run as slxc1 bash -c "cd bare && srun -Q -n2 $o ../talk.sh"
		bare_out=$out
		run as slxc1 bash -c "cd contained && srun -Q -n2 $o --container=$IMAGE ../talk.sh"
		assert_eq "$(sort <<<"$out")" "$(sort <<<"$bare_out")"
		assert_eq "$(cd "$H/contained" && grep -r . . | sort)" "$(cd "$H/bare" && grep -r . . | sort)" "files of $o"
		assert_eq "$(cd "$H/contained" && stat -c '%n %U %a' ./* 2>/dev/null)" "$(cd "$H/bare" && stat -c '%n %U %a' ./* 2>/dev/null)"
	done
	# unlabelled and labelled on the terminal
	run as slxc1 srun -n3 -l --container=$IMAGE ./talk.sh
	assert_eq "$(sort <<<"$out")" $'0: out 0\n1: out 1\n2: out 2'
	assert_eq "$(grep : <<<"$err" | grep err | sort)" $'0: err 0\n1: err 1\n2: err 2'
	submit slxc1 --container=$IMAGE -o 'b.%x.out' -e 'b.%x.err' -J name --wrap 'echo out; echo err >&2'
	wait_job_over "$job"
	assert_eq "$(cat "$H/b.name.out" "$H/b.name.err")" $'out\nerr'
	rm -r "$H"/{bare,contained,talk.sh} "$H"/b.name.*
}

# the task ends when all of it is here: of so much, Slurm 26.05 now and then loses the last part at the end of a bare task
much_output() {
	local c
	need_all
	{ seq 200000 | sha256sum; seq 50000; echo end; } >"$T/wanted"
	for c in none $IMAGE; do
		rm -f "$H/seen"
		spawn slxc1 srun -Q --container=$c sh -c 'seq 200000 | sha256sum; seq 50000; until [ -e ~/seen ]; do sleep 0.02; done; echo end'
		wait_for 20 grep -qx 50000 "$spawn_out"
		as slxc1 touch seen
		reap "$pid"
		assert_rc 0
		cmp "$spawn_out" "$T/wanted"
	done
	rm "$H/seen"
}

check "exit codes" exit_codes
check "a program that kills itself" killed
check "exit and state of a batch job" batch_exit
check "resource limits, --propagate" limits
check "umask, nice, signals" umask_and_nice
check "CPU binding" binding
check "memory limit" memory_limit
check "out of memory" out_of_memory
check "environment" environment
check "output files" outputs
check "much output" much_output
