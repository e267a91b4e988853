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

tap_options "$@"
extract_tree dpdk-bookworm bookworm dpdk-dev ./usr/lib/x86_64-linux-gnu \
	./usr/bin/dpdk-testpmd
cp "$vm_dir/guest/dpdk" "$share/"
share_tree dpdk-bookworm "$share/dpdk-bookworm"

nic=disable-legacy=on,iommu_platform=on,romfile=,netdev=n0
tap_machine "dpdk-$log" "${options[@]}" --cpus 2 --turns --mem 3G \
	--device "virtio-net-pci,$nic" --device e1000e,netdev=n1,romfile= \
	--qemu-arg -netdev --qemu-arg hubport,id=n0,hubid=0 \
	--qemu-arg -netdev --qemu-arg hubport,id=n1,hubid=0 -- ./dpdk "${words[@]}"
