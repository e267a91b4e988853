#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run setup
#
# Install the Debian packages that building and testing need. Nothing is
# asked, and nothing is fetched when all of them are there.
. "$(dirname -- "$0")/lib.sh"

# The user headers of a newer kernel are not among these: Debian 12 has none. libFuzzer is
# in a package that clang only recommends.
packages=(
	bc bison bsdextrautils busybox-static clang cpio erofs-utils flex gcc git kmod
	libc6-dev libclang-rt-14-dev libelf-dev libfuse3-dev libnl-3-dev
	libnl-route-3-dev libpci-dev libsmartcols-dev libxml2-utils linux-headers-amd64
	linux-source-6.1 make mandoc mmdebstrap pkg-config python3 python3-sphinx
	python3-yaml rsync sparse xz-utils zstd
)

case ${1:-} in
'') ;;
-h | --help)
	manual
	exit
	;;
*)
	manual >&2
	exit 2
	;;
esac

missing=()
for package in "${packages[@]}"; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || :)
	[ "$state" = installed ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

say "installing ${missing[*]}"
mkdir -p "$build"
{
	as_root apt-get -qq update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
			-o Dpkg::Use-Pty=0 --no-install-recommends \
			install "${missing[@]}"
} >"$build/setup.log" 2>&1 || {
	tail -n 20 "$build/setup.log" >&2
	die "installing failed; see build/setup.log"
}
