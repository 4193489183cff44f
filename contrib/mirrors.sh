# shellcheck shell=bash
# Sourced: how a Debian root is made from the mirrors that this machine's own apt uses.

# mirrors SUITE: lines for sources.list
mirrors() {
	local uris main security
	# shellcheck disable=SC2016 # apt expands it
	uris=$(apt-get indextargets --format '$(REPO_URI)' | sort -u)
	main=$(grep -v security <<<"$uris" | head -n 1) || true
	security=$(grep security <<<"$uris" | head -n 1) || true
	[ -n "$main" ] || die "apt has no mirror configured"
	echo "deb $main $1 main"
	case $1 in sid | unstable) return ;; esac
	[ -z "$security" ] || echo "deb $security $1-security main"
}

# bootstrap VARIANT SUITE PACKAGES TARGET LOG: TARGET.tar is an archive, anything else a directory
bootstrap() {
	local extra=()
	# a mirror's copy of sid may be older than its Valid-Until; signatures are checked all the same
	case $2 in sid | unstable) extra=(--aptopt='Acquire::Check-Valid-Until "false"') ;; esac
	mirrors "$2" | mmdebstrap --variant="$1" --mode=root --include="$3" "${extra[@]}" \
		--aptopt='Acquire::Languages "none"' --aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"$2" "$4" - >"$5" 2>&1 || { tail -n 5 "$5" >&2; die "mmdebstrap failed: see $5"; }
}
