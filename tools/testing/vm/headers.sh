#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: headers.sh
#
# Print a folder with the user headers of the kernel whose ABI this tree
# follows: of the installed package, or else of the one in Debian's unstable,
# unpacked in build/image. Status 4, with the reason, when neither has them.
. "$(dirname -- "$0")/lib.sh"

version=7.2
folder=$image/headers-$version

if dpkg-query -W -f '${Version}' linux-libc-dev 2>/dev/null |
	grep -q "^${version//./\\.}[.-]"; then
	echo /usr/include
	exit
fi
if [ ! -d "$folder" ]; then
	uri=$(mirror)
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	mkdir "$tmp/lists" "$tmp/cache"
	echo "deb [signed-by=$keys] $uri unstable main" >"$tmp/sources.list"
	# Package lists of its own: those of this machine stay as they are.
	apt=(apt-get -qq -o Dir::Etc::sourcelist="$tmp/sources.list"
		-o Dir::Etc::sourceparts=- -o Dir::State::lists="$tmp/lists"
		-o Dir::Cache="$tmp/cache" -o APT::Sandbox::User="$(id -un)"
		-o Acquire::Languages=none)
	if ! "${apt[@]}" update >&2; then
		echo "no package list of unstable could be fetched"
		exit 4
	fi
	found=$("${apt[@]}" --print-uris download linux-libc-dev |
		awk '{ print $2; exit }')
	if [[ $found != linux-libc-dev_"$version".* ]]; then
		echo "unstable has ${found:-no linux-libc-dev}, not $version"
		exit 4
	fi
	(cd "$tmp" && "${apt[@]}" download linux-libc-dev >&2)
	mkdir -p "$image"
	dpkg-deb -x "$tmp"/linux-libc-dev_*.deb "$tmp/tree"
	mv "$tmp/tree/usr/include" "$folder"
fi
echo "$folder"
