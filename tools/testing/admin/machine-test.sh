#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: machine-test.sh [intel|amd]
#
# iommuctl in the machine, on the real kernel: tools/testing/admin/guest there.
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
top=$(cd -- "$admin/../../.." && pwd)
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT

make -s -C "$top/tools/iommuctl" OUTPUT="$share" >&2 || exit 1
cp "$admin/guest" "$admin/tap.sh" "$share/"
"$top/tools/testing/vm/vm.sh" --iommu "${1:-intel}" --timeout 300 --log "admin-${1:-intel}" \
	--device default --device edu,bus=pcie.0,addr=10.0,multifunction=on \
	--device e1000,bus=pcie.0,addr=10.1 \
	--share "$share" -- ./guest
