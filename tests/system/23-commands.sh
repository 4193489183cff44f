#!/bin/bash
# slxc inspect, ps, config, doctor, completion.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
PROFILES=$D/etc/slxc/profiles.d

profile() {
	mkdir -p "$PROFILES"
	undo "rm -f '$PROFILES/$1.conf'; rmdir '$PROFILES' 2>/dev/null"
	printf '%s\n' "${@:2}" >"$PROFILES/$1.conf"
}

show() {
	conf 'scratch_size=2G' 'mount_tmp=no' 'partition_profiles=demo:data'
	run as slxc1 slxc config show
	assert_rc 0
	assert_match "$out" $'(^|\n)scratch_size=2147483648\n'
	assert_match "$out" $'\nmount_tmp=no\n'
	assert_match "$out" $'\npartition_profiles=demo:data\n'
	assert_match "$out" "store=$STORE"
	# what it prints is a configuration with the same values
	slxc config show >"$T/shown"
	conf "$(cat "$T/shown")"
	slxc config show | diff "$T/shown" -
	run slxc config show --json
	assert_rc 0
	assert_eq "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["mount_tmp"])' <<<"$out")" no
	# every key that slxc.conf(5) has
	grep -oP '^#\K[a-z_]+(?==)' "$D/src/conf/slxc.conf.in" | while read -r key; do grep -q "^$key=" "$T/shown" || fail "no $key"; done
}

check_right() {
	run as slxc1 slxc config check
	assert_rc 0
	assert_eq "$out" "$CONF: right"
	profile data 'mounts=/data:/data'
	profile other 'scratch=1G'
	conf 'profiles=data'
	run as slxc1 slxc config check
	assert_rc 0
	assert_eq "$out" "$CONF: right"$'\n'"$PROFILES/data.conf: right"$'\n'"$PROFILES/other.conf: right"
}

check_wrong() {
	conf 'mount_tmp=no' 'mount_tmpp=no'
	run as slxc1 slxc config check
	assert_rc 1
	assert_eq "$out" "$CONF:2: unknown key 'mount_tmpp'"
	assert_eq "$err" "slxc: 1 of 1 configuration files are wrong"
	run slxc config show
	assert_rc 1
	assert_eq "$err" "slxc: $CONF:2: unknown key 'mount_tmpp'"
	conf 'account_profiles=lab:missing'
	run slxc config check
	assert_rc 1
	assert_match "$out" "$CONF: no profile 'missing' on this cluster: there are none"
	profile bad '' 'scratch=much'
	profile Upper 'scratch=1G'
	conf
	run slxc config check
	assert_rc 1
	assert_match "$out" "bad.conf:2: scratch is a size of at least 64K"
	assert_match "$out" "Upper.conf: the name of a profile is lower case letters"
	assert_eq "$err" "slxc: 2 of 3 configuration files are wrong"
}

wrong_usage() {
	local words
	for words in "" "list" "check show" "check --json" "show --nope"; do
		# shellcheck disable=SC2086
		run slxc config $words
		assert_rc 2
		assert_match "$err" '^slxc: '
	done
	run slxc config --help
	assert_rc 0
	assert_match "$out" '^Usage: slxc config check \| show'
}

inspect() {
	import_small show:1 --env 'A=a b' --env B=2 --entrypoint /entry --entrypoint two --workdir /work --owner slxc1
	run as slxc1 slxc inspect show:1
	assert_rc 0
	assert_match "$out" $'(^|\n)name +show:1\n'
	assert_match "$out" $'\ndigest +sha256:[0-9a-f]{64}\n'
	assert_match "$out" $'\nlayers +sha256-[0-9a-f]{64}\n'
	assert_match "$out" $'\nentrypoint +/entry\n +two\n'
	assert_match "$out" $'\nworkdir +/work\n'
	assert_match "$out" $'\nenv +A=a b\n +B=2'
	run as slxc1 slxc inspect --json show:1
	assert_eq "$(python3 -c 'import json, sys; i = json.load(sys.stdin); print(i["name"], i["env"], i["entrypoint"], len(i["layers"]))' <<<"$out")" \
		"show:1 ['A=a b', 'B=2'] ['/entry', 'two'] 1"
	run slxc inspect no:such
	assert_rc 1
	assert_match "$err" "^slxc: no image 'no:such' on this cluster"
	run slxc inspect ../x
	assert_rc 1
	assert_match "$err" "image name '../x' is not valid"
	import_small show:2 --private --owner slxc2
	run as slxc1 slxc inspect show:2
	assert_rc 1
	assert_match "$err" "is private"
	run slxc inspect
	assert_rc 2
	assert_match "$err" "slxc: inspect takes one NAME or DIGEST"
}

ps_command() {
	run as slxc1 slxc ps
	assert_eq "$(wc -l <<<"$out")" 1 "lines without a container"
	start_step slxc1 -- 'sleep 30'
	run as slxc2 slxc ps
	assert_rc 0
	assert_match "$out" "^STEP +USER +SINCE +READY +IMAGE"
	assert_match "$out" "$step +slxc1 +20[0-9-]+T[0-9:]+Z +[0-9]+ ms +$IMAGE"
	run slxc ps --json "$job"
	assert_eq "$(python3 -c 'import json, sys; r, = json.load(sys.stdin); print(r["job"], r["step"], r["user"], r["image"], r["init"] > 1)' <<<"$out")" \
		"$job 0 slxc1 $IMAGE True"
	run slxc ps --json 4294967295
	assert_eq "$out" "[]"
	scancel "$job"
	reap "$pid"
	wait_for 10 bash -c '[ "$(slxc ps | wc -l)" = 1 ]'
	run slxc ps x
	assert_rc 2
	assert_match "$err" "slxc: ps takes one JOB at most"
}

# finding WHAT: its verdict and text
finding() { slxc doctor --json | python3 -c 'import json, sys; print(*[f["verdict"] + ": " + f["text"] for f in json.load(sys.stdin) if f["check"] == sys.argv[1]])' "$1"; }

doctor() {
	run slxc doctor
	assert_rc 0
	assert_no_match "$out" '(FAILED|WARNING)'
	run as slxc1 slxc doctor
	assert_rc 0
	assert_eq "$(grep -c '^ok ' <<<"$out")" 9
	assert_match "$(finding Slurm)" 'ok: .*/plugstack.conf loads the plugin'
}

doctor_fails() {
	conf 'colour=red'
	run slxc doctor
	assert_rc 1
	assert_match "$out" "FAILED +configuration +$CONF:1: unknown key 'colour'; 'slxc config check' says it of every file"
	assert_eq "$err" "slxc: 2 of 9 checks have failed"
	conf 'store=/no/such/store'
	assert_match "$(finding store)" "failed: .*/no/such/store.*correct store= in slxc.conf"
	conf
	keep "$LIBEXEC/slxc-worker"
	rm "$LIBEXEC/slxc-worker"
	assert_match "$(finding programs)" "failed: .*/slxc-worker is missing or not executable: install slxc again"
	keep "$D/etc/plugstack.conf"
	echo >"$D/etc/plugstack.conf"
	assert_match "$(finding Slurm)" "failed: $D/etc/plugstack.conf does not load the plugin: add the line 'required .../spank_slxc.so'"
	undo "rm -f '$D/etc/oci.conf'"
	: >"$D/etc/oci.conf"
	assert_match "$(finding Slurm)" "failed: with $D/etc/oci.conf Slurm runs --container itself: remove it"
	rm "$D/etc/oci.conf"
	ENV=(SLURM_CONF=/no/such)
	run as slxc1 slxc doctor
	assert_match "$out" "WARNING +Slurm +slurmctld does not answer"
	ENV=()
	run slxc doctor now
	assert_rc 2
}

# completed WORD...: what bash offers for the last word
completed() {
	bash -c 'source <(slxc completion bash); COMP_WORDS=(slxc "$@"); COMP_CWORD=$#; _slxc; printf "%s\n" "${COMPREPLY[@]}"' _ "$@" | sort
}

completion() {
	assert_eq "$(completed co | tr '\n' ' ')" "completion config "
	assert_match "$(completed '')" $'(^|\n)import\n'
	assert_eq "$(completed config sh)" show
	assert_eq "$(completed images --js)" --json
	assert_eq "$(completed rm debian)" "$IMAGE"
	assert_eq "$(completed --store /x conf)" config
	run slxc completion fish
	assert_rc 2
	assert_match "$err" "slxc: completion takes bash or zsh"
}

completion_zsh() {
	command -v zsh || t_skip "no zsh here"
	slxc completion zsh >"$T/zsh"
	zsh -n "$T/zsh"
	# compadd and compdef are there only inside of zsh's line editor
	run zsh -c "compdef() { :; }; compadd() { shift; print -l -- \$@; }; source $T/zsh; CURRENT=2; _slxc"
	assert_match "$out" $'(^|\n)import\n'
	run zsh -c "compdef() { :; }; compadd() { shift; print -l -- \$@; }; source $T/zsh; CURRENT=3 PREFIX=--; words=(slxc images); _slxc"
	assert_match "$out" '--json'
	run zsh -c "compdef() { :; }; compadd() { shift; print -l -- \$@; }; source $T/zsh; CURRENT=3; words=(slxc rm); _slxc"
	assert_match "$out" "$IMAGE"
}

need_plugin
check "slxc inspect" inspect
check "slxc ps" ps_command
check "slxc doctor" doctor
check "slxc doctor: failures" doctor_fails
check "slxc completion bash" completion
check "slxc completion zsh" completion_zsh
check "slxc config show" show
check "slxc config check: right" check_right
check "slxc config check: wrong" check_wrong
check "slxc config: wrong usage" wrong_usage
