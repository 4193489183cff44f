#!/bin/bash
# Many steps, ended at every moment of their lives; and what a container costs in memory.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

# parallel COUNT AT-ONCE FUNCTION: FUNCTION NUMBER, each must return 0
parallel() {
	local i failed=0
	for ((i = 1; i <= $1; i++)); do
		"$3" "$i" &
		while [ "$(jobs -rp | wc -l)" -ge "$2" ]; do wait -n || failed=$((failed + 1)); done
	done
	while [ -n "$(jobs -p)" ]; do wait -n || { [ $? = 127 ] && break; failed=$((failed + 1)); }; done
	assert_eq "$failed" 0 "failed of $1"
}

short_step() {
	as slxc$((1 + $1 % 2)) srun -Q --container="$IMAGE" bash -c "exit $(($1 % 3))" 2>"$T/err.$1"
	[ $? = $(($1 % 3)) ] || { cat "$T/err.$1"; return 1; }
}
many_short() {
	local before
	before=$(wc -l <"$RECORDS")
	set +e
	parallel 60 8 short_step
	set -e
	wait_for 10 eval '[ "$(wc -l <"$RECORDS")" = '$((before + 60))' ]'
	assert_eq "$(tail -n 60 "$RECORDS" | grep -c '"how":"ended"')" 60
}

# several at once in one job: on one node, in one user's name
steps_of_a_job() {
	printf '#!/bin/bash\nfor i in {1..12}; do srun --overlap -n1 --container=%s bash -c "echo \\$SLURM_STEP_ID" & done\nwait\n' "$IMAGE" >"$T/job.sh"
	submit slxc1 -n4 -o "$T/job.out" "$T/job.sh"
	wait_job_over "$job" 60
	assert_eq "$(job_state "$job")" COMPLETED
	assert_eq "$(sort -n "$T/job.out" | tr '\n' ' ')" "0 1 2 3 4 5 6 7 8 9 10 11 "
	assert_eq "$(step_records "$job" | grep -c '"how":"ended"')" 12
}

# scancel at any moment: before slurmstepd, while the container starts, while its task does
cancelled_at_once() {
	local i n before
	before=$(wc -l <"$RECORDS")
	for i in {1..10}; do
		submit slxc1 --array=1-4 --container="$IMAGE" -o /dev/null --wrap 'setsid sleep 1000 & sleep 1000'
		[ $((i % 2)) = 0 ] || until compgen -G "$STEPS/*" >/dev/null; do :; done
		# this delay is the point of the test, not a way to wait for something
		n=$((RANDOM % 30))
		sleep "0.0$(printf '%02d' "$n")"
		scancel "$job"
	done
	wait_for 60 eval '[ -z "$(squeue -h)" ]'
	wait_for 10 node_is_idle_not_drained
	# each step that got as far has one record
	assert_eq "$(tail -n +$((before + 1)) "$RECORDS" | grep -o '"job":[0-9]*,"step":"[^"]*"' | sort | uniq -d)" "" "steps with two records"
}

_scancel_ends() { scancel -u slxc1; _ended "$1"; }
_term_ends() { kill -TERM "$1" 2>/dev/null; _ended "$1"; }
ended_srun() {
	local i
	for i in {1..16}; do
		spawn slxc1 srun -Q --container="$IMAGE" bash -c 'setsid sleep 1000 & sleep 1000'
		# as above
		sleep "0.0$(printf '%02d' $((10 + RANDOM % 60)))"
		# what comes before there is a job is lost
		if [ $((i % 2)) = 0 ]; then wait_for 30 _term_ends "$pid"; else wait_for 30 _scancel_ends "$pid"; fi
		reap "$pid"
	done
	wait_for 30 eval '[ -z "$(squeue -h)" ]'
}

private_kib() { awk '/^Private_/ {s += $2} END {print s}' "/proc/$1/smaps_rollup"; }

memory() {
	local who sum=0 n
	start_step slxc1 -- 'sleep 1000'
	for who in step worker init; do
		n=$(private_kib "$(helper_pid "$step" $who)")
		echo "slxc-$who: $n KiB private"
		sum=$((sum + n))
	done
	scancel "$job"
	reap "$pid"
	echo "together: $sum KiB"
	[ "$sum" -gt 100 ]
	[ "$sum" -lt 8192 ] || fail "$sum KiB, wanted less than 8192"
}

# as information: the median of ready_ms with a small and a large image
start_cost() {
	local image i
	[ "$(df --output=avail -m "$STORE" | tail -n 1)" -gt 3000 ] || t_skip "less than 3 GB free in $STORE"
	import_programs small:1 true
	undo "rm -rf '$T/small'"
	head -c 600000000 /dev/urandom >"$T/small/random"
	import_small large:1
	for image in small:1 large:1 small:1 large:1; do
		for i in {1..8}; do as slxc1 srun -Q --container=$image true; done
	done
	python3 - "$RECORDS" <<-'P'
		import json, statistics, sys
		r = [json.loads(line) for line in open(sys.argv[1])][-32:]
		for image in "small:1", "large:1":
		    print(image, "median ready_ms:", statistics.median(x["ready_ms"] for x in r if x["image"] == image))
	P
}

need_plugin
need_image
check "60 short steps, 8 at a time" many_short
check "twelve steps of a job at once" steps_of_a_job
check "40 steps cancelled at once" cancelled_at_once
check "16 sruns ended at once" ended_srun
check "memory of supervisor, worker and init" memory
check "start of a small and of a large image" start_cost
sed -n 's/^/  /; /median/p' "$LOGS/$N_CASE/log"
