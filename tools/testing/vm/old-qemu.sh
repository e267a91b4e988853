#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: old-qemu.sh
#
# Make build/image/qemu-bookworm, a folder with the QEMU of Debian 12 and what it
# needs, without installing anything. That QEMU knows groups and containers only.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
'') ;;
-h | --help) manual && exit ;;
*) manual >&2 && exit 2 ;;
esac

tree=$image/qemu-bookworm
keys=/usr/share/keyrings/debian-archive-keyring.gpg

mkdir -p "$image"
exec 9>"$tree.lock"
flock 9
stamp=$(stamp_of "$0")
[ "$(cat "$tree/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

say "image: QEMU of bookworm"
uri=$(mirror)
[ -n "$uri" ] || die "apt knows no Debian mirror"
aptopts=()
while IFS= read -r line; do
	aptopts+=(--aptopt="$line")
done < <(apt-config dump | grep -E '^Acquire::(Check-|[a-z]+::Proxy)' || :)

rm -rf "$tree.new"
mkdir "$tree.new"
mmdebstrap --quiet --variant=extract --architectures=amd64 \
	--include=qemu-system-x86 --dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	"${aptopts[@]}" bookworm - \
	"deb [signed-by=$keys] $uri bookworm main" |
	tar -x -C "$tree.new" ./lib ./lib64 ./usr/lib/x86_64-linux-gnu \
		./usr/bin/qemu-system-x86_64 ./usr/share/qemu ./usr/share/seabios
chmod -R u+rwX "$tree.new"
echo "$stamp" >"$tree.new/stamp"
rm -rf "$tree"
mv "$tree.new" "$tree"
