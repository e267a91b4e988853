# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Made-up machines: what sysfs and procfs would say, below $root.

# put FILE TEXT...: a file with these lines.
put() {
	local file=$root$1

	shift
	mkdir -p "${file%/*}"
	printf '%s\n' "$@" >"$file"
}

# link NAME TARGET: NAME leads to TARGET, both seen from the root.
link() {
	mkdir -p "$root${1%/*}"
	ln -sfn "$(realpath -m --relative-to="$root${1%/*}" "$root$2")" "$root$1"
}

# driver ADDRESS DRIVER|-
driver() {
	rm -f "$root/sys/bus/pci/devices/$1/driver"
	[ "$2" = - ] || {
		mkdir -p "$root/sys/bus/pci/drivers/$2"
		link "/sys/devices/pci0000:00/$1/driver" "/sys/bus/pci/drivers/$2"
	}
}

# vfio ADDRESS NODE: as vfio-pci leaves a device.
vfio() {
	driver "$1" vfio-pci
	mkdir -p "$root/sys/devices/pci0000:00/$1/vfio-dev/$2"
	mkdir -p "$root/dev/vfio/devices"
	: >"$root/dev/vfio/devices/$2"
	chmod 660 "$root/dev/vfio/devices/$2"
}

# pci ADDRESS VENDOR:DEVICE CLASS GROUP DRIVER|-
pci() {
	local dir=/sys/devices/pci0000:00/$1

	put "$dir/vendor" "0x${2%:*}"
	put "$dir/device" "0x${2#*:}"
	put "$dir/class" "0x$3"
	put "$dir/reset_method" "flr bus"
	put "$dir/driver_override" "(null)"
	link "/sys/bus/pci/devices/$1" "$dir"
	if [ "$4" != - ]; then
		link "$dir/iommu_group" "/sys/kernel/iommu_groups/$4"
		link "/sys/kernel/iommu_groups/$4/devices/$1" "$dir"
		link "$dir/iommu" /sys/devices/virtual/iommu/dmar0
		put "/sys/kernel/iommu_groups/$4/reserved_regions" \
			"0x00000000fee00000 0x00000000feefffff msi"
	fi
	driver "$1" "$5"
}

# process PID COMMAND
process() {
	put "/proc/$1/comm" "$2"
	mkdir -p "$root/proc/$1/fd" "$root/proc/$1/fdinfo"
}

# limits PID BYTES|unlimited
limits() {
	put "/proc/$1/limits" \
		'Limit                     Soft Limit           Hard Limit           Units     ' \
		"$(printf '%-25s %-20s %-20s %-10s' 'Max locked memory' "$2" "$2" bytes)"
}

# A machine on which everything is as it should be: a NIC with two functions in
# one group, a disk, and a GPU that vfio-pci has.
good_machine() {
	root=$(mktemp -d -p "$work")
	put /proc/sys/kernel/osrelease 6.1.0-56-amd64
	put /proc/cmdline "BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet"
	put /proc/interrupts '           CPU0' ' 25:     1  IR-PCI-MSI 65536-edge  eth0'
	put /proc/self/status 'CapEff:	0000000000000000'
	put /proc/swaps 'Filename  Type  Size  Used  Priority'
	put /proc/self/mountinfo '22 1 254:1 / / rw - ext4 /dev/vda1 rw'
	limits self 68719476736
	link /sys/class/iommu/dmar0 /sys/devices/virtual/iommu/dmar0
	put /sys/devices/virtual/iommu/dmar0/intel-iommu/cap d2008c222f0686
	put /sys/devices/virtual/iommu/dmar0/intel-iommu/ecap f00fce
	put /sys/firmware/acpi/tables/DMAR
	mkdir -p "$root/sys/module/"{iommufd,vfio}/holders "$root/sys/class/misc/iommu"
	mkdir -p "$root/sys/module/iommufd/holders/vfio" \
		"$root/sys/module/vfio/holders/vfio_pci_core"
	put /sys/module/iommufd/parameters/allow_unsafe_interrupts N
	pci 0000:00:00.0 8086:29c0 060000 0 -
	pci 0000:01:00.0 8086:10d3 020000 5 e1000e
	pci 0000:01:00.1 8086:10d3 020000 5 e1000e
	pci 0000:02:00.0 1b36:0010 010802 6 nvme
	pci 0000:03:00.0 10de:1eb8 030200 7 -
	vfio 0000:03:00.0 vfio0
	mkdir -p "$root/dev" "$root/etc/udev/rules.d" "$root/sys/bus/pci/drivers/vfio-pci"
	: >"$root/dev/iommu"
	chmod 666 "$root/dev/iommu" "$root/dev/vfio/devices/vfio0"
	: >"$root/sys/bus/pci/drivers_probe"
}

# The same with AMD's IOMMU in the place of Intel's.
amd_machine() {
	local device

	good_machine
	rm -r "$root/sys/class/iommu/dmar0" "$root/sys/devices/virtual/iommu/dmar0" \
		"$root/sys/firmware/acpi/tables/DMAR"
	put /sys/devices/virtual/iommu/ivhd0/amd-iommu/cap 4058204
	put /sys/firmware/acpi/tables/IVRS
	link /sys/class/iommu/ivhd0 /sys/devices/virtual/iommu/ivhd0
	for device in "$root"/sys/devices/pci0000:00/*; do
		link "${device#"$root"}/iommu" /sys/devices/virtual/iommu/ivhd0
	done
}
