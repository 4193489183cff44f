# shellcheck shell=bash
# Sourced by testcluster, after demo.sh: which cgroups this machine offers, and a place in them that is ours
# alone. With v1 Slurm is given a directory of links, so that its "/slurm" is below a cgroup of our own and
# never meets another Slurm's; on stop everything below that one is removed.

CG_NAME=$(basename "$D")
CG_CTRL="cpu cpuacct cpuset memory freezer devices blkio pids"

# v1, v2 or none; SLXC_DEMO_CGROUP decides instead
cgroup_kind() {
	local c
	[ -z "${SLXC_DEMO_CGROUP:-}" ] || { echo "$SLXC_DEMO_CGROUP"; return; }
	if [ "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)" = cgroup2fs ]; then
		# cgroup.subtree_control cannot be written where processes are, except in the machine's own root
		if has_systemd || echo "+cpuset +memory" 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control; then echo v2; else echo none; fi
		return
	fi
	for c in cpuacct cpuset memory freezer; do
		if ! mkdir -p "/sys/fs/cgroup/$c/$CG_NAME" 2>/dev/null || [ ! -e "/sys/fs/cgroup/$c/$CG_NAME/tasks" ]; then
			echo none
			return
		fi
	done
	echo v1
}

# cgroup_v1_make PATH: that cgroup in every hierarchy; its cpuset is as large as its parent's
cgroup_v1_make() {
	local c d f
	for c in $CG_CTRL; do
		d=/sys/fs/cgroup/$c/$1
		[ -d "/sys/fs/cgroup/$c" ] || continue
		mkdir -p "$d"
		case $c in
		cpuset) for f in cpuset.cpus cpuset.mems; do
				[ -n "$(cat "$d/$f")" ] || cat "$d/../$f" >"$d/$f"
			done ;;
		memory) echo 1 2>/dev/null >"$d/memory.use_hierarchy" || true ;;
		esac
	done
}

# the directory of links that cgroup.conf names as CgroupMountpoint
cgroup_v1_links() {
	local c
	cgroup_v1_make "$CG_NAME"
	mkdir -p "$D/run/cgroup"
	for c in $CG_CTRL; do
		[ ! -d "/sys/fs/cgroup/$c" ] || ln -sfn "/sys/fs/cgroup/$c/$CG_NAME" "$D/run/cgroup/$c"
	done
}

# our own directories in every hierarchy
cgroup_dirs() {
	local c d
	for c in $CG_CTRL systemd unified; do
		d=/sys/fs/cgroup/$c/$CG_NAME
		[ ! -d "$d" ] || echo "$d"
	done
}

# every process in them
cgroup_pids() {
	local d
	cgroup_dirs | while read -r d; do
		find "$d" -name cgroup.procs -exec cat {} + 2>/dev/null || true
	done | sort -un
}

cgroup_remove() {
	local d
	for d in $(cgroup_dirs); do
		find "$d" -depth -type d -exec rmdir {} + 2>/dev/null || true
		[ ! -d "$d" ] || return 1
	done
}
