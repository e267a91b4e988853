#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu-test.sh [--stock] [--kernel KERNEL] IOMMU CLIENT:PATH...
#
# Guests of a real QEMU with devices that come and go, see guest/qemu for the
# clients and paths. One machine with the IOMMU runs them all, one after the other.
. "$(dirname -- "$0")/lib.sh"
. "$vm_dir/l2.sh"
. "$vm_dir/tap.sh"
. "$vm_dir/tree.sh"

tap_options "$@"
if [[ ${words[*]} == *old-qemu* ]]; then
	"$vm_dir/old-qemu.sh"
	share_tree qemu-bookworm "$share/qemu"
fi
make_l2 "$share" l2-loop 1048576
cp "$vm_dir/guest/qemu" "$share/test"

tap_machine "qemu-$log" "${options[@]}" --device default --serve "$share/payload" \
	-- ./test "${words[@]}"
