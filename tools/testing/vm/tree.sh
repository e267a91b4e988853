# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Programs of Debian packages and what they need, in a folder of their own, without
# installing anything.

# extract_tree NAME SUITE PACKAGE PATH...: make build/image/NAME with PATHs of the
# package and of all that it depends on, unless it is there.
extract_tree() {
	local suite=$2 package=$3 tree=$image/$1 line uri stamp
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg
	local -a aptopts=()

	shift 3
	mkdir -p "$image"
	exec 9>"$tree.lock"
	flock 9
	stamp=$(printf '%s\n' "$suite" "$package" "$@" | sha256sum | cut -c 1-16)
	[ "$(cat "$tree/stamp" 2>/dev/null)" != "$stamp" ] || return 0

	say "image: $package of $suite"
	uri=$(mirror)
	[ -n "$uri" ] || die "apt knows no Debian mirror"
	while IFS= read -r line; do
		aptopts+=(--aptopt="$line")
	done < <(apt-config dump | grep -E '^Acquire::(Check-|[a-z]+::Proxy)' || :)

	rm -rf "$tree.new"
	mkdir "$tree.new"
	mmdebstrap --quiet --variant=extract --architectures=amd64 \
		--include="$package" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"${aptopts[@]}" "$suite" - \
		"deb [signed-by=$keys] $uri $suite main" |
		tar -x -C "$tree.new" --exclude='*.a' ./lib "$@"
	chmod -R u+rwX "$tree.new"
	echo "$stamp" >"$tree.new/stamp"
	rm -rf "$tree"
	mv "$tree.new" "$tree"
}

# share_tree NAME PATH: the same tree once more, without a copy where links can be.
share_tree() {
	cp -alT "$image/$1" "$2" 2>/dev/null || cp -aT "$image/$1" "$2"
}
