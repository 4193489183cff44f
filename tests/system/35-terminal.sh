#!/bin/bash
# Terminals: srun --pty and an interactive salloc, with real keys on a real pty; the same bare and contained.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
H=$(home_of slxc1)
need_all() { need_plugin; need_image; }

# terminal SCENARIO COMMAND...: on a terminal
terminal() { run as slxc1 python3 - "$@" <"$LIB/programs/terminal.py"; }
# both SCENARIO: an interactive shell, bare and contained; the same things seen
both() {
	need_all
	terminal "$1" srun -Q --pty bash --norc -i
	assert_rc 0
	bare_out=$out
	terminal "$1" srun -Q --pty --container="$IMAGE" bash --norc -i
	assert_rc 0
	assert_eq "$out" "$bare_out" "bare (wanted) and contained (got)"
	assert_no_match "$err" 'no job control|cannot set terminal'
}

size() {
	both sizes
	assert_match "$out" $'^/dev/pts/N 33 101 all\nslxc1 6.0\n50 120\nstatus 7$'
}

keys() {
	both keys
	assert_eq "$out" $'interrupted 130\nquit 131\nend of file 0\nstatus 7'
}

job_control() {
	both job_control
	assert_match "$out" $'^Stopped\nRunning\nno jobs set -m\nSs\nstatus 7$'
}

nested() {
	need_all
	# in Debian sid, script(1) is in a package that is not there: only the image's
	if command -v script >/dev/null; then both nested; else terminal nested srun -Q --pty --container=$IMAGE bash --norc -i; fi
	assert_rc 0
	assert_eq "$out" $'/dev/pts/N\nterminal\nN\nstatus 7'
}

# the image has no tmux: the host's, with its libraries
tmux_inside() {
	local t=$T/tmux p
	need_all
	command -v tmux >/dev/null || t_skip "no tmux here"
	mkdir "$t"
	for p in $(ldd "$(command -v tmux)" | grep -oE '/[^ )]+') "$(command -v tmux)"; do cp -L "$p" "$t/"; done
	cat >"$t/t" <<-C
		#!/bin/bash
		cd $H
		tmux() { tmux/$(basename "$t"/ld-*) --library-path tmux tmux/tmux -L slxc -f /dev/null "\$@"; }
		export TERM=linux LANG=C.UTF-8
		tmux new-session -d -x 70 -y 20 "exec bash --norc"
		tmux send-keys 'echo in \$(tty) of \$(stty size) in \$(cat /proc/1/comm); tmux/$(basename "$t"/ld-*) --library-path tmux tmux/tmux -L slxc wait-for -S ready' Enter
		tmux wait-for ready
		tmux capture-pane -p | grep '^in '
		tmux kill-server
	C
	rm -rf "$H/tmux"
	cp -r "$t" "$H/tmux"
	contained --pty bash tmux/t
	assert_rc 0
	assert_match "$out" 'in /dev/pts/[0-9]+ of (20|19) 70 in slxc-init'
	rm -r "$H/tmux" "$t"
}

# a shell of the allocation, in the container
interactive_salloc() {
	need_all
	terminal where salloc -Q --container=$IMAGE
	assert_rc 0
	assert_match "$out" $'^slxc-init /.*\nstatus 7$'
	job=$(last_job slxc1)
	assert_eq "$(job_field "$job" Container)" $IMAGE
	terminal where salloc -Q
	assert_rc 0
	assert_no_match "$out" slxc-init
}

# the terminal goes away: so does the step
hangup() {
	both hangup
	wait_job_over "$(last_job slxc1)"
}

check "tty, window size" size
check "Ctrl-C, Ctrl-\\, Ctrl-D" keys
check "job control" job_control
check "a terminal in the terminal" nested
check "tmux" tmux_inside
check "interactive salloc" interactive_salloc
check "hangup" hangup
