#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run bench report [--markdown] RESULTS.json...
#
# Print results side by side, as the rows of a csv-table or as a Markdown table.
. "$(dirname -- "$0")/lib.sh"

style=rst
case ${1:-} in
-h | --help) manual && exit ;;
--markdown) style=markdown && shift ;;
esac
if [ $# -eq 0 ]; then
	manual >&2
	exit 2
fi
need jq jq
jq -rs -L "$bench_dir" --arg style "$style" \
	--slurpfile names "$bench_dir/cases.json" \
	--slurpfile targets "$bench_dir/targets.json" \
	-f "$bench_dir/report.jq" "$@"
