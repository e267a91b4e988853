#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run bench compare OLD.json NEW.json
#
# Show what costs more than 5 % more in NEW than in OLD, or flushes more often,
# of what both measured; then what costs 5 % less. The status is 1 if anything
# is worse.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
-h | --help) manual && exit ;;
esac
if [ $# -ne 2 ]; then
	manual >&2
	exit 2
fi
need jq jq
jq -rn -L "$bench_dir" --slurpfile old "$1" --slurpfile new "$2" \
	-f "$bench_dir/compare.jq" |
	awk '{ print } /^worse/ { worse = 1 } END { exit worse }'
