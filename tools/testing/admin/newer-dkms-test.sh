#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The DKMS of a newer Debian, which compares the versions of modules, builds and
# installs ours on Debian 12's kernel, and takes them away again. Takes minutes.
# shellcheck disable=SC2154 # what it reads sets the rest
set -uo pipefail

admin=$(cd -- "$(dirname -- "$0")" && pwd)
. "$admin/system.sh"
. "$admin/../vm/fetch.sh"

package=$root.package
mkdir "$package"
reason=$(fetch_package "$suite" dkms "$package") || skip_all "$reason"
cp "$package"/dkms_*.deb "$root/root/dkms.deb"

# loaded: what modprobe would load for a VFIO driver, of our modules and theirs
loaded() { files_of "$old" vfio_pci 'iommufd\|vfio' | tr '\n' ' '; }

plan
inside "apt-get -q -y --no-install-recommends install /root/dkms.deb openssl /root/iommufd-dkms_${version}_all.deb"
expect "install: status" 0 "$?"
log | sed -n '/^Building initial/,/^Running depmod/s/^/# /p'
expect "install: our modules win" "updates/dkms/iommufd.ko updates/dkms/vfio.ko " "$(loaded)"
inside "dkms status -m iommufd"
expect "DKMS has them installed, in the place of the kernel's own" \
	"iommufd/$version, $old, x86_64: installed (Original modules exist)" "$(log)"
inside "apt-get -q -y remove iommufd-dkms"
expect "remove: the kernel's own is back" "0 kernel/drivers/vfio/vfio.ko " "$? $(loaded)"
finish
