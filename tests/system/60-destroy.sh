#!/bin/bash
# However a step ends, nothing of it stays. The leak checker looks after each case; here: how it ended, and the record of it.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

# by a file: srun loses the last output of a task that a signal ends, bare too
ends() { # WANTED-STATUS COMMAND
	contained bash -c "echo \$SLURM_JOB_ID.\$SLURM_STEP_ID >~/step; $2"
	assert_rc "$1"
	step=$(cat "$(home_of slxc1)/step")
	assert_eq "$(how "$step")" ended
}

normal() {
	ends 0 true
	ends 7 'exit 7'
	ends 143 'kill -TERM $$'
	ends 139 'kill -SEGV $$'
	ends 127 'exec no-such-program'
}

# daemon NAME-OF-VARIABLE...: each leaves a process behind, out of its session, process group and parent
ORPHANS='
setsid sleep 1001 &
nohup sleep 1002 >/dev/null 2>&1 &
(setsid bash -c "sleep 1003 & sleep 1004 &" &) &
( (trap "" TERM INT HUP; exec setsid sleep 1005) & )
python3 -c "
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3): os.close(fd)
        time.sleep(1006)
    os._exit(0)
os.wait()"
'
_n_orphans() { [ "$(pgrep -u slxc1 -c -f 'sleep 100[1-5]|time.sleep.1006')" -ge "$1" ]; }

orphans() {
	ends 0 "$ORPHANS"
	ends 5 "$ORPHANS exit 5"
	not pgrep -u slxc1 sleep
}

orphans_cancelled() {
	start_step slxc1 -- "$ORPHANS sleep 1000"
	wait_for 10 _n_orphans 5
	scancel "$job"
	reap "$pid"
	assert_eq "$(how "$step")" ended
}

cancelled() {
	start_step slxc1 -n3 -- 'sleep 1000'
	scancel "$step"
	reap "$pid"
	assert_ne "$rc" 0
	assert_eq "$(how "$step")" ended
	assert_match "$(record "$step" 'sorted(t.get("signal") for t in r["tasks"])')" '^\[(9, 9, 9|15, 15, 15)\]$'
}

cancelled_by_signal() {
	start_step slxc1 -- 'trap "echo usr1; exit 9" USR1; echo ready; while :; do read -t 1 x; done <> <(:)'
	wait_ready
	scancel -s USR1 "$step"
	reap "$pid"
	assert_rc 9
	assert_eq "$(record "$step" 'r["tasks"]')" "[{'task': 0, 'exit': 9}]"
}

# Slurm's KillWait (3 s here) passes, then SIGKILL
ignores_term() {
	start_step slxc1 -- 'trap "" TERM INT HUP QUIT; setsid sleep 1000 & echo ready; while :; do sleep 1000; done'
	wait_ready
	scancel "$job"
	reap "$pid" 30
	assert_eq "$(how "$step")" ended
	assert_eq "$(record "$step" 'r["tasks"][0]')" "{'task': 0, 'signal': 9}"
}

stopped() {
	start_step slxc1 -n2 -- 'trap "" TERM; sleep 1000 & kill -STOP $!; echo ready; kill -STOP $$'
	wait_ready 2
	scancel "$job"
	reap "$pid" 30
	assert_eq "$(how "$step")" ended
}

# the task may signal what is its user's in its own PID namespace; PID 1 is there, and stopping it changes nothing
init_stopped() {
	start_step slxc1 -- 'setsid sleep 1000 & kill -STOP 1; kill -KILL 1; kill -TERM 1; echo tried; sleep 1000'
	wait_for 10 grep -q tried "$spawn_out"
	local init
	init=$(helper_pid "$step" init)
	[ -n "$init" ]
	scancel "$job"
	reap "$pid" 30
	wait_for 5 _ended "$init"
	assert_eq "$(how "$step")" ended
}

batch_with_steps() {
	local s
	printf '#!/bin/bash\nexport SRUN_CONTAINER=%s\n%s\n' "$IMAGE" \
		"s='srun --overlap --mem-per-cpu=50'; \$s sleep 0.1; \$s -n2 bash -c 'exit 3'; \$s sleep 0.3 & \$s bash -c 'setsid sleep 1000 & sleep 0.1'; wait; exit 4" >"$T/job.sh"
	submit slxc1 -n2 -o "$T/job.out" "$T/job.sh"
	wait_job_over "$job"
	assert_eq "$(job_field "$job" ExitCode)" 4:0
	for s in 0 1 2 3; do assert_eq "$(how "$job.$s")" ended; done
	assert_eq "$(record "$job.1" '[t["exit"] for t in r["tasks"]]')" '[3, 3]'
}

# the script itself in a container, with orphans; beside it two steps of another client
batch_cancelled() {
	local s
	printf '#!/bin/bash\n%s\necho up\nwait\nsleep 1000\n' "$ORPHANS" >"$T/job.sh"
	submit slxc1 -n4 --container="$IMAGE" -o "$T/job.out" "$T/job.sh"
	wait_for 10 grep -q up "$T/job.out"
	spawn slxc1 srun --overlap --jobid="$job" --container="$IMAGE" bash -c 'setsid sleep 1000 & sleep 1000'
	spawn slxc1 srun --overlap --jobid="$job" --container="$IMAGE" sleep 1000
	wait_for 10 eval '[ "$(grep -l ^init=[1-9] "$STEPS"/*/info | wc -l)" = 3 ]'
	scancel "$job"
	wait_job_over "$job"
	assert_eq "$(job_state "$job")" CANCELLED
	for s in batch 0 1; do assert_eq "$(how "$job.$s")" ended; done
}

allocation() {
	run as slxc1 salloc -n2 --container="$IMAGE" bash -c "srun --container=$IMAGE sleep 0.1; srun --container=$IMAGE bash -c 'setsid sleep 1000 & exit 2'"
	assert_rc 2
	# revoked while a step runs
	spawn slxc1 salloc bash -c "srun --container=$IMAGE bash -c 'echo up \$SLURM_JOB_ID; sleep 1000'"
	wait_for 15 grep -q '^up' "$spawn_out"
	scancel "$(sed -n 's/^up //p' "$spawn_out")"
	reap "$pid"
}

client_killed() {
	start_step slxc1 -- 'setsid sleep 1000 & sleep 1000'
	kill -KILL "$pid"
	reap "$pid"
	# slurmctld would notice by itself only after minutes
	scancel "$job"
	wait_job_over "$job"
	assert_eq "$(how "$step")" ended
}

open_files() {
	local use
	use=$(compile use_up -static)
	cp "$use" "$(home_of slxc1)/use_up"
	undo "rm -f $(home_of slxc1)/use_up"
	# files in scratch that are open, also when deleted, and the memory of one
	start_step slxc1 -- 'ulimit -n $(ulimit -H -n); ./use_up files 3000; sleep 1000'
	wait_for 20 grep -q 'files: [1-9]' "$spawn_out"
	scancel "$job"
	reap "$pid" 30
	assert_eq "$(how "$step")" ended
	[ "$(record "$step" 'r["scratch_inodes"]')" -ge 500 ]
}

threads() {
	cp "$(compile use_up -static)" "$(home_of slxc1)/use_up"
	undo "rm -f $(home_of slxc1)/use_up"
	start_step slxc1 -- './use_up threads 2000'
	wait_for 30 grep -q 'threads: [1-9][0-9][0-9]' "$spawn_out"
	scancel "$job"
	reap "$pid" 30
	assert_eq "$(how "$step")" ended
}

# as many processes as the user may have; all stopped, deaf and orphaned
fork_bomb() {
	cp "$(compile use_up -static)" "$(home_of slxc1)/use_up"
	undo "rm -f $(home_of slxc1)/use_up"
	start_step slxc1 -- 'ulimit -u 300; ./use_up processes 1000'
	wait_for 30 grep -q 'processes: [1-9]' "$spawn_out"
	scancel "$job"
	reap "$pid" 40
	assert_eq "$(how "$step")" ended
	# and with a task that has ended already
	start_step slxc1 -- 'ulimit -u 300; setsid ./use_up processes 1000 & sleep 0.3; exit 0'
	reap "$pid" 40
	assert_rc 0
	assert_eq "$(how "$step")" ended
}

# nothing is left in what the container shares with the host, but what the user wrote in the home
files() {
	local f
	start_step slxc1 -- 'echo a >/a; mkdir /srv/b; mkfifo /p; echo k >~/kept; echo ready; sleep 1000'
	wait_ready
	scancel "$job"
	reap "$pid"
	for f in /a /srv/b /p; do [ ! -e $f ] || fail "$f is on the host"; done
	contained ls /a /srv/b /p
	assert_eq "$rc" 2
	rm "$(home_of slxc1)/kept"
}

need_plugin
need_image
check "normal, non-zero and violent ends" normal
check "orphans" orphans
check "orphans of a cancelled step" orphans_cancelled
check "scancel" cancelled
check "scancel -s" cancelled_by_signal
check "tasks that ignore SIGTERM" ignores_term
check "stopped tasks" stopped
check "a task that stops and kills PID 1" init_stopped
check "a job with several steps" batch_with_steps
check "a job with several steps, cancelled" batch_cancelled
check "salloc" allocation
check "srun killed" client_killed
check "thousands of open files" open_files
check "thousands of threads" threads
check "fork bomb" fork_bomb
check "files" files
