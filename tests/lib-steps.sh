# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # for the tests, and from lib.sh
# Sourced after lib.sh by the tests of steps that must be refused, destroyed, recorded.
# shellcheck source=contrib/cgroups.sh
. "$LIB/../contrib/cgroups.sh"
LIBEXEC=$D/usr/libexec/slxc
STORE=$D/var/store
CONF=$D/etc/slxc/slxc.conf
RECORDS=$D/var/log/slxc/steps.jsonl
STEPS=$RUNDIR/steps

# not CMD...: fails when CMD does not ("! CMD" alone is not seen by set -e)
not() { if "$@"; then fail "succeeded: $*"; fi; }

# Slurm's own cgroups of a step whose slurmstepd was killed stay, of a bare step, too. Nothing may be in them.
slurm_cgroups_left() {
	local d
	for d in $(cgroup_dirs); do
		find "$d" -depth -type d -path "*/job_$job*" -exec rmdir {} +
	done
}

# ---- what a test changes, and the end of its case puts back

_undo=()
_undo_all() { local i; for ((i = ${#_undo[@]} - 1; i >= 0; i--)); do eval "${_undo[i]}" || true; done; }
# undo COMMAND-TEXT: at the end of the case, the last one first
undo() {
	_undo+=("$1")
	trap _undo_all EXIT
}

# keep FILE: it comes back as it is now. The case may replace, change or remove it meanwhile.
_n_keep=0
keep() {
	local copy
	_n_keep=$((_n_keep + 1))
	copy=$T/kept.$_n_keep
	cp -a "$1" "$copy"
	# renamed into place: the program may be running
	undo "cp -a '$copy' '$1.restore' && mv -f '$1.restore' '$1'"
}

# replace_program NAME: standard input becomes slxc-step, slxc-worker or slxc-init; the real one is then $T/real/NAME
replace_program() {
	if [ ! -e "$T/real/$1" ]; then
		keep "$LIBEXEC/$1"
		mkdir -p "$T/real"
		cp -a "$LIBEXEC/$1" "$T/real/$1"
	fi
	cat >"$T/new"
	chmod 755 "$T/new"
	mv -f "$T/new" "$LIBEXEC/$1"
}

# conf LINE...: slxc.conf for this case
conf() {
	keep "$CONF"
	printf '%s\n' "$@" >"$CONF"
}

# compile NAME [OPTION...]: tests/programs/NAME.c; prints the path of the program. With -static it runs in an image, too, whose
# libc may be older than this machine's.
compile() {
	local program=$LOGS/$1
	[ -x "$program" ] || gcc -O1 -Wall -pthread "${@:2}" -o "$program" "$LIB/programs/$1.c" || fail "$1.c does not compile"
	echo "$program"
}

# import_small NAME [OPTION...]: an image of a few files, gone at the end of the case
import_small() {
	mkdir -p "$T/small/bin"
	echo "$1" >"$T/small/label"
	slxc import "${@:2}" "$1" "$T/small"
	undo "slxc rm '$1' >/dev/null 2>&1"
}

# import_programs NAME PROGRAM...: an image of this machine's own programs and what they are linked with
import_programs() {
	local f
	mkdir -p "$T/small/bin"
	for f in "${@:2}"; do cp -L "$(type -P "$f")" "$T/small/bin/"; done
	for f in $(ldd "$T/small"/bin/* | grep -oE '/[^ :]+\.so[^ :]*' | sort -u); do
		mkdir -p "$T/small${f%/*}"
		cp -L "$f" "$T/small$f"
	done
	import_small "$1"
}

# ---- proof that no task ran

# probe: shell text that leaves a mark: on the host in a directory that no container shows, and in the home with the name of PID 1
probe() { echo "echo ran 2>/dev/null >'$T/on-host'; cat /proc/1/comm >>\"\$HOME/ran\""; }
forget_marks() { rm -f "$T/on-host" "$(home_of slxc1)/ran" "$(home_of slxc2)/ran"; }
no_task_ran() {
	[ ! -e "$T/on-host" ] || fail "a task ran on the host"
	[ ! -e "$(home_of slxc1)/ran" ] || fail "a task ran; its PID 1 was $(cat "$(home_of slxc1)/ran")"
}
_one_line() { # TEXT PATTERN
	assert_eq "$(grep -c '^slxc:' <<<"$1" || true)" 1 "lines that begin with slxc:"
	grep -qE "^slxc: .*$2" <<<"$1" || fail "'${1:0:1000}' has no line 'slxc: ...$2'"
}

# refused PATTERN [SRUN-OPTION...]: such a step of slxc1 fails with the one line, and runs nothing
refused() {
	forget_marks
	run as slxc1 srun "${@:2}" bash -c "$(probe)"
	[ "$rc" != 0 ] || fail "exit status 0"
	no_task_ran
	_one_line "$err" "$1"
}

# refused_batch PATTERN [SBATCH-OPTION...]: the same for a batch job: FAILED, once, the line in its output
refused_batch() {
	forget_marks
	printf '#!/bin/bash\n%s\n' "$(probe)" >"$T/batch.sh"
	rm -f "$T/batch.out"
	submit slxc1 -o "$T/batch.out" "${@:2}" "$T/batch.sh"
	wait_job_over "$job"
	no_task_ran
	assert_eq "$(job_state "$job")" FAILED
	assert_eq "$(job_field "$job" Restarts)" 0 restarts
	assert_ne "$(job_field "$job" ExitCode)" 0:0
	_one_line "$(cat "$T/batch.out")" "$1"
}

# refused_everywhere PATTERN: a step of one task, one of four, a batch job
refused_everywhere() {
	refused "$1" --container="$IMAGE"
	refused "$1" --container="$IMAGE" -n4
	refused_batch "$1" --container="$IMAGE"
	node_is_idle_not_drained || wait_for 10 node_is_idle_not_drained
}

# not_refused: all is well again
not_refused() {
	forget_marks
	contained bash -c "$(probe)"
	assert_rc 0
	assert_eq "$(cat "$(home_of slxc1)/ran")" slxc-init
	[ ! -e "$T/on-host" ] || fail "$T is in the container"
	forget_marks
}

# unplugged: from here on slxc1's srun and sbatch do not load the plugin, so the node gets what the user says
unplugged() {
	sed 's,^PlugStackConfig=.*,PlugStackConfig=/dev/null,' "$SLURM_CONF" >"$T/slurm.conf"
	ENV=(SLURM_CONF="$T/slurm.conf")
}

# ---- steps that run

# start_step USER [SRUN-OPTION...] -- COMMAND: in the background; $pid, $spawn_out, and $step (JOB.0) once "up" is in its output
start_step() {
	local user=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	spawn "$user" srun --container="$IMAGE" "${options[@]}" bash -c "echo up \$SLURM_JOB_ID.\$SLURM_STEP_ID; $1"
	wait_for 15 grep -q '^up ' "$spawn_out"
	step=$(sed -n 's/^up //p' "$spawn_out" | head -n 1)
	job=${step%.*}
}

# wait_ready [N]: until N (1) of its tasks have said "ready"
_said_ready() { [ "$(grep -c '^ready$' "$spawn_out")" -ge "$1" ]; }
wait_ready() { wait_for 15 _said_ready "${1:-1}"; }

# record JOB.STEP KEY: of the step's one record; KEY is a Python expression over r
record() {
	wait_for "${RECORD_TIMEOUT:-10}" _recorded "$1"
	python3 - "$RECORDS" "$1" "$2" <<-'P'
		import json, sys
		path, step, key = sys.argv[1:]
		rs = [json.loads(line) for line in open(path) if '"job":%s,"step":"%s",' % tuple(step.split(".")) in line]
		if len(rs) != 1:
		    sys.exit(f"{len(rs)} records of {step}")
		r = rs[0]
		print(eval(key))
	P
}
_recorded() { grep -q "\"job\":${1%.*},\"step\":\"${1#*.}\"" "$RECORDS"; }
how() { record "$1" 'r["how"]'; }
