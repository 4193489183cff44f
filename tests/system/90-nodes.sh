#!/bin/bash
# A cluster of three nodes, each with its own /run: one container per step and node, nothing left on any.
# shellcheck disable=SC2016,SC2119 # the expressions are for the tasks
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

up() { "$CLUSTER" start --nodes 3; }
down() { "$CLUSTER" start; }

bare() {
	run as slxc1 srun -N3 -n6 hostname
	assert_rc 0
	assert_eq "$(sort -u <<<"$out" | xargs)" "node1 node2 node3"
}

contained_everywhere() {
	need_plugin
	need_image

	same_bare_and_contained -N3 -n6 -l -- bash -c 'echo $SLURMD_NODENAME $(hostname) $(id -un) $SLURM_PROCID'
	contained -N3 -n6 bash -c 'read -r name </proc/1/comm; echo "$(hostname) $name $(readlink /proc/self/ns/mnt)"'
	assert_rc 0
	# six tasks on three nodes: three containers
	assert_eq "$(sort -u <<<"$out" | wc -l)" 3
	assert_eq "$(cut -d' ' -f2 <<<"$out" | sort -u)" slxc-init
}

batch() {
	need_plugin
	need_image
	submit slxc1 -N2 --container="$IMAGE" -o nodes.out --wrap 'cat /proc/1/comm'
	wait_job_over "$job"
	assert_eq "$(cat "$(home_of slxc1)/nodes.out")" slxc-init
	as slxc1 rm nodes.out
}

cancelled() {
	need_plugin
	need_image
	spawn slxc1 srun -N3 --container="$IMAGE" bash -c 'echo started; sleep 1000'
	wait_for 20 eval '[ "$(grep -c started "$spawn_out")" = 3 ]'
	scancel "$(last_job slxc1)"
	reap "$pid"
	assert_ne "$rc" 0
}

# Slurm gives the components of one job different nodes. Where a program runs: in the image, in the second one, on the host.
B=slxc-test:b
WHERE='[ "$(cat /proc/1/comm)" = slxc-init ] || { echo host; exit; }; if [ -e /label ]; then echo b; else echo a; fi'
need_both() {
	need_plugin
	need_image
	import_programs $B sh cat
}

heterogeneous() {
	need_both
	# a later component has the first one's options
	run as slxc1 srun --container=$IMAGE sh -c "$WHERE" : sh -c "$WHERE"
	assert_rc 0
	assert_eq "$out" $'a\na'
	run as slxc1 srun --container=$B sh -c "$WHERE" : --container=$B sh -c "$WHERE"
	assert_rc 0
	assert_eq "$out" $'b\nb'
	run as slxc1 srun sh -c "$WHERE" : sh -c "$WHERE"
	assert_rc 0
	assert_eq "$out" $'host\nhost'
	# what the refusal of different containers says to do
	run as slxc1 salloc -n1 : -n1 bash -c "srun --het-group=0 --container=$IMAGE sh -c '$WHERE'; srun --het-group=1 --container=$B sh -c '$WHERE'"
	assert_rc 0
	assert_eq "$out" $'a\nb'
}

# a batch job of two components runs its script in the first
heterogeneous_batch() {
	need_both
	submit slxc1 -o where.out -n1 --container=$B : -n1 --wrap "$WHERE"
	wait_job_over "$job"
	assert_eq "$(cat "$(home_of slxc1)/where.out")" b
	as slxc1 rm where.out
}

check "three nodes come up" up
check "srun on three nodes" bare
check "a container on each node" contained_everywhere
check "sbatch on two nodes" batch
check "scancel ends it on all nodes" cancelled
check "heterogeneous srun" heterogeneous
check "heterogeneous sbatch" heterogeneous_batch
check "back to one node" down
