#!/bin/bash
# Bad names: refused where the user types them, and again on the node when a client did not look.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

LONG=$(head -c 10000 /dev/zero | tr '\0' a)
BAD=(.. ../../etc /etc . a/../b a//b a/ ./a -x --help Debian:12 'debian 12' $'a\tb' $'a\nb' $'slxc: a\nslxc: b' $'\e[31mred' $'\x7f'
	'a"b' "a'b" 'a\b' '`id`' '$(id)' '${HOME}' 'a;b' 'a|b' 'a&b' 'a*' 'a?b' 'a%s%n' 'a=b' 'a,b' 'a@b' 'a#b' '~' bäd $'\xff\xfe' :12 debian: debian:12:13
	debian:-x debian:a/b docker://a none:1x: "${LONG:0:256}:1" "$LONG" "debian:$LONG")

jobs_so_far() { scontrol -o show job 2>/dev/null | sed -n 's/^JobId=\([0-9]*\).*/\1/p' | sort -n | tail -n 1; }

# the one line is there
refused_here() { # COMMAND...
	run as slxc1 "$@"
	assert_rc 1
	_one_line "$err" "image name"
	assert_no_match "$err" '[^[:print:][:space:]]'
}
# before a case's commands, and after them: none of them has queued anything, nor run
forget_jobs() { before=$(jobs_so_far); forget_marks; }
nothing_queued() { no_task_ran; assert_eq "$(jobs_so_far)" "$before" "newest job"; }

at_srun() {
	local name
	forget_jobs
	for name in "${BAD[@]}" ''; do refused_here srun --container="$name" bash -c "$(probe)"; done
	nothing_queued
}

at_sbatch() {
	local name
	forget_jobs
	for name in .. "$LONG" $'a\nb' Debian:12 -x 'a"b' '' '$(id)'; do
		refused_here sbatch -o /dev/null --container="$name" --wrap "$(probe)"
		refused_here sbatch -o /dev/null --array=1-3 --container="$name" --wrap "$(probe)"
	done
	nothing_queued
}

at_salloc() {
	local name
	forget_jobs
	for name in .. "$LONG" $'a\nb' Debian:12 -x 'a"b' '' '$(id)'; do
		refused_here salloc --container="$name" bash -c "$(probe)"
	done
	nothing_queued
}

in_variables() {
	local name
	forget_jobs
	for name in .. Debian:12 $'a\nb'; do
		ENV=(SRUN_CONTAINER="$name")
		refused_here srun bash -c "$(probe)"
		ENV=(SBATCH_CONTAINER="$name")
		refused_here sbatch -o /dev/null --wrap "$(probe)"
	done
	nothing_queued
	# an empty variable is as good as none
	ENV=(SRUN_CONTAINER= SLURM_CONTAINER=)
	run as slxc1 srun bash -c 'echo "${SLURM_CONTAINER-none}"'
	assert_rc 0
	assert_eq "$out" none
}

# a heterogeneous job: any component
in_component() {
	forget_jobs
	refused_here srun --container="$IMAGE" bash -c "$(probe)" : --container=.. bash -c "$(probe)"
	refused_here srun bash -c "$(probe)" : --container=.. bash -c "$(probe)"
	nothing_queued
}

# ---- on the node

forged_option() {
	local name
	unplugged
	for name in "${BAD[@]}" ''; do refused "image name" --container="$name"; done
	wait_for 10 node_is_idle_not_drained
}

forged_batch() {
	local name
	unplugged
	for name in .. "${LONG:0:5000}" $'a\nslxc: b' 'a"b' Debian:12; do
		refused_batch "image name" --container="$name"
	done
	wait_for 10 node_is_idle_not_drained
}

# the variable that the client leaves for the node, set by the user
forged_variable() {
	local name
	unplugged
	for name in .. Debian:12 'a"b' 'a%s%n' $'a\nb' "$LONG" no/such:1; do
		ENV=(SLURM_CONF="$T/slurm.conf" SLURM_SLXC_CONTAINER="$name")
		refused "image" --container=none
	done
	ENV=(SLURM_CONF="$T/slurm.conf" SLURM_SLXC_CONTAINER=..)
	refused_batch "image name"
}

# an environment that is not passed on takes no container away
export_none() {
	local e
	for e in NONE A=1 NIL; do
		refused "no image 'no/such:1'" --export=$e --container=no/such:1
		[ $e = NIL ] || refused_batch "no image 'no/such:1'" --export=$e --container=no/such:1
	done
}

# in a job's own environment, and in that of an inner srun
forged_inside() {
	forget_marks
	unplugged
	run as slxc1 srun --container="$IMAGE" bash -c 'echo $SLURM_CONTAINER'
	assert_eq "$out" "$IMAGE"
	printf '#!/bin/bash\nexport SLURM_CONTAINER=..\nsrun bash -c "$1"\n' >"$T/inner.sh"
	ENV=()
	submit slxc1 -o "$T/inner.out" "$T/inner.sh" "$(probe)"
	wait_job_over "$job"
	no_task_ran
	_one_line "$(cat "$T/inner.out")" "image name"
}

# names that are fine, and words that mean no container
good() {
	local name
	run as slxc1 srun --container=none cat /proc/1/comm
	assert_rc 0
	assert_ne "$out" slxc-init
	for name in a a.b_c-d/e:1 a:_x a:X "a/b/c/d:1.2-3" "${LONG:0:250}:1"; do
		refused "no image '$name" --container="$name"
	done
}

need_plugin
need_image
check "bad names at srun" at_srun
check "bad names at sbatch" at_sbatch
check "bad names at salloc" at_salloc
check "bad names in variables" in_variables
check "bad name in a component" in_component
check "bad names on the node" forged_option
check "bad names on the node, batch" forged_batch
check "bad names by variable" forged_variable
check "--export" export_none
check "bad names in a job" forged_inside
check "good names" good
