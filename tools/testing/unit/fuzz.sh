#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fuzz.sh NAME SECONDS: let libFuzzer look for a string of bytes in which NAME
# (iova_tree, runs) and its model differ. In TAP; what it found is left in
# the current folder.
set -euo pipefail

cd -- "$(dirname -- "$0")"
echo 'TAP version 13'
if [ ! -x "./$1_fuzz" ]; then
	echo "1..0 # SKIP $1_fuzz was not built: no clang with libFuzzer"
	exit 4
fi
echo '1..1'
if "./$1_fuzz" -max_total_time="$2" -max_len=4096 -print_final_stats=1 \
	-artifact_prefix="$1-" 2>&1 | sed 's/^/# /'; then
	echo "ok 1 $1: no difference in $2 s"
else
	echo "not ok 1 $1"
	exit 1
fi
