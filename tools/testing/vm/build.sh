#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run build [--kernel debug|kcsan|PACKAGE-VERSION|PATH] [--test] [TARGET...]
#
# Build the modules and the tests in build/RELEASE, a copy of the sources, so
# that the tree stays clean and several kernels can be built for. Without
# arguments the targets are "modules", "testmodules" and "selftests". The
# kernel's headers are those of its Debian package, or
# PATH/lib/modules/RELEASE/build. With --test, iommufd.ko is built in
# build/RELEASE-test and answers mainline's test programs, too: not for use.
. "$(dirname -- "$0")/lib.sh"

kernel=
variant=
while [ $# -gt 0 ]; do
	case $1 in
	--kernel)
		kernel=$(kernel_named "${2:?}")
		shift 2
		;;
	--test) variant='test' && shift ;;
	-h | --help) manual && exit ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || set -- modules testmodules selftests

release=$(kernel_release "$kernel")
if [ -n "$kernel" ] && [ -e "$kernel" ]; then
	headers=$(readlink -f -- "$kernel")/lib/modules/$release/build
else
	headers=/usr/src/linux-headers-$release
fi
[ -e "$headers/Makefile" ] ||
	die "no headers of kernel $release in $headers; is linux-headers-$release installed?"

stage=$build/$release${variant:+-$variant}
mkdir -p "$stage"
exec 9>"$stage.lock"
flock 9

# Only what changed is copied and made again; what is gone from the tree goes from
# the copy.
cd "$top"
git ls-files -co --exclude-standard | while IFS= read -r file; do
	[ ! -e "$file" ] || echo "$file"
done | sort >"$stage/.sources.new"
if [ -e "$stage/.sources" ]; then
	comm -23 "$stage/.sources" "$stage/.sources.new" |
		(cd "$stage" && tr '\n' '\0' | xargs -0 -r rm -f --)
fi
mv "$stage/.sources.new" "$stage/.sources"
# By what is in them, and with the time of now: make must not find a file that was
# edited while the last build ran older than what that build made of it.
rsync -a --no-times --checksum --files-from="$stage/.sources" . "$stage/"

# Where a kernel has KCOV, ./run fuzz wants to know what of our modules was run.
for target; do
	make -C "$stage" --no-print-directory -j"$(nproc)" KDIR="$headers" \
		OUTPUT="$stage/tools/testing/selftests/iommu" \
		KCOV_INSTRUMENT=y ${variant:+IOMMUFD_TEST=1} "$target"
done
