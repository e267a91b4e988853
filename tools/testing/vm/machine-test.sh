#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the machine itself, with the stock modules, in TAP: what ./run vm
# promises about output, status, share and devices.
. "$(dirname -- "$0")/lib.sh"
. "$top/tools/testing/admin/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

vm() {
	"$vm_dir/vm.sh" --stock --device none --timeout 60 \
		--log "machine-test-$number" "$@" >"$work/out" 2>"$work/err"
}

# status COMMAND...
status() {
	"$@" && echo 0 || echo $?
}

# bit NAME FILE: one bit of a VT-d register in the output, from its right end.
bit() {
	local value

	value=$(sed -n "s/^$2 //p" "$work/out")
	echo $(((0x${value:-0} >> $1) & 1))
}

"$vm_dir/image.sh"

plan

mkdir "$work/share"
echo before >"$work/share/from-host"
# shellcheck disable=SC2016 # for the shell in the machine
got=$(status vm --cpus 2 --share "$work/share" -- sh -c '
	pwd; nproc; id -u; uname -r; cat from-host; printf "<%s>" "$@"; echo
	echo aside >&2; mv from-host back; exit 77' name 'a b' "it's" '$x' '')
expect "the exit status is passed through" 77 "$got"
expect "standard output is passed through" \
	"$(printf '%s\n' /mnt/share 2 0 "$(default_release)" before "<a b><it's><\$x><>")" \
	"$(<"$work/out")"
expect "standard error is passed through" aside "$(<"$work/err")"
expect "the share is writable" "back" "$(ls "$work/share")"

expect "output of any bytes arrives whole" \
	"$(head -c 3000000 /dev/zero | tr '\0' '\377' | sha256sum)" \
	"$(vm -- sh -c 'head -c 3000000 /dev/zero | tr "\0" "\377"'; sha256sum <"$work/out")"
expect "time is up" 124 "$(status vm --timeout 6 -- sleep 60)"
# shellcheck disable=SC2016
got=$(status vm -- sh -c 'echo c >/proc/sysrq-trigger')
expect "a panic is the machine's death" 125 "$got"
expect "and is shown" 1 "$(grep -c 'Kernel panic - not syncing: sysrq' "$work/err")"
got=$(status vm -- pkill -x dmesg)
expect "without the end of its kernel log no status counts" 125 "$got"
expect "and that is said" 1 "$(grep -c 'status is 0, but the end of its kernel log' "$work/err")"

# QEMU ends before it has opened its ports
got=$(status vm --qemu-arg -nonsense -- true)
expect "an argument that QEMU does not know" 125 "$got"
expect "is named" 1 "$(grep -c 'nonsense: invalid option' "$work/err")"
got=$(status vm --mem xyz -- true)
expect "a size that QEMU does not know" 125 "$got"
expect "is shown" 1 "$(grep -c "Parameter 'size' expects" "$work/err")"
expect "a log that is a path" 1 "$(status vm --log a/b -- true)"
expect "is refused" 1 "$(grep -c 'a name is wanted' "$work/err")"

# A ring with a buffer charges its user, here until the machine's end.
gcc -O2 -Wall -static -o "$work/share/charge" -x c - <<-'EOF'
	#include <linux/io_uring.h>
	#include <sys/mman.h>
	#include <sys/syscall.h>
	#include <sys/uio.h>
	#include <unistd.h>
	#define SIZE 8192

	int main(void)
	{
		struct io_uring_params params = { };
		struct iovec buffer = { .iov_len = SIZE };
		int ring = syscall(SYS_io_uring_setup, 1, &params);

		buffer.iov_base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1))
			return 1;
		if (!fork())
			pause();
		return 0;
	}
EOF
log=$build/vm-log/machine-test-$number.kernel
got=$(status vm --share "$work/share" -- \
	setpriv --reuid 1000 --clear-groups ./charge)
expect "who has pages charged at the end" 0 "$got"
expect "is found, and the number" 'locked by 1000: 0, locked by 1000: 2' "$(
	grep -a 'census: differs' "$log" |
		grep -o 'locked by 1000: [0-9]*' | paste -sd , | sed 's/,/, /')"

# shellcheck disable=SC2016 # for the shell in the machine
show='cd /sys/class/iommu/dmar0/intel-iommu && echo "cap $(cat cap)" && echo "ecap $(cat ecap)"'
vm -- sh -c "$show" || :
expect "intel: it can force snooping" 1 "$(bit 7 ecap)"
expect "intel: caching mode by default" 1 "$(bit 7 cap)"
vm --iommu intel-nosnoop --caching-mode off -- sh -c "$show" || :
expect "intel-nosnoop: it can not" 0 "$(bit 7 ecap)"
expect "caching mode off" 0 "$(bit 7 cap)"

groups='ls /sys/kernel/iommu_groups | wc -l; cat /proc/cmdline'
vm --iommu none --append extra=1 -- sh -c "$groups" || :
expect "none: no IOMMU groups" 0 "$(head -n 1 "$work/out")"
expect "words for the kernel's command line" 1 "$(grep -cw 'extra=1' "$work/out")"

# shellcheck disable=SC2016
show='for d in /sys/bus/pci/devices/*; do
	case $(cat $d/vendor):$(cat $d/device) in
	0x1234:0x11e8 | 0x1b36:0x0010 | 0x1af4:0x1041 | 0x8086:0x10d3)
		echo $(cat $d/device) $(ls $d/iommu_group/devices | wc -l) ;;
	esac
done | sort'
default=$(printf '%s 1\n' 0x0010 0x1041 0x10d3 0x11e8)
vm --iommu amd --device default -- sh -c "$show" || :
expect "amd: the default devices, each in its group" "$default" "$(<"$work/out")"
vm --device default -- sh -c "$show" || :
expect "intel: the default devices, each in its group" "$default" "$(<"$work/out")"

# shellcheck disable=SC2016
vm --device edu --device edu -- bash -c '
	count() { lspci -d 1234:11e8 | wc -l; }
	count
	echo device_del edu1 >/dev/virtio-ports/monitor
	for ((i = 0; i < 100 && $(count) > 1; i++)); do sleep 0.1; done
	count' || :
expect "a device is unplugged through the monitor" $'2\n1' "$(<"$work/out")"

expect "icount: an idle guest's time costs none of the host's" 0 \
	"$(status vm --icount --timeout 300 -- sleep 600)"
finish
