#!/bin/bash
# What README.md says that people type now, and the examples of spank_slxc(8) and slxc.conf(5), as they stand there.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"
TOP=$LIB/..
PROFILES=$D/etc/slxc/profiles.d

# a directory /data, and a profile of that name, for this case
data() {
	[ ! -e /data ] || t_skip "this machine has a /data"
	mkdir /data
	undo "rm -rf /data"
	echo here >/data/file
	mkdir -p "$PROFILES"
	undo "rm -f '$PROFILES/data.conf'; rmdir '$PROFILES' 2>/dev/null"
	echo 'mounts=/data' >"$PROFILES/data.conf"
}

# the last cell of each row of the table
typed_now() { sed -n '/^## I used to type/,/^## When/s/^| .* | .* | `\(.*\)` |$/\1/p' "$TOP/README.md"; }
# section FILE: the literal displays of a manual's EXAMPLES
examples() { sed -n '/^\.Sh EXAMPLES/,/^\.Sh [DS]/p' "$1" | sed -n '/^\.Bd -literal/,/^\.Ed/{/^\./!p}'; }

table() {
	local command n=0
	data
	while read -r command <&3; do
		n=$((n + 1))
		case $command in
		*--pty*)
			run as slxc1 python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", sys.argv[1]])))' \
				"${command/%bash/true}"
			;;
		*) run as slxc1 bash -c "$command" ;;
		esac
		assert_rc 0
		case $command in
		*/mnt* | *' ls /data') assert_match "$out" file ;;
		*id\ -un) assert_eq "$out" root ;;
		*id\ -u) assert_eq "$out" 0 ;;
		*' pwd') assert_eq "$out" /usr ;;
		*' env') assert_match "$out" $'(^|\n)A=1\n' ;;
		*os-release) assert_match "$out" 'Debian GNU/Linux 12' ;;
		*'df /') assert_match "$out" ' 102400 ' ;;
		*net/dev) assert_eq "$(grep -c : <<<"$out")" 1 ;;
		esac
	done 3< <(typed_now)
	[ "$n" -ge 15 ] || fail "only $n rows were found"
}

# the same with pyxis's words: what is in the first column for it is also a command
pyxis_rows() {
	local n
	n=$(sed -n '/^## I used to type/,/^## When/p' "$TOP/README.md" | grep -c '^| pyxis | `srun --container-image')
	assert_eq "$n" 2
}

manual() {
	data
	examples "$TOP/doc/spank_slxc.8" >"$T/commands"
	[ "$(wc -l <"$T/commands")" -ge 4 ] || fail "no examples found"
	chmod 644 "$T/commands"
	run as slxc1 bash -e "$T/commands"
	assert_rc 0
	assert_match "$out" 'uid=0'
	assert_eq "$(grep -c '^file$' <<<"$out")" 2
}

# the example of slxc.conf(5) and its profile are right
configuration() {
	examples "$TOP/doc/slxc.conf.5" >"$T/examples"
	mkdir -p "$PROFILES"
	undo "rm -f '$PROFILES'/{data,cuda}.conf; rmdir '$PROFILES' 2>/dev/null"
	grep -E '^(mounts|env|scratch)=' "$T/examples" >"$PROFILES/data.conf"
	: >"$PROFILES/cuda.conf"
	conf "$(grep -vE '^(mounts|env|scratch)=|^$' "$T/examples")"
	run slxc config check
	assert_rc 0
	run slxc config show
	assert_match "$out" 'scratch_size=17179869184'
	assert_match "$out" 'partition_profiles=gpu:cuda,data debug:data'
}

# each option that srun shows is in the manual, and the other way round
all_options() {
	local o
	run as slxc1 srun --help
	out=$(sed -n '/^Options provided by plugins/,$p' <<<"$out")
	grep -oE -- '--(no-)?container-[a-z-]+' <<<"$out" | sort -u >"$T/help"
	[ "$(wc -l <"$T/help")" -ge 15 ] || fail "too few options"
	while read -r o; do
		grep -q -- "container-${o#*container-}" "$TOP/doc/spank_slxc.8" || fail "spank_slxc(8) does not have $o"
	done <"$T/help"
	grep -oE 'container-[a-z-]+' "$TOP/doc/spank_slxc.8" | sort -u >"$T/manual"
	while read -r o; do
		grep -q -- "--$o" "$T/help" || fail "srun --help does not have --$o"
	done <"$T/manual"
}

need_plugin
need_image
check "what people type now" table
check "what people of pyxis type" pyxis_rows
check "examples of spank_slxc(8)" manual
check "examples of slxc.conf(5)" configuration
check "spank_slxc(8) and --help agree" all_options
