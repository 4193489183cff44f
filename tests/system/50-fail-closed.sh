#!/bin/bash
# A step that cannot have its container runs nothing, and its user reads one line that says why: images, store, configuration.
# shellcheck disable=SC2016,SC2119
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lib-steps.sh
. "$LIB/lib-steps.sh"

# the marks that all of this relies on are left by tasks that do run
marks() {
	forget_marks
	run as slxc1 srun bash -c "$(probe)"
	[ -e "$T/on-host" ] || fail "a bare task leaves no mark"
	assert_ne "$(cat "$(home_of slxc1)/ran")" slxc-init
	not_refused
}

unknown_image() {
	local line="no image 'no/such:1' on this cluster: see 'slxc images', or import it with 'slxc import'"
	refused "$line" --container=no/such:1
	assert_rc 1
	refused "$line" --container=no/such:1 -n4
	refused_batch "$line" --container=no/such:1
	refused "no image 'no-such:latest'" --container=no-such
}

private_image() {
	import_small private:1 --private --owner slxc2
	refused "image 'private:1' is private to its owner" --container=private:1
	refused_batch "image 'private:1' is private to its owner" --container=private:1
	# its owner gets as far as the program that it does not have
	run as slxc2 srun --container=private:1 /bin/true
	assert_no_match "$err" private
	slxc images --json >"$T/images"
	assert_match "$(cat "$T/images")" '"private"'
}

# an image of its own, so that no mount of the node hides the damage
own_image() {
	import_small damaged:1
	digest=$(readlink "$STORE/refs/damaged:1")
	digest=${digest##*/}
	layer=$(cat "$STORE/images/$digest/layers")
}

layer_missing() {
	own_image
	mv "$STORE/layers/$layer.erofs" "$T/layer"
	refused "'damaged:1' is damaged: layer $layer is missing; remove and import it again" --container=damaged:1
	refused_batch "'damaged:1' is damaged" --container=damaged:1
	mv "$T/layer" "$STORE/layers/$layer.erofs"
}

layer_garbage() {
	local i
	own_image
	for i in 0 1 100 4095 1; do
		chmod u+w "$STORE/layers/$layer.erofs"
		head -c $i /dev/urandom >"$STORE/layers/$layer.erofs"
		refused "image 'damaged:1'.*layer" --container=damaged:1
	done
	head -c 65536 /dev/urandom >"$STORE/layers/$layer.erofs"
	refused "image 'damaged:1'.*layer" --container=damaged:1
	rm -f "$STORE/layers/$layer.erofs"
	mkdir "$STORE/layers/$layer.erofs"
	refused "layer" --container=damaged:1
	rmdir "$STORE/layers/$layer.erofs"
	ln -s /etc/passwd "$STORE/layers/$layer.erofs"
	refused "layer" --container=damaged:1
}

list_of_layers() {
	local text
	own_image
	chmod u+w "$STORE/images/$digest" "$STORE/images/$digest/layers"
	for text in '' 'garbage' '../../../etc/passwd' "$(printf '%071d' 0)" "$layer $layer" "$(yes "$layer" | head -n 5000)"; do
		printf '%s\n' "$text" >"$STORE/images/$digest/layers"
		refused "'damaged:1' is damaged: its list of layers" --container=damaged:1
	done
	rm "$STORE/images/$digest/layers"
	refused "'damaged:1' is damaged: its list of layers is missing" --container=damaged:1
	echo "$layer" >"$STORE/images/$digest/layers"
}

config_garbage() {
	local text
	# a copy of debian:12 in name only: so that nothing but its config.json is wrong
	own_image
	chmod u+w "$STORE/images/$digest" "$STORE/images/$digest/config.json"
	for text in '' '{' '[[[[' '{"env":["A=1"],"env":["A=2"]}' "$(head -c 3000 /dev/zero | tr '\0' '[')"; do
		printf '%s' "$text" >"$STORE/images/$digest/config.json"
		refused "config.json is damaged: .*import the image again" --container=damaged:1
	done
	rm "$STORE/images/$digest/config.json"
	refused "'damaged:1' is damaged: its config.json is missing; remove and import it again" --container=damaged:1
	ln -s /etc/shadow "$STORE/images/$digest/config.json"
	refused "'damaged:1' is damaged" --container=damaged:1
}

ref_outside() {
	local target
	for target in ../../../../etc /etc/passwd sha256-../../../etc . '' x; do
		ln -sfn "${target:-/}" "$STORE/refs/outside:1"
		undo "rm -f $STORE/refs/outside:1"
		refused "image 'outside:1' is damaged: its reference does not lead to an image; remove and import it again" --container=outside:1
	done
	ln -sfn "sha256-$(printf %064d 0)" "$STORE/refs/outside:1"
	refused "image 'outside:1' is damaged: what its reference names is missing" --container=outside:1
	rm "$STORE/refs/outside:1"
	mkdir "$STORE/refs/outside:1"
	undo "rmdir $STORE/refs/outside:1"
	refused "image 'outside:1' is damaged" --container=outside:1
}

# the step that runs keeps its image, the next one fails
removed_meanwhile() {
	# layers of its own, that go with it
	import_programs meanwhile:1 bash cat
	digest=$(readlink "$STORE/refs/meanwhile:1")
	layer=$(cat "$STORE/images/${digest##*/}/layers")
	IMAGE=meanwhile:1 start_step slxc1 -- 'read -r; cat /label' < <(wait_for 20 test -e "$T/removed"; echo)
	run slxc rm meanwhile:1
	assert_rc 0
	[ ! -e "$STORE/layers/$layer.erofs" ] || fail "the layer is still there"
	refused "no image 'meanwhile:1'" --container=meanwhile:1
	touch "$T/removed"
	reap "$pid"
	assert_rc 0
	assert_match "$(cat "$spawn_out")" $'\nmeanwhile:1$'
}

store_missing() {
	conf "store=$T/none"
	refused_everywhere "no image store at $T/none: the first 'slxc import' makes it, or set store= in slxc.conf"
}

store_writable() {
	mkdir -p "$T/open"
	chmod 777 "$T/open"
	conf "store=$T/open"
	refused "$T/open can be written by others than its owner: chmod go-w it" --container="$IMAGE"
}

conf_broken() {
	conf '# a comment' '' 'start_timeout=60' 'colour=blue'
	refused_everywhere "$CONF:4: unknown key 'colour'"
	echo 'mount_home=maybe' >"$CONF"
	refused "$CONF:1: mount_home is yes or no, not 'maybe'" --container="$IMAGE"
	printf 'mount_home=yes\nmount_home=no\n' >"$CONF"
	refused "$CONF:2: mount_home is set twice" --container="$IMAGE"
	echo 'mount home' >"$CONF"
	refused "$CONF:1: 'mount home' is not a line of the form key=value" --container="$IMAGE"
	: >"$CONF"
	chmod 666 "$CONF"
	refused "$CONF must belong to root and be writable by root only" --container="$IMAGE"
	# no file at all: the defaults
	rm "$CONF"
	not_refused
}

scratch_full() {
	conf scratch_size=4096
	refused_everywhere 'No space left'
}

# what a task writes beyond the limit fails there, and harms nothing else
scratch_full_later() {
	conf scratch_size=8M
	contained bash -c 'head -c 20000000 /dev/zero >/big'
	assert_rc 1
	assert_match "$err" 'No space left'
	node_is_idle_not_drained || wait_for 10 node_is_idle_not_drained
}

root_refused() {
	run srun --container="$IMAGE" bash -c "$(probe)"
	assert_slxc_error 'steps of root are not run in containers here .allow_root=no in slxc.conf.'
	[ ! -e "$T/on-host" ] || fail "it ran on the host"
	rm -f ~/ran
}

need_plugin
need_image
check "tasks leave the marks that prove it" marks
check "unknown image" unknown_image
check "private image of another user" private_image
check "layer missing" layer_missing
check "layer truncated, garbage, not a file" layer_garbage
check "list of layers damaged" list_of_layers
check "config.json damaged" config_garbage
check "reference that leads elsewhere" ref_outside
check "image removed while a step runs" removed_meanwhile
check "no image store" store_missing
check "image store that others can write" store_writable
check "broken slxc.conf" conf_broken
check "scratch too small to start" scratch_full
check "scratch full later" scratch_full_later
check "steps of root" root_refused
