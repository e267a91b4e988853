# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# For tests that start a machine of their own.

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
