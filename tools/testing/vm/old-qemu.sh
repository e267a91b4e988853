#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: old-qemu.sh
#
# Make build/image/qemu-bookworm, a folder with the QEMU of Debian 12 and what it
# needs, without installing anything. That QEMU knows groups and containers only.
. "$(dirname -- "$0")/lib.sh"
. "$vm_dir/tree.sh"

case ${1:-} in
'') ;;
-h | --help) manual && exit ;;
*) manual >&2 && exit 2 ;;
esac

extract_tree qemu-bookworm bookworm qemu-system-x86 ./usr/lib/x86_64-linux-gnu \
	./usr/bin/qemu-system-x86_64 ./usr/share/qemu ./usr/share/seabios
