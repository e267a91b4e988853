#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: guest.sh SIDES CASES [OPTION...]
#
# In the machine: run each case against each side, one process for each. The
# lists are separated by commas; options go to the program.
set -uo pipefail

IFS=, read -ra sides <<<"$1"
IFS=, read -ra cases <<<"$2"
shift 2

[[ " ${sides[*]} " != *" floor "* ]] || insmod floor/floor.ko || exit 1

# With the stock modules it is not where modprobe looks.
[[ " ${cases[*]} " != *" m "* ]] || insmod iommufd_mock.ko || exit 1

# What the kernel does after booting would be measured too.
sleep 10

failed=0
for case in "${cases[@]}"; do
	for side in "${sides[@]}"; do
		./bench "$@" "$side" "$case"
		case $? in
		0) ;;
		4) echo "$case $side: see above" >&2 ;;
		*) failed=1 && echo "$case $side: failed" >&2 ;;
		esac
	done
done
exit "$failed"
