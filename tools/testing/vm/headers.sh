#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: headers.sh
#
# Print a folder with the user headers of the kernel whose ABI this tree
# follows: of the installed package, or else of the one in Debian's unstable,
# unpacked in build/image. Status 4, with the reason, when neither has them.
. "$(dirname -- "$0")/lib.sh"
. "$vm_dir/fetch.sh"

version=7.2
folder=$image/headers-$version

if dpkg-query -W -f '${Version}' linux-libc-dev 2>/dev/null |
	grep -q "^${version//./\\.}[.-]"; then
	echo /usr/include
	exit
fi
if [ ! -d "$folder" ]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	fetch_package unstable linux-libc-dev "$tmp" "$version." || exit 4
	mkdir -p "$image"
	dpkg-deb -x "$tmp"/linux-libc-dev_*.deb "$tmp/tree"
	mv "$tmp/tree/usr/include" "$folder"
fi
echo "$folder"
