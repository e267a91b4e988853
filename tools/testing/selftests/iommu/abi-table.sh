#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the table that abi.h holds, made from the headers found with the
# compiler flags given: abi-table.sh -Iinclude/uapi …
#
# The names are read from the headers and the numbers asked of the compiler, so
# nothing that a header has can be missing from its table.
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Of <linux/vfio.h> only what concerns device files: the rest comes from the
# kernel that is built for.
vfio_structs='vfio_device_bind_iommufd|vfio_device_attach_iommufd_pt'
vfio_structs+='|vfio_device_detach_iommufd_pt'
vfio_macros='VFIO_DEVICE_(BIND|ATTACH|DETACH)_[A-Z_]+'
vfio_macros+='|VFIO_PCI_HOT_RESET_FLAG_[A-Z_]+|VFIO_PCI_DEVID_[A-Z_]+'
vfio_macros+='|VFIO_DEVICE_FEATURE_(PCI|MIG|LOW|DMA|BUS)_[A-Z_]+(v2)?'

# names STRUCTS MACROS: what stdin, a header through "gcc -E -dD", declares
names()
{
	awk -v structs="^($1)\$" -v macros="^($2)\$" '
	/^#define / {
		if ($2 ~ macros && NF > 2)
			print "VALUE", $2
		next
	}
	/^#/ { next }
	/^enum .*{|^enum {/ { in_enum = 1; next }
	/^struct [a-z0-9_]+ \{/ {
		if ($2 ~ structs) {
			name = $2
			print "SIZE", name
		}
		next
	}
	/^}/ { in_enum = 0; name = ""; next }
	in_enum && $1 ~ macros { sub(/,.*/, "", $1); print "VALUE", $1 }
	name && /;$/ && !/}/ {
		sub(/(\[.*\])?;$/, "", $NF)
		print "FIELD", name, $NF
	}'
}

preprocess()
{
	echo "#include <$1>" | gcc "${@:2}" -E -dD - |
		awk -v header="/$1\"" '
		/^# [0-9]/ { inside = index($3, header); next }
		inside'
}

preprocess linux/iommufd.h "$@" |
	names 'iommu.*' 'IOMMU.*' > "$tmp/names"
preprocess linux/vfio.h "$@" |
	names "$vfio_structs" "$vfio_macros" >> "$tmp/names"

{
	cat <<-'END'
	#include <stddef.h>
	#include <stdio.h>
	#include <linux/iommufd.h>
	#include <linux/vfio.h>

	#define VALUE(x) printf("VALUE(" #x ", %#llx)\n", \
		(unsigned long long)(unsigned int)(x))
	#define SIZE(s) printf("SIZE(" #s ", %zu)\n", sizeof(struct s))
	#define FIELD(s, f) printf("FIELD(" #s ", " #f ", %zu, %zu)\n", \
		offsetof(struct s, f), sizeof(((struct s *)0)->f))

	int main(void)
	{
	END
	awk '{ printf "\t%s(%s%s);\n", $1, $2, (NF > 2) ? ", " $3 : "" }' \
		"$tmp/names"
	echo '}'
} > "$tmp/print.c"
gcc "$@" -Wall -Wextra -Werror -o "$tmp/print" "$tmp/print.c"
"$tmp/print" | LC_ALL=C sort -u
