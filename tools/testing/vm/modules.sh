# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Our modules over the stock ones, as modprobe in the machine is to see them.

# overlay_of RELEASE KERNEL_FOLDER: print a folder with our modules in updates/
# and the indices of the stock ones and ours together; nothing when there are
# no modules built.
overlay_of() {
	local release=$1 kernel=$2 out=$build/modules-$1 tree stamp
	local -a ours

	mapfile -t ours < <(find "$build/$release" -name '*.ko' 2>/dev/null | sort)
	[ "${#ours[@]}" -gt 0 ] || return 0

	exec 8>"$build/modules.lock"
	flock 8
	stamp=$(stamp_of "${ours[@]}" "$kernel/stamp")
	if [ "$(cat "$out/stamp" 2>/dev/null)" != "$stamp" ]; then
		tree=$(mktemp -d -p "$build" modules.XXXXXX)
		mkdir -p "$tree/lib/modules"
		cp -al "$kernel/lib/modules/$release" "$tree/lib/modules/"
		mkdir "$tree/lib/modules/$release/updates"
		cp -- "${ours[@]}" "$tree/lib/modules/$release/updates/"
		depmod -b "$tree" "$release"
		rm -rf "$out"
		mkdir "$out"
		mv "$tree/lib/modules/$release"/{updates,modules.*} "$out/"
		rm -rf "$tree"
		echo "$stamp" >"$out/stamp"
	fi
	flock -u 8
	echo "$out"
}
