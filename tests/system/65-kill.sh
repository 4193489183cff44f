#!/bin/bash
# kill -9 and SIGSTOP of every process that a step consists of, one at a time and together: its tasks die at once, nothing
# stays, the node is not drained, and one record says how it ended.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

# a step of two tasks with orphans in sessions of their own
TASK='setsid sleep 1000 & (setsid bash -c "trap \"\" TERM; sleep 1000" &); sleep 1000'
victim_step() {
	start_step slxc1 -n2 -- "$TASK"
	wait_for 10 eval '[ "$(pgrep -u slxc1 -x -c sleep)" = 6 ]'
	stepd=$(stepd_pid "$step")
	supervisor=$(helper_pid "$step" step)
	worker=$(helper_pid "$step" worker)
	init=$(helper_pid "$step" init)
}

# a stopped slurmstepd reaps nobody, and a PID namespace ends only when all of it is reaped
tasks_dead() { wait_for 3 eval '[ -z "$(pgrep -u slxc1 -x sleep -r R,S,D,T)" ]'; }

# every process of the container and its helpers is gone: by themselves, before anybody cancels or sweeps anything
_container_gone() { _ended "$supervisor" && _ended "$worker" && _ended "$init" && ! pgrep -u slxc1 -x sleep; }
container_gone() { wait_for 3 _container_gone; }

# over MESSAGE...: cancels what slurmctld still believes to run, and waits for it
over() {
	scancel "$job" 2>/dev/null || true
	reap "$pid" 40
	wait_job_over "$job" 40
	wait_for 10 node_is_idle_not_drained
	[ ! -d "$STEPS" ] || [ -z "$(ls "$STEPS")" ] || fail "left in $STEPS: $(ls "$STEPS")"
}

one_killed() { # WHO HOW
	victim_step
	kill -KILL "${!1}"
	container_gone
	# Slurm sees its tasks killed, and ends the step by itself
	if [ "$1" != stepd ]; then
		reap "$pid"
		assert_ne "$rc" 0
		assert_eq "$(record "$step" 'sorted(t["signal"] for t in r["tasks"])')" "$3"
	fi
	over
	[ "$1" != stepd ] || slurm_cgroups_left
	assert_eq "$(how "$step")" "$2"
}

several_killed() { # WHO...
	local who pids=()
	victim_step
	for who; do pids+=("${!who}"); done
	kill -KILL "${pids[@]}"
	container_gone
	over
	[[ " $* " != *" stepd "* ]] || slurm_cgroups_left
	assert_match "$(how "$step")" '^(lost|killed|swept)$'
}

# one after the other, so that each finds what the one before has left
one_by_one() {
	local who
	victim_step
	for who in supervisor stepd worker init; do kill -KILL "${!who}" 2>/dev/null || true; done
	container_gone
	over
	slurm_cgroups_left
	assert_match "$(how "$step")" '^swept$'
}

batch_killed() { # WHO STATE
	printf '#!/bin/bash\nsetsid sleep 1000 &\necho up $SLURM_JOB_ID.batch\nsleep 1000\n' >"$T/job.sh"
	submit slxc1 --container="$IMAGE" -o "$T/job.out" "$T/job.sh"
	wait_for 10 grep -q up "$T/job.out"
	step=$job.batch
	stepd=$(stepd_pid "$step") supervisor=$(helper_pid "$step" step) worker=$(helper_pid "$step" worker) init=$(helper_pid "$step" init)
	kill -KILL "${!1}"
	container_gone
	[ "$1" != stepd ] || scancel "$job"
	wait_job_over "$job" 40
	assert_eq "$(job_state "$job")" "$2"
	assert_eq "$(job_field "$job" Restarts)" 0 restarts
	[ "$1" != stepd ] || slurm_cgroups_left
	assert_eq "$(how "$step")" "$3"
}

# the epilog removes what the two that would have are no longer there for
epilog_sweeps() {
	victim_step
	kill -STOP "$stepd"
	kill -KILL "$supervisor"
	tasks_dead
	compgen -G "$STEPS/$step.*" >/dev/null || fail "the entry is gone before anybody swept"
	kill -KILL "$stepd"
	over
	slurm_cgroups_left
	assert_eq "$(how "$step")" swept
	assert_eq "$(record "$step" 'r["error"]')" "its supervisor was killed"
	assert_eq "$(record "$step" 'r["user"], r["image"]')" "('slxc1', 'debian:12')"
}

slurmd_killed() {
	victim_step
	daemon_stop "slurmd.$NODE" KILL
	not daemon_up "slurmd.$NODE"
	[ -e "/proc/$init" ]
	cluster_restart_slurmd
	# the step goes on
	[ "$(pgrep -u slxc1 -x -c sleep)" = 6 ]
	[ "$(helper_pid "$step" step)" = "$supervisor" ]
	scancel "$step"
	reap "$pid"
	assert_eq "$(how "$step")" ended
}

# slurmd's start tidies what a crash of everything has left
all_killed() {
	victim_step
	daemon_stop "slurmd.$NODE" KILL
	kill -KILL "$stepd" "$supervisor" "$worker" "$init"
	container_gone
	compgen -G "$STEPS/$step.*" >/dev/null || fail "no entry to tidy"
	cluster_restart_slurmd
	wait_for 10 eval '! compgen -G "$STEPS/$step.*"'
	assert_eq "$(how "$step")" swept
	over
	slurm_cgroups_left
	assert_eq "$(how "$step")" swept
}

# a directory that died before it held anything, and one of somebody who reused the pid
tidy_garbage() {
	local n=$((2000000000 + RANDOM * 32768 + RANDOM))
	mkdir -p "$STEPS/99.0.1" "$STEPS/$n.0.$$" "$STEPS/97.batch.2"
	printf "job=$n"'\nstep=0\nnode=n\nuser=slxc1\nuid=1\nimage=x\ndigest=y\nstart_ms=1\nready_ms=1.0\ninit=%d\ninit_start=1\n' $$ >"$STEPS/$n.0.$$/info"
	head -c 3000 /dev/urandom >"$STEPS/97.batch.2/info"
	cluster_restart_slurmd
	wait_for 10 eval '[ -z "$(ls "$STEPS")" ]'
	# not killed: the start time says that it is another process
	kill -0 $$
	assert_eq "$(record $n.0 'r["how"]')" swept
}

worker_stopped() {
	victim_step
	kill -STOP "$worker"
	scancel "$step"
	reap "$pid"
	container_gone
	assert_eq "$(how "$step")" ended
}

init_stopped() {
	victim_step
	kill -STOP "$init"
	scancel "$step"
	reap "$pid"
	container_gone
	assert_eq "$(how "$step")" ended
}

# the supervisor cannot answer: the step is ended without it, and the node stays
supervisor_stopped() {
	victim_step
	kill -STOP "$supervisor"
	scancel "$job"
	reap "$pid" 50
	over
	container_gone
	assert_match "$(how "$step")" '^(ended|swept)$'
}

stepd_stopped() {
	victim_step
	kill -STOP "$stepd"
	scancel "$job"
	kill -KILL "$supervisor"
	tasks_dead
	kill -CONT "$stepd"
	over
	assert_eq "$(how "$step")" swept
}

# while it starts: the worker, or all of the helper, at any moment
killed_while_starting() {
	local i d p
	for i in {1..24}; do
		spawn slxc1 srun --container="$IMAGE" sleep 0.05
		until p=$(pgrep -n -x "slxc-$1") || _ended "$pid"; do :; done
		d=$(printf '0.%03d' $((RANDOM % 13)))
		sleep "$d"
		[ -z "$p" ] || kill -KILL "$p" 2>/dev/null || true
		reap "$pid"
	done
	wait_for 10 node_is_idle_not_drained
}

need_plugin
need_image
[ "$(demo_nodes)" = 1 ] || { echo "only on one node"; exit 0; }
check "kill -9 slurmstepd" one_killed stepd lost
check "kill -9 the supervisor" one_killed supervisor swept '[]'
check "kill -9 the worker" one_killed worker killed '[9, 9]'
check "kill -9 PID 1" one_killed init killed '[9, 9]'
check "kill -9 supervisor and worker" several_killed supervisor worker
check "kill -9 worker and PID 1" several_killed worker init
check "kill -9 slurmstepd and supervisor" several_killed stepd supervisor
check "kill -9 slurmstepd and worker" several_killed stepd worker
check "kill -9 all four" several_killed stepd supervisor worker init
check "kill -9 one by one" one_by_one
check "kill -9 slurmstepd of a batch job" batch_killed stepd CANCELLED lost
check "kill -9 the supervisor of a batch job" batch_killed supervisor FAILED swept
check "kill -9 PID 1 of a batch job" batch_killed init FAILED killed
check "the epilog sweeps" epilog_sweeps
check "kill -9 slurmd" slurmd_killed
check "kill -9 slurmd and all of the step" all_killed
check "slurmd's start tidies garbage" tidy_garbage
check "worker stopped" worker_stopped
check "PID 1 stopped" init_stopped
check "supervisor stopped" supervisor_stopped
check "slurmstepd stopped" stepd_stopped
check "kill -9 the worker while starting" killed_while_starting worker
check "kill -9 the supervisor while starting" killed_while_starting step
