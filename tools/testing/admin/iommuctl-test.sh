#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# iommuctl on made-up machines: what it prints, and that every check of the
# doctor fails where it should and is content once the cause is gone.
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
top=$admin/../../..
. "$admin/tree.sh"
. "$admin/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$top/tools/iommuctl" OUTPUT="$work" VERSION=1.2 \
	CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover" >&2 || exit 1

# An error ends the program where it is met, with whatever it holds
export ASAN_OPTIONS=detect_leaks=0

# run ARGUMENT...: sets out, err and status.
run() {
	local command=$1

	shift
	"$work/iommuctl" "$command" --sysfs-root "$root" "$@" >"$work/out" 2>"$work/err"
	status=$?
	out=$(<"$work/out")
	err=$(<"$work/err")
}

# verdict CHECK ARGUMENT...: what the doctor says of it.
verdict() {
	local check=$1

	shift
	run doctor -n -o check,result "$@"
	sed -n "s/^$check  *//p" <<<"$out"
}

# remedy CHECK ARGUMENT...
remedy() {
	local check=$1

	shift
	run doctor -n -o check,remedy "$@"
	sed -n "s/^$check  *//p" <<<"$out"
}

gpu=0000:03:00.0 nic=0000:01:00.0 disk=0000:02:00.0

plan

# Wrong input: one line, and a status of 2
good_machine
for wrong in "frob" "bind" "ls x y" "ls --for qemu" "show --persist" "config $gpu" \
	"config $gpu --for xen" "doctor --memory 16Q" "doctor --memory 0" \
	"doctor --memory -1" "doctor 0000:99:00.0" "doctor nonsense" \
	"doctor --user nobody-of-this-name" "ls -o NAME,NONE" "ls -o name,name" \
	"bind 0000:00:00.0" "doctor --memory 99999999999999999999T"; do
	# shellcheck disable=SC2086 # words
	"$work/iommuctl" ${wrong%% *} --sysfs-root "$root" \
		${wrong#"${wrong%% *}"} >"$work/out" 2>"$work/err"
	expect "iommuctl $wrong: status, lines of output and of errors" \
		"2 0 1" "$? $(wc -l <"$work/out") $(wc -l <"$work/err")"
done
expect "the version" "iommuctl 1.2" "$("$work/iommuctl" --version)"

# ls
export LC_ALL=C.UTF-8
run ls -n -o name,driver,coherent,file
expect "ls: a tree of groups" "group 0
└─0000:00:00.0          yes
group 5
├─0000:01:00.0 e1000e   yes
└─0000:01:00.1 e1000e   yes
group 6
└─0000:02:00.0 nvme     yes
group 7
└─0000:03:00.0 vfio-pci yes      /dev/vfio/devices/vfio0" "$(sed 's/ *$//' "$work/out")"
run ls 3:0.0 -n -o name,id,group
expect "ls DEVICE: its group only" "0000:03:00.0 10de:1eb8 7" "$(grep -o '0000:03.*' <<<"$out")"
expect "ls DEVICE: nothing else" "2" "$(wc -l <"$work/out")"
process 77 qemu
ln -s /dev/vfio/devices/vfio0 "$root/proc/77/fd/9"
process 78 qemu
ln -s /dev/vfio/5 "$root/proc/78/fd/3"
run ls --json -o name,driver,coherent,holder
python3 - "$work/out" >"$work/json" 2>&1 <<'END'
import json, sys
all = json.load(open(sys.argv[1]))
print(all["version"], sorted(all))
for group in all["groups"]:
    for device in group["children"]:
        print(device)
END
expect "ls --json: version, types, holders by device file and by group" "1 ['groups', 'version']
{'name': '0000:00:00.0', 'driver': None, 'coherent': True, 'holder': None}
{'name': '0000:01:00.0', 'driver': 'e1000e', 'coherent': True, 'holder': 'qemu[78]'}
{'name': '0000:01:00.1', 'driver': 'e1000e', 'coherent': True, 'holder': 'qemu[78]'}
{'name': '0000:02:00.0', 'driver': 'nvme', 'coherent': True, 'holder': None}
{'name': '0000:03:00.0', 'driver': 'vfio-pci', 'coherent': True, 'holder': 'qemu[77]'}" \
	"$(<"$work/json")"

# show
limits 77 8388608
ln -s /dev/iommu "$root/proc/77/fd/11"
put /proc/77/fdinfo/11 $'pos:\t0' $'flags:\t02000002' \
	$'refusal:\t7 call IOMMU_IOAS_MAP error -ENOMEM reason 64 KiB over: limit 8 KiB' \
	$'ioas:\t1 mapped 536875008 pinned 536870912 bars 4096 domains 1' \
	$'hwpt:\t2 ioas 1 groups 1 automatic 0 enforces yes' \
	$'device:\t3 name 0000:03:00.0 group 7 hwpt 2' \
	$'device:\t5 name 0000:04:00.0 group 8 hwpt -' \
	$'access:\t4 ioas -' $'access:\t6 name iommufd_mock_mdev.1 ioas 1' $'later:\t9 word value' \
	$'coherency:\tcoherent policy require' \
	$'owner:\t77 uid 0 limit-of user pinned 536870912'
run show --json
python3 - "$work/out" >"$work/json" 2>&1 <<'END'
import json, sys
all = json.load(open(sys.argv[1]))
def tell(entry, depth):
    print(" " * depth + " ".join("%s=%s" % (key, value)
        for key, value in entry.items() if value is not None and key != "children"))
    for child in entry.get("children", []):
        tell(child, depth + 1)
print(all["version"])
for entry in all["files"]:
    tell(entry, 0)
END
expect "show --json" "1
name=qemu[77] fd 11 type=file pid=77 fd=11 coherency=coherent policy=require
 name=refusal IOMMU_IOAS_MAP type=refusal call=IOMMU_IOAS_MAP error=-ENOMEM reason=64 KiB over: limit 8 KiB
 name=ioas 1 type=ioas id=1 mapped=536875008 pinned=536870912 bars=4096
 name=hwpt 2 type=hwpt id=2 ioas=1 enforces=yes
 name=device 0000:03:00.0 type=device id=3 hwpt=2 group=7
 name=device 0000:04:00.0 type=device id=5 group=8
 name=access 4 type=access id=4
 name=access iommufd_mock_mdev.1 type=access id=6 ioas=1
 name=owner qemu[77] type=owner pid=77 pinned=536870912 limit=8388608 charged=user" \
	"$(<"$work/json")"
run show -n -o error,reason
expect "show: the last refusal" "-ENOMEM 64 KiB over: limit 8 KiB" \
	"$(grep . <<<"$out" | tr -s ' ' | sed 's/^ //' | grep KiB)"
put /proc/77/fdinfo/9 $'pos:\t0' $'refusal:\t1 call VFIO_DEVICE_BIND_IOMMUFD error -EBUSY reason the group 7 is open'
ln -sfn /dev/vfio/devices/vfio0 "$root/proc/77/fd/9"
ln -sfn /dev/vfio/7 "$root/proc/77/fd/10"
put /proc/77/fdinfo/10 $'pos:\t0' $'refusal:\t0'
run show -n -o name,error,reason
expect "show: a device file's refusal, but no file without one" \
	"qemu[77] fd 9 /dev/vfio/devices/vfio0
└─refusal VFIO_DEVICE_BIND_IOMMUFD -EBUSY the group 7 is open 0" \
	"$(grep -A 1 'fd 9' <<<"$out" | tr -s ' ' | sed 's/ $//') $(grep -c 'fd 10' <<<"$out")"
rm "$root/proc/77/fd/9" "$root/proc/77/fd/10"
run show -n -o name,pinned,limit
expect "show: sizes in units" "owner qemu[77] 512M 8M" \
	"$(grep -o 'owner.*' <<<"$out" | tr -s ' ')"
ln -s /dev/vfio/vfio "$root/proc/78/fd/4"
put /proc/78/fdinfo/4 $'pos:\t0'
run show -n -o name
expect "show: no container of the stock vfio.ko" 0 "$(grep -c 'qemu\[78\]' "$work/out")"
put /proc/78/fdinfo/4 $'pos:\t0' $'coherency:\tnon-coherent policy follow'
run show -n -o pid,fd,coherency
expect "show: one of ours" "78 4 non-coherent" "$(tr -s ' ' <<<"$out" | sed 's/^ *//' | grep ^78)"

# A process that calls itself something else than text
process 77 $'q\xff\e[2J\xc3\xa9\xe2\x82'
ln -s /dev/vfio/devices/vfio0 "$root/proc/77/fd/12"
for command in ls show; do
	run $command --json
	expect "$command --json: a name that is not text" "text q??[2Jé??[77]" \
		"$(python3 -c 'import json, sys; json.load(open(sys.argv[1])); print("text")' \
			"$work/out" 2>&1 | tail -n 1) $(grep -ao 'q[^"]*77\]' "$work/out" | sort -u)"
done
run unbind $gpu
expect "unbind: such a name on the terminal" \
	"iommuctl: $gpu is in use: q??[2Jé??[77] has it open" "$err"
rm -r "$root/proc/77" "$root/proc/78"
run show
expect "show: nothing open" "0 " "$status $out"
run show --json
expect "show --json: nothing open" '{"version":1,"files":[]}' "$(tr -d ' \n' <<<"$out")"

# doctor: all is well
run doctor $gpu --memory 16G --user root
expect "doctor: all is well" "0 0" "$status $(grep -cv '^ok ' "$work/out")"
run doctor
expect "doctor: a check that cannot run is said to be skipped" 1 \
	"$(grep -c '^skipped  locked memory: give' "$work/out")"

# doctor: each check fails, and its remedy mends it
good_machine
mkdir "$root/away"
mv "$root/sys/class/iommu/dmar0" "$root/away/"
expect "IOMMU not used" failure "$(verdict IOMMU)"
expect "the status is 2" 2 "$(run doctor; echo "$status")"
expect "its remedy" "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' /etc/default/grub && update-grub && reboot" \
	"$(remedy IOMMU)"
put /etc/default/grub 'GRUB_CMDLINE_LINUX="quiet"'
sed -i "$(remedy IOMMU | sed "s/^sed -i '\(.*\)' .etc.*/\1/")" "$root/etc/default/grub"
expect "what the remedy makes of GRUB's file" \
	'GRUB_CMDLINE_LINUX="intel_iommu=on quiet"' "$(<"$root/etc/default/grub")"
mv "$root/away/dmar0" "$root/sys/class/iommu/"
expect "IOMMU mended" ok "$(verdict IOMMU)"

# turned_off CHECK WORD: a word of the kernel's command line is to be taken away
turned_off() {
	put /proc/cmdline "ro $2 quiet"
	expect "$1 turned off by $2: the remedy takes the word away" \
		"failure sed -i 's/ *\\b$2\\b//' /etc/default/grub && update-grub && reboot" \
		"$(verdict "$1") $(remedy "$1")"
	put /etc/default/grub "GRUB_CMDLINE_LINUX=\"quiet $2 splash\""
	sed -i "$(remedy "$1" | sed "s/^sed -i '\(.*\)' .etc.*/\1/")" "$root/etc/default/grub"
	expect "$2: what the remedy makes of GRUB's file" \
		'GRUB_CMDLINE_LINUX="quiet splash"' "$(<"$root/etc/default/grub")"
	put /proc/cmdline "ro quiet"
}

rm "$root/sys/class/iommu/dmar0"
turned_off IOMMU intel_iommu=off
turned_off IOMMU iommu=off
rm "$root/sys/firmware/acpi/tables/DMAR"
expect "IOMMU that the firmware hides" \
	"failure turn on VT-d or AMD-Vi in the firmware's setup" \
	"$(verdict IOMMU) $(remedy IOMMU)"
put /sys/firmware/acpi/tables/DMAR
link /sys/class/iommu/dmar0 /sys/devices/virtual/iommu/dmar0
expect "IOMMU of the firmware mended" ok "$(verdict IOMMU)"

good_machine
put /proc/interrupts ' 25:     1  PCI-MSI 65536-edge  eth0'
expect "no interrupt remapping" failure "$(verdict 'interrupt remapping')"
expect "its remedy" "echo Y >/sys/module/iommufd/parameters/allow_unsafe_interrupts" \
	"$(remedy 'interrupt remapping')"
put /sys/module/iommufd/parameters/allow_unsafe_interrupts Y
expect "overridden, which is a warning" warning "$(verdict 'interrupt remapping')"
expect "the status is 1" 1 "$(run doctor; echo "$status")"
put /proc/interrupts ' 25:     1  IR-PCI-MSI 65536-edge  eth0'
expect "interrupt remapping mended" ok "$(verdict 'interrupt remapping')"

put /proc/interrupts ' 25:     1  PCI-MSI 65536-edge  eth0'
put /sys/module/iommufd/parameters/allow_unsafe_interrupts N
turned_off "interrupt remapping" intremap=off
turned_off "interrupt remapping" nointremap

rm "$root/sys/class/iommu/dmar0"
expect "interrupt remapping: no risk is taken where the IOMMU is what is missing" \
	"failure see the check of the IOMMU" \
	"$(verdict 'interrupt remapping') $(remedy 'interrupt remapping')"

# The same on AMD
amd_machine
run doctor $gpu --memory 16G --user root
expect "AMD: all is well, but the address width is not told" "0 1" \
	"$status $(grep -cv '^ok ' "$work/out")"
expect "AMD: which is skipped" skipped "$(verdict 'address width' $gpu)"
expect "AMD: all DMA is coherent" ok "$(verdict 'snoop control' $gpu)"
expect "AMD: and so is a guest that is too large for Intel's" ok \
	"$(verdict 'reserved regions' $gpu --memory 1T)"
put /sys/kernel/iommu_groups/7/reserved_regions \
	"0x000000fd00000000 0x000000ffffffffff reserved"
expect "AMD: but for what HyperTransport reserves below 1 TiB" \
	"failure give the guest less memory, or a hole there" \
	"$(verdict 'reserved regions' $gpu --memory 1T) $(remedy 'reserved regions' $gpu --memory 1T)"
expect "AMD: which a smaller guest does not reach" ok \
	"$(verdict 'reserved regions' $gpu --memory 1000G)"
rm "$root/sys/class/iommu/ivhd0"
turned_off IOMMU amd_iommu=off
turned_off IOMMU iommu=off
expect "AMD: the kernel uses it unless told not to, so its log is asked" \
	"failure see what journalctl -k -g AMD-Vi says; an update of the firmware may help" \
	"$(verdict IOMMU) $(remedy IOMMU)"
rm "$root/sys/firmware/acpi/tables/IVRS"
expect "AMD: the firmware hides it" \
	"failure turn on VT-d or AMD-Vi in the firmware's setup" \
	"$(verdict IOMMU) $(remedy IOMMU)"
put /sys/firmware/acpi/tables/IVRS
link /sys/class/iommu/ivhd0 /sys/devices/virtual/iommu/ivhd0
expect "AMD: mended" ok "$(verdict IOMMU)"
put /proc/interrupts ' 25:     1  PCI-MSI 65536-edge  eth0'
turned_off "interrupt remapping" intremap=off
put /proc/interrupts ' 25:     1  IR-PCI-MSI 65536-edge  eth0'
expect "AMD: interrupt remapping mended" ok "$(verdict 'interrupt remapping')"

good_machine
efi=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
mkdir -p "$root${efi%/*}"
printf '\6\0\0\0\1' >"$root$efi"
rm -r "$root/sys/module/iommufd" "$root/sys/class/misc/iommu"
expect "Secure Boot, modules not signed" \
	"failure apt install openssl && apt install --reinstall iommufd-dkms" \
	"$(verdict 'Secure Boot') $(remedy 'Secure Boot')"
put /var/lib/dkms/mok.pub 'the key'
expect "Secure Boot, modules not loaded" \
	"failure apt install mokutil && mokutil --import /var/lib/dkms/mok.pub && reboot" \
	"$(verdict 'Secure Boot') $(remedy 'Secure Boot')"
shim=605dab50-e046-4300-abb6-3dd810dd8b23
printf '\7\0\0\0some\0the key\nother' >"$root${efi%/*}/MokNew-$shim"
expect "Secure Boot, the key is to be enrolled" "failure reboot" \
	"$(verdict 'Secure Boot') $(remedy 'Secure Boot')"
mv "$root${efi%/*}/MokNew-$shim" "$root${efi%/*}/MokListRT-$shim"
expect "Secure Boot, the key is enrolled" ok "$(verdict 'Secure Boot')"
rm "$root${efi%/*}/MokListRT-$shim"
mkdir -p "$root/sys/firmware/efi/mok-variables"
printf 'some\0the key\nother' >"$root/sys/firmware/efi/mok-variables/MokListRT"
expect "Secure Boot, the key is in the list that no variable holds" ok \
	"$(verdict 'Secure Boot')"
printf 'some\0the kex\nother' >"$root/sys/firmware/efi/mok-variables/MokListRT"
expect "Secure Boot, another key is enrolled" failure "$(verdict 'Secure Boot')"
mkdir -p "$root/sys/module/iommufd/holders/vfio" "$root/sys/class/misc/iommu"
expect "Secure Boot, loaded" ok "$(verdict 'Secure Boot')"
rm -r "$root/sys/module/iommufd"
printf '\6\0\0\0\0' >"$root$efi"
expect "Secure Boot turned off" ok "$(verdict 'Secure Boot')"

good_machine
rm -r "$root/sys/class/misc/iommu" "$root/sys/module/iommufd"
expect "modules not built" "apt install linux-headers-6.1.0-56-amd64 && dkms autoinstall -k 6.1.0-56-amd64" \
	"$(remedy modules)"
put /lib/modules/6.1.0-56-amd64/updates/dkms/iommufd.ko
expect "stock vfio.ko loaded" "modprobe -r vfio_pci vfio_iommu_type1 vfio_virqfd vfio && modprobe vfio_pci" \
	"$(remedy modules)"
rm -r "$root/sys/module/vfio"
expect "modules not loaded" "failure modprobe vfio_pci" \
	"$(verdict modules) $(remedy modules)"
mkdir -p "$root/sys/module/iommufd/holders/vfio" "$root/sys/class/misc/iommu" \
	"$root/sys/module/vfio/holders/vfio_pci_core"
expect "modules mended" ok "$(verdict modules)"
rm -r "$root/sys/module/iommufd/holders/vfio"
expect "iommufd.ko beside the stock vfio.ko" \
	"failure modprobe -r vfio_pci vfio_iommu_type1 vfio_virqfd vfio && modprobe vfio_pci" \
	"$(verdict modules) $(remedy modules)"
mkdir "$root/sys/module/iommufd/holders/vfio"
expect "iommufd.ko with its own vfio.ko" ok "$(verdict modules)"

good_machine
expect "driver of the host" "failure iommuctl bind $nic" \
	"$(verdict driver $nic) $(remedy driver $nic)"
vfio $nic vfio1
expect "driver mended" ok "$(verdict driver $nic)"
expect "group: the other function blocks it" failure "$(verdict group $nic)"
expect "and is named" 1 "$(run doctor $nic; grep -c 'because of 0000:01:00.1 (driver e1000e)$' "$work/out")"
vfio 0000:01:00.1 vfio2
expect "group mended" ok "$(verdict group $nic)"
rm -r "$root/sys/devices/pci0000:00/$nic/vfio-dev"
expect "vfio-pci without a device file" \
	"failure modprobe -r vfio_pci vfio_iommu_type1 vfio_virqfd vfio && modprobe vfio_pci" \
	"$(verdict driver $nic) $(remedy driver $nic)"
vfio $nic vfio1
expect "vfio-pci with one" ok "$(verdict driver $nic)"
driver $disk -
expect "no driver at all" "failure iommuctl bind $disk" \
	"$(verdict driver $disk) $(remedy driver $disk)"
vfio $disk vfio3
expect "vfio-pci in its place" ok "$(verdict driver $disk)"
expect "a bridge" "failure choose a device behind it; see iommuctl ls" \
	"$(verdict group 0000:00:00.0) $(remedy group 0000:00:00.0)"
pci 0000:05:00.0 8086:10d3 020000 - -
expect "a device in no group" "failure see the check of the IOMMU" \
	"$(verdict group 0000:05:00.0) $(remedy group 0000:05:00.0)"
pci 0000:05:00.0 8086:10d3 020000 8 -
expect "the same in a group of its own" ok "$(verdict group 0000:05:00.0)"

good_machine
chmod 600 "$root/dev/iommu"
if [ "$(id -u)" -eq 0 ] && id nobody >/dev/null 2>&1; then
	expect "access for root alone" "failure chgrp kvm /dev/iommu && chmod 660 /dev/iommu" \
		"$(verdict access --user nobody) $(remedy access --user nobody)"
	chgrp "$(id -g daemon)" "$root/dev/iommu" && chmod 660 "$root/dev/iommu"
	expect "access for a group" "usermod -aG daemon nobody, and log in again" \
		"$(remedy access --user nobody)"
	expect "access for one who is in it" ok "$(verdict access --user daemon)"
	good_machine
	node=/dev/vfio/devices/vfio0
	chmod 600 "$root$node"
	expect "access to the device's file, for root alone" "ok
failure chgrp kvm $node && chmod 660 $node" \
		"$(verdict access $gpu --user nobody) $(remedy access $gpu --user nobody | grep .)"
	# The test's machine has its own folder, and need not have the group
	eval "$(remedy access $gpu --user nobody | sed "s,$node,$root$node,g; s/kvm/$(id -gn nobody)/")"
	expect "access to the device's file, mended" "ok
ok" "$(verdict access $gpu --user nobody)"
else
	skip_tests 5 "needs root, to give a file to another group"
fi

good_machine
limits self 8388608
expect "limit on locked memory" failure "$(verdict 'locked memory' --memory 1G)"
expect "its remedy" "echo '@kvm - memlock 1114112' >/etc/security/limits.d/iommufd.conf, and log in again" \
	"$(remedy 'locked memory' --memory 1G)"
limits self $((1114112 * 1024))
expect "limit mended" ok "$(verdict 'locked memory' --memory 1G)"
limits self unlimited
expect "no limit" ok "$(verdict 'locked memory' --memory 1T)"
limits self 8388608
put /proc/self/status 'CapEff:	000001ffffffffff'
expect "who has CAP_IPC_LOCK" ok "$(verdict 'locked memory' --memory 1T)"
expect "but not for another user" failure "$(verdict 'locked memory' --memory 1T --user root)"

good_machine
regions=/sys/kernel/iommu_groups/7/reserved_regions
put $regions "0x00000000000a0000 0x00000000000bffff direct"
expect "a region of the firmware" failure "$(verdict 'reserved regions' $gpu)"
expect "its remedy" "turn off in the firmware's setup what uses it (remote management, USB emulation)" \
	"$(remedy 'reserved regions' $gpu)"
put $regions "0x00000000fee00000 0x00000000feefffff msi"
expect "a region of the firmware, mended" ok "$(verdict 'reserved regions' $gpu)"
put $regions "0x00000000000a0000 0x00000000000bffff direct-relaxable"
expect "one that may be given up" ok "$(verdict 'reserved regions' $gpu)"
put $regions "0x0000000140000000 0x000000017fffffff reserved"
expect "a reserved region in the guest's memory" failure \
	"$(verdict 'reserved regions' $gpu --memory 8G)"
expect "its remedy" "give the guest less memory, or a hole there" \
	"$(remedy 'reserved regions' $gpu --memory 8G)"
expect "a smaller guest" ok "$(verdict 'reserved regions' $gpu --memory 2G)"

good_machine
put /sys/devices/virtual/iommu/dmar0/intel-iommu/cap d2008c22260686
expect "39 bits for a guest of 1 TiB" "failure give the guest at most 508 GiB" \
	"$(verdict 'address width' $gpu --memory 1T) $(remedy 'address width' $gpu --memory 1T)"
expect "39 bits for as much as that" ok "$(verdict 'address width' $gpu --memory 508G)"

good_machine
put /sys/devices/virtual/iommu/dmar0/intel-iommu/ecap f00f4e
expect "no snoop control" warning "$(verdict 'snoop control' $gpu)"
put /sys/devices/virtual/iommu/dmar0/intel-iommu/ecap f00fce
expect "snoop control" ok "$(verdict 'snoop control' $gpu)"
rm "$root/sys/devices/virtual/iommu/dmar0/intel-iommu/ecap"
expect "an IOMMU that does not tell" skipped "$(verdict 'snoop control' $gpu)"

good_machine
pci 0000:06:00.0 1af4:1041 020000 9 virtio-pci
bits=$(printf '0%.0s' {0..31})10$(printf '0%.0s' {34..63})
put /sys/devices/pci0000:00/0000:06:00.0/virtio4/features "$bits"
expect "virtio past the IOMMU" "failure give this machine the device with iommu_platform=on" \
	"$(verdict virtio 0000:06:00.0) $(remedy virtio 0000:06:00.0)"
put /sys/devices/pci0000:00/0000:06:00.0/virtio4/features "${bits:0:33}1${bits:34}"
expect "virtio with ACCESS_PLATFORM" ok "$(verdict virtio 0000:06:00.0)"
put /sys/devices/pci0000:00/0000:06:00.0/virtio4/features "${bits//1/0}"
expect "virtio without a driver" skipped "$(verdict virtio 0000:06:00.0)"

good_machine
put /sys/devices/pci0000:00/$nic/reset_method bus
expect "a bus reset that hits another" \
	"failure for d in 0000:01:00.1; do iommuctl bind \$d; done" \
	"$(verdict reset $nic) $(remedy reset $nic)"
vfio 0000:01:00.1 vfio2
expect "reset mended" ok "$(verdict reset $nic)"
put /sys/devices/pci0000:00/$nic/reset_method ''
expect "no reset at all" "warning power off the host between guests" \
	"$(verdict reset $nic) $(remedy reset $nic)"
put /sys/devices/pci0000:00/$nic/reset_method flr
expect "reset by function" ok "$(verdict reset $nic)"

# doctor --json
good_machine
run doctor $nic --json --memory 1G
python3 - "$work/out" >"$work/json" 2>&1 <<'END'
import json, sys
all = json.load(open(sys.argv[1]))
print(all["version"], sorted(all), {key for check in all["checks"] for key in check} ==
    {"check", "result", "cause", "remedy"})
for check in all["checks"]:
    print(check["check"], check["result"], check["remedy"])
END
expect "doctor --json: version, and each check, after those whose remedies it needs" "2 1 ['checks', 'version'] True
IOMMU ok None
Secure Boot ok None
modules ok None
interrupt remapping ok None
driver failure iommuctl bind $nic
group failure iommuctl bind $nic
access ok None
locked memory ok None
reserved regions ok None
address width ok None
snoop control ok None
reset ok None" "$status $(<"$work/json")"

# bind and unbind
good_machine
run bind $nic --dry-run --persist
expect "bind --dry-run: the whole group" "0 echo 'vfio-pci' >/sys/bus/pci/devices/0000:01:00.0/driver_override
echo '0000:01:00.0' >/sys/bus/pci/devices/0000:01:00.0/driver/unbind
echo '0000:01:00.0' >/sys/bus/pci/drivers_probe
echo 'vfio-pci' >/sys/bus/pci/devices/0000:01:00.1/driver_override
echo '0000:01:00.1' >/sys/bus/pci/devices/0000:01:00.1/driver/unbind
echo '0000:01:00.1' >/sys/bus/pci/drivers_probe" \
	"$status $(grep '^echo' <<<"$out")"
expect "and changes nothing" "(null) 0" \
	"$(<"$root/sys/bus/pci/devices/$nic/driver_override") $(find "$root/etc/udev/rules.d" -type f | wc -l)"
put /sys/devices/pci0000:00/$nic/net/eth0/flags 0x1003
link /sys/class/net/eth0 /sys/devices/pci0000:00/$nic/net/eth0
run bind 0000:01:00.1
expect "bind refuses an interface that is up, in the whole group" \
	"2 iommuctl: $nic is in use: network interface eth0 is up; ip link set eth0 down" "$status $err"
put /sys/devices/pci0000:00/$nic/net/eth0/flags 0x1002
run bind 0000:01:00.1 --dry-run
expect "one that is down is no reason" 0 "$status"
block=/sys/devices/pci0000:00/$disk/nvme/nvme0/nvme0n1
put $block/dev 259:0
put $block/nvme0n1p1/dev 259:1
mkdir -p "$root$block/holders" "$root$block/nvme0n1p1/holders"
link /sys/class/block/nvme0n1 $block
link /sys/class/block/nvme0n1p1 $block/nvme0n1p1
run bind $disk --dry-run
expect "a disk that nobody uses" 0 "$status"
put /proc/self/mountinfo '22 1 254:1 / / rw - ext4 /dev/vda1 rw' \
	'30 22 259:1 / /srv rw - ext4 /dev/nvme0n1p1 rw'
run bind $disk
expect "bind refuses a disk that is mounted" \
	"2 iommuctl: $disk is in use: /dev/nvme0n1p1 is mounted; umount /srv" "$status $err"

# refused_mount SOURCE WHAT
refused_mount() {
	put /proc/self/mountinfo '22 1 254:1 / / rw - ext4 /dev/vda1 rw' \
		"30 22 0:33 / /srv\\040two rw shared:1 - btrfs $1 rw"
	run bind $disk --dry-run
	expect "bind refuses a disk that is mounted without its number, $2" \
		"2 iommuctl: $disk is in use: /dev/nvme0n1p1 is mounted; umount /srv two" \
		"$status $err"
}
refused_mount /dev/nvme0n1p1 "by name"
link '/dev/disk/by-label/of one' /dev/nvme0n1p1
put /dev/nvme0n1p1
refused_mount '/dev/disk/by-label/of\040one' "by a link"
put /proc/self/mountinfo '30 22 0:33 / /srv rw - btrfs /dev/sda rw'
link /sys/fs/btrfs/1234-56/devices/sda /sys/devices/other/sda
mkdir -p "$root/sys/devices/other/sda"
run bind $disk --dry-run
expect "a btrfs of other disks is no reason" 0 "$status"
link /sys/fs/btrfs/1234-56/devices/nvme0n1 $block
run bind $disk --dry-run
expect "bind refuses a disk of a btrfs of several" \
	"2 iommuctl: $disk is in use: /dev/nvme0n1 is part of the btrfs 1234-56, which is mounted" \
	"$status $err"
rm -r "$root/sys/fs/btrfs"
put /sys/devices/virtual/block/loop0/loop/backing_file /dev/nvme0n1p1
link /sys/class/block/loop0 /sys/devices/virtual/block/loop0
run bind $disk --dry-run
expect "bind refuses a disk below a loop device" \
	"2 iommuctl: $disk is in use: /dev/nvme0n1p1 is part of loop0" "$status $err"
rm "$root/sys/class/block/loop0"
process 77 qemu
ln -s /dev/nvme0n1 "$root/proc/77/fd/9"
run bind $disk --dry-run
expect "bind refuses a disk that a process has open" \
	"2 iommuctl: $disk is in use: qemu[77] has /dev/nvme0n1 open" "$status $err"
rm -r "$root/proc/77"
put /proc/self/mountinfo ''
put /proc/swaps 'Filename Type' '/dev/nvme0n1p1 partition 1 0 -2'
run bind $disk
expect "bind refuses a disk that is swapped to" \
	"2 iommuctl: $disk is in use: /dev/nvme0n1p1 is swapped to; swapoff /dev/nvme0n1p1" "$status $err"
put /proc/swaps 'Filename Type'
mkdir "$root$block/holders/md0"
run bind $disk
expect "bind refuses a disk that is part of another" \
	"2 iommuctl: $disk is in use: /dev/nvme0n1 is part of md0" "$status $err"
rm -r "${root:?}/sys/class/block" "$root$block"
shared=/sys/devices/virtual/nvme-subsystem/nvme-subsys0
put $shared/nvme0n1/dev 259:0
mkdir -p "$root$shared/nvme0n1/holders" "$root/sys/devices/pci0000:00/$disk/nvme/nvme0"
link $shared/nvme0 "/sys/devices/pci0000:00/$disk/nvme/nvme0"
link /sys/class/block/nvme0n1 $shared/nvme0n1
put /proc/self/mountinfo '30 22 259:0 / /srv rw - ext4 /dev/nvme0n1 rw'
run bind $disk
expect "bind refuses a shared namespace that is mounted" \
	"2 iommuctl: $disk is in use: /dev/nvme0n1 is mounted; umount /srv" "$status $err"
process 77 qemu
ln -s /dev/vfio/devices/vfio0 "$root/proc/77/fd/9"
run unbind $gpu
expect "unbind refuses what a guest has" "2 iommuctl: $gpu is in use: qemu[77] has it open" \
	"$status $err"
rm -r "$root/proc/77"
run unbind $gpu --dry-run
expect "unbind --dry-run" "0 echo '' >/sys/bus/pci/devices/$gpu/driver_override
echo '$gpu' >/sys/bus/pci/devices/$gpu/driver/unbind
echo '$gpu' >/sys/bus/pci/drivers_probe" "$status $out"
run bind $gpu --persist
expect "bind --persist: the rule" "ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"$gpu\", ATTR{vendor}==\"0x10de\", ATTR{device}==\"0x1eb8\", ATTR{driver_override}=\"vfio-pci\", RUN{builtin}+=\"kmod load vfio-pci\", RUN+=\"/bin/sh -c 'echo $gpu >/sys/bus/pci/drivers_probe'\"" \
	"$(<"$root/etc/udev/rules.d/75-iommuctl-$gpu.rules")"
: >"$root/sys/devices/pci0000:00/$gpu/driver_override"
mkdir -p "$root/sys/bus/pci/drivers/vfio-pci"
: >"$root/sys/bus/pci/drivers/vfio-pci/unbind"
run unbind $gpu --persist
expect "unbind --persist: the rule is gone" "0 0" \
	"$status $(find "$root/etc/udev/rules.d" -type f | wc -l)"
put /etc/udev/rules.d/75-iommuctl-0000:09:00.0.rules
run unbind 9:0.0 --persist --dry-run
expect "unbind --persist --dry-run: the rule of a device that was taken out" \
	"0 rm /etc/udev/rules.d/75-iommuctl-0000:09:00.0.rules update-initramfs -u" \
	"$status $(tr '\n' ' ' <<<"$out" | sed 's/ $//')"
run unbind 9:0.0
expect "unbind: a device that was taken out" "2 iommuctl: 0000:09:00.0: there is no such PCI device" \
	"$status $err"
run unbind 9:0.0 --persist
expect "unbind --persist: the rule is gone" "0 0" \
	"$status $(find "$root/etc/udev/rules.d" -type f | wc -l)"
run unbind 9:0.0 --persist
expect "unbind --persist: a device that was taken out and has no rule" \
	"2 iommuctl: 0000:09:00.0: there is no such PCI device" "$status $err"
put "/etc/udev/rules.d/75-iommuctl-$gpu.rules"
mv "$root/sys/devices/pci0000:00/$gpu/iommu_group" "$root/away"
run unbind $gpu --persist
expect "unbind --persist: the rule of a device without a group" "0 0" \
	"$status $(find "$root/etc/udev/rules.d" -type f | wc -l)"
mv "$root/away" "$root/sys/devices/pci0000:00/$gpu/iommu_group"

put /proc/self/mountinfo ''
: >"$root/sys/bus/pci/drivers/nvme/unbind"
run bind $disk
expect "bind: a device that does not take vfio-pci is given back" \
	"2 2" "$status $(wc -l <"$work/err")"

# No device of a made-up tree takes vfio-pci: here the second of a group, of which the
# first one has it
good_machine
vfio $nic vfio1
put /sys/devices/pci0000:00/$nic/driver_override vfio-pci
put /sys/devices/pci0000:00/0000:01:00.1/driver_override chosen
: >"$root/sys/bus/pci/drivers/vfio-pci/unbind"
: >"$root/sys/bus/pci/drivers/e1000e/unbind"
run bind $nic
expect "bind: when one does not take vfio-pci, another keeps it" "2  vfio-pci" \
	"$status $(<"$root/sys/bus/pci/drivers/vfio-pci/unbind") $(
		<"$root/sys/bus/pci/devices/$nic/driver_override")"
expect "bind: and the override is as it was" "chosen iommuctl: group 5 is as it was before" \
	"$(<"$root/sys/bus/pci/devices/0000:01:00.1/driver_override") $(tail -n 1 <<<"$err")"
rm "$root/sys/bus/pci/drivers/e1000e/unbind"
run bind $nic
expect "bind: what cannot be given back is told" "2 iommuctl: group 5 is not as it was before" \
	"$status $(tail -n 1 <<<"$err")"

# What is in use and stays where it is
good_machine
vfio $nic vfio1
put /sys/devices/pci0000:00/0000:01:00.1/net/eth1/flags 0x1003
link /sys/class/net/eth1 /sys/devices/pci0000:00/0000:01:00.1/net/eth1
run unbind $nic --dry-run
expect "unbind: an interface of the same group that is up is no reason" \
	"0 echo '$nic' >/sys/bus/pci/drivers_probe" "$status $(tail -n 1 <<<"$out")"
put /sys/devices/pci0000:00/0000:01:00.1/net/eth1/flags 0x1002
process 77 qemu
ln -s /dev/vfio/devices/vfio1 "$root/proc/77/fd/9"
run bind $nic --dry-run
expect "bind: nor is a device that vfio-pci has and a guest has open" \
	"0 echo '0000:01:00.1' >/sys/bus/pci/drivers_probe" "$status $(tail -n 1 <<<"$out")"

# config
good_machine
run config $gpu --for qemu
expect "config --for qemu" "-object iommufd,id=iommufd0 \\
-device vfio-pci,host=$gpu,iommufd=iommufd0" "$out"
run config $gpu --for libvirt
expect "config --for libvirt: well-formed, and the address" "vfio yes 0x0000 0x03 0x00 0x0" \
	"$(python3 -c '
import sys, xml.etree.ElementTree as tree
top = tree.parse(sys.argv[1]).getroot()
driver, address = top.find("driver"), top.find("source/address")
print(driver.get("name"), driver.get("iommufd"), *(address.get(n) for n in ("domain", "bus", "slot", "function")))
' "$work/out")"
run config $gpu --for cloud-hypervisor
expect "config --for cloud-hypervisor" "--platform iommufd=on \\
--device path=/sys/bus/pci/devices/$gpu" "$out"
run config $gpu --for kubevirt
if python3 -c 'import yaml' 2>/dev/null; then
	expect "config --for kubevirt: YAML, for the cluster and for the guest" \
		'[{"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "spec": {"configuration": {"developerConfiguration": {"featureGates": ["HostDevices", "IOMMUFD"]}, "permittedHostDevices": {"pciHostDevices": [{"pciVendorSelector": "10DE:1EB8", "resourceName": "passthrough.local/pci-10de-1eb8"}]}}}}, {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "spec": {"template": {"spec": {"domain": {"devices": {"hostDevices": [{"deviceName": "passthrough.local/pci-10de-1eb8", "name": "pci-10de-1eb8"}]}}}}}}]' \
		"$(python3 -c 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin)), sort_keys=True))' <<<"$out")"
else
	skip_tests 1 "python3 has no yaml"
fi

# Nothing is left behind where nothing went wrong
good_machine
process 77 qemu
ln -s /dev/iommu "$root/proc/77/fd/11"
put /proc/77/fdinfo/11 $'ioas:\t1 mapped 0 pinned 0 domains 0' \
	$'coherency:\tcoherent policy follow' $'owner:\t77 uid 0 limit-of user pinned 0'
for command in ls "ls -J" show "show -J" "doctor $gpu --memory 1G --user root" \
	"doctor $gpu -J --memory 1G --user root" "bind $nic --dry-run --persist" \
	"unbind $gpu --dry-run --persist" "config $gpu --for qemu"; do
	# shellcheck disable=SC2086 # words
	ASAN_OPTIONS=detect_leaks=1 run $command
	expect "no leak in $command" "0 " "$status $err"
done

# A machine without any of it
root=$(mktemp -d -p "$work")
run ls
expect "an empty machine: ls" "0 " "$status $out"
run doctor --user root
expect "an empty machine: doctor fails, and does not crash" "2 0" "$status $(wc -l <"$work/err")"

finish
