#!/bin/bash
# Each way of running a step, in a container: srun, sbatch, salloc, arrays, many tasks, several steps and jobs at once.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
H=$(home_of slxc1)
INIT='cat /proc/1/comm'
need_all() { need_plugin; need_image; }

srun_runs() {
	need_all
	contained sh -c 'cat /proc/1/comm; . /etc/os-release; echo $ID $VERSION_ID; id -un; pwd'
	assert_rc 0
	assert_eq "$out" "$(printf 'slxc-init\ndebian 12\nslxc1\n%s' "$H")"
	assert_no_match "$err" slxc:
}

# what all tasks of a step share, and not the host
NAMESPACES='for n in pid ipc user mnt uts; do readlink /proc/self/ns/$n; done'
one_container() {
	local n first
	need_all
	contained -n8 sh -c "$NAMESPACES"
	assert_rc 0
	first=$(sort -u <<<"$out")
	assert_eq "$(wc -l <<<"$first")" 5 "different namespaces of 8 tasks"
	for n in pid ipc user mnt uts; do assert_no_match "$first" "$(readlink /proc/self/ns/$n | tr '[]' '..')"; done
	# born there, one after the other
	contained -n6 sh -c 'echo $$'
	assert_rc 0
	assert_eq "$(sort -nu <<<"$out" | wc -l)" 6
	assert_eq "$(sort -n <<<"$out" | head -n 1)" 2
}

ranks() {
	need_all
	program ranks
	run as slxc1 srun -n2 ./ranks "$$"
	assert_eq "$(sort <<<"$out")" $'rank 0 ok\nrank 1 ok' "bare"
	contained -n2 ./ranks "$$"
	assert_rc 0
	assert_eq "$(sort <<<"$out")" $'rank 0 ok\nrank 1 ok'
	rm "$H/ranks"
}

standard_input() {
	local sum
	need_all
	as slxc1 bash -c 'head -c 3000000 /dev/urandom >in'
	sum=$(sha256sum <"$H/in")
	run as slxc1 bash -c "srun --container=$IMAGE sha256sum <in"
	assert_eq "$out" "$sum"
	run as slxc1 bash -c "srun --container=$IMAGE cat <in | sha256sum"
	assert_eq "$out" "$sum"
	contained -i in sha256sum
	assert_eq "$out" "$sum"
	# only task 1 gets it; the others see the end at once
	run as slxc1 bash -c "echo word | srun -n3 -l -i1 --container=$IMAGE cat"
	assert_eq "$out" "1: word"
	run as slxc1 bash -c "echo word | srun -i none --container=$IMAGE cat"
	assert_eq "$out" ""
	assert_rc 0
	rm "$H/in"
}

multi_prog() {
	need_all
	put multi <<-'C'
		0   echo first %t
		1-2 sh -c 'echo offset $0 of $SLURM_PROCID in $(cat /proc/1/comm)' %o
	C
	contained -n3 -l --multi-prog multi
	assert_rc 0
	assert_eq "$(sort <<<"$out")" $'0: first 0\n1: offset 0 of 1 in slxc-init\n2: offset 1 of 2 in slxc-init'
	put exit.sh <<<$'#!/bin/sh\nexit $1'
	put multi <<<'0-1 ./exit.sh 1%t'
	same_bare_and_contained -n2 --multi-prog -- multi
	assert_rc 11
	rm "$H/multi" "$H/exit.sh"
}

batch_script() {
	need_all
	put batch.sh <<-'C'
		#!/bin/bash
		echo "$0" "$#"
		printf '<%s>\n' "$@"
		pwd; id -un; echo $SHELL $SLURM_JOB_NAME
		cat "$0" | head -n 2
		exit 4
	C
	same_batch batch.sh one 'two words' '' '$HOME'
	assert_match "$out" '/slurm_script 4'$'\n''<one>'$'\n''<two words>'
	assert_eq "$state" FAILED
	assert_eq "$(job_field "$job" ExitCode)" 4:0
	rm "$H/batch.sh"
}

# the image's interpreter, not the host's; the option in the script
batch_directive() {
	need_all
	put batch.py <<-C
		#!/usr/bin/python3
		#SBATCH --container=$IMAGE
		#SBATCH -o directive.out
		print(open("/proc/1/comm").read().strip(), open("/etc/os-release").read().count("bookworm") > 0)
	C
	submit slxc1 batch.py
	wait_job_over "$job"
	assert_eq "$(cat "$H/directive.out")" "slxc-init True"
	assert_eq "$(job_state "$job")" COMPLETED
	# on the command line it wins
	submit slxc1 --container=none --wrap "$INIT" -o directive.out
	wait_job_over "$job"
	assert_no_match "$(cat "$H/directive.out")" slxc-init
	rm "$H/batch.py" "$H/directive.out"
}

batch_stdin_and_wrap() {
	local a
	need_all
	run as slxc1 bash -c "printf '#!/bin/sh\n$INIT\necho got \$1\n' | sbatch --parsable -o piped.out --container=$IMAGE /dev/stdin word"
	[ "$rc" = 0 ] || fail "$err"
	a=$out
	submit slxc1 -o wrapped.out --container=$IMAGE --wrap "$INIT; echo wrapped; exit 2"
	wait_job_over "$a"
	wait_job_over "$job"
	assert_eq "$(cat "$H/piped.out")" $'slxc-init\ngot word'
	assert_eq "$(cat "$H/wrapped.out")" $'slxc-init\nwrapped'
	assert_eq "$(job_field "$job" ExitCode)" 2:0
	rm "$H/piped.out" "$H/wrapped.out"
}

array() {
	local i
	need_all
	submit slxc1 --array=1-4 -o 'array.%a' --container=$IMAGE --wrap "$INIT; echo \$SLURM_ARRAY_TASK_ID; exit \$((SLURM_ARRAY_TASK_ID == 3))"
	wait_for 20 eval '[ -z "$(squeue -h -j '"$job"')" ]'
	for i in 1 2 3 4; do assert_eq "$(cat "$H/array.$i")" $'slxc-init\n'$i; done
	assert_eq "$(job_field "${job}_3" JobState) $(job_field "${job}_4" JobState)" "FAILED COMPLETED"
	rm "$H"/array.?
}

# salloc's own command runs here; its steps run where they say, or where salloc said
allocation() {
	need_all
	run as slxc1 salloc -n2 bash -c "srun -n2 --container=$IMAGE $INIT; srun -n1 $INIT"
	assert_rc 0
	assert_match "$out" $'^slxc-init\nslxc-init\n[^\n]*$'
	assert_no_match "${out##*$'\n'}" slxc-init
	run as slxc1 salloc --container=$IMAGE bash -c "srun $INIT; srun --container=none $INIT; srun --container=$IMAGE $INIT; srun bash -c 'exit 9'"
	assert_rc 9
	assert_match "$out" $'^slxc-init\n[^\n]*\nslxc-init$'
	assert_no_match "$(sed -n 2p <<<"$out")" slxc-init
}

# three steps of one job at once, each in a container of its own: they meet in a directory of the home
steps_at_once() {
	need_all
	put meet.sh <<-'C'
		#!/bin/bash
		touch meet/$1
		until [ -e meet/1 ] && [ -e meet/2 ] && [ -e meet/3 ]; do sleep 0.02; done
		readlink /proc/self/ns/pid
		cat /proc/1/comm
	C
	as slxc1 mkdir meet
	put steps.sh <<-C
		#!/bin/bash
		for i in 1 2 3; do srun -n1 --exact --container=$IMAGE ./meet.sh \$i & done
		wait
	C
	submit slxc1 -n3 -o steps.out steps.sh
	wait_job_over "$job"
	assert_eq "$(grep -c slxc-init "$H/steps.out")" 3
	assert_eq "$(grep pid: "$H/steps.out" | sort -u | wc -l)" 3 "PID namespaces"
	rm -r "$H"/{meet,meet.sh,steps.sh,steps.out}
}

# two users, bare and contained, all running at the same time
jobs_at_once() {
	local i p container pids=() outs=()
	need_all
	mkdir -m 1777 "$T/meet"
	for i in 1 2 3 4 5 6; do
		container=$IMAGE
		[ $i != 6 ] || container=none
		spawn slxc$((i % 2 + 1)) srun -n2 --container=$container --chdir="$T" bash -c '
			touch meet/'$i'.$SLURM_PROCID
			until [ $(ls meet | wc -l) = 12 ]; do sleep 0.02; done
			echo $(id -un) $(cat /proc/1/comm)'
		pids+=("$pid") outs+=("$spawn_out")
	done
	for p in "${pids[@]}"; do reap "$p" 40; assert_rc 0; done
	assert_eq "$(cat "${outs[@]:0:5}" | sort | uniq -c | tr -s ' \n' ' ')" " 4 slxc1 slxc-init 6 slxc2 slxc-init "
	assert_no_match "$(cat "${outs[5]}")" slxc-init
}

# a bare batch script with contained steps
steps_of_bare_job() {
	need_all
	put bare.sh <<-C
		#!/bin/bash
		srun --container=$IMAGE $INIT
		srun $INIT
		srun --container=$IMAGE sh -c 'exit 5'
		echo status \$?
	C
	submit slxc1 -o bare.out bare.sh
	wait_job_over "$job"
	assert_match "$(cat "$H/bare.out")" $'^slxc-init\n[^\n]*\n.*status 5$'
	assert_no_match "$(sed -n 2p "$H/bare.out")" slxc-init
	assert_eq "$(acct "$job.0" Container)/$(acct "$job.1" Container)" "$IMAGE/"
	rm "$H"/bare.{sh,out}
}

check "srun" srun_runs
check "the tasks of a step share one container" one_container
check "ranks: shared memory, CMA, System V, signals" ranks
check "standard input" standard_input
check "--multi-prog" multi_prog
check "sbatch: the script inside, its name and arguments" batch_script
check "#SBATCH --container" batch_directive
check "sbatch from standard input, --wrap" batch_stdin_and_wrap
check "job array" array
check "salloc + srun" allocation
check "three steps of a job at once" steps_at_once
check "six jobs of two users at once" jobs_at_once
check "contained steps of a bare batch job" steps_of_bare_job
