#!/bin/bash
# slxc's own programs are missing, crash or hang, or the kernel refuses: the step runs nothing, its user reads why.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

helper_missing() {
	keep "$LIBEXEC/slxc-step"
	rm "$LIBEXEC/slxc-step"
	refused_everywhere "the container cannot be started on this node, tell its administrator: start $LIBEXEC/slxc-step: No such file"
}

helper_not_executable() {
	keep "$LIBEXEC/slxc-step"
	chmod 644 "$LIBEXEC/slxc-step"
	refused_everywhere "the container cannot be started on this node, tell its administrator: start $LIBEXEC/slxc-step: Permission denied"
}

helper_not_a_program() {
	replace_program slxc-step <<<'neither a script nor ELF'
	refused "tell its administrator: start $LIBEXEC/slxc-step: Exec format error" --container="$IMAGE"
}

helper_exits() {
	local line="the container's helper ended early: try again, and if it stays tell the node's administrator" script
	for script in 'exit 0' 'exit 7' 'kill -SEGV $$' 'kill -KILL $$'; do
		replace_program slxc-step <<<$'#!/bin/sh\n'"$script"
		refused "$line" --container="$IMAGE"
	done
	refused_everywhere "$line"
}

helper_talks_nonsense() {
	local text
	for text in 'READY\0' 'READY\0env=A=1\0' 'READY' '\0\0\0' 'ERROR\0' 'HELLO\0' 'x\0no-equals-sign\0'; do
		replace_program slxc-step <<-S
			#!/bin/bash
			[ "\$1" = step ] || exit 0
			printf '$text' >&3
		S
		refused "the container's helper" --container="$IMAGE"
	done
}

# neither a helper that never detaches nor one that says nothing keeps a step waiting longer than start_timeout and a grace of 10 s
helper_hangs() {
	conf start_timeout=1
	replace_program slxc-step <<-'S'
		#!/bin/bash
		[ "$1" = step ] || exit 0
		exec -a slxc-hang sleep 40
	S
	refused "the container's helper does not answer: tell the node's administrator" --container="$IMAGE"
}

worker_missing() {
	keep "$LIBEXEC/slxc-worker"
	rm "$LIBEXEC/slxc-worker"
	refused_everywhere "the container cannot be started on this node, tell its administrator: start $LIBEXEC/slxc-worker: No such file"
}

worker_crashes() {
	local script
	for script in 'exit 0' 'exit 1' 'kill -SEGV $$' 'kill -KILL $$' 'head -c 100000 /dev/urandom >&3'; do
		replace_program slxc-worker <<<$'#!/bin/sh\n'"$script"
		refused "the container's monitor ended before the container was up" --container="$IMAGE"
	done
	refused_batch "the container's monitor ended before the container was up" --container="$IMAGE"
}

# what the worker says is the user's: it is cut, cleaned and shown, and never believed
worker_lies() {
	printf 'ERROR\0text=\e[31mred\nslxc: a second line\0' >"$T/message"
	replace_program slxc-worker <<<$'#!/bin/sh\n'"exec cat $T/message >&3"
	refused '.\[31mred.slxc: a second line' --container="$IMAGE"
	replace_program slxc-worker <<-'S'
		#!/bin/bash
		printf 'UP\0' >&3
		printf 'READY\0' >&3
		exec sleep 0.2
	S
	refused "the container's monitor ended before the container was up" --container="$IMAGE"
}

worker_hangs() {
	conf start_timeout=1
	replace_program slxc-worker <<<$'#!/bin/sh\nexec sleep 1000'
	refused_everywhere "the container was not up after 1 seconds"
}

init_missing() {
	keep "$LIBEXEC/slxc-init"
	rm "$LIBEXEC/slxc-init"
	refused_everywhere "slxc-init"
}

init_crashes() {
	local script
	conf start_timeout=2
	for script in 'exit 0' 'kill -SEGV $$'; do
		replace_program slxc-init <<<$'#!/bin/sh\n'"$script"
		refused "the container" --container="$IMAGE"
	done
	# not a program: LXC cannot start it
	replace_program slxc-init <<<'no program'
	refused "the container" --container="$IMAGE"
}

init_hangs() {
	conf start_timeout=1
	replace_program slxc-init <<<$'#!/bin/sh\nexec sleep 1000'
	refused "the container was not up after 1 seconds" --container="$IMAGE"
}

# after it was up, and before the tasks are: srun must not hang, the tasks must not run elsewhere
init_ends_soon() {
	local i
	replace_program slxc-init <"$(compile brief_init -static)"
	for i in {1..24}; do
		forget_marks
		run as slxc1 timeout 20 srun --container="$IMAGE" -n3 bash -c "sleep 1; $(probe)"
		assert_ne "$rc" 124 "exit status of a srun that hung"
		# where fork() itself fails, Slurm 22.05 says so and exits with 0
		[ "$rc" != 0 ] || assert_match "$err" 'child fork: Cannot allocate memory|task [0-9]+ launch failed'
		no_task_ran
	done
	for i in {1..8}; do
		submit slxc1 --container="$IMAGE" -o /dev/null --wrap "sleep 1; $(probe)"
		wait_job_over "$job"
		no_task_ran
		assert_eq "$(job_state "$job")" FAILED
		assert_eq "$(job_field "$job" Restarts)" 0 restarts
	done
	wait_for 10 node_is_idle_not_drained
}

# kernel REFUSAL...: such system calls of slxc-step, and of all that it starts, fail
kernel() {
	local deny
	deny=$(compile deny)
	replace_program slxc-step <<-S
		#!/bin/bash
		exec $deny $* -- $T/real/slxc-step "\$@"
	S
}

# 38 ENOSYS, 22 EINVAL, 28 ENOSPC, 1 EPERM, 19 ENODEV
kernel_too_old() {
	kernel mount_setattr=38
	refused_everywhere 'needs Linux 5.19'
	kernel mount_setattr=22
	refused 'needs Linux 5.19' --container="$IMAGE"
	kernel open_tree=38
	refused 'Function not implemented' --container="$IMAGE"
	kernel pidfd_open=38
	refused 'Function not implemented' --container="$IMAGE"
	# without pidfds (Linux 5.3) slurmstepd cannot wait until its supervisor has left the job's cgroups
	wait_for 5 node_is_idle_not_drained
	job=$(last_job slxc1)
	slurm_cgroups_left
}

# CLONE_NEWUSER
no_user_namespaces() {
	kernel clone:0x10000000=28 unshare:0x10000000=28
	refused_everywhere 'user namespace .is user.max_user_namespaces 0..: No space left'
	kernel clone:0x10000000=1 unshare:0x10000000=1
	refused 'user namespace' --container="$IMAGE"
}

no_erofs() {
	# a layer that the node has not mounted yet
	import_small fresh:1
	kernel mount=19
	refused "No such device" --container=fresh:1
}

# "optional" in plugstack.conf makes no step run on the host
plugin_optional() {
	keep "$D/etc/plugstack.conf"
	sed -i 's/^required/optional/' "$D/etc/plugstack.conf"
	grep -q ^optional "$D/etc/plugstack.conf"
	refused "no image 'no/such:1'" --container=no/such:1
	refused_batch "no image 'no/such:1'" --container=no/such:1
	keep "$LIBEXEC/slxc-step"
	rm "$LIBEXEC/slxc-step"
	refused_everywhere "start $LIBEXEC/slxc-step: No such file"
}

need_plugin
need_image
check "helper missing" helper_missing
check "helper not executable" helper_not_executable
check "helper not a program" helper_not_a_program
check "helper that exits" helper_exits
check "helper that talks nonsense" helper_talks_nonsense
check "helper that hangs" helper_hangs
check "worker missing" worker_missing
check "worker that crashes" worker_crashes
check "worker that lies" worker_lies
check "worker that hangs" worker_hangs
check "init missing" init_missing
check "init that crashes" init_crashes
check "init that hangs" init_hangs
check "init that ends soon" init_ends_soon
check "kernel too old" kernel_too_old
check "no user namespaces" no_user_namespaces
check "file system that cannot be mounted" no_erofs
check "plugin loaded as optional" plugin_optional
check "afterwards all is well" not_refused
