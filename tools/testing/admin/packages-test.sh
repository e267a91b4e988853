#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The packages, with real apt and DKMS, on a Debian 12 that has nothing but a
# kernel: install, upgrade, downgrade, kernel upgrade, a build that fails, a
# kernel they are not for, removal and purge; and that system's modules and tool in
# the machine, as a new user meets them. Takes minutes: each kernel is unpacked,
# gets an initramfs, and the modules are built for it.
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
. "$admin/system.sh"

# wins RELEASE MODULE: which file modprobe would load
wins() { files_of "$1" "$2" "$2"; }
ours() { echo "$(wins "$1" iommufd) $(wins "$1" vfio)"; }
theirs=" kernel/drivers/vfio/vfio.ko"
good="updates/dkms/iommufd.ko updates/dkms/vfio.ko"
checksum() { sha256sum <"$root/lib/modules/$old/kernel/drivers/vfio/vfio.ko"; }

plan
expect "a system without the packages" "$theirs" "$(ours "$old")"
stock=$(checksum)

inside "apt-get -q -y --no-install-recommends install /root/iommufd-dkms_${version}_all.deb /root/iommufd-tools_${version}_amd64.deb"
expect "install: status" 0 "$?"
expect "install: our modules win" "$good" "$(ours "$old")"
expect "install: vfio-pci builds on ours" 1 \
	"$(modprobe -d "$root" -S "$old" --show-depends vfio_pci | grep -c updates/dkms/vfio.ko)"
expect "install: the kernel's own is not touched" "$stock" "$(checksum)"
expect "install: the running kernel is told about" 1 \
	"$(log | grep -c "nothing was built for the running kernel: kernel $(uname -r)")"
# A serial number, which modinfo writes with colons
expect "install: they are signed with the key that Secure Boot is to know" \
	"serial=$(modinfo -F sig_key "$root/lib/modules/$old/updates/dkms/iommufd.ko" | tr -d :)" \
	"$(inside "openssl x509 -inform DER -in /var/lib/dkms/mok.pub -noout -serial"; log)"
inside "iommuctl --version"
expect "the tool runs" "iommuctl $version" "$(log)"

# Upgrade and downgrade
next=$version.1
dpkg-deb -R "$root/root/iommufd-dkms_${version}_all.deb" "$root/next"
mv "$root/next/usr/src/iommufd-$version" "$root/next/usr/src/iommufd-$next"
sed -i "s/\b${version//./\\.}\b/$next/g" "$root"/next/DEBIAN/{control,postinst,prerm} \
	"$root/next/usr/src/iommufd-$next/dkms.conf"
dpkg-deb --root-owner-group -b "$root/next" "$root/root/next.deb" >/dev/null
rm -r "$root/next"
versions() {
	inside "dkms status -m iommufd -k $old"
	log | sed 's/:.*//' | tr '\n' ' '
}
# As on a machine with Secure Boot, and with the stock vfio.ko loaded
efi=$root/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
mkdir -p "${efi%/*}" "$root/sys/module/vfio"
printf '\6\0\0\0\1' >"$efi"
inside "apt-get -q -y --no-install-recommends install /root/next.deb"
status=$?
cp "$root.log" "$root.upgrade"
expect "upgrade" "0 iommufd/$next, $old, x86_64 $good" "$status $(versions)$(ours "$old")"
expect "what Secure Boot and the loaded vfio.ko want is explained" "1 1" \
	"$(grep -c '^    mokutil --import /var/lib/dkms/mok.pub' "$root.upgrade") $(grep -c '^    modprobe -r vfio_pci .* && modprobe vfio_pci' "$root.upgrade")"
rm -r "$root/sys/firmware" "$root/sys/module"
inside "apt-get -q -y --allow-downgrades --no-install-recommends install /root/iommufd-dkms_${version}_all.deb"
expect "downgrade" "0 iommufd/$version, $old, x86_64 $good" "$? $(versions)$(ours "$old")"

# A kernel upgrade, whose build fails first
sed -i '1i #error broken on purpose' "$root/usr/src/iommufd-$version/drivers/vfio/main.c"
inside "apt-get -q -y --no-install-recommends install linux-headers-$new linux-image-$new"
expect "kernel upgrade, failing build: the kernel is installed all the same" 0 "$?"
expect "with an initramfs" "$root/boot/initrd.img-$new" "$(ls "$root/boot/initrd.img-$new")"
expect "without our modules" "$theirs" "$(ours "$new")"
expect "and says so" yes "$(log | grep -q "cannot be built for $new, which stays without" && echo yes)"
sed -i 1d "$root/usr/src/iommufd-$version/drivers/vfio/main.c"
inside "dkms autoinstall -k $new"
expect "kernel upgrade, once the cause is gone" "0 $good" "$? $(ours "$new")"

inside "apt-get -q -y purge linux-image-$new && apt-get -q -y --no-install-recommends install linux-image-$new"
expect "a kernel that comes without failure gets the modules" "0 $good" "$? $(ours "$new")"

# A kernel that they are not for
other=${new/-amd64/-cloud-amd64}
inside "apt-get -q -y --no-install-recommends install linux-headers-$other linux-image-$other"
expect "a kernel that they are not for: installed" 0 "$?"
expect "with its initramfs, and without our modules" "yes " \
	"$([ -e "$root/boot/initrd.img-$other" ] && echo yes) $(wins "$other" iommufd)"
expect "and the reason" yes "$(log | grep -q "kernel $other is .*stays without /dev/iommu" && echo yes)"

# In the machine, as a new user: only what doctor prints
"$top/tools/testing/vm/image.sh" >&2
cp "$admin/new-user" "$admin/tap.sh" "$admin/user.sh" "$root/"
"$top/tools/testing/vm/vm.sh" --kernel "${new%-amd64}" --stock --timeout 300 --log admin-new-user \
	--share "$root" -- ./new-user >"$root.vm" 2>&1
sed 's/^/# /' "$root.vm"
expect "a new user ends with a working passthrough" "0 1" \
	"$(grep -c '^not ok' "$root.vm") $(grep -c '^1\.\.' "$root.vm")"

# The headers
inside "apt-get -q -y --no-install-recommends install gcc libc6-dev /root/iommufd-dev_${version}_all.deb && printf '#include <linux/iommufd.h>\n#include <linux/vfio.h>\nint main(void) { return !IOMMU_OPTION_COHERENCY_STATE || !VFIO_DEVICE_BIND_IOMMUFD; }\n' >/root/t.c && gcc -Wall -Werror -I/usr/include/iommufd -o /root/t /root/t.c && /root/t"
expect "a program is built with the headers" "0" "$?"

# Away with it
inside "apt-get -q -y remove iommufd-dkms"
expect "remove: the kernel's own is back" "0 $theirs" "$? $(ours "$old")"
expect "remove: for every kernel, and the same as before" "$theirs $stock" "$(ours "$new") $(checksum)"
inside "apt-get -q -y purge iommufd-dkms iommufd-tools iommufd-dev"
expect "purge: nothing of it is left" "0 " \
	"$? $(find "$root" -xdev \( -path "$root/root" -o -path "$root/var/log" -o -path "$root/var/cache" -o -path "$root/dev" \) -prune \
		-o \( -name '*iommufd*' -o -name '*iommuctl*' \) -print | grep -v "/linux-headers-\|/var/lib/apt/")"
finish
