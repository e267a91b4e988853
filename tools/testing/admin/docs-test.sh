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

expect "each module parameter is in iommufd(4), and no other" "$(
	grep -rhoP '^module_param\(\K\w+' "$top/drivers" "$top/compat" | sort)" \
	"$(sed -n 's/^\.It Cm .*\.//p' "$top/Documentation/man/iommufd.4" | sort)"

# What the manual page of the tool and its help know, as "J , -json"
help=$(make -s -C "$top/tools/iommuctl" OUTPUT="$out" >&2 && "$out/iommuctl" --help)
expect "iommuctl has a help" "usage: iommuctl" "${help%% COMMAND*}"
expect "its options are in the help and in the manual page, and no others" "$(
	sed -nE 's/^ +((-[a-zA-Z], )?--[a-z-]+).*/\1/p' <<<"$help" | sed 's/^-//; s/, -/ , /' | sort)" \
	"$(sed -nE 's/^\.It Fl (.*)/\1/p' "$top/tools/iommuctl/iommuctl.8" | sed 's/ Ar .*//' | sort)"
finish
