#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run bench contention [--stock]
#
# Run case l of the benchmark with four CPUs, and print where a lock was waited
# for, and how often, out of some 4,600 ioctls.
. "$(dirname -- "$0")/lib.sh"

side=iommufd stock=()
while [ $# -gt 0 ]; do
	case $1 in
	--stock) side=type1 && stock=(--stock) && shift ;;
	-h | --help) manual && exit ;;
	*) manual >&2 && exit 2 ;;
	esac
done

build_all all
"$vm_dir/image.sh"

# The stock kernel has no lock_stat, but it has events for each wait.
# shellcheck disable=SC2016 # expanded in the machine
"$vm_dir/vm.sh" "${machine[@]}" "${stock[@]}" --cpus 4 --share "$out" \
	--timeout 600 --accel tcg --log bench-contention -- bash -c '
		set -eu
		event=/sys/kernel/tracing/events/lock/contention_begin
		echo hist:keys=stacktrace:size=2048 >$event/trigger
		./bench -w "$1" l
		cat $event/hist >contention' guest "$side" >/dev/null

# Waits elsewhere in the kernel are no business of these modules.
awk -v RS= '/\[(iommufd|vfio)/ || /^Totals/ || /iommu/' <(
	awk '/^\{/ { print "" } { print }' "$out/contention")
