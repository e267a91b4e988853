#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: dpdk-test.sh [--stock] [--kernel KERNEL] IOMMU PATH[:small]...
#
# Let Debian 12's dpdk-testpmd, which knows groups and containers only, forward
# packets between a virtio NIC and an e1000e on one hub: with huge pages, and with
# pages of 4 KiB, which are more mappings than the stock type 1 allows. See
# guest/dpdk for the paths.
. "$(dirname -- "$0")/lib.sh"
. "$vm_dir/tap.sh"
. "$vm_dir/tree.sh"

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

extract_tree dpdk-bookworm bookworm dpdk-dev ./usr/lib/x86_64-linux-gnu \
	./usr/bin/dpdk-testpmd
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
cp "$vm_dir/guest/dpdk" "$share/"
cp -al "$image/dpdk-bookworm" "$share/dpdk-bookworm" 2>/dev/null ||
	cp -a "$image/dpdk-bookworm" "$share/"

nic=disable-legacy=on,iommu_platform=on,romfile=,netdev=n0
log=$*
tap_machine "dpdk-${log//[ :]/-}$stock" --iommu "$1" --cpus 2 --turns --mem 3G "${options[@]}" --share "$share" \
	--device "virtio-net-pci,$nic" --device e1000e,netdev=n1,romfile= \
	--qemu-arg -netdev --qemu-arg hubport,id=n0,hubid=0 \
	--qemu-arg -netdev --qemu-arg hubport,id=n1,hubid=0 -- ./dpdk "$@"
