#!/bin/sh
# Looks at what was built: hardened as configure.ac wants it, exporting and linking no more than the design allows.
set -eu
helper=../helper plugin=../plugin/.libs/spank_slxc.so failed=0

command -v readelf >/dev/null || { echo "readelf is missing: install binutils"; exit 77; }
if nm -D "$plugin" 2>/dev/null | grep -q '__asan_init'; then
	echo "a build with sanitizers is not hardened"
	exit 77
fi

# wrong FILE WHAT
wrong() {
	echo "FAIL $1: $2"
	failed=1
}

# has FILE WHAT PATTERN READELF-OPTION...
has() {
	file=$1 what=$2 pattern=$3
	shift 3
	LC_ALL=C readelf -W "$@" "$file" | grep -qE "$pattern" || wrong "$file" "$what"
}

# needs FILE LIBRARY...: links these (regular expressions), and nothing else
needs() {
	file=$1
	shift
	LC_ALL=C readelf -Wd "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
		allowed=
		for l; do
			if printf '%s\n' "$library" | grep -qxE "$l"; then allowed=1; fi
		done
		[ -n "$allowed" ] || echo "$library"
	done >hardening.needs
	[ ! -s hardening.needs ] || wrong "$file" "links $(tr '\n' ' ' <hardening.needs)"
	rm -f hardening.needs
}

everywhere() {
	has "$1" "no RELRO segment" GNU_RELRO -l
	has "$1" "the stack is executable, or does not say" 'GNU_STACK .* RW +0x' -l
	if LC_ALL=C readelf -Wl "$1" | grep -qE 'LOAD .* RWE '; then wrong "$1" "a segment is writable and executable"; fi
	if LC_ALL=C readelf -Wd "$1" | grep -qE 'RPATH|RUNPATH'; then wrong "$1" "has a run path"; fi
	if LC_ALL=C readelf -Wd "$1" | grep -q TEXTREL; then wrong "$1" "has text relocations"; fi
}

libc='libc\.so\.6|ld-linux.*\.so\.[0-9]+|ld64\.so\.[0-9]+'

for program in slxc slxc-step slxc-worker slxc-init slxc-seccomp; do
	file=$helper/$program
	# libtool may have put a script in its place
	[ ! -f "$helper/.libs/$program" ] || file=$helper/.libs/$program
	everywhere "$file"
	has "$file" "is no position independent executable" 'Type: +DYN' -h
	has "$file" "no PIE flag" 'FLAGS_1.* PIE' -d
	has "$file" "not bound at start (full RELRO)" 'BIND_NOW|FLAGS_1.* NOW' -d
	has "$file" "no stack protector" '__stack_chk_fail' -s
done
everywhere "$plugin"
has "$plugin" "not bound when loaded (full RELRO)" 'BIND_NOW|FLAGS_1.* NOW' -d
has "$plugin" "no stack protector" '__stack_chk_fail' -s

needs "$plugin" "$libc"
needs "$helper/slxc-step" "$libc"
needs "$helper/slxc-init"
if LC_ALL=C readelf -Wl "$helper/slxc-init" | grep -q INTERP; then wrong slxc-init "wants an interpreter: the image may have none"; fi

# what Slurm looks up, and nothing that could stand for a symbol of slurmstepd's
exported=$(nm -D --defined-only "$plugin" | awk '{print $3}' | grep -vxE 'plugin_name|plugin_type|plugin_version|spank_plugin_version|slurm_spank_[a-z_]+' || true)
[ -z "$exported" ] || wrong "$plugin" "exports $exported"
for symbol in plugin_name plugin_type plugin_version slurm_spank_init slurm_spank_init_post_opt slurm_spank_user_init \
	slurm_spank_task_init slurm_spank_task_post_fork slurm_spank_task_exit slurm_spank_exit slurm_spank_job_epilog; do
	nm -D --defined-only "$plugin" | grep -q " $symbol\$" || wrong "$plugin" "does not export $symbol"
done

# Root's half runs no other library's code, parses none of their formats and starts no shell. In its objects: a static libc
# has a dlopen and a popen of its own.
objects=$(ls $helper/step/slxc_step-*.o $helper/store/slxc_step-*.o $helper/common/libcommon_a-*.o)
for symbol in dlopen 'system$' popen json_ lxc_ archive_ EVP_; do
	if nm -u $objects "$plugin" | grep -qE " U $symbol"; then wrong "slxc-step or the plugin" "calls $symbol"; fi
done
[ $failed = 0 ] && echo "hardened"
exit $failed
