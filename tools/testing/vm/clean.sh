#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run clean [--all]
#
# Remove what was built. The image of the machine, which takes a minute to
# make, goes only with --all.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
'') [ ! -d "$build" ] ||
	find "$build" -mindepth 1 -maxdepth 1 ! -name image -exec rm -rf {} + ;;
--all) rm -rf "$build" ;;
-h | --help) manual ;;
*)
	manual >&2
	exit 2
	;;
esac
