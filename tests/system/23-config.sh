#!/bin/bash
# slxc config: what it says of a right and of a wrong configuration.
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

need_plugin
check "slxc config show" show
check "slxc config check: right" check_right
check "slxc config check: wrong" check_wrong
check "slxc config: wrong usage" wrong_usage
