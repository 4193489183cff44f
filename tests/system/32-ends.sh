#!/bin/bash
# How steps and jobs are ended from outside, and what is measured of them: the same bare and contained.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
H=$(home_of slxc1)
need_all() { need_plugin; need_image; }

# with_ready SRUN-OPTIONS... -- SCRIPT: starts it as a step that says when it is ready ("touch $R"); sets $pid, $job
with_ready() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	rm -f "$H/ready"*
	ENV=("R=$H/ready")
	spawn slxc1 srun -Q "${options[@]}" sh -c "$2"
	wait_for 20 test -e "$H/ready"
	job=$(last_job slxc1)
}
# both SRUN-OPTIONS -- SCRIPT END-COMMAND...: bare and contained; END-COMMAND runs when it is ready. Compares status and output.
both() {
	local options=() bare
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	for c in none "$IMAGE"; do
		with_ready "${options[@]}" --container="$c" -- "$2"
		"${@:3}"
		reap "$pid" 30
		wait_job_over "$job"
		out="$rc $(job_state "$job") $(job_field "$job" ExitCode) $(grep -v '^srun: \(Force\|Job step\|got\)\|STEP\|JOB' "$spawn_out" | sort | sed "s/$job/JOB/")"
		echo "$c: $out"
		[ "$c" != none ] || bare=$out
	done
	assert_eq "$out" "$bare" "bare (wanted) and contained (got)"
}
WAIT='touch $R; while :; do sleep 0.05; done'

do_scancel() { scancel "$@" "$job"; }
do_scancel_step() { scancel "$@" "$job.0"; }

cancelled() {
	need_all
	both -- "$WAIT" do_scancel
	assert_match "$out" 'CANCELLED'
	both -- "$WAIT" do_scancel_step
	both -n3 -- "touch \$R; exec sleep 1000" do_scancel
	# one that does not listen: KillWait, then SIGKILL (srun may give up before that)
	with_ready --container=$IMAGE -- "trap '' TERM; $WAIT"
	scancel "$job"
	reap "$pid" 30
	wait_job_over "$job"
	assert_eq "$(job_state "$job")" CANCELLED
}

signalled() {
	need_all
	both -- "trap 'echo caught; exit 7' USR1; $WAIT" do_scancel -s USR1
	assert_match "$out" '^7 .*caught'
	both -- "trap 'echo caught; exit 7' TERM; $WAIT" do_scancel_step -s TERM
	both -- "$WAIT" do_scancel -s KILL
	both -- "$WAIT" do_scancel -s ABRT
	# all tasks get it
	both -n3 -- "trap 'echo caught; exit 0' USR2; touch \$R.\$SLURM_PROCID; until [ -e \$R.0 ] && [ -e \$R.1 ] && [ -e \$R.2 ]; do sleep 0.02; done
		$WAIT" do_scancel -s USR2
	assert_eq "$(grep -o caught <<<"$out" | wc -l)" 3
}

interrupted() {
	need_all
	# one SIGINT asks, two end
	two_interrupts() { kill -INT "$pid"; wait_for 5 grep -q 'one more' "$spawn_out"; kill -INT "$pid"; }
	for c in none $IMAGE; do
		rm -f "$H/ready"
		ENV=("R=$H/ready")
		spawn slxc1 srun --container="$c" sh -c "$WAIT"
		wait_for 20 test -e "$H/ready"
		two_interrupts
		reap "$pid"
		[ "$c" != none ] || bare_rc=$rc
	done
	assert_eq "$rc" "$bare_rc"
	assert_ne "$rc" 0
}

# signals to the batch script alone, and to its steps alone
batch_signals() {
	local c bare
	need_all
	put sig.sh <<-C
		#!/bin/bash
		trap 'echo script caught' USR1
		trap 'echo script caught 2' USR2
		touch \$R
		until [ -e \$R.go ]; do sleep 0.05; done
		echo done
	C
	for c in none $IMAGE; do
		rm -f "$H/ready"*
		ENV=("R=$H/ready")
		submit slxc1 --container="$c" -o sig.out sig.sh
		wait_for 20 test -e "$H/ready"
		scancel --batch -s USR1 "$job"
		wait_for 10 grep -q 'script caught' "$H/sig.out"
		scancel --full -s USR2 "$job"
		wait_for 10 grep -q 'caught 2' "$H/sig.out"
		scancel -s USR1 "$job" # no step: nobody gets it
		as slxc1 touch "$H/ready.go"
		wait_job_over "$job"
		out=$(grep -v 'User defined signal' "$H/sig.out") # of its sleep
		[ "$c" != none ] || bare=$out
	done
	assert_eq "$out" "$bare"
	assert_eq "$out" $'script caught\nscript caught 2\ndone'
	rm "$H"/sig.* "$H"/ready*
}

batch_cancelled() {
	local c n jobs=() ends=()
	need_all
	for c in none $IMAGE; do
		rm -f "$H/ready"
		ENV=("R=$H/ready")
		submit slxc1 --container="$c" -o cancel.%j --wrap "trap 'echo term; exit' TERM; $WAIT"
		wait_for 20 test -e "$H/ready"
		jobs+=("$job")
	done
	scancel "${jobs[@]}"
	for n in 0 1; do
		job=${jobs[n]}
		wait_job_over "$job"
		ends+=("$(job_state "$job") $(job_field "$job" ExitCode) $(sed "s/$job/JOB/;s/ AT .*//" "$H/cancel.$job" | without_time)")
	done
	assert_eq "${ends[1]}" "${ends[0]}"
	assert_match "${ends[1]}" CANCELLED
	rm "$H"/cancel.* "$H/ready"
}

# slurmctld looks at the limits every 30 s: one wait for two batch jobs and a srun
time_limit() {
	local jobs=() n c
	need_all
	for n in bare contained; do
		c=$IMAGE
		[ $n != bare ] || c=none
		submit slxc1 -o time.$n --time=1 --container="$c" --wrap 'trap "echo term" TERM; while :; do sleep 0.1; done'
		jobs+=("$job")
	done
	wait_job_running "${jobs[1]}"
	start_step slxc1 -t 10 -- 'sleep 1000'
	jobs+=("$job")
	# the end of the first minute comes sooner
	for job in "${jobs[@]}"; do scontrol update jobid="$job" EndTime=now || t_skip "scontrol cannot change the end of a job here"; done
	for n in 0 1; do wait_job_over "${jobs[n]}" 80; done
	assert_eq "$(job_state "${jobs[1]}") $(job_field "${jobs[1]}" ExitCode)" "$(job_state "${jobs[0]}") $(job_field "${jobs[0]}" ExitCode)"
	assert_eq "$(job_state "${jobs[1]}")" TIMEOUT
	assert_eq "$(sed "s/${jobs[1]}/JOB/;s/ AT .*//" "$H/time.contained" | without_time)" \
		"$(sed "s/${jobs[0]}/JOB/;s/ AT .*//" "$H/time.bare" | without_time)"
	assert_match "$(cat "$H/time.contained")" 'TIME LIMIT'
	reap "$pid" 40
	assert_match "$(cat "$spawn_out")" 'DUE TO TIME LIMIT'
	assert_eq "$(how "$step")" ended
	wait_job_over "${jobs[2]}"
	assert_eq "$(job_state "${jobs[2]}")" TIMEOUT
	rm "$H"/time.*
}

bad_exit() {
	local k='if [ $SLURM_PROCID = 1 ]; then until [ -e $R.2 ]; do sleep 0.02; done; exit 3; fi; touch $R.2 $R; while :; do sleep 0.05; done'
	need_all
	both -n3 --kill-on-bad-exit=1 -- "$k" true
	assert_match "$out" '^(3|137|143) '
	both -n3 --wait=1 --kill-on-bad-exit=0 -- "$k" true
}

suspended() {
	need_all
	stop_and_go() {
		scontrol suspend "$job"
		wait_for 10 eval '[ "$(job_state $job)" = SUSPENDED ]'
		as slxc1 touch "$H/ready.go"
		kill -0 "$pid"
		scontrol resume "$job"
	}
	both -- 'touch $R; until [ -e $R.go ]; do sleep 0.02; done; echo went on' stop_and_go
	assert_match "$out" 'went on'
	rm "$H"/ready*
}

# sstat while it runs, sacct afterwards: 60 MB of memory and a second of processor time are seen
measured() {
	local c rss=() max=()
	need_all
	put grow.py <<-'C'
		import os, time
		x = b"x" * 60000000
		end = time.process_time() + 1
		while time.process_time() < end: pass
		open(os.environ["R"], "w").close()
		while not os.path.exists(os.environ["R"] + ".go"): time.sleep(0.05)
	C
	for c in none $IMAGE; do
		# since Slurm 24.11, the pages of a program's files count for the step that is the first to read them
		run as slxc1 srun --container="$c" python3 -c 'import os, time'
		assert_rc 0
		with_ready --mem=200 --container="$c" -- 'python3 grow.py'
		wait_for 10 eval '[ "$(sstat -n -P --noconvert -j $job.0 -o MaxRSS | tr -dc 0-9)" -gt 50000000 ]'
		rss+=("$(sstat -n -P --noconvert -j "$job.0" -o MaxRSS | tr -dc 0-9)")
		assert_eq "$(sstat -n -P -j "$job.0" -o NTasks)" 1
		as slxc1 touch "$H/ready.go"
		reap "$pid"
		assert_rc 0
		wait_job_over "$job"
		max+=("$job")
	done
	for c in 0 1; do
		wait_for 15 eval '[ -n "$(sacct -n -P --noconvert -j '"${max[c]}"'.0 -o MaxRSS | tr -dc 0-9)" ]'
		max[c]=$(sacct -n -P --noconvert -j "${max[c]}.0" -o MaxRSS | tr -dc 0-9)
	done
	echo "sstat: ${rss[*]}; sacct: ${max[*]}"
	close "${rss[1]}" "${rss[0]}"
	close "${max[1]}" "${max[0]}"
	rm "$H"/ready* "$H/grow.py"
}
close() { if [ "$1" -gt $(($2 * 115 / 100)) ] || [ "$1" -lt $(($2 * 85 / 100)) ]; then fail "$1 is far from $2"; fi; }

check "scancel" cancelled
check "scancel -s" signalled
check "interrupted srun" interrupted
check "scancel --batch -s" batch_signals
check "scancel of a batch job" batch_cancelled
check "--kill-on-bad-exit, --wait" bad_exit
check "scontrol suspend, resume" suspended
check "sstat, MaxRSS" measured
CHECK_TIMEOUT=100 check "time limit" time_limit
rm -f "$H"/ready*
