#!/bin/bash
# A program of many attempts at getting out, run bare, in our container and, for contrast, under bubblewrap: prints a table,
# and fails when one gets through in ours. What the columns of the others say is for reading, not judged.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
EVIL=$LOGS/evil

# an image with what an attacker would put into one; never executed as root
make_evil() {
	mkdir -p "$EVIL"/{nodes,tmp,dev,proc,sys,etc,usr}
	chmod 1777 "$EVIL/tmp"
	gcc -O1 -Wall -static -o "$EVIL/attempts" "$LIB"/system/escape/*.c
	# something to look at, sleep in, be traced
	gcc -O1 -static -o "$EVIL/sleep" -x c - <<<'#include <unistd.h>
#include <stdio.h>
int main(void) { puts("up"); fflush(stdout); sleep(60); return 0; }'
	cp "$EVIL/attempts" "$EVIL/suid"
	chmod 4755 "$EVIL/suid"
	cp "$EVIL/attempts" "$EVIL/caps"
	python3 - "$EVIL/caps" <<'P'
import os, struct, sys
# vfs_cap_data, revision 2, effective: CAP_NET_RAW
os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
P
	[ -e "$EVIL/nodes/null" ] || mknod -m 666 "$EVIL/nodes/null" c 1 3
	echo secret >"$LOGS/secret"
	chmod 644 "$LOGS/secret"
	chmod 755 "$LOGS" "$EVIL"
	slxc images | grep -qw evil:1 || slxc import evil:1 "$EVIL"
	mkdir -p "$LOGS/private"
	echo private >"$LOGS/private/file"
	slxc images | grep -qw evil-private:1 || slxc import --private --owner slxc2 evil-private:1 "$LOGS/private"
}

table() {
	local name result why i
	make_evil
	undo 'slxc rm evil:1 >/dev/null; slxc rm evil-private:1 >/dev/null'
	digest=$(readlink "$STORE/refs/evil-private:1")
	image=$STORE/images/${digest##*/}/layers
	layer=$STORE/layers/$(cat "$image").erofs
	# a process of the same user on the host, and one in another container
	spawn slxc1 "$EVIL/sleep"
	target=$pid
	spawn slxc1 srun --container=evil:1 /sleep
	other_srun=$pid
	wait_for 15 grep -q up "$spawn_out"
	other=$(pgrep -u slxc1 -x sleep | grep -vx "$target" | head -n 1)
	echo "target $target other $other"
	stepd=$(ps -e -o pid=,args= | awk '$2 == "slurmstepd:" {print $1; exit}')
	arguments=("stepd=$stepd" "target=$target" "other=$other" "secret=$LOGS/secret" "rundir=$RUNDIR" "image=$image" "layer=$layer" "munge=$D/run/munge/munge.socket")
	as slxc1 srun "$EVIL/attempts" "${arguments[@]}" "evil=$EVIL" >"$LOGS/bare"
	as slxc1 srun --container=evil:1 /attempts "${arguments[@]}" >"$LOGS/ours" || fail "the contained run failed"
	: >"$LOGS/bwrap"
	if command -v bwrap >/dev/null; then
		as slxc1 srun bwrap --bind "$EVIL" / --dev /dev --proc /proc --ro-bind /sys /sys --bind /tmp /tmp --unshare-user --unshare-pid --unshare-ipc \
			--unshare-uts --die-with-parent /attempts "${arguments[@]}" >"$LOGS/bwrap" || true
	fi
	kill "$target"
	scancel -u slxc1
	reap "$other_srun"
	{
		printf '%-42s %-8s %-8s %-8s %s\n' "attempt" bare ours bwrap "ours, because"
		while IFS=$'\t' read -r name result why; do
			printf '%-42s %-8s %-8s %-8s %s\n' "$name" "$(column_of bare "$name")" "$result" "$(column_of bwrap "$name")" "$why"
		done <"$LOGS/ours"
	} | tee "$LOGS/table"
	[ "$(wc -l <"$LOGS/ours")" -gt 50 ] || fail "only $(wc -l <"$LOGS/ours") attempts"
	assert_eq "$(awk -F'\t' '$2 == "through" {print $1}' "$LOGS/ours")" "" "attempts that got through"
}
column_of() { awk -F'\t' -v n="$2" '$1 == n {r = $2} END {print r == "" ? "?" : r}' "$LOGS/$1"; }

# the container's root has what counts in the container, and no more
as_root() {
	make_evil
	undo 'slxc rm evil:1 >/dev/null; slxc rm evil-private:1 >/dev/null'
	srun --help | grep -q container-remap-root || t_skip "no --container-remap-root here"
	run as slxc1 srun --container=evil:1 --container-remap-root /attempts "secret=$LOGS/secret" "rundir=$RUNDIR"
	assert_rc 0
	assert_eq "$(awk -F'\t' '$2 == "through" {print $1}' <<<"$out" |
		grep -vxE "setuid 0|raise a capability|capability bounding set|trace the container's init|(setuid program|file capabilities) in the image" || true)" "" "attempts that got through"
}

# the same program under sbatch, with a terminal, and as a step's second task
other_ways() {
	local options
	make_evil
	undo 'slxc rm evil:1 >/dev/null; slxc rm evil-private:1 >/dev/null'
	for options in --pty '-n2' '--input=none'; do
		run as slxc1 srun $options --container=evil:1 /attempts "secret=$LOGS/secret"
		assert_rc 0
		assert_eq "$(tr -d '\r' <<<"$out" | awk -F'\t' '$2 == "through" {print $1}')" "" "attempts that got through with $options"
	done
}

need_plugin
need_image
CHECK_TIMEOUT=180 check "attempts at getting out" table
cat "$LOGS/table" 2>/dev/null
check "attempts as the container's root" as_root
CHECK_TIMEOUT=120 check "attempts with a terminal and several tasks" other_ways
