#!/bin/bash
# --container is Slurm's own option: what it means on each way in, what is inherited, what is recorded.
# shellcheck disable=SC2016,SC2119,SC2120
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
H=$(home_of slxc1)
B=slxc-test:b # the same image with one file more
need_all() { need_plugin; need_image; slxc images | grep -qw "$B" || t_skip "image $B could not be made"; }

# where a program runs: in the image ("a"), in the second one ("b") or on the host
WHERE='[ "$(cat /proc/1/comm)" = slxc-init ] || { echo host; exit; }; [ -e /etc/image-b ] && echo b || echo a'
where() { run as slxc1 srun "$@" /bin/sh -c "$WHERE"; assert_rc 0; }

# make_image TAR: debian:12 and one file, as $B
make_image() {
	local tar=${SLXC_DEMO_IMAGE:-$D/cache/debian-12.tar}
	cp "$tar" "$LOGS/b.tar"
	mkdir -p "$LOGS/b/etc"
	touch "$LOGS/b/etc/image-b"
	tar -C "$LOGS/b" --owner=0 --group=0 -rf "$LOGS/b.tar" ./etc/image-b
	slxc import "$B" "$LOGS/b.tar"
	rm -r "$LOGS/b.tar" "$LOGS/b"
}

# Slurm's commands with their libraries in slxc1's home, for images that have none: $H/slurm/srun
pack_slurm() {
	local p plugins s=$T/slurm
	plugins=$(scontrol show config | sed -n 's/^PluginDir *= *//p')
	mkdir -p "$s/lib" "$s/bin"
	cp -L "$(command -v srun)" "$(command -v sbatch)" "$s/bin"
	cp -rL "$plugins" "$s/plugins"
	# and what the plugins need that these commands load; http_parser_* is Slurm 26.05's
	find "$s/bin" "$s/plugins" -path '*/bin/*' -o -name auth_munge.so -o -name select_cons_tres.so -o -name 'http_parser_*.so' | xargs ldd | grep -oE '/[^ :)]+' | grep -v "^$s" | sort -u |
		while read -r p; do cp -L "$p" "$s/lib/"; done
	for p in srun sbatch; do
		printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$H/slurm/lib/$(basename "$s"/lib/ld-*)" "$H/slurm/lib" "$H/slurm/bin/$p" >"$s/$p"
		chmod 755 "$s/$p"
	done
	# what an image with Slurm would have
	cat >"$s/prepare" <<-C
		mkdir -p $(dirname "$plugins")
		ln -sfn $H/slurm/plugins $plugins
		grep -q ^slurm: /etc/passwd || echo slurm:x:$(id -u slurm):$(id -g slurm)::/:/bin/sh >>/etc/passwd
	C
	rm -rf "$H/slurm"
	cp -r "$s" "$H/slurm"
	rm -r "$s"
}

# in a batch job: $D is its working directory, so munge's socket and the configuration are inside
INNER=". $H/slurm/prepare; cd; export PATH=$H/slurm:\$PATH"

# the accounting hears of things a little later
sacct_is() { [ "$(sacct -n -P -j "$1" -o JobID,Container | paste -sd' ')" = "$2" ]; }

recorded() {
	local batch bare
	need_all
	submit slxc1 --container=$IMAGE -o /dev/null --wrap true
	wait_job_over "$job"
	assert_eq "$(job_field "$job" Container)" $IMAGE "scontrol show job"
	batch=$job
	run as slxc1 srun true
	bare=$(last_job slxc1)
	contained true
	job=$(last_job slxc1)
	assert_eq "$(step_records "$job" | wc -l)" 1
	assert_match "$(step_records "$job")" "\"image\": *\"$IMAGE\""
	wait_for 15 sacct_is "$batch" "$batch|$IMAGE $batch.batch|$IMAGE"
	wait_for 15 sacct_is "$job" "$job|$IMAGE $job.0|$IMAGE"
	wait_for 15 sacct_is "$bare" "$bare| $bare.0|"
}

while_running() {
	need_all
	mkfifo -m 666 "$T/fifo"
	spawn slxc1 srun --container=$IMAGE --chdir="$T" sh -c 'read x <fifo'
	wait_for 10 eval '[ -n "$(squeue -h -s -u slxc1)" ]'
	job=$(last_job slxc1)
	assert_match "$(scontrol show step "$job.0")" "Container=$IMAGE"
	echo go >"$T/fifo"
	reap "$pid"
	assert_rc 0
}

none() {
	need_all
	where --container=none
	assert_eq "$out" host
	where --container=$IMAGE
	assert_eq "$out" a
	where --container=$B
	assert_eq "$out" b
	run as slxc1 salloc --container=$IMAGE srun --container=none sh -c "$WHERE"
	assert_eq "$out" host
}

environment_variables() {
	need_all
	ENV=("SRUN_CONTAINER=$B")
	where
	assert_eq "$out" b
	where --container=$IMAGE
	assert_eq "$out" a
	ENV=("SBATCH_CONTAINER=$B")
	submit slxc1 -o where.out --wrap "$WHERE"
	wait_job_over "$job"
	assert_eq "$(cat "$H/where.out") $(job_field "$job" Container)" "b $B"
	rm "$H/where.out"
}

# what an outer step asked for is no wish of a new job
stale_environment() {
	need_all
	ENV=("SLURM_CONTAINER=$B")
	submit slxc1 -o where.out --wrap "$WHERE"
	wait_job_over "$job"
	assert_eq "$(cat "$H/where.out")/$(job_field "$job" Container)" host/ "sbatch"
	submit slxc1 -o where.out --container=$IMAGE --wrap "$WHERE"
	wait_job_over "$job"
	assert_eq "$(cat "$H/where.out")/$(job_field "$job" Container)" "a/$IMAGE" "sbatch --container"
	where --container=$IMAGE
	assert_eq "$out" a
	rm "$H/where.out"
}

exported_environment() {
	local e
	need_all
	for e in NONE NIL WORD=x ALL,WORD=x; do
		where --export=$e --container=$B
		assert_eq "$out" b "srun --export=$e"
	done
	for e in NONE WORD=x; do
		submit slxc1 --export=$e --container=$B -o where.%j --wrap "$WHERE"
		wait_job_over "$job"
		assert_eq "$(cat "$H/where.$job")" b "sbatch --export=$e"
	done
	rm "$H"/where.*
}

in_allocation() {
	need_all
	run as slxc1 salloc --container=$IMAGE bash -c "srun sh -c '$WHERE'; srun --container=$B sh -c '$WHERE'; srun --container=none sh -c '$WHERE'"
	assert_rc 0
	assert_eq "$out" $'a\nb\nhost'
	job=$(last_job slxc1)
	wait_for 15 sacct_is "$job" "$job|$IMAGE $job.0|$IMAGE $job.1|$B $job.2|none"
}

# srun and sbatch in a contained batch script
inner_srun() {
	need_all
	pack_slurm
	put inner.sh <<-C
		#!/bin/bash
		$INNER
		$WHERE
		srun -Q sh -c '$WHERE'
		srun -Q --container=$B sh -c '$WHERE'
		srun -Q --container=none sh -c '$WHERE'
		srun -Q --export=NONE --container=$B /bin/sh -c '$WHERE'
		sbatch --parsable -o inner.sbatch --wrap '$WHERE'
	C
	submit slxc1 --container=$IMAGE --chdir="$D" -n1 -o "$H/inner.out" "$H/inner.sh"
	wait_job_over "$job"
	cat "$H/inner.out"
	assert_eq "$(head -n 5 "$H/inner.out")" $'a\na\nb\nhost\nb'
	wait_job_over "$(tail -n 1 "$H/inner.out")"
	assert_eq "$(cat "$H/inner.sbatch")" host "sbatch in a contained script"
	wait_for 15 sacct_is "$job" "$job|$IMAGE $job.batch|$IMAGE $job.0|$IMAGE $job.1|$B $job.2|none $job.3|$B"
	rm "$H"/inner.*
}

# one environment goes to all components, so this cannot be had: refused before anything is queued, not guessed.
# What runs needs several nodes: 90-nodes
heterogeneous_refused() {
	need_all
	run as slxc1 srun --container=$IMAGE sh -c "$WHERE" : --container=$B sh -c "$WHERE"
	assert_slxc_error 'components .* different containers'
	run as slxc1 srun sh -c "$WHERE" : --container=$IMAGE sh -c "$WHERE"
	assert_slxc_error 'components .* different containers'
}

rest() {
	need_all
	[ -x /usr/sbin/slurmrestd ] || t_skip "no slurmrestd here"
	[ -d "$H/slurm" ] || pack_slurm
	spawn slxc1 /usr/sbin/slurmrestd -a rest_auth/local "unix:$H/rest.socket"
	wait_for 10 test -S "$H/rest.socket"
	put rest.sh <<-C
		#!/bin/bash
		$INNER
		$WHERE
		srun -Q sh -c '$WHERE'
		srun -Q --container=$B sh -c '$WHERE'
	C
	ENV=(REST_CWD="$D")
	run as slxc1 python3 - "$H/rest.socket" $IMAGE "$H/rest.sh" "$H/rest.out" <"$LIB/programs/rest-submit.py"
	assert_rc 0
	job=$out
	wait_job_over "$job"
	cat "$H/rest.out"
	assert_eq "$(cat "$H/rest.out")" $'a\na\nb'
	wait_for 15 sacct_is "$job" "$job|$IMAGE $job.batch|$IMAGE $job.0|$IMAGE $job.1|$B"
	# no container asked for: none
	printf '#!/bin/sh\n%s\n' "$WHERE" | put rest.sh
	run as slxc1 python3 - "$H/rest.socket" "" "$H/rest.sh" "$H/rest.out" <"$LIB/programs/rest-submit.py"
	assert_rc 0
	wait_job_over "$out"
	assert_eq "$(cat "$H/rest.out")" host
	kill "$pid"
	reap "$pid"
	rm "$H"/rest.*
}

make_image >"$LOGS/import" 2>&1
check "recorded by scontrol, sacct and slxc" recorded
check "recorded while it runs" while_running
check "--container=none, another image" none
check "SRUN_CONTAINER, SBATCH_CONTAINER" environment_variables
check "an inherited SLURM_CONTAINER" stale_environment
check "--export" exported_environment
check "srun below salloc --container" in_allocation
check "srun and sbatch in a contained batch script" inner_srun
check "heterogeneous srun with different containers" heterogeneous_refused
check "a job from slurmrestd" rest
slxc rm "$B" >>"$LOGS/import" 2>&1
rm -rf "$H/slurm"
