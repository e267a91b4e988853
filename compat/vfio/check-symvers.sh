#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-symvers.sh KERNEL_SYMVERS OUR_SYMVERS
#
# Fails unless our vfio.ko exports each symbol of the kernel's own vfio.ko with
# the same checksum, licence class and namespace, and none besides: otherwise
# the stock VFIO drivers would not load on it.
set -euo pipefail

if [ $# -ne 2 ]; then
	echo "usage: ${0##*/} KERNEL_SYMVERS OUR_SYMVERS" >&2
	exit 2
fi
for file in "$1" "$2"; do
	if [ ! -r "$file" ]; then
		echo "${0##*/}: cannot read $file" >&2
		exit 2
	fi
done

awk -F '\t' '
function is_vfio(module) {
	return module == "drivers/vfio/vfio" || module ~ /\/drivers\/vfio\/vfio$/
}
function complain(what) {
	printf "vfio symbol version: %s\n", what > "/dev/stderr"
	bad++
}
!is_vfio($3) { next }
FILENAME == ARGV[1] {
	crc[$2] = $1; class[$2] = $4; space[$2] = $5
	total++
	versioned += $1 !~ /^0x0+$/
	next
}
{
	seen[$2] = 1
	if (!($2 in crc))
		complain($2 " is not exported by the kernel'"'"'s vfio.ko")
	else if (crc[$2] != $1)
		complain($2 " is " $1 ", the kernel has " crc[$2])
	else if (class[$2] != $4)
		complain($2 " is " $4 ", the kernel has " class[$2])
	else if (space[$2] != $5)
		complain($2 " is in namespace \"" $5 "\", the kernel has \"" space[$2] "\"")
}
END {
	if (!total)
		complain("no symbol of drivers/vfio/vfio in " ARGV[1])
	for (name in crc)
		if (!(name in seen))
			complain(name " is missing, the kernel has " crc[name])
	if (bad) {
		complain("the stock VFIO drivers of this kernel would not load")
		exit 1
	}
	if (versioned)
		printf "vfio symbol versions: %d of %d equal\n", versioned, total
	else
		printf "vfio symbol versions: not compared, this kernel has none; %d names are equal\n", total
}' "$1" "$2"
