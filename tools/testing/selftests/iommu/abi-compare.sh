#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# abi-compare.sh INCLUDE: compares abi.h with the user headers of a mainline
# kernel in the directory INCLUDE (usr/include of Debian's linux-libc-dev).
#
# Everything in abi.h must be there with the same number. What only the headers
# have is listed: it came after the kernel that abi.h was made from.
set -euo pipefail

if [[ $# -ne 1 || ! -e $1/linux/iommufd.h ]]; then
	echo "usage: ${0##*/} INCLUDE, which holds linux/iommufd.h" >&2
	exit 2
fi
here=$(dirname "$(readlink -f "$0")")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

arch=()
if [[ -d $1/x86_64-linux-gnu/asm ]]; then
	arch=(-isystem "$1/x86_64-linux-gnu")
fi
"$here/abi-table.sh" -isystem "$1" "${arch[@]}" > "$tmp/theirs"
grep -E '^(VALUE|SIZE|FIELD)\(' "$here/abi.h" > "$tmp/ours"

LC_ALL=C comm -13 "$tmp/ours" "$tmp/theirs" | sed 's/^/only in the headers: /'
if LC_ALL=C comm -23 "$tmp/ours" "$tmp/theirs" | grep .; then
	echo "not so in the headers in $1" >&2
	exit 1
fi
echo "$(wc -l < "$tmp/ours") entries are equal"
