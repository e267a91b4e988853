#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu-test.sh [--stock] [--kernel KERNEL] IOMMU CLIENT:PATH...
#
# Guests of a real QEMU with devices that come and go, see guest/qemu for the
# clients and paths. One machine with the IOMMU runs them all, one after the other.
. "$(dirname -- "$0")/lib.sh"
. "$vm_dir/tap.sh"

options=(--timeout 3600)
stock=
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) manual && exit ;;
	--stock) options+=("$1") && stock=-stock && shift ;;
	--kernel) options+=("$1" "${2:?}") && shift 2 ;;
	*) break ;;
	esac
done
[ $# -ge 2 ] || { manual >&2 && exit 2; }
iommu=$1

share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
mkdir "$share/l2"
if [[ $* == *old-qemu* ]]; then
	"$vm_dir/old-qemu.sh"
	cp -al "$image/qemu-bookworm" "$share/qemu" 2>/dev/null ||
		cp -a "$image/qemu-bookworm" "$share/qemu"
fi
head -c 1048576 /dev/urandom >"$share/payload"
gcc -O2 -Wall -static -o "$share/l2/edu-dma" "$vm_dir/guest/edu-dma.c"
cp "$vm_dir/guest/l2-loop" "$share/l2/init"
cp "$vm_dir/guest/l2-dhcp" "$share/l2/dhcp"
cat >"$share/l2/test.conf" <<-END
	payload_bytes=1048576
	payload_sum=$(sha256sum <"$share/payload" | cut -d ' ' -f 1)
END
(cd "$share/l2" && find . | cpio --quiet -o -H newc -R 0:0) >"$share/l2.cpio"
cp "$vm_dir/guest/qemu" "$share/test"

log=$*
tap_machine "qemu-${log//[ :]/-}$stock" --iommu "$iommu" "${options[@]}" --device default \
	--serve "$share/payload" --share "$share" -- ./test "$@"
