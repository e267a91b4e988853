#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: machine-test.sh [intel|amd] [WORD...]
#
# iommuctl in the machine, on the real kernel: tools/testing/admin/guest there; or,
# with words for the kernel's command line that turn things off, guest-off.
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
top=$(cd -- "$admin/../../.." && pwd)
iommu=${1:-intel}
[ $# -eq 0 ] || shift
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT

make -s -C "$top/tools/iommuctl" OUTPUT="$share" >&2 || exit 1
cp "$admin/guest" "$admin/guest-off" "$admin/tap.sh" "$share/"
if [ $# -gt 0 ]; then
	"$top/tools/testing/vm/vm.sh" --iommu "$iommu" --timeout 300 --append "$*" \
		--log "admin-$iommu-off" --share "$share" --device edu -- ./guest-off "$@"
else
	mkdir "$share/empty"
	mkfs.erofs --quiet "$share/disk" "$share/empty" >&2 || exit 1
	"$top/tools/testing/vm/vm.sh" --iommu "$iommu" --timeout 300 --log "admin-$iommu" \
		--device default --device edu,bus=pcie.0,addr=10.0,multifunction=on \
		--device e1000,bus=pcie.0,addr=10.1 --share "$share" -- ./guest
fi
