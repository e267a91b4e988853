#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: tracers-test.sh [--kernel KERNEL]
#
# perf and bpftrace of Debian 12 see each tracepoint, with names and values: what
# traced.c does, in the machine, where tools/testing/admin/tracers compares.
. "$(dirname -- "$0")/../vm/lib.sh"
. "$vm_dir/tap.sh"
. "$vm_dir/tree.sh"

admin=$top/tools/testing/admin
extract_tree tracers bookworm linux-perf,bpftrace ./usr/lib/x86_64-linux-gnu ./usr/bin
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
tests=$top/tools/testing/selftests/iommu
gcc -O2 -Wall -static -D_GNU_SOURCE -I"$tests" -I"$top/compat/include/uapi" \
	-I"$top/include/uapi" -o "$share/traced" "$admin/traced.c" \
	"$tests/lib/iommufd.c" "$tests/lib/vfio.c"
cp "$admin/tracers" "$admin/tap.sh" "$share/"
share_tree tracers "$share/debian"

# Without snoop control, so that a device changes the answer for KVM
tap_machine tracers --iommu intel-nosnoop --device edu "$@" --share "$share" -- ./tracers
