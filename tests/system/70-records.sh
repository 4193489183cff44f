#!/bin/bash
# One line of JSON per step and node, whatever happened; what is said of a step while it runs; who may read it.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

# rules STEP...: what holds for every record; a Python program, whose assertions are this test's
rules() {
	slxc images --json >"$T/images.json"
	python3 - "$RECORDS" "$T/images.json" "$@" <<-'P' || fail "a record of $* is not right"
		import datetime, json, sys
		path, images, wanted = sys.argv[1], json.load(open(sys.argv[2])), sys.argv[3:]
		raw = open(path, "rb").read()
		assert raw.endswith(b"\n"), "no newline at the end"
		assert all(b == 10 or 0x20 <= b < 0x7f for b in raw), "bytes that are not printable ASCII"
		records = [json.loads(line) for line in raw.splitlines()]
		digests = {i["name"]: i["digest"] for i in images}
		keys = {"version", "job", "step", "user", "uid", "node", "image", "digest", "start", "end", "how", "tasks",
		        "scratch_bytes", "scratch_inodes"}
		when = lambda t: datetime.datetime.strptime(t, "%Y-%m-%dT%H:%M:%S.%fZ")
		for w in wanted:
		    r = [r for r in records if f"{r['job']}.{r['step']}" == w]
		    assert len(r) == 1, f"{len(r)} records of {w}"
		    r = r[0]
		    assert keys <= set(r) <= keys | {"ready_ms", "error"}, set(r) ^ keys
		    assert r["version"] == 1 and isinstance(r["job"], int) and isinstance(r["step"], str)
		    assert r["how"] in ("ended", "killed", "failed", "lost", "swept"), r["how"]
		    assert ("error" in r) == (r["how"] in ("failed", "swept")), r
		    assert when(r["start"]) <= when(r["end"]), r
		    assert abs((when(r["end"]) - datetime.datetime.utcnow()).total_seconds()) < 300, r
		    if r["how"] == "ended":
		        assert 0 < r["ready_ms"] < 60000, r
		        assert r["digest"] == digests[r["image"]], r
		        assert r["scratch_bytes"] > 0 and r["scratch_inodes"] > 0, r
		    for t in r["tasks"]:
		        assert set(t) in ({"task", "exit"}, {"task", "signal"}), t
	P
}

lines() { wc -l <"$RECORDS"; }
# step_of: JOB.STEP that the last contained command printed
ID='echo step $SLURM_JOB_ID.$SLURM_STEP_ID; '
step_of() { sed -n 's/^step //p' <<<"$out" | head -n 1; }

one_line() {
	local before
	before=$(lines)
	contained -n3 bash -c "$ID"'[ $SLURM_PROCID != 1 ] || exit 3; [ $SLURM_PROCID != 2 ] || kill -USR1 $$'
	step=$(step_of)
	assert_eq "$(record "$step" 'sorted(r["tasks"], key=lambda t: t["task"])')" \
		"[{'task': 0, 'exit': 0}, {'task': 1, 'exit': 3}, {'task': 2, 'signal': 10}]"
	assert_eq "$(lines)" $((before + 1)) "lines"
	rules "$step"
	assert_eq "$(record "$step" 'r["user"], r["uid"], r["node"], r["image"]')" "('slxc1', $(id -u slxc1), '$NODE', '$IMAGE')"
}

# a bare step, and one refused before anything was started, leave none; a start that failed leaves one with its error
failed_start() {
	local before
	before=$(lines)
	run as slxc1 srun true
	assert_eq "$(lines)" "$before" "lines after a bare step"
	run as slxc1 srun --container=no/such:1 true
	step=$(last_job slxc1).0
	assert_eq "$(how "$step")" failed
	assert_match "$(record "$step" 'r["error"]')" "^no image 'no/such:1' on this cluster"
	assert_eq "$(record "$step" 'r["image"], r["digest"], "ready_ms" in r')" "('no/such:1', '', False)"
	rules "$step"
	assert_eq "$(lines)" $((before + 1)) "lines"
}

# what a worker says is a user's word: it cannot end the string, nor the line
hostile_error() {
	printf 'ERROR\0text=","how":"ended"}\n{"job":1,\\u0000\\\x01\xff%%s\0' >"$T/message"
	replace_program slxc-worker <<<$'#!/bin/sh\n'"exec cat $T/message >&3"
	run as slxc1 srun --container="$IMAGE" true
	assert_slxc_error 'how'
	step=$(last_job slxc1).0
	assert_eq "$(how "$step")" failed
	rules "$step"
}

hostile_names() {
	local name before
	unplugged
	before=$(lines)
	for name in 'a"b' $'a\nb' 'a\' $'\xff' '","how":"x' '{}'; do
		run as slxc1 srun --container="$name" true
		[ "$rc" != 0 ]
	done
	# such a name is refused before slxc-step is started, or is recorded; never half
	rules
	[ "$(lines)" -ge "$before" ]
}

two_users() {
	local a b
	contained bash -c "$ID"
	a=$(step_of)
	run as slxc2 srun --container="$IMAGE" bash -c "$ID"
	b=$(step_of)
	rules "$a" "$b"
	assert_eq "$(record "$a" 'r["user"]') $(record "$b" 'r["user"]')" "slxc1 slxc2"
	assert_eq "$(record "$b" 'r["uid"]')" "$(id -u slxc2)"
}

array() {
	local ids id
	submit slxc1 --array=1-4 --container="$IMAGE" -o /dev/null --wrap 'exit $SLURM_ARRAY_TASK_ID'
	wait_job_over "$job"
	ids=$(scontrol -o show job "$job" | sed -n 's/^JobId=\([0-9]*\) .*/\1/p')
	assert_eq "$(wc -l <<<"$ids")" 4
	for id in $ids; do
		rules "$id.batch"
		assert_eq "$(record "$id.batch" 'r["tasks"][0]["exit"]')" "$(scontrol -o show job "$id" | grep "^JobId=$id " | grep -oP '(?<=ArrayTaskId=)\d+')"
	done
}

batch_and_steps() {
	printf '#!/bin/bash\nsrun true\nsrun --container=%s bash -c "exit 2"\nsrun --container=%s true\n' "$IMAGE" "$IMAGE" >"$T/job.sh"
	submit slxc1 -o /dev/null "$T/job.sh"
	wait_job_over "$job"
	rules "$job.1" "$job.2"
	assert_eq "$(step_records "$job" | wc -l)" 2
	assert_eq "$(record "$job.1" 'r["tasks"]')" "[{'task': 0, 'exit': 2}]"
}

# the log cannot be written: the step does not care
log_unwritable() {
	local dir=${RECORDS%/*}
	mount -t tmpfs -o size=4k,mode=755 none "$dir"
	undo "umount -l '$dir'"
	head -c 4096 /dev/zero >"$dir/full" || true
	contained echo fine
	assert_rc 0
	assert_eq "$out" fine
	mount -o remount,ro "$dir"
	contained echo fine
	assert_rc 0
	umount "$dir"
	keep "$RECORDS"
	mv "$RECORDS" "$T/records"
	ln -s /etc/shadow "$RECORDS"
	contained echo fine
	assert_rc 0
	rm "$RECORDS"
	mkdir "$RECORDS"
	contained echo fine
	assert_rc 0
	rmdir "$RECORDS"
}

modes() {
	contained true
	assert_eq "$(stat -c '%a %U' "$RECORDS")" "640 root"
	assert_eq "$(stat -c '%U' "${RECORDS%/*}")" root
	# the images below are read-only mounts in a directory of root's
	assert_eq "$(stat -c '%a %U' "$RUNDIR/images")" "700 root"
	assert_eq "$(find "${RECORDS%/*}" "$RUNDIR" -path "$RUNDIR/images/*" -prune -o -perm /022 -print)" "" "others can write"
	not as slxc1 cat "$RECORDS" 2>/dev/null
	not as slxc1 bash -c "echo x >>'$RECORDS'" 2>/dev/null
	not as slxc1 ls "$RUNDIR/images" 2>/dev/null
}

while_it_runs() {
	local info
	start_step slxc1 -- 'sleep 1000'
	info=$(cat "$STEPS/$step".*/info)
	assert_match "$info" "^job=$job"$'\n'"step=0"$'\n'"node=$NODE"$'\n'"user=slxc1"$'\n'"uid=$(id -u slxc1)"$'\n'"image=$IMAGE"$'\n'"digest=sha256:[0-9a-f]{64}"$'\n'
	assert_match "$info" "ready_ms=[0-9.]+"$'\n'"init=$(helper_pid "$step" init)"$'\n'
	not as slxc1 bash -c "echo x >>$STEPS/$step.*/info" 2>/dev/null
	not as slxc1 bash -c "rm -rf $STEPS/$step.*" 2>/dev/null
	not as slxc1 mkdir "$STEPS/1.0.1" 2>/dev/null
	[ -e "$STEPS/$step.$(helper_pid "$step" step)/info" ]
	scancel "$job"
	reap "$pid"
	rules "$step"
}

need_plugin
need_image
check "one line, and what it says" one_line
check "a start that failed" failed_start
check "an error that is JSON" hostile_error
check "hostile names" hostile_names
check "two users" two_users
check "job array" array
check "batch job with steps" batch_and_steps
check "log that cannot be written" log_unwritable
check "who may read and write" modes
check "while it runs" while_it_runs
