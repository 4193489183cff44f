#!/bin/bash
# The tasks' system calls: the default policy, other policies, and policies that cannot be used.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
DEFAULT=$D/usr/share/slxc/seccomp.json
CACHE=$RUNDIR/seccomp

filtered() {
	contained grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
	assert_rc 0
	assert_eq "$out" $'NoNewPrivs:\t1\nSeccomp:\t2'
}

every_kind_of_step() {
	local line=$'Seccomp:\t2'
	contained -n3 grep Seccomp: /proc/self/status
	assert_eq "$(grep -c "$line" <<<"$out")" 3
	submit slxc1 --container="$IMAGE" -o filter.out --wrap 'grep Seccomp: /proc/self/status'
	wait_job_over "$job"
	assert_eq "$(grep -c "$line" "$(home_of slxc1)/filter.out")" 1
	rm "$(home_of slxc1)/filter.out"
}

# what the image's programs use to see whether they can
denied() {
	contained bash -c 'unshare -U true; unshare -m true; dmesg; mount -t tmpfs x /tmp; true'
	assert_rc 0
	assert_eq "$(grep -ciE 'operation not permitted|must be superuser' <<<"$err")" 4
}

works() {
	same_bare_and_contained bash -c 'setarch -R true && python3 -c "
import threading, subprocess, os
t = threading.Thread(target=print, args=(1,)); t.start(); t.join()
print(subprocess.run([\"echo\", \"2\"], capture_output=True).stdout)
print(os.sched_getaffinity(0) != set(), os.getpriority(0, 0))
"'
	assert_rc 0
}

# compiled once, kept for root only, and again when the policy or the compiler is another
kept() {
	conf "seccomp=$T/policy"
	cp "$DEFAULT" "$T/policy"
	touch -d '1 minute ago' "$T/policy"
	filtered # just written: not kept
	sleep 2.1
	filtered
	assert_eq "$(find "$CACHE" -type f | wc -l)" 1
	assert_eq "$(stat -c '%a %U' "$CACHE" "$CACHE"/*)" $'700 root\n400 root'
	first=$(stat -c %i "$CACHE"/*)
	filtered
	assert_eq "$(stat -c %i "$CACHE"/*)" "$first"
	chmod 600 "$T/policy" # ctime
	sleep 2.1
	filtered
	assert_eq "$(find "$CACHE" -type f | wc -l)" 1
	assert_ne "$(stat -c %i "$CACHE"/*)" "$first"
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18}]}' >"$T/policy"
	contained perl -e 'syscall(162); print $!+0' # sync on x86_64
	assert_eq "$out" 18
}

none() {
	conf seccomp=none
	contained grep Seccomp: /proc/self/status
	assert_eq "$out" $'Seccomp:\t0'
	contained unshare -U true
	assert_rc 0
}

unusable() {
	conf "seccomp=$T/policy"
	refused_everywhere "open seccomp policy $T/policy: No such file"
	echo '{' >"$T/policy"
	refused_everywhere "seccomp policy $T/policy: line 2: "
	echo '{"defaultAction": "SCMP_ACT_ALOW"}' >"$T/policy"
	refused "seccomp policy $T/policy: defaultAction: action 'SCMP_ACT_ALOW' is not one that slxc has" --container="$IMAGE"
	head -c 2000000 /dev/zero >"$T/policy"
	refused "seccomp policy $T/policy: the policy is larger than" --container="$IMAGE"
	chmod 666 "$T/policy"
	refused "seccomp policy $T/policy must be a file that belongs to root" --container="$IMAGE"
	rm "$T/policy"
	ln -s "$DEFAULT" "$T/policy"
	refused "open seccomp policy $T/policy: Too many levels of symbolic links" --container="$IMAGE"
	rm "$T/policy"
	mkfifo "$T/policy"
	refused "seccomp policy $T/policy must be a file" --container="$IMAGE"
	echo seccomp=relative >"$CONF"
	refused "seccomp is an absolute path, or none, not 'relative'" --container="$IMAGE"
}

# a policy so strict that the task cannot be executed runs nothing
too_strict() {
	conf "seccomp=$T/policy"
	echo '{"defaultAction": "SCMP_ACT_KILL_PROCESS"}' >"$T/policy"
	forget_marks
	run as slxc1 srun --container="$IMAGE" bash -c "$(probe)"
	assert_ne "$rc" 0
	no_task_ran
}

# the compiler crashes, hangs, floods, lies
compiler() {
	local script
	conf "seccomp=$T/policy"
	cp "$DEFAULT" "$T/policy"
	for script in 'exit 0' 'kill -SEGV $$' 'exec cat /dev/zero' 'exec head -c 16 /dev/urandom' 'exec head -c 100000 /dev/zero >&2'; do
		replace_program slxc-seccomp <<<$'#!/bin/bash\n'"$script"
		refused "seccomp policy $T/policy: " --container="$IMAGE"
	done
	# it has no privilege, no descriptor and no environment to lose
	replace_program slxc-seccomp <<-'S'
		#!/bin/bash
		fds=(/proc/self/fd/*)
		while read -r k v _; do case $k in CapEff: | NoNewPrivs:) s+=" $v" ;; esac; done </proc/self/status
		# the highest is bash's own, and one reads the directory
		echo "$UID ${GROUPS[*]} ${fds[*]##*/}$s ${SLURM_JOB_ID:-none}" >&2
	S
	refused "seccomp policy $T/policy: $(id -u slxc 2>/dev/null || echo 65534) $(id -g slxc 2>/dev/null || echo 65534) 0 1 15 2 3 0000000000000000 1 none" --container="$IMAGE"
	rm "$LIBEXEC/slxc-seccomp"
	refused_everywhere 'slxc-seccomp: No such file'
}

check_option() {
	run "$LIBEXEC/slxc-seccomp" --check "$DEFAULT"
	assert_rc 0
	assert_match "$out" '^[0-9]+ rules for [a-z0-9]+, [0-9]+ not for this machine; [0-9]+ and [0-9]+ instructions'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "x": 1}' >"$T/policy"
	run as slxc1 "$LIBEXEC/slxc-seccomp" --check "$T/policy"
	assert_rc 1
	assert_eq "$err" "slxc-seccomp: $T/policy: unknown key 'x'"
	assert_eq "$(stat -c %a "$LIBEXEC/slxc-seccomp")" 711
}

need_plugin
need_image
check "tasks have a filter" filtered
check "every kind of step" every_kind_of_step
check "denied by default" denied
check "what programs need works" works
check "compiled once" kept
check "no filter when slxc.conf says so" none
CHECK_TIMEOUT=120 check "policies that cannot be used" unusable
check "a policy that allows nothing" too_strict
CHECK_TIMEOUT=120 check "a compiler that crashes, floods, lies" compiler
check "slxc-seccomp --check" check_option
