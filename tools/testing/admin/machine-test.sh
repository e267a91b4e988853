#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# iommuctl in the machine, on the real kernel: tools/testing/admin/guest there.
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
top=$(cd -- "$admin/../../.." && pwd)
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT

make -s -C "$top/tools/iommuctl" OUTPUT="$share" >&2 || exit 1
cp "$admin/guest" "$admin/tap.sh" "$share/"
"$top/tools/testing/vm/vm.sh" --iommu "${1:-intel}" --timeout 180 --log "admin-${1:-intel}" \
	--share "$share" -- ./guest
