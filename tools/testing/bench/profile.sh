#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run bench profile [--stock | --floor] [--caching-mode on|off] CASE STEP
#
# Print the instructions that each function of the kernel executes in one step
# of a case of the benchmark, and how often it is called, per page or mapping.
. "$(dirname -- "$0")/lib.sh"

side=iommufd caching=on stock=()
while [ $# -gt 0 ]; do
	case $1 in
	--stock) side=type1 && stock=(--stock) && shift ;;
	--floor) side=floor && shift ;;
	--caching-mode) caching=${2:?} && shift 2 ;;
	-h | --help) manual && exit ;;
	*) break ;;
	esac
done
if [ $# -ne 2 ]; then
	manual >&2
	exit 2
fi

build_all all "$out/insns.so"
"$vm_dir/image.sh"
"$vm_dir/qemu.sh" --help | grep -q '^-plugin ' ||
	die "this QEMU has no plugins"

rm -f "$out/blocks" "$out/symbols"
"$vm_dir/vm.sh" "${machine[@]}" "${stock[@]}" --icount --share "$out" \
	--caching-mode "$caching" --timeout 1800 --accel tcg --log bench-profile \
	--qemu-arg -plugin --qemu-arg "file=$out/insns.so,out=$out/blocks" -- \
	bash -c './guest.sh "$@" && cat /proc/kallsyms >symbols' guest \
	"$side" "$1" -p "$2" >"$out/profiled"
[ -s "$out/blocks" ] || die "nothing executed; is $2 a step of case $1?"

{
	awk '$2 ~ /[tT]/ { print $1, "s", $3, $4 }' "$out/symbols"
	awk '{ print $1, "b", $2, $3 }' "$out/blocks"
} | LC_ALL=C sort -s -k1,1 -k2,2r |
	awk -v per="$(<"$out/profiled")" -f "$bench_dir/profile/functions.awk"
