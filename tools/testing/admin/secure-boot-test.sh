#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Secure Boot, as a new user meets it on Debian 12 with the packages: firmware that
# trusts Microsoft's keys, Debian's shim, GRUB and kernel, DKMS's own key, and the
# question at the console whether to enroll it. Takes minutes.
# shellcheck disable=SC2154 # what it reads sets the rest
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
. "$admin/system.sh"

# The name of a socket has to be short
firmware=$(mktemp -d)
trap 'rm -rf "$root" "$root".* "$firmware"' EXIT
log='admin-secure-boot'

# in_vm missing|enrolled: secure-boot, on the system's own kernel; sets "ended"
in_vm() {
	"$top/tools/testing/vm/vm.sh" --kernel "${old%-amd64}" --stock --timeout 600 \
		--secure-boot "$firmware" --qmp "$firmware/qmp" --log "$log-$1" \
		--share "$root" -- ./secure-boot "$1" >"$root.vm" 2>&1
	ended="$? $(grep -c '^not ok' "$root.vm") $(grep -c '^1\.\.' "$root.vm")"
	sed 's/^/# /' "$root.vm"
}

fetch='cd /root/boot && apt-get -q -o APT::Sandbox::User=root download \
	ovmf shim-signed shim-helpers-amd64-signed grub-efi-amd64-signed &&
	for deb in *.deb; do dpkg-deb -x "$deb" . || exit; done'
inside "apt-get -q -y --no-install-recommends install mokutil openssl /root/iommufd-dkms_${version}_all.deb /root/iommufd-tools_${version}_amd64.deb" || { log >&2; exit 1; }
mkdir "$root/root/boot"
inside "$fetch" || { log >&2; exit 1; }
boot=$root/root/boot/usr
mkdir -p "$firmware/esp/EFI/BOOT" "$root/root/unsigned"
cp "$boot/share/OVMF/OVMF_CODE_4M.secboot.fd" "$firmware/CODE.fd"
cp "$boot/share/OVMF/OVMF_VARS_4M.ms.fd" "$firmware/VARS.fd"
cp "$boot/lib/shim/shimx64.efi.signed" "$firmware/esp/EFI/BOOT/BOOTX64.EFI"
cp "$boot/lib/shim/mmx64.efi.signed" "$firmware/esp/EFI/BOOT/mmx64.efi"
cp "$boot/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$firmware/esp/EFI/BOOT/grubx64.efi"
cp "$root/boot/vmlinuz-$old" "$firmware/esp/vmlinuz"
objcopy --strip-debug "$root/lib/modules/$old/updates/dkms/iommufd.ko" \
	"$root/root/unsigned/iommufd.ko"
cp "$admin"/{secure-boot,new-user,tap.sh,user.sh} "$root/"
"$top/tools/testing/vm/image.sh" >&2

plan
in_vm missing
expect "doctor leads to the key, and has it enrolled at the next start" "0 0 1" "$ended"

rm -f "$build/vm-log/$log-enrolled.console"
timeout 600 "$admin/enroll.py" "$firmware/qmp" "$build/vm-log/$log-enrolled.console" \
	iommufd7 >&2 &
enroll=$!
in_vm enrolled
wait "$enroll"
expect "the console asked what it should" 0 "$?"
expect "with the key, a new user ends with a working passthrough" "0 0 1" "$ended"
finish
