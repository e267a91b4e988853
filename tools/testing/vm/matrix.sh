#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: matrix.sh [--write]
#
# Compare Documentation/passthrough-matrix.csv with what the tests of this run
# gave: each client, path and device with each IOMMU works, or why not. Speaks TAP.
# With --write make the file anew, from the last results of each such test. All of
# them are run by
#
#   ./run test 'passthrough*' vmm
. "$(dirname -- "$0")/lib.sh"

write=no
case ${1:-} in
'') ;;
--write) write=yes ;;
-h | --help) manual && exit ;;
*) manual >&2 && exit 2 ;;
esac

matrix=$top/Documentation/passthrough-matrix.csv
logs=$build/test-log
iommus=(intel amd)

# cells FILE...: "CLIENT,PATH,DEVICE,IOMMU,WORD" for all that the files tell of.
# One failure spoils a cell.
cells() {
	awk '
	# What fails counts most, then what works.
	function tell(cell, result, text) {
		if (!(cell in seen))
			order[++n] = cell
		seen[cell]
		if (!(cell "," result in first))
			first[cell "," result] = text
	}
	function word(cell) {
		if (cell ",fails" in first)
			return "fails: " first[cell ",fails"]
		if (!(cell ",no" in first))
			return "works"
		if (!(cell ",works" in first))
			return "no: " first[cell ",no"]
		return "works except for " first[cell ",works_not"] ": " first[cell ",no"]
	}
	# The program that makes the calls of cloud-hypervisor has names of its own.
	FILENAME ~ /\/vmm@/ && /^(not )?ok [0-9]+ vmm\./ {
		iommu = FILENAME
		sub(/.*@/, "", iommu)
		how = /received_files/ ? "device file over a socket" : "device file"
		tell("calls of cloud-hypervisor," how ",edu and a BAR of ivshmem," iommu,
			/^not/ ? "fails" : /# *SKIP/ ? "no" : "works", "a step of it")
		next
	}
	/^(not )?ok [0-9]+ [^,:]+, [^,:]+, (intel|amd), [^,:]+: / {
		bad = /^not/
		line = $0
		sub(/^(not )?ok [0-9]+ /, "", line)
		reason = ""
		if (match(line, / # SKIP /)) {
			reason = substr(line, RSTART + RLENGTH)
			line = substr(line, 1, RSTART - 1)
		}
		what = line
		sub(/^[^:]*: /, "", what)
		sub(/: .*/, "", line)
		split(line, part, ", ")
		cell = part[1] "," part[2] "," part[4] "," part[3]
		if (bad) {
			tell(cell, "fails", what)
		} else if (reason == "") {
			tell(cell, "works", what)
		} else {
			tell(cell, "no", reason)
			tell(cell, "works_not", what)
		}
	}
	END {
		for (i = 1; i <= n; i++) {
			text = word(order[i])
			gsub(",", ";", text)
			print order[i] "," text
		}
	}' "$@"
}

# Logs of the tests that tell of cells and came to their end, which is where the plan
# stands or is fulfilled; with an argument those newer than it.
results() {
	local file

	logs_of_tests "$@" | while IFS= read -r file; do
		! grep -q '^1\.\.[0-9]' "$file" || echo "$file"
	done
}

logs_of_tests() {
	find "$logs" -type f \( -name 'passthrough*@host' -o -name 'vmm@*' \) \
		! -name '*.notes' ${1:+-newer "$1"} 2>/dev/null | sort
}

# rows: the file, from cells.
rows() {
	awk -F , -v iommus="${iommus[*]}" '
	{
		row = $1 "," $2 "," $3
		if (!(row in seen))
			order[++n] = row
		seen[row]
		word[row "," $4] = $5
	}
	END {
		count = split(iommus, iommu, " ")
		for (i = 1; i <= n; i++) {
			line = order[i]
			for (j = 1; j <= count; j++) {
				cell = order[i] "," iommu[j]
				line = line "," (cell in word ? word[cell] : "not tried")
			}
			print line
		}
	}' | LC_ALL=C sort
}

if [ "$write" = yes ]; then
	mapfile -t files < <(results)
	[ "${#files[@]}" -gt 0 ] || die "no test has left results"
	cells "${files[@]}" | rows >"$matrix.new"
	mv "$matrix.new" "$matrix"
	say "$(wc -l <"$matrix") rows in ${matrix#"$top/"}"
	exit
fi

# test.sh leaves its build's output before it runs the first test.
mapfile -t files < <(results "$logs/build")
echo 'TAP version 13'
number=0
while IFS=, read -r client path device iommu word; do
	number=$((number + 1))
	column=3
	for one in "${iommus[@]}"; do
		column=$((column + 1))
		[ "$one" != "$iommu" ] || break
	done
	documented=$(awk -F , -v row="$client,$path,$device" -v column="$column" \
		'$1 "," $2 "," $3 == row { print $column }' "$matrix")
	[ "$documented" = "$word" ] || printf 'not '
	echo "ok $number the matrix is right about $client, $path, $iommu, $device"
	[ "$documented" = "$word" ] ||
		echo "# documented: '$documented', now: '$word'"
done < <([ "${#files[@]}" -eq 0 ] || cells "${files[@]}")

total=$(awk -F , -v columns="${#iommus[@]}" \
	'{ for (i = 4; i < 4 + columns; i++) n += $i != "not tried" } END { print n + 0 }' "$matrix")
if [ "$number" -lt "$total" ]; then
	tried=$number
	number=$((number + 1))
	echo "ok $number the other cells # SKIP $((total - tried)) of $total were not tried in this run"
fi
[ "$number" -gt 0 ] || {
	number=1
	echo "not ok 1 the matrix has no cells"
}
echo "1..$number"
