#!/bin/bash
# A plugin that was built for another release of Slurm is refused by Slurm, with a message, before anything runs.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PLUGIN=$D/usr/lib/slurm/spank_slxc.so
STACK=$D/etc/plugstack.conf

# the same file, saying that it was built for the release two months before
other_release() {
	python3 - "$PLUGIN" "$1" "$(nm -D "$PLUGIN" | awk '$3 == "plugin_version" {print $1}')" <<-'PY'
		import struct, sys
		data = bytearray(open(sys.argv[1], "rb").read())
		at = int(sys.argv[3], 16)  # in .rodata, where address and file offset are the same
		struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] - 0x200)
		open(sys.argv[2], "wb").write(data)
	PY
}

is_refused() {
	need_plugin
	other_release "$T/spank_slxc.so"
	cp "$STACK" "$T/plugstack.conf"
	trap 'cp "$T/plugstack.conf" "$STACK"' EXIT
	sed "s|$PLUGIN|$T/spank_slxc.so|" "$T/plugstack.conf" >"$STACK"
	run as slxc1 srun --container="$IMAGE" true
	assert_ne "$rc" 0 "srun with a plugin for another Slurm"
	assert_match "$err" "Incompatible"
	assert_match "$err" "$T/spank_slxc.so"
}

check "a plugin for another release of Slurm is refused" is_refused
