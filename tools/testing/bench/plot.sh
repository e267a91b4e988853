#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run bench plot RESULTS.json... OUT.svg
#
# Draw what each step costs, on a logarithmic scale, from one or more files:
# the recorded figures of another implementation may be one of them.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
-h | --help) manual && exit ;;
esac
if [ $# -lt 2 ] || [[ ${*: -1} != *.svg ]]; then
	manual >&2
	exit 2
fi
need jq jq
need gnuplot gnuplot-nox

data=$(mktemp)
trap 'rm -f "$data"' EXIT
jq -rs -L "$bench_dir" -f "$bench_dir/plot.jq" "${@:1:$#-1}" >"$data"
gnuplot -e "data='$data'; out='${*: -1}'" "$bench_dir/plot.gp"
