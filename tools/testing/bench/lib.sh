# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# What the benchmark's scripts share: the cases, and building what runs in the
# machine.
bench_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$bench_dir/../vm/lib.sh"

out=$build/bench
all_cases=(null a b-thp b-hugetlb c d e e-hugetlb f g h h-hugetlb i j m k-2m k-1g l)

# Two devices, for two address spaces; room for gigabytes of huge pages. Those of
# 1 GiB are to be had at boot only. The kernel mitigates what it would by default.
machine=(--mem 5G --device edu --device edu --append 'mitigations=auto'
	--append 'hugepagesz=1G hugepages=1 default_hugepagesz=2M')

# need COMMAND PACKAGE
need() {
	command -v "$1" >/dev/null && return
	say "installing $2"
	as_root apt-get -qq update
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		--no-install-recommends install "$2" >/dev/null ||
		die "no $1: is $2 installed?"
}

build_all() {
	local log=$build/bench-build.log release

	release=$(default_release)
	mkdir -p "$out"
	{
		"$vm_dir/setup.sh" &&
			"$vm_dir/build.sh" modules testmodules &&
			cp "$build/$release/tools/testing/selftests/iommu/mock/iommufd_mock.ko" \
				"$out/" &&
			make -C "$bench_dir" --no-print-directory OUTPUT="$out" \
				KDIR="/usr/src/linux-headers-$release" "$@"
	} >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "build failed; see build/bench-build.log"
	}
	cp "$bench_dir/guest.sh" "$out/"
}

join() {
	local IFS=,

	echo "$*"
}
