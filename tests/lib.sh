# shellcheck shell=bash
# shellcheck disable=SC2034 # out, err, rc, pid, job are for the tests
# What a system test needs. A test is a bash script in tests/system that sources this and calls
#
#     check "name" FUNCTION [ARG...]
#
# once per case. The function runs in a process of its own with `set -e`; it fails when a command or an assertion does,
# and when tests/leakcheck finds anything left afterwards. t_skip REASON ends it as skipped. CHECK_TIMEOUT (60 s) limits it.
# One line per case is printed, and the log of one that failed. Runs under contrib/run-tests or alone (as root, cluster up).
set -uo pipefail
LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=contrib/demo.sh
. "$LIB/../contrib/demo.sh"
CLUSTER=$LIB/../contrib/testcluster
SCRIPT=$(basename "$0" .sh)
IMAGE=debian:12
NODE=node1
LOGS=$D/var/log/tests/$SCRIPT
rm -rf "$LOGS"
mkdir -p "$LOGS"
RESULTS=${SLXC_TEST_RESULTS:-$LOGS/results}
N_CASE=0 N_FAIL=0 GROUP=

# ---- cases

# on an interrupt nothing of the running case stays
_interrupted() { [ -z "$GROUP" ] || kill -KILL -- -"$GROUP" 2>/dev/null; "$LIB/leakcheck" -w 0 -c >/dev/null; exit 130; }
trap _interrupted INT TERM
trap 'status=$?; [ $N_FAIL = 0 ] || status=1; exit $status' EXIT

_result() { # ok|FAIL|SKIP name ms [reason]
	printf '%-4s %s: %s (%d ms)%s\n' "$1" "$SCRIPT" "$2" "$3" "${4:+: $4}" | tee -a "$RESULTS"
}

check() {
	[ -n "${LIB_READY:-}" ] || { echo "$SCRIPT: tests/lib.sh has an error"; exit 1; }
	[[ $1 =~ ${SLXC_TESTS_CASE:-} ]] || return 0
	local name=$1 log start end=0 ms status leaks timer
	shift
	N_CASE=$((N_CASE + 1))
	T=$LOGS/$N_CASE # the case's own directory
	log=$T/log
	mkdir -p "$T"
	chmod 1777 "$T"
	start=${EPOCHREALTIME/[.,]/}
	set -m # a process group of its own
	(
		set -eE
		trap 'echo "  failed: line $LINENO: $BASH_COMMAND"' ERR
		"$@"
	) >"$log" 2>&1 </dev/null &
	GROUP=$!
	set +m
	(
		exec >/dev/null 2>&1 </dev/null
		sleep "${CHECK_TIMEOUT:-60}" &
		trap 'kill $!; exit' TERM
		wait $!
		echo "  took longer than ${CHECK_TIMEOUT:-60} s" >>"$log"
		kill -TERM -- -$GROUP
		sleep 2
		kill -KILL -- -$GROUP
	) &
	timer=$!
	wait "$GROUP"
	status=$?
	end=${EPOCHREALTIME/[.,]/}
	kill -TERM $timer 2>/dev/null
	wait $timer 2>/dev/null
	kill -KILL -- -"$GROUP" 2>/dev/null # what the function left running in the background
	GROUP=
	ms=$(((end - start) / 1000))
	if ! leaks=$("$LIB/leakcheck" -c -k "$LOGS/known"); then
		printf '%s\n' "$leaks" >>"$LOGS/known"
		# shellcheck disable=SC2001
		sed 's/^/  left behind: /' <<<"$leaks" >>"$log"
		[ $status != 0 ] && [ $status != 77 ] || status=1
	fi
	case $status in
	0) _result ok "$name" $ms ;;
	77) _result SKIP "$name" $ms "$(tail -n 1 "$log")" ;;
	*)
		_result FAIL "$name" $ms
		N_FAIL=$((N_FAIL + 1))
		echo "  status $status" >>"$log"
		tail -n 40 "$log" | cut -c-500
		;;
	esac
}

fail() { echo "  ${FUNCNAME[1]}, line ${BASH_LINENO[0]}: $*"; exit 1; }
t_skip() { echo "$*"; exit 77; }
# need_image: skips the case where slxc or its image is not there
need_image() { slxc images 2>/dev/null | grep -qw "$IMAGE" || t_skip "no image $IMAGE here"; }
need_plugin() { [ -e "$D/usr/lib/slurm/spank_slxc.so" ] || t_skip "slxc is not installed in this cluster"; }

# ---- commands

home_of() { getent passwd "$1" | cut -d: -f6; }

# as USER CMD...: in the user's home, with nothing but a login's environment; ENV=(NAME=VALUE...) adds to it.
# It becomes the command: as a background job, $! is the command's own.
ENV=()
as() {
	local u=$1 h
	shift
	h=$(home_of "$u")
	if [ "$BASHPID" = "${_spawned:-}" ]; then cd "$h" && _exec_as "$u" "$h" "$@"; else (cd "$h" && _exec_as "$u" "$h" "$@"); fi
}
_exec_as() {
	local u=$1 h=$2
	shift 2
	exec setpriv --reuid="$u" --regid="$u" --init-groups --inh-caps=-all env -i HOME="$h" USER="$u" LOGNAME="$u" SHELL=/bin/bash \
		LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH="$D/usr/bin:/usr/local/bin:/usr/bin:/bin" SLURM_CONF="$SLURM_CONF" "${ENV[@]}" "$@"
}

# run CMD...: never fails; leaves $out, $err (without the last newlines) and $rc
run() {
	local command=$*
	rc=0
	"$@" >"$T/out" 2>"$T/err" || rc=$?
	out=$(cat "$T/out") err=$(cat "$T/err")
	printf '$ %s\n  rc=%s\n%s%s' "${command:0:500}" "$rc" "${out:+  out: ${out:0:2000}
}" "${err:+  err: ${err:0:2000}
}"
}

# spawn USER CMD...: in the background; $pid is the command's process, its output in $spawn_out (both streams)
_n_spawn=0
spawn() {
	_n_spawn=$((_n_spawn + 1))
	spawn_out=$T/spawn.$_n_spawn
	{ _spawned=$BASHPID; as "$@"; } >"$spawn_out" 2>&1 &
	pid=$!
}

# reap PID [SECONDS]: waits for a spawned command, $rc is its status
reap() {
	wait_for "${2:-20}" _ended "$1"
	rc=0
	wait "$1" || rc=$?
}
_ended() { [ -z "$(pid_start "$1")" ]; }

# wait_for SECONDS CMD...: until CMD is true; fails when it is not in time
wait_for() { until_ok "$@" || fail "not within $1 s: ${*:2}"; }

# ---- assertions

assert_eq() { [ "$1" = "$2" ] || fail "${3:-values differ}: got '$1', wanted '$2'"; }
assert_ne() { [ "$1" != "$2" ] || fail "${3:-values are equal}: '$1'"; }
# assert_match TEXT REGEX (extended, unanchored)
assert_match() { [[ $1 =~ $2 ]] || fail "'${1:0:1000}' does not match '$2'"; }
assert_no_match() { ! [[ $1 =~ $2 ]] || fail "'${1:0:1000}' matches '$2'"; }
assert_rc() { [ "$rc" = "$1" ] || fail "exit status $rc, wanted $1"; }
# the one line that a user gets when a container cannot be had
assert_slxc_error() { [ "$rc" != 0 ] || fail "exit status 0"; grep -qE "^slxc: .*$1" <<<"$err" || fail "no line 'slxc: ...$1' in: $err"; }

# same_bare_and_contained [SRUN-OPTIONS --] CMD...: srun as slxc1 without and with a container; the same output and status.
# Afterwards bare_out bare_err bare_rc, and out err rc of the contained one. With -l, lines come in any order: compared sorted.
same_bare_and_contained() {
	local i options=()
	for ((i = 1; i <= $#; i++)); do
		[ "${!i}" = -- ] || continue
		options=("${@:1:i-1}")
		shift "$i"
		break
	done
	run as slxc1 srun "${options[@]}" "$@"
	bare_out=$out bare_err=$err bare_rc=$rc
	run as slxc1 srun "${options[@]}" --container="$IMAGE" "$@"
	assert_eq "$rc" "$bare_rc" "status bare (wanted) and contained (got)"
	case " ${options[*]} " in *" -l "*) out=$(sort <<<"$out") bare_out=$(sort <<<"$bare_out") ;; esac
	assert_eq "$out" "$bare_out" "output bare (wanted) and contained (got)"
}

# Slurm 26.05 begins slurmstepd's messages with the time where others have its name
without_time() { sed -E 's/^\[[0-9-]+T[0-9:.]+\] /[TIME] /'; }

# same_batch [SBATCH-OPTIONS --] SCRIPT ARG...: a batch job of slxc1 without and one with a container; the same output, state
# and exit code. Where the output names the job it says JOB. Afterwards bare_job bare_out, and job out state of the contained one.
same_batch() {
	local i options=() h
	h=$(home_of slxc1)
	for ((i = 1; i <= $#; i++)); do
		[ "${!i}" = -- ] || continue
		options=("${@:1:i-1}")
		shift "$i"
		break
	done
	submit slxc1 "${options[@]}" -o "bare.%j" "$@"
	bare_job=$job
	submit slxc1 "${options[@]}" -o "contained.%j" --container="$IMAGE" "$@"
	wait_job_over "$bare_job"
	wait_job_over "$job"
	bare_out=$(sed "s/0*$bare_job/JOB/g" "$h/bare.$bare_job" | without_time) out=$(sed "s/0*$job/JOB/g" "$h/contained.$job" | without_time)
	rm "$h/bare.$bare_job" "$h/contained.$job"
	state=$(job_state "$job")
	echo "bare: $bare_out"
	echo "contained: $out"
	assert_eq "$out" "$bare_out" "output bare (wanted) and contained (got)"
	assert_eq "$state $(job_field "$job" ExitCode)" "$(job_state "$bare_job") $(job_field "$bare_job" ExitCode)" \
		"state and exit code, bare (wanted) and contained (got)"
}

# put NAME: standard input becomes that executable file in the home of slxc1
# shellcheck disable=SC2016 # bash -c expands it
put() { as slxc1 bash -c 'rm -f "$0" && cat >"$0" && chmod 755 "$0"' "$1"; }
# program NAME: tests/programs/NAME.c becomes a static program in the home of slxc1
program() { cc -O1 -Wall -static -o "$T/$1" "$LIB/programs/$1.c" && put "$1" <"$T/$1" && rm "$T/$1"; }

# ---- Slurm

# contained CMD...: srun as slxc1 in the image; through run
contained() { run as slxc1 srun --container="$IMAGE" "$@"; }

# submit USER SBATCH-ARGS...: $job is the id
submit() { run as "$1" sbatch --parsable "${@:2}"; assert_rc 0; job=$out; }
job_state() { scontrol -o show job "$1" 2>/dev/null | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }
job_field() { scontrol -o show job "$1" | grep -oP "(?<=\b$2=)\S*" | head -n 1 || :; }
_job_over() { case $(job_state "$1") in PENDING | CONFIGURING | RUNNING | SUSPENDED | STOPPED | COMPLETING) return 1 ;; esac; [ -z "$(squeue -h -j "$1" 2>/dev/null)" ]; }
_job_running() { [ "$(job_state "$1")" = RUNNING ]; }
wait_job_running() { wait_for "${2:-20}" _job_running "$1"; }
wait_job_over() { wait_for "${2:-30}" _job_over "$1"; }
# acct JOB[.STEP] FIELD: from the accounting, once it has the end of it. slurmctld hands the start of a job to slurmdbd
# only every five seconds: until then the job's own line is named "allocation" and lacks most fields. A step's has them.
acct() {
	until_ok 15 _acct_ended "$1" || fail "no end of $1 in the accounting"
	sacct -n -P -j "$1" -o "JobID,$2" | awk -F'|' -v j="$1" '$1 == j {print $2; exit}'
}
_acct_ended() {
	sacct -n -P -j "$1" -o JobID,End,JobName | awk -F'|' -v j="$1" '$1 == j && $2 !~ /Unknown|None/ && $3 != "allocation" {f = 1} END {exit !f}'
}

slurmd_pid() { daemon_pid "slurmd.${1:-$NODE}"; }
# stepd_pid JOB.STEP (12.0, 12.batch, 12.interactive): its slurmstepd; of all nodes' the first
stepd_pid() { ps -e -o pid=,args= | awk -v s="[$1]" '$2 == "slurmstepd:" && $3 == s {print $1; found = 1; exit} END {exit !found}'; }
stepd_pids() { ps -e -o pid=,args= | awk -v s="[$1]" '$2 == "slurmstepd:" && $3 == s {print $1}'; }
# helper_pid JOB.STEP step|worker|init: that step's supervisor, which its directory names; its child; that one's child
helper_pid() {
	local d p
	for d in "$RUNDIR/steps/$1".*; do [ ! -d "$d" ] || p=${d##*.}; done
	[ -n "${p:-}" ] || return 1
	[ "$2" = step ] || p=$(pgrep -P "$p" -x slxc-worker) || return 1
	[ "$2" != init ] || p=$(pgrep -P "$p" -x slxc-init) || return 1
	echo "$p"
}
node_is_idle_not_drained() { [ "$(sinfo -h -N -o %t | sort -u)" = idle ]; }
cluster_restart_slurmd() { "$CLUSTER" restart "${1:-$NODE}"; }
cluster_restart_slurmctld() { "$CLUSTER" restart slurmctld; }
# the records of finished steps (steps.jsonl) of one job
step_records() { grep -h "\"job\": *\"\\?$1\\b" "$D/var/log/slxc/steps.jsonl"; }

# what is left already is not this test's doing
"$LIB/leakcheck" -w 2 >"$LOGS/known" || { echo "$SCRIPT: left from before:"; cat "$LOGS/known"; }
LIB_READY=1
