#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run debug-kernel [kcsan]
#
# Build, from Debian's linux-source-6.1, a small kernel that looks for faults
# in itself: KASAN, lockdep, kmemleak, UBSAN, fault injection and more, or
# with "kcsan" one that looks for data races. It is kept in
# build/debug-kernel (build/kcsan-kernel), which "--kernel debug" ("--kernel
# kcsan") of the other commands stands for, and built again when its
# configuration or the source package has changed. Takes some ten minutes.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
'') kind=debug ;;
kcsan) kind=kcsan ;;
-h | --help) manual && exit ;;
*) manual >&2 && exit 2 ;;
esac

tarball=/usr/src/linux-source-6.1.tar.xz
work=$build/$kind-kernel.work
out=$build/$kind-kernel
source=$build/linux-source-6.1
options=("$vm_dir/debug.config")
[ "$kind" = debug ] || options+=("$vm_dir/$kind.config")

[ -e "$tarball" ] || "$vm_dir/setup.sh"
version=$(dpkg-query -W -f '${Version}' linux-source-6.1)

mkdir -p "$build"
exec 9>"$out.lock" 8>"$source.lock"
flock 9
stamp=$(stamp_of "$0" "${options[@]}")-$version-$(gcc -dumpfullversion)
[ "$(cat "$out/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

flock 8
if [ "$(cat "$source.stamp" 2>/dev/null)" != "$version" ]; then
	say "$kind kernel: unpacking $version"
	rm -rf "$source" "$source.new"
	mkdir "$source.new"
	tar -xf "$tarball" -C "$source.new" --strip-components=1
	mv "$source.new" "$source"
	echo "$version" >"$source.stamp"
fi
flock -u 8

# What looks for faults is not looked at: that would take most of the time.
variables=()
for object in lockdep kmemleak debugobjects unwind_frame extable; do
	variables+=("KASAN_SANITIZE_$object.o=n" "UBSAN_SANITIZE_$object.o=n")
done
# What is not ours is not looked at for data races: the kernel has its own.
[ "$kind" != kcsan ] || variables+=(KCSAN_SANITIZE=n)

# Of two lines for one option the last one counts.
mkdir -p "$work"
cat "${options[@]}" >"$work/wanted"
# QEMU enters the kernel by PVH: that code, and the memcmp() that it calls, runs
# before there is shadow memory.
make=(nice -n 5 make -s -C "$source" O="$work" -j"$(nproc)"
	KASAN_SANITIZE_enlighten.o=n KASAN_SANITIZE_string.o=n "${variables[@]}")
"${make[@]}" KCONFIG_ALLCONFIG="$work/wanted" allnoconfig >"$work/log" 2>&1 ||
	die "no configuration; see $work/log"
# An option whose dependencies are not met vanishes without a word.
missing=$(awk -F '[= ]' '
	/^CONFIG_/ { want[$1] = $0 }
	/^# CONFIG_.* is not set$/ { delete want[$2] }
	END { for (name in want) print want[name] }' "$work/wanted" |
	grep -vxFf "$work/.config" || :)
[ -z "$missing" ] || die "the configuration does not take: ${missing//$'\n'/, }"

say "$kind kernel: building, log in ${work#"$top/"}/log"
start=$(now)
"${make[@]}" vmlinux modules >>"$work/log" 2>&1 || {
	tail -n 20 "$work/log" >&2
	die "building failed; see $work/log"
}
release=$(<"$work/include/config/kernel.release")
rm -rf "$out"
mkdir -p "$out"
"${make[@]}" INSTALL_MOD_PATH="$out" modules_install >>"$work/log" 2>&1 ||
	die "installing the modules failed; see $work/log"
rm -f "$out/lib/modules/$release/source"
cp "$work/vmlinux" "$out/vmlinux"
echo "$stamp" >"$out/stamp"
say "$kind kernel: $release, built in $(seconds_since "$start") s"
