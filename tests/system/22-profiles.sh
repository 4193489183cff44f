#!/bin/bash
# Profiles: what the administrator has named, and --container-profile.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
PROFILES=$D/etc/slxc/profiles.d

# profile NAME LINE...: for this case
profile() {
	mkdir -p "$PROFILES"
	undo "rm -f '$PROFILES/$1.conf'; rmdir '$PROFILES' 2>/dev/null"
	printf '%s\n' "${@:2}" >"$PROFILES/$1.conf"
}

three() {
	mkdir -p "$T/data"
	echo data >"$T/data/f"
	chmod -R a+rX "$T"
	profile data '# a comment' "mounts=$T/data:/data:ro" "mounts = $T/data:/more" 'env=DATA=/data' 'env = PATH=/data/bin:$PATH' ''
	profile small 'scratch=2M' 'writable=no' 'env=DATA=small'
	profile home 'mount_home=no' 'workdir=/usr'
}

works() {
	three
	contained -Q --container-profile=data bash -c 'cat /data/f /more/f; echo $DATA $PATH; touch /data/x'
	assert_match "$out" $'^data\ndata\n/data /data/bin:.*/bin'
	assert_match "$err" 'Read-only'
	contained -Q --container-profile=data,small bash -c 'cat /data/f; echo $DATA; df -k / | awk "NR == 2 {print \$2}"; touch /x'
	assert_eq "$out" $'data\nsmall\n2048'
	assert_match "$err" 'Read-only'
	contained -Q --container-profile=small --container-profile=data bash -c 'echo $DATA'
	assert_eq "$out" /data
	contained -Q --chdir=/tmp --container-profile=home bash -c 'pwd; ls -d $HOME 2>/dev/null'
	assert_eq "$out" /usr
	# the default: none
	contained -Q bash -c 'echo .$DATA.; ls -d /data 2>/dev/null'
	assert_eq "$out" ..
}

user_wins() {
	three
	contained -Q --container-profile=small --container-writable --container-scratch=3M bash -c 'touch /x && df -k / | awk "NR == 2 {print \$2}"'
	assert_eq "$out" 3072
	contained -Q --container-profile=home --container-mount-home --container-workdir=/var bash -c 'pwd; ls -d $HOME'
	assert_eq "$out" /var$'\n'"$(home_of slxc1)"
	contained -Q --container-profile=data --container-mounts=/tmp:/mine bash -c 'cat /data/f; ls -d /mine'
	assert_eq "$out" $'data\n/mine'
	ENV=(DATA=job)
	contained -Q --container-profile=data --container-env=DATA bash -c 'echo $DATA'
	assert_eq "$out" job
}

otherwise() {
	three
	ENV=(SLXC_CONTAINER_PROFILE=data)
	contained -Q cat /data/f
	assert_eq "$out" data
	ENV=()
	printf '#!/bin/bash\n#SBATCH --container-profile=data\ncat /data/f\n' >"$T/profile.sh"
	submit slxc1 -o "$T/profile.out" --container="$IMAGE" "$T/profile.sh"
	wait_job_over "$job"
	assert_eq "$(cat "$T/profile.out")" data
	run as slxc1 salloc -Q --container="$IMAGE" --container-profile=data srun cat /data/f
	assert_eq "$out" data
}

by_configuration() {
	three
	conf 'profiles=small' 'partition_profiles=other:home demo:data' 'account_profiles=none:home'
	contained -Q bash -c 'cat /data/f; echo $DATA; touch /x'
	assert_eq "$out" $'data\n/data'
	assert_match "$err" 'Read-only'
	contained -Q --container-profile=none bash -c 'touch /x && ls -d /data 2>/dev/null || echo no'
	assert_eq "$out" no
	contained -Q --container-profile=none,data bash -c 'touch /x && cat /data/f'
	assert_eq "$out" data
	conf 'profiles=missing'
	refused "slxc.conf, tell the administrator: no profile 'missing' on this cluster" --container="$IMAGE"
	conf 'partition_profiles=demo'
	refused "slxc.conf:1: partition_profiles is a list PARTITION:NAME" --container="$IMAGE"
	conf 'profiles=A'
	refused "slxc.conf:1: profiles is a list NAME" --container="$IMAGE"
}

wrong() {
	three
	run as slxc1 srun --container="$IMAGE" --container-profile=nope true
	assert_rc 1
	_one_line "$err" "no profile 'nope' on this cluster: there are "
	run as slxc1 sbatch --container="$IMAGE" --container-profile=nope --wrap true
	assert_rc 1
	_one_line "$err" "no profile 'nope'"
	run as slxc1 srun --container="$IMAGE" --container-profile=../data true
	assert_rc 1
	_one_line "$err" "is not NAME\[,NAME...\] in lower case"
	profile bad 'mounts=/a:/b' 'colour=red'
	run as slxc1 srun --container="$IMAGE" --container-profile=bad true
	assert_rc 1
	_one_line "$err" "profiles.d/bad.conf:2: unknown key 'colour'"
	profile bad 'mounts=./a:/b'
	run as slxc1 srun --container="$IMAGE" --container-profile=bad true
	_one_line "$err" "bad.conf:1: a profile's mounts have no relative paths"
	profile bad 'scratch=lots'
	run as slxc1 srun --container="$IMAGE" --container-profile=bad true
	_one_line "$err" "bad.conf:1: scratch is a size"
	profile bad 'env=1X=2'
	run as slxc1 srun --container="$IMAGE" --container-profile=bad true
	_one_line "$err" "bad.conf:1: env is NAME=VALUE"
	# one that others can write is refused on the node, where it counts
	profile bad 'scratch=2M'
	chmod 666 "$PROFILES/bad.conf"
	refused "bad.conf must be a file of root that only root can write" --container="$IMAGE" --container-profile=bad
	# a mount that the user may not have
	profile bad 'mounts=/root:/r'
	contained -Q --container-profile=bad ls /r
	assert_ne "$rc" 0
	unplugged
	ENV+=(SLURM_SLXC_OPTIONS=profile=nope)
	refused "no profile 'nope' on this cluster" --container="$IMAGE"
}

need_plugin
need_image
check "--container-profile" works
check "what the user says wins over a profile" user_wins
check "--container-profile by variable, #SBATCH, job" otherwise
check "profiles of slxc.conf" by_configuration
check "--container-profile refused" wrong
