#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run bench [OPTIONS] [CASE...]
#        ./run bench profile [--stock | --floor] CASE STEP
#        ./run bench contention [--stock]
#        ./run bench compare OLD.json NEW.json
#        ./run bench plot RESULTS.json... OUT.svg
#        ./run bench report [--markdown] RESULTS.json...
#
# Measure what mapping memory costs, in executed instructions, in a machine
# whose time is counted so. Each step of a case is done three times; the middle
# one is shown, and how far the others are from it. IOTLB flushes and the memory
# that is kept are counted in a further repetition.
#
#   --caching-mode on|off whether the IOMMU wants a flush after a map too, as a
#                         virtual one does (default on)
#   --stock               type 1 of the stock kernel too, in a second machine
#   --no-floor            without the floor: pinning and mapping with no
#                         bookkeeping
#   --wall                nanoseconds of emulation instead: noisy
#   --repetitions N       default 3
#   --save FILE           where the results go (default
#                         build/bench/results.json)
#   --timeout SECONDS     for each machine (default 1800)
#
# Cases, each with the steps "map" and "unmap" if not said otherwise:
#   null       the way into the kernel and back, part of all others: "ioctl"
#   a          256 MiB of 4 KiB pages in random order
#   b-thp      256 MiB of transparent huge pages
#   b-hugetlb  256 MiB of hugetlb pages of 2 MiB
#   c          20,000 mappings of 4 KiB, made and removed one by one
#   d          the same, removed at once: "unmap"
#   e, e-hugetlb
#              the memory of a or b-hugetlb in a second address space: "copy",
#              "unmap"
#   f          1 GiB of hugetlb pages of 2 MiB
#   g          the same as a file
#   h, h-hugetlb
#              a second domain for a filled address space: "attach", "detach"
#   i          a thousand mappings that are the first, and a thousand behind a
#              million others: "first-map", "last-map", also "-unmap" and
#              "-anywhere", where the kernel chooses the IOVA
#   j          the same in a container with a group, by the ioctls of type 1
#   k-2m, k-1g 64 GiB of hugetlb pages of 2 MiB or 1 GiB: one of 1 GiB, 64 times
#   m          16 MiB by a driver in the kernel, the tests' mock device: "pin" one by
#              one, "pin-at-once", "unpin", "read-64", "write-page"
#   l          threads that map and unmap 4 KiB pages at the same time, in a machine
#              with two CPUs and by the clock, which is noisy: "1-thread",
#              "2-one-space", "2-two-spaces", "4-one-space"
#
# "profile" prints the instructions of each function of the kernel, and how often
# it was called, per page or mapping as in the table. "contention" prints where
# the threads of case l waited for each other. "compare" shows what has become
# more than 5 % worse, and fails if anything has. "plot" and "report" are for the
# documentation.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
profile | contention | compare | plot | report)
	command=$1
	shift
	exec "$bench_dir/$command.sh" "$@"
	;;
esac

caching=on stock=no floor=yes wall=no repetitions=3 save=$out/results.json
timeout=1800
while [ $# -gt 0 ]; do
	case $1 in
	--caching-mode) caching=${2:?} && shift 2 ;;
	--stock) stock=yes && shift ;;
	--no-floor) floor=no && shift ;;
	--wall) wall=yes && shift ;;
	--repetitions) repetitions=${2:?} && shift 2 ;;
	--save) save=$(realpath -- "${2:?}") && shift 2 ;;
	--timeout) timeout=${2:?} && shift 2 ;;
	-h | --help) manual && exit ;;
	-*) die "unknown option $1; see ./run bench -h" ;;
	*) break ;;
	esac
done
cases=("$@")
[ $# -gt 0 ] || cases=("${all_cases[@]}")
for case in "${cases[@]}"; do
	[[ " ${all_cases[*]} " == *" $case "* ]] || die "$case: no such case"
done

need jq jq
build_all all
"$vm_dir/image.sh"

options=(-r "$repetitions")
clock=(--icount)
if [ "$wall" = yes ]; then
	options+=(-w)
	clock=()
fi
counted=() timed=()
for case in "${cases[@]}"; do
	if [ "$case" = l ]; then
		timed+=(l)
	else
		counted+=("$case")
	fi
done

boot() {
	"$vm_dir/vm.sh" "${machine[@]}" --share "$out" --accel tcg \
		--caching-mode "$caching" --timeout "$timeout" \
		--log "bench-$caching" "$@" >>"$lines" || failed=1
}

# measure SIDES OPTION...: a line of JSON for each step
measure() {
	local sides=$1

	shift
	[ "${#counted[@]}" -eq 0 ] || boot "${clock[@]}" "$@" -- ./guest.sh \
		"$sides" "$(join "${counted[@]}")" "${options[@]}"
	[ "${#timed[@]}" -eq 0 ] || boot --cpus 2 "$@" -- ./guest.sh \
		"${sides%,floor}" l -w -r "$repetitions"
}

failed=0
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
sides=(iommufd)
[ "$floor" = no ] || sides+=(floor)
measure "$(join "${sides[@]}")"
[ "$stock" = no ] || measure type1 --stock

jq -s --arg caching "$caching" --arg kernel "$(default_release)" \
	--arg commit "$(git -C "$top" describe --always --dirty 2>/dev/null)" \
	'{ kernel: $kernel, commit: $commit, caching_mode: $caching,
	   results: . }' "$lines" >"$save"
jq -r -L "$bench_dir" --slurpfile targets "$bench_dir/targets.json" -f "$bench_dir/table.jq" \
	"$save" | column -t -s "|" -R 4,5,6,7,8,9,10,11,12,13,14
exit "$failed"
