#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run demo [--groups] [--old-qemu] [--stock] [VM-OPTION...]
#
# Give a NIC, an NVMe disk and the edu device through /dev/iommu to a guest on
# nested KVM and use each by DMA; then once more with all DMA of the guest
# bounced, as in a confidential guest. With --groups the guest is given the
# devices the old way, through /dev/vfio/vfio and their groups; --old-qemu does so
# by Debian 12's own QEMU, which knows no other; --stock shows it with the stock
# modules. Other options are those of ./run vm.
. "$(dirname -- "$0")/lib.sh"
. "$vm_dir/l2.sh"
. "$vm_dir/tree.sh"

# What this one's files are named after, as others may run beside it.
name=demo
way=iommufd
ours=yes
old_qemu=no
kernel=()
options=()
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) manual && exit ;;
	--groups) way=group && name+=-groups && shift && continue ;;
	--old-qemu) way=group && old_qemu=yes && name+=-old-qemu && shift && continue ;;
	--stock) way=group && ours=no && name+=-stock ;;
	--kernel)
		kernel=("$1")
		kernel+=("$(kernel_named "${2:?}")")
		;;
	esac
	options+=("$1")
	shift
done

start=$(now)
passed=0
failed=0
rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT

step() {
	printf '[%6s s] %s\n' "$(seconds_since "$start")" "$*"
}

pass() {
	passed=$((passed + 1))
	step "ok      $*"
}

fail() {
	failed=$((failed + 1))
	step "FAILED  $*"
}

# SYSCALL turns interrupts off, so no guest can be interrupted at the first
# instruction behind it. On an emulated CPU one was, and died of a stack that was
# still the user's.
impossible='# guest: .*RIP: 0010:entry_SYSCALL_64\+0x0/'

# in_l1 LOG TITLE WORD...: one machine, one guest in it, and another one if the
# emulated CPU was at fault.
in_l1() {
	local before=("$passed" "$failed")

	try_l1 "$@"
	if [ "$failed" -gt "${before[1]}" ] && grep -qE "$impossible" "$rows/said"; then
		passed=${before[0]} failed=${before[1]}
		step "the emulated CPU took an interrupt while they were off; once more:"
		try_l1 "$@"
	fi
}

try_l1() {
	local log=$1 title=$2 line rc=0 found

	shift 2
	: >"$rows/table"
	: >"$rows/said"
	step "$title"
	while IFS= read -r line; do
		echo "$line" >>"$rows/said"
		case $line in
		ok\ *) pass "${line#ok }" ;;
		not\ ok\ *) fail "${line#not ok }" ;;
		table\ *) echo "${line#table }" >>"$rows/table" ;;
		status\ *) rc=${line#status } ;;
		*) step "        $line" ;;
		esac
	done < <("$vm_dir/vm.sh" --timeout 400 --log "$log" \
		--device edu --device nvme --device virtio-net \
		--serve "$share/payload" --share "$share" "${options[@]}" -- ./demo "$way" "$@" 2>&1 || echo "status $?")
	[ "$rc" -eq 0 ] || fail "the machine's command ended with status $rc"
	found=$(bugs_in "$log")
	if [ -z "$found" ]; then
		pass "the kernel log tells of no bug"
	else
		fail "the kernel log: $found"
	fi
	[ -s "$rows/table" ] || fail "the guest never came to its end"
	echo
	awk -F , '{ printf "%-7s %-13s %-12s %-5s %-12s %-12s %s\n",
		$1, $2, $3, $4, $5, $6, $7 }' "$rows/table"
	echo
}

"$vm_dir/setup.sh" || die "setup failed"
pass "setup: all packages are there"
if [ "$ours" = yes ]; then
	mkdir -p "$build"
	"$vm_dir/build.sh" "${kernel[@]}" >"$build/$name.log" 2>&1 || {
		tail -n 20 "$build/$name.log" >&2
		die "build failed; see build/$name.log"
	}
	pass "build: modules for $(kernel_release "${kernel[1]:-}")"
fi
"$vm_dir/image.sh" "${kernel[@]}"
version=$("$vm_dir/qemu.sh" --version | awk '{ print $4; exit }')
[ "$old_qemu" = no ] || "$vm_dir/old-qemu.sh"
pass "image: Debian $suite, QEMU $version"

share=$build/$name
rm -rf "$share"
mkdir -p "$share"
make_l2 "$share" l2-init 4194304
cp "$vm_dir/guest/demo" "$share/demo"
[ "$old_qemu" = no ] || share_tree qemu-bookworm "$share/qemu"

in_l1 "$name" "a machine, and a guest in it"
in_l1 "$name-bounced" "the same, all DMA of the guest bounced" swiotlb=force

echo "demo: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
