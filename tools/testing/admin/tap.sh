# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Results in TAP, whose plan comes last.

number=0
bad=0

plan() {
	echo "TAP version 13"
}

# expect WHAT WANTED GOT
expect() {
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $number $1"
	else
		printf '# wanted: %q\n# got:    %q\n' "$2" "$3"
		echo "not ok $number $1"
		bad=$((bad + 1))
	fi
}

# skip_tests COUNT WHY
skip_tests() {
	local i

	for ((i = 0; i < $1; i++)); do
		number=$((number + 1))
		echo "ok $number # SKIP $2"
	done
}

# skip_all WHY: instead of a plan
skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 4
}

finish() {
	echo "1..$number"
	[ "$bad" -eq 0 ]
	exit
}
