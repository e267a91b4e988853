#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run fuzz [--minutes N] [--iommu intel|intel-nosnoop|amd] [--seed N]
#                   [--cpus 1|2] [--turns|--at-once] [--update] [--no-reduce]
#        ./run fuzz --reduce FILE [--iommu …] [--cpus 1|2] [--turns|--at-once]
#        ./run fuzz --write-c FILE
#
# Try sequences of calls on everything that iommufd.ko and vfio.ko offer to user
# space, on the debug kernel: the programs of the corpus, and what chance makes
# out of them; one that reaches new code is kept. N minutes (default 5) are
# those of the machine, after its start.
#
# When the kernel complains, or holds on to something, the programs that were run
# before it are in build/fuzz/out. They are reduced to the few calls that it
# takes, as far as it happens again, which boots many machines; the result is
# there as a program (.reduced) and in C (.c). --reduce does that with any file of
# programs, --write-c writes its first one in C.
#
#   --cpus N      of the machine, with a worker for each (default 2)
#   --turns       the CPUs run by turns (default)
#   --at-once     they run at the same time, which meets more, and which an
#                 emulated machine does not survive for long
#   --update      replace the corpus of the tree by the shortest programs that
#                 reach all that was reached
. "$(dirname -- "$0")/lib.sh"

minutes=5 iommu=intel cpus=2 seed=$(date +%s) update=no reduce=yes file='' write=''
turns=--turns
while [ $# -gt 0 ]; do
	case $1 in
	--minutes) minutes=$2 && shift 2 ;;
	--iommu) iommu=$2 && shift 2 ;;
	--seed) seed=$2 && shift 2 ;;
	--cpus) cpus=$2 && shift 2 ;;
	--turns | --at-once) turns=$1 && shift ;;
	--update) update=yes && shift ;;
	--no-reduce) reduce=no && shift ;;
	--reduce) file=$(readlink -e -- "$2") || die "$2: no such file" && shift 2 ;;
	--try) try=$(readlink -e -- "$2") && shift 2 ;;
	--write-c) write=$(readlink -e -- "$2") || die "$2: no such file" && shift 2 ;;
	-h | --help) manual && exit ;;
	*) die "unknown option $1; see ./run fuzz -h" ;;
	esac
done

kernel=$(kernel_named debug)
release=$(kernel_release "$kernel")
programs=$build/$release/tools/testing/selftests/iommu/fuzz
corpus=$top/tools/testing/fuzz/corpus
work=$build/fuzz

# in_machine MINUTES LOG COMMAND...: with two of each device, for two workers.
in_machine() {
	local time=$1 log=$2 options=(--turns)

	shift 2
	[ "$turns" = --turns ] || options=()
	"$vm_dir/vm.sh" --kernel "$kernel" --cpus "$cpus" "${options[@]}" \
		--mem 1G --iommu "$iommu" --log "$log" \
		--timeout "$((time * 60 + 900))" --share "$work" \
		--device edu --device edu --device e1000e --device e1000e -- "$@"
}

# try FILE: does it happen with these programs? The status is 3 then.
try() {
	local rc=0

	rm -f "$build/vm-log/fuzz-try".*
	cp "$1" "$work/try"
	in_machine 5 fuzz-try ./fuzz --run try --times 20 >/dev/null 2>&1 || rc=$?
	[ -z "$(bugs_in fuzz-try)" ] || rc=3
	[ "$rc" -ne 125 ] || rc=3
	say "fuzz: $(grep -c . "$1") calls: $([ "$rc" = 3 ] && echo yes || echo no)"
	return "$rc"
}

# reduce FILE...: what each worker ran, if it is not known which did it.
reduce() {
	local result

	result=$("$programs/fuzz" --reduce \
		"'$0' --iommu $iommu --cpus $cpus $turns --try" "$@") || return
	"$programs/fuzz" --write-c "$result" >"${result%.reduced}.c"
	say "fuzz: reduced to ${result#"$top/"} and .c:"
	cat "$result"
}

# What ran last, the oldest first, from the log of a machine that died.
from_log() {
	tr -d '\0' <"$1" | awk '
		/^# [0-9]+$/ { n = $2; next }
		n != "" { text[n] = text[n] $0 "\n"; if (n > max) max = n }
		END { for (i = max > 24 ? max - 24 : 0; i <= max; i++)
			if (i in text) printf "%s\n", text[i] }'
}

blocks_in() {
	cat "$@" >/dev/null && for one; do
		readelf -rW "$one" | grep -c __sanitizer_cov_trace_pc
	done | awk '{ sum += $1 } END { print sum }'
}

if [ -n "${try:-}" ]; then
	try "$try"
	exit
fi
"$vm_dir/setup.sh"
mkdir -p "$work"
"$vm_dir/build.sh" --kernel "$kernel" >"$work/build" 2>&1 || {
	tail -n 30 "$work/build" >&2
	die "build failed; see build/fuzz/build"
}
cp "$programs/fuzz" "$work/"
if [ -n "$write" ]; then
	exec "$programs/fuzz" --write-c "$write"
fi
if [ -n "$file" ]; then
	reduce "$file"
	exit
fi

rm -rf "$work/out"
mkdir "$work/out"
cp "$corpus" "$work/corpus"
: >"$work/result"
end=$(($(date +%s) + minutes * 60))
# A machine that can go no further for no fault of ours is followed by another.
while :; do
	say "fuzz: seed $seed"
	rm -f "$build/vm-log/fuzz".*
	rc=0
	in_machine "$minutes" fuzz ./fuzz --corpus corpus --out out \
		--minutes "$minutes" --workers "$cpus" --seed "$seed" | tee -a "$work/result" || rc=$?
	found=$(bugs_in fuzz)
	minutes=$(((end - $(date +%s)) / 60))
	if [ "$rc" -ne 4 ] || [ -n "$found" ] || [ "$minutes" -le 0 ]; then
		break
	fi
	[ ! -s "$work/out/corpus" ] || cp "$work/out/corpus" "$work/corpus"
	seed=$((seed + 1))
done
say "fuzz: our modules have $(blocks_in "$build/$release/drivers/iommu/iommufd/iommufd.ko" \
	"$build/$release/drivers/vfio/vfio.ko") blocks"
if { [ "$rc" -eq 0 ] || [ "$rc" -eq 4 ]; } && [ -z "$found" ]; then
	[ "$update" = no ] || cp "$work/out/corpus" "$corpus"
	exit 0
fi

echo "fuzz: ${found:-status $rc}"
[ "$reduce" = yes ] || exit 3
histories=()
for number in 0 1; do
	history=$work/out/history-$number
	[ -s "$history" ] || from_log "$work/out/ran-$number" >"$history"
	[ ! -s "$history" ] || histories+=("$history")
done
[ "${#histories[@]}" -eq 0 ] || reduce "${histories[@]}" || :
exit 3
