#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What "iommuctl config --for libvirt" prints is valid in a domain, by the schema of a
# libvirt that knows /dev/iommu: that of Debian's unstable. Debian 12's does not.
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
. "$admin/../vm/lib.sh"
. "$admin/../vm/fetch.sh"
set +e
. "$admin/tap.sh"
. "$admin/tree.sh"

work=$(mktemp -d)
root=$work/root
trap 'rm -rf "$work"' EXIT

schemas=$image/libvirt-schemas
if [ ! -d "$schemas" ]; then
	mkdir "$work/package"
	reason=$(fetch_package unstable libvirt-common "$work/package") || skip_all "$reason"
	dpkg-deb -x "$work"/package/libvirt-common_*.deb "$work/tree"
	mkdir -p "$image"
	cp -r "$work/tree/usr/share/libvirt/schemas" "$schemas"
fi

gpu=0000:03:00.0
pci "$gpu" 10de:1eb8 030000 7 vfio-pci
make -s -C "$top/tools/iommuctl" OUTPUT="$work" >&2 || exit 1
"$work/iommuctl" config --sysfs-root "$root" "$gpu" --for libvirt >"$work/lines" || exit 1

# valid ELEMENT: is the domain, with the element besides the lines?
valid() {
	{
		echo "<domain type='kvm'><name>guest</name><memory>65536</memory>$1"
		echo "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
		cat "$work/lines"
		echo "</devices></domain>"
	} >"$work/domain"
	xmllint --noout --relaxng "$schemas/domain.rng" "$work/domain" 2>&1 |
		sed "s,^$work/domain ,," | tail -n 1
}

plan
expect "libvirt's schema takes the lines" validates "$(valid '')"
expect "in a domain that asks for /dev/iommu as well" validates \
	"$(valid "<iommufd enabled='yes'/>")"
sed -i "s/iommufd='yes'/iommufd='iommufd0'/" "$work/lines"
expect "it looks at the word about /dev/iommu" "fails to validate" "$(valid '')"
finish
