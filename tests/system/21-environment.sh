#!/bin/bash
# What a task's environment is made of, where its program is found, and what runs before it: TaskProlog, the image's entrypoint.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
HOME1=$(home_of slxc1)

# import_environment [IMPORT-OPTION...]: the image env:1, bash and a few programs, with variables of its own
import_environment() {
	local f
	mkdir -p "$T/small/bin" "$T/small/own/bin" "$T/small/usr/bin"
	for f in bash cat env printenv ls; do cp -L "$(command -v $f)" "$T/small/bin/"; done
	for f in $(ldd "$T/small"/bin/* | grep -oE '/[^ :]+\.so[^ :]*' | sort -u); do
		mkdir -p "$T/small${f%/*}"
		cp -L "$f" "$T/small$f"
	done
	ln -s bash "$T/small/bin/sh"
	printf '#!/bin/sh\necho own "$@"\n' >"$T/small/own/bin/slxc-own"
	printf '#!/bin/sh\necho own hostname\n' >"$T/small/own/bin/hostname"
	chmod 755 "$T/small/own/bin"/*
	slxc import --env PATH=/own/bin:/bin --env FROM_IMAGE=image --env BOTH=image "$@" env:1 "$T/small"
	undo "slxc rm env:1 >/dev/null 2>&1"
}
in_env() { run as slxc1 srun -Q --container=env:1 "$@"; }

order() {
	import_environment
	ENV=(BOTH=job ONLY_JOB=job)
	in_env bash -c 'echo $FROM_IMAGE $BOTH $ONLY_JOB $PATH'
	assert_eq "$out" "image image job /own/bin:/bin"
	in_env --export=ALL,BOTH=export bash -c 'echo $BOTH'
	assert_eq "$out" image
	ENV=(BOTH=job)
	submit slxc1 -o "$T/order.out" --container=env:1 --wrap 'echo $FROM_IMAGE $BOTH'
	wait_job_over "$job"
	assert_eq "$(cat "$T/order.out")" "image image"
	# what Slurm sets is the job's
	in_env bash -c 'echo $SLURM_PROCID $HOME'
	assert_eq "$out" "0 $HOME1"
}

env_option() {
	local v
	import_environment
	ENV=(BOTH=job FROM_IMAGE=job)
	in_env --container-env=BOTH,NOT_SET bash -c 'echo $BOTH $FROM_IMAGE'
	assert_eq "$out" "job image"
	in_env --container-env=BOTH --container-env=FROM_IMAGE bash -c 'echo $BOTH $FROM_IMAGE'
	assert_eq "$out" "job job"
	in_env --container-env=BOT bash -c 'echo $BOTH'
	assert_eq "$out" image
	for v in SLXC PYXIS; do
		ENV=(BOTH=job "${v}_CONTAINER_ENV=BOTH")
		in_env bash -c 'echo $BOTH'
		assert_eq "$out" job
	done
	ENV=(BOTH=job)
	printf '#!/bin/bash\n#SBATCH --container-env=BOTH\necho $BOTH\n' >"$T/env.sh"
	submit slxc1 -o "$T/env.out" --container=env:1 "$T/env.sh"
	wait_job_over "$job"
	assert_eq "$(cat "$T/env.out")" job
	# not set in the job: the image's
	ENV=()
	in_env --container-env=BOTH bash -c 'echo $BOTH'
	assert_eq "$out" image
	run as slxc1 srun --container=env:1 --container-env=A,,B true
	assert_rc 1
	_one_line "$err" "--container-env=A,,B is not NAME"
	run as slxc1 srun --container=env:1 --container-env=A-B true
	assert_rc 1
	_one_line "$err" "'A-B' is not the name of a variable"
}

# a bare name: the container's PATH, not the host's
lookup() {
	import_environment
	in_env slxc-own a b
	assert_eq "$out" "own a b"
	in_env hostname # on the host it is /usr/bin/hostname
	assert_eq "$out" "own hostname"
	in_env -n3 hostname
	assert_eq "$(sort -u <<<"$out")" "own hostname"
	ENV=(PATH=/nowhere:"$D/usr/bin":/usr/bin:/bin)
	in_env --container-env=PATH bash -c 'echo $PATH'
	assert_match "$out" ^/nowhere
	ENV=()
	# a path stays one; a relative one is the working directory's
	printf '#!/bin/bash\necho relative\n' | put relative.sh
	in_env /bin/ls -d /own
	assert_eq "$out" /own
	in_env ./relative.sh
	assert_eq "$out" relative
	rm "$HOME1/relative.sh"
	# in neither: Slurm's own words, as without a container
	in_env no-such-command
	contained_err=$err contained_rc=$rc
	run as slxc1 srun -Q no-such-command
	assert_eq "$contained_rc" "$rc"
	assert_match "$contained_err" 'no-such-command: No such file or directory'
}

# TaskProlog of slurm.conf is a file of the host
task_prolog() {
	undo "cluster_restart_slurmctld; cluster_restart_slurmd"
	keep "$SLURM_CONF"
	printf '#!/bin/bash\necho export FROM_PROLOG=$SLURM_PROCID\necho export BOTH=prolog\necho print printed\necho unset GONE\n' >"$D/etc/task-prolog"
	chmod 755 "$D/etc/task-prolog"
	undo "rm '$D/etc/task-prolog'"
	echo "TaskProlog=$D/etc/task-prolog" >>"$SLURM_CONF"
	cluster_restart_slurmctld
	cluster_restart_slurmd
	ENV=(GONE=here BOTH=job)
	same_bare_and_contained -Q -- bash -c 'echo $FROM_PROLOG $BOTH $GONE.'
	assert_match "$out" '0 prolog \.'
	assert_match "$out" printed
	contained -Q -n2 bash -c 'echo $FROM_PROLOG'
	assert_eq "$(grep -v printed <<<"$out" | sort)" $'0\n1'
	import_environment
	in_env bash -c 'echo $BOTH'
	assert_match "$out" prolog
	# the user's own, from the home directory
	echo 'echo export USERS=own' | { echo '#!/bin/bash'; cat; } | put task-prolog
	contained -Q --task-prolog="$HOME1/task-prolog" bash -c 'echo $USERS $FROM_PROLOG'
	assert_match "$out" 'own 0'
	rm "$HOME1/task-prolog"
}

# ---- the entrypoint

# with_entrypoint: env:1 has /entry, which sets a variable, prints, and runs its arguments
with_entrypoint() {
	mkdir -p "$T/small"
	printf '#!/bin/sh\necho entry on 1\necho entry on 2 >&2\nexport FROM_ENTRY="a b"\n[ -z "$FAIL" ] || exit 3\nexec "$@"\n' >"$T/small/entry"
	chmod 755 "$T/small/entry"
	import_environment --entrypoint /entry
}

entrypoint() {
	local v
	with_entrypoint
	in_env bash -c 'echo .$FROM_ENTRY.'
	assert_eq "$out" ..
	in_env --container-entrypoint bash -c 'echo .$FROM_ENTRY. $BOTH'
	assert_eq "$out" ".a b. image"
	assert_no_match "$err" "entry on"
	in_env --container-entrypoint --container-entrypoint-log bash -c 'echo .$FROM_ENTRY.'
	assert_eq "$out" ".a b."
	assert_match "$err" "entry on 1"
	assert_match "$err" "entry on 2"
	in_env --container-entrypoint -n3 bash -c 'echo .$FROM_ENTRY.'
	assert_eq "$(sort -u <<<"$out")" ".a b."
	# the program is still the task
	in_env --container-entrypoint bash -c 'kill -TERM $$'
	assert_match "$err" 'Terminated'
	for v in SLXC PYXIS; do
		ENV=("${v}_CONTAINER_ENTRYPOINT=1")
		in_env bash -c 'echo .$FROM_ENTRY.'
		assert_eq "$out" ".a b."
		in_env --no-container-entrypoint bash -c 'echo .$FROM_ENTRY.'
		assert_eq "$out" ..
	done
	ENV=()
	printf '#!/bin/bash\n#SBATCH --container-entrypoint\necho .$FROM_ENTRY.\n' >"$T/entry.sh"
	submit slxc1 -o "$T/entry.out" --container=env:1 "$T/entry.sh"
	wait_job_over "$job"
	assert_eq "$(cat "$T/entry.out")" ".a b."
	# an image that has none
	run as slxc1 srun -Q --container="$IMAGE" --container-entrypoint echo here
	assert_eq "$out" here
}

entrypoint_refused() {
	with_entrypoint
	ENV=(FAIL=yes)
	refused "the image's entrypoint /entry ended with status 3: --container-entrypoint-log shows what it says" --container=env:1 --container-entrypoint
	ENV=()
	run as slxc1 srun --container=env:1 --container-entrypoint --no-container-entrypoint true
	assert_rc 1
	_one_line "$err" "--container-entrypoint and --no-container-entrypoint contradict each other"
	ENV=(PYXIS_CONTAINER_ENTRYPOINT=maybe)
	run as slxc1 srun --container=env:1 true
	assert_rc 1
	_one_line "$err" "PYXIS_CONTAINER_ENTRYPOINT is yes or no, not 'maybe'"
}

need_plugin
need_image
check "the image's environment and the job's" order
check "--container-env" env_option
check "the program is the container's" lookup
check "TaskProlog" task_prolog
check "--container-entrypoint" entrypoint
check "--container-entrypoint refused" entrypoint_refused
