#!/bin/bash
# AppArmor where the kernel has none, or has it without our profile. Where it is enforced: tests/vm.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

loaded() { grep -qs '^slxc-container ' /sys/kernel/security/apparmor/profiles; }

auto() {
	conf apparmor=auto
	not_refused
	conf apparmor=none
	not_refused
}

required() {
	! loaded || t_skip "the profile is loaded here"
	conf apparmor=required
	if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
		refused_everywhere 'apparmor=required in slxc.conf, and this node has not loaded the profile slxc-container'
	else
		refused_everywhere 'apparmor=required in slxc.conf, and this node has no AppArmor: tell its administrator'
	fi
	echo apparmor=maybe >"$CONF"
	refused 'apparmor is auto, required or none, not .maybe.' --container="$IMAGE"
}

need_plugin
need_image
check "auto and none" auto
check "required and missing" required
