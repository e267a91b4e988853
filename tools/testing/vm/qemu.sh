#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu.sh ARGUMENT...
#
# The QEMU of the image on this host, run through the image's own loader: it is
# newer than Debian 12's, and needs no package here.
. "$(dirname -- "$0")/lib.sh"

exec "$image/root/lib64/ld-linux-x86-64.so.2" \
	--library-path "$image/root/usr/lib/x86_64-linux-gnu" \
	"$image/root/usr/bin/qemu-system-x86_64" \
	-L "$image/root/usr/share/qemu" -L "$image/root/usr/share/seabios" "$@"
