#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: peer.sh [--kernel debug|kcsan|PACKAGE-VERSION|PATH]
#
# Run mainline's own tests of iommufd, as they are in Debian's linux-source-6.12,
# against a test build of iommufd.ko. Results in TAP: a test that fails counts as
# skipped if "expected" gives a reason, and one that passes in spite of that as
# failed. The programs' own output is in build/peer/RELEASE.
. "$(dirname -- "$(readlink -f -- "$0")")/../../../vm/lib.sh"
. "$vm_dir/fetch.sh"
here=$top/tools/testing/selftests/iommu/peer

kernel=
while [ $# -gt 0 ]; do
	case $1 in
	--kernel)
		kernel=$(kernel_named "${2:?}")
		shift 2
		;;
	-h | --help) manual && exit ;;
	*) manual >&2 && exit 2 ;;
	esac
done

version=6.12
programs=(iommufd iommufd_fail_nth)
source=$build/peer/linux-source-$version
release=$(kernel_release "$kernel")
share=$build/peer/$release
kernel_option=(${kernel:+--kernel "$kernel"})
log=peer@$release

# The programs and what they include; only that is kept of the package.
unpack() {
	local tmp name=linux-source-$version

	[ ! -d "$source" ] || return 0
	tmp=$(mktemp -d -p "$build/peer")
	fetch_package "$suite" "$name" "$tmp" "$version." || return 4
	mkdir "$tmp/tree"
	dpkg-deb --fsys-tarfile "$tmp/$name"_*.deb |
		tar -x -O "./usr/src/$name.tar.xz" |
		tar -x -J -C "$tmp/tree" --strip-components=1 --wildcards \
			'*/tools/testing/selftests/kselftest.h' \
			'*/tools/testing/selftests/kselftest_harness.h' \
			'*/tools/testing/selftests/iommu/*' \
			'*/drivers/iommu/iommufd/iommufd_test.h'
	mv "$tmp/tree" "$source"
	rm -rf "$tmp"
}

# Names that stable updates of the programs use, and of the header have not got.
missing_names() {
	local name header=$source/drivers/iommu/iommufd/iommufd_test.h

	for name in MOCK_FLAGS_DEVICE_PASID=4 MOCK_PASID_WIDTH=20; do
		grep -qw "${name%=*}" "$header" || echo "-D$name"
	done
}

compile() {
	local program
	local -a defines

	mapfile -t defines < <(missing_names)
	for program in "${programs[@]}"; do
		gcc -O2 -D_GNU_SOURCE= "${defines[@]}" -static \
			-Wl,--wrap=alarm -isystem "$top/include/uapi" \
			-o "$share/$program" "$here/patience.c" \
			"$source/tools/testing/selftests/iommu/$program.c"
	done
}

mkdir -p "$share"
exec 7>"$build/peer/$release.lock"
flock 7
reason=$(unpack) || {
	echo "1..0 # SKIP ${reason:-the source could not be unpacked}"
	exit 4
}
"$vm_dir/build.sh" "${kernel_option[@]}" --test modules >"$share/build.log" 2>&1 ||
	die "the test build failed; see ${share#"$top/"}/build.log"
compile >"$share/compile.log" 2>&1 ||
	die "the programs do not compile; see ${share#"$top/"}/compile.log"
cp "$build/$release-test/drivers/iommu/iommufd/iommufd.ko" "$here/guest" "$share/"
results=("${programs[@]/%/.tap}")
results=("${results[@]/#/"$share/"}")
truncate -s 0 "${results[@]}"

rc=0
"$vm_dir/vm.sh" "${kernel_option[@]}" --device none --timeout 2400 --log "$log" \
	--share "$share" -- ./guest "${programs[@]}" || rc=$?
found=$(bugs_in "$log")
awk -v status="$rc" -v bugs="${found//$'\n'/, }" -f "$here/judge.awk" \
	"$here/expected" "${results[@]}"
