# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# For tests that start a machine of their own.

# tap_options [--stock] [--kernel KERNEL] IOMMU WORD...: what such a test can be told.
# Sets "words" to the words with the IOMMU, "log" to a name for all of it, "share" to
# a folder for the machine, which goes with the script, and "options" to those of
# ./run vm.
tap_options() {
	local stock=

	options=(--timeout 3600)
	while [ $# -gt 0 ]; do
		case $1 in
		-h | --help) manual && exit ;;
		--stock) options+=("$1") && stock=-stock && shift ;;
		--kernel) options+=("$1" "${2:?}") && shift 2 ;;
		*) break ;;
		esac
	done
	[ $# -ge 2 ] || { manual >&2 && exit 2; }
	share=$(mktemp -d)
	trap 'rm -rf "$share"' EXIT
	words=("$@")
	log=$*
	log=${log//[ :]/-}$stock
	options+=(--iommu "$1" --share "$share")
}

# tap_machine LOG ARGUMENT...: run ./run vm with these; the command's output is TAP
# without a plan. Adds results for the machine's end and its kernel log, and the plan.
tap_machine() {
	local log=$1 line count=0 status found

	shift
	echo 'TAP version 13'
	while IFS= read -r line; do
		case $line in
		status\ *) status=${line#status } ;;
		*)
			[[ $line != ok\ * && $line != not\ ok\ * ]] || count=$((count + 1))
			echo "$line"
			;;
		esac
	done < <("$vm_dir/vm.sh" --log "$log" "$@" 2>&1 && echo 'status 0' || echo "status $?")

	count=$((count + 1))
	[ "${status:-none}" = 0 ] || printf 'not '
	echo "ok $count the machine comes to its end"
	[ "${status:-none}" = 0 ] || echo "# status ${status:-none}"
	count=$((count + 1))
	found=$(bugs_in "$log")
	[ -z "$found" ] || printf 'not '
	echo "ok $count the kernel log tells of no bug"
	[ -z "$found" ] || echo "# $found"
	echo "1..$count"
}
