#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run bench plot RESULTS.json [RECORDED.json] OUT.svg
#
# Draw what each step costs, on a logarithmic scale, beside recorded figures of
# another implementation where they are given.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
-h | --help) manual && exit ;;
esac
if [ $# -lt 2 ] || [ $# -gt 3 ]; then
	manual >&2
	exit 2
fi
need jq jq
need gnuplot gnuplot-nox

data=$(mktemp)
trap 'rm -f "$data"' EXIT
jq -rs -f "$bench_dir/plot.jq" "${@:1:$#-1}" >"$data"
gnuplot -e "data='$data'; out='${*: -1}'" "$bench_dir/plot.gp"
