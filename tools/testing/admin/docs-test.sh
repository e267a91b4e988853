#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The documentation: Sphinx and mandoc have nothing to complain about.
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
top=$admin/../../..
. "$admin/tap.sh"

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

plan
expect "Sphinx" "0 " "$(sphinx-build -q -W --keep-going -n -b html \
	"$top/Documentation" "$out" 2>"$out/log"; echo "$? $(<"$out/log")")"
for page in "$top/Documentation/man/iommufd.4" "$top/tools/iommuctl/iommuctl.8"; do
	expect "mandoc: ${page##*/}" "" "$(mandoc -T lint -W warning "$page" 2>&1)"
done

# What the manual page of the tool and its help know
help=$(make -s -C "$top/tools/iommuctl" OUTPUT="$out" >&2 && "$out/iommuctl" --help)
expect "each option of iommuctl is in its manual page" "" "$(
	grep -oE -- '--[a-z-]+' <<<"$help" | sort -u | while read -r option; do
		case $option in --help | --version) continue ;; esac
		grep -qE "Fl .*${option#-}" "$top/tools/iommuctl/iommuctl.8" ||
			echo "$option"
	done)"
finish
