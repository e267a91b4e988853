# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The guest in the machine ("L2"), as far as it is made outside.

# make_l2 FOLDER INIT BYTES: in the folder, which becomes the machine's share, l2.cpio
# with guest/INIT, for an initrd, and a payload of so many bytes, of which l2.cpio has
# the checksum.
make_l2() {
	local share=$1 l2=$1/l2

	mkdir -p "$l2"
	head -c "$3" /dev/urandom >"$share/payload"
	gcc -O2 -Wall -static -o "$l2/edu-dma" "$vm_dir/guest/edu-dma.c"
	cp "$vm_dir/guest/$2" "$l2/init"
	cp "$vm_dir/guest/l2-dhcp" "$l2/dhcp"
	cat >"$l2/payload.conf" <<-END
		payload_bytes=$3
		payload_sum=$(sha256sum <"$share/payload" | cut -d ' ' -f 1)
	END
	(cd "$l2" && find . | cpio --quiet -o -H newc -R 0:0) >"$share/l2.cpio"
}
