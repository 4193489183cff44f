# shellcheck shell=bash
# shellcheck disable=SC2034 # those who source this use the names set here
# Sourced by the scripts here and by tests/lib.sh: where the demo cluster is, and how its daemons are
# started and ended. Everything lives below $D; a daemon is known by $D/run/pid/NAME ("PID STARTTIME"),
# so that a number that the kernel gave to somebody else meanwhile is never signalled.

D=${SLXC_DEMO:-/opt/slxc-demo}
# made absolute: daemons and configuration files name it
case $D in /*) ;; *) D=$PWD/$D ;; esac
PORT=${SLXC_DEMO_PORT:-26817}           # slurmctld; +1 slurmd, +2 slurmdbd, +3 left for slurmrestd
RUNDIR=/run/$(basename "$D")            # slxc's --with-rundir; private to a node, because /run is
DEMO_USERS="slxc1 slxc2" DEMO_GROUP=slxcteam
export SLURM_CONF=$D/etc/slurm.conf
export PATH=$D/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die() { echo "${0##*/}: $*" >&2; exit 1; }

# until SECONDS CMD...: true as soon as CMD is, false when SECONDS are over
until_ok() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# the 22nd field of /proc/PID/stat; the name before it may hold blanks
pid_start() {
	local s
	s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086
	set -- ${s##*) }
	[ "$1" != Z ] && echo "${20}"
}

# record FILE PID; recorded FILE: that process, if it still is the same one
record() { echo "$2 $(pid_start "$2")" >"$1"; }
recorded() {
	local pid start
	read -r pid start 2>/dev/null <"$1" && [ -n "$start" ] && [ "$(pid_start "$pid")" = "$start" ] && echo "$pid"
}

has_systemd() { [ -d /run/systemd/system ]; }

daemon_pid() {
	local pid
	if has_systemd; then
		pid=$(systemctl show -p MainPID --value "$(basename "$D")-$1" 2>/dev/null) && [ "${pid:-0}" != 0 ] && echo "$pid" && return
	fi
	recorded "$D/run/pid/$1"
}

daemon_up() { daemon_pid "$1" >/dev/null; }

# daemon_start NAME CMD...: in the foreground mode of CMD, its words in $D/var/log/NAME.out
daemon_start() {
	local name=$1 out=$D/var/log/$1.out
	shift
	! daemon_up "$name" || return 0
	mkdir -p "$D/run/pid"
	if has_systemd; then
		# Delegate: slurmd makes cgroups below its own; KillMode: a restarted slurmd leaves its steps alone
		systemd-run --quiet --collect --unit="$(basename "$D")-$name" -p Delegate=yes -p KillMode=process \
			-p LimitMEMLOCK=infinity -E SLURM_CONF="$SLURM_CONF" -E MYSQL_UNIX_PORT="${MYSQL_UNIX_PORT:-}" \
			-p StandardOutput="append:$out" -p StandardError="append:$out" "$@"
		return
	fi
	# a session of its own, and none of the caller's descriptors; in the background of a script, SIGINT is ignored, and slurmd
	# 26.05 hands that on to the tasks
	(
		cd /
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			[ "$fd" -le 2 ] || [ "$fd" = 255 ] || eval "exec $fd>&-" 2>/dev/null || true
		done
		exec env --default-signal=INT,QUIT setsid "$@" >"$out" 2>&1 </dev/null
	) &
	record "$D/run/pid/$name" $!
}

# daemon_stop NAME [SIGNAL] [SECONDS]: ends it, with SIGKILL when it has not ended after SECONDS
daemon_stop() {
	local pid start
	if has_systemd && systemctl stop "$(basename "$D")-$1" 2>/dev/null; then return 0; fi
	pid=$(daemon_pid "$1") || { rm -f "$D/run/pid/$1"; return 0; }
	start=$(pid_start "$pid") || return 0
	kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
	if ! until_ok "${3:-15}" pid_gone "$pid" "$start"; then
		kill -KILL "$pid" 2>/dev/null || true
		until_ok 5 pid_gone "$pid" "$start" || true
	fi
	rm -f "$D/run/pid/$1"
}

pid_gone() { [ "$(pid_start "$1")" != "$2" ]; }

# the nodes that this cluster was started with
demo_nodes() { cat "$D/run/nodes" 2>/dev/null || echo 1; }

# the newest job of a user
last_job() { scontrol -o show job | sed -n "s/^JobId=\([0-9]*\) .* UserId=$1(.*/\1/p" | sort -n | tail -n 1; }
