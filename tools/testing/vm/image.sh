#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: image.sh [--kernel PACKAGE-VERSION|PATH]
#
# Make what the machine boots from, in build/image: the user land of a newer
# Debian (its QEMU serves as the outer one as well), and the kernel with its
# modules. What is there and up to date is kept.
. "$(dirname -- "$0")/lib.sh"

kernel=
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=${2:?} && shift 2 ;;
	-h | --help) manual && exit ;;
	*) manual >&2 && exit 2 ;;
	esac
done

userland=(
	bash busybox-static coreutils diffutils findutils gawk grep hostname
	iproute2 kmod libnl-3-200 libnl-route-3-200 mount pciutils procps
	qemu-system-x86 sed strace tar util-linux
)

# Modules that stage 1 loads: everything up to the root file system, the share
# and the ports that the command talks through.
early=(virtio_pci virtio_blk virtio_console erofs overlay 9pnet_virtio 9p)

# Modules of the nested guest.
guest_modules=(virtio_pci virtio_net e1000e nvme)

make_root() {
	local uri tmp=$image/root.new
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg
	local aptopts=() line

	say "image: user land of $suite"
	uri=$(mirror)
	if [ -z "$uri" ]; then
		as_root apt-get -qq update
		uri=$(mirror)
	fi
	[ -n "$uri" ] || die "apt knows no Debian mirror"

	# What this machine needs to reach its mirror, the new tree needs too.
	while IFS= read -r line; do
		aptopts+=(--aptopt="$line")
	done < <(apt-config dump | grep -E '^Acquire::(Check-|[a-z]+::Proxy)' || :)

	rm -rf "$tmp"
	mkdir -p "$tmp"
	mmdebstrap --quiet --variant=extract --architectures=amd64 \
		--include="$(IFS=,; echo "${userland[*]}")" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"${aptopts[@]}" "$suite" - \
		"deb [signed-by=$keys] $uri $suite main" |
		tar -x -C "$tmp" --exclude='./dev/*' \
			--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
			--exclude='./usr/share/locale/*'

	# No maintainer script has run: the links and accounts that they make.
	ln -sf bash "$tmp/usr/bin/sh"
	ln -sf gawk "$tmp/usr/bin/awk"
	cp "$tmp/usr/share/base-passwd/passwd.master" "$tmp/etc/passwd"
	cp "$tmp/usr/share/base-passwd/group.master" "$tmp/etc/group"
	mkdir -p "$tmp/mnt/share" "$tmp/lib/modules" "$tmp/kernel" "$tmp/dev" \
		"$tmp/proc" "$tmp/sys"
	rm -rf "$tmp/var/run" "$tmp/etc/mtab"
	ln -s /run "$tmp/var/run"
	ln -s /proc/self/mounts "$tmp/etc/mtab"
	echo l1 >"$tmp/etc/hostname"
	chmod -R u+rwX "$tmp"

	rm -f "$image/root.erofs"
	mkfs.erofs --quiet -Enoinline_data --all-root "$image/root.erofs" "$tmp" >/dev/null
	rm -rf "$image/root"
	mv "$tmp" "$image/root"
	echo "$stamp" >"$image/root.stamp"
}

# field FILE OFFSET SIZE: a number of the boot protocol's header.
field() {
	od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# extract_vmlinux BZIMAGE OUT: QEMU starts an ELF image at once, without
# decompressing it inside the emulated machine.
extract_vmlinux() {
	local bzimage=$1 sectors offset length
	local -a unpack

	sectors=$(field "$bzimage" $((0x1f1)) 1)
	offset=$(((sectors + 1) * 512 + $(field "$bzimage" $((0x248)) 4)))
	length=$(field "$bzimage" $((0x24c)) 4)
	case $(od -An -v -t x1 -j "$offset" -N 4 "$bzimage" | tr -d ' ') in
	fd377a58) unpack=(xz -dc --single-stream) ;;
	28b52ffd) unpack=(zstd -dcq) ;;
	1f8b*) unpack=(gzip -dc) ;;
	*) die "$bzimage: compressed in an unknown way" ;;
	esac
	# The length of the result follows the stream, at which unpackers grumble.
	tail -c +$((offset + 1)) "$bzimage" | head -c "$length" |
		"${unpack[@]}" >"$2" 2>/dev/null || :
	[ "$(head -c 4 "$2")" = $'\x7fELF' ] || die "$bzimage: no kernel in it"
}

# closure FOLDER RELEASE MODULE...: the files to load, in their order.
closure() {
	local dir=$1 release=$2

	shift 2
	modprobe -d "$dir" -S "$release" --show-depends -a "$@" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# make_initramfs FOLDER RELEASE OUT MODULE...: busybox, the modules, and the
# order to load them in. Whoever boots it adds an init of its own.
make_initramfs() {
	local dir=$1 release=$2 out=$3 tree file name files

	shift 3
	files=$(closure "$dir" "$release" "$@") ||
		die "kernel $release lacks one of: $*"
	tree=$(mktemp -d)
	mkdir -p "$tree"/{bin,dev,proc,sys,modules}
	cp "$image/root/usr/bin/busybox" "$tree/bin/busybox"
	ln -s busybox "$tree/bin/sh"
	: >"$tree/modules/order"
	for file in $files; do
		name=$(basename "$file")
		case $name in
		*.xz) name=${name%.xz} && xz -dc "$file" >"$tree/modules/$name" ;;
		*.zst) name=${name%.zst} && zstd -dcq "$file" >"$tree/modules/$name" ;;
		*) cp "$file" "$tree/modules/$name" ;;
		esac
		echo "$name" >>"$tree/modules/order"
	done
	(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) >"$out"
	rm -rf "$tree"
}

fetch_package() {
	local package=linux-image-$1 dir=$2

	say "image: kernel $1"
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && apt-get -qq download "$package" 2>/dev/null) ||
		{ as_root apt-get -qq update &&
			(cd "$dir/deb" && apt-get -qq download "$package"); } ||
		die "apt has no $package"
	dpkg-deb -x "$dir"/deb/*.deb "$dir/tree"
	rm -rf "$dir/deb"
	mkdir -p "$dir/lib"
	mv "$dir/tree/lib/modules" "$dir/lib/modules"
	mv "$dir/tree/boot/vmlinuz-$1" "$dir/bzImage"
	rm -rf "$dir/tree"
	echo "$1" >"$dir/release"
	depmod -b "$dir" "$1"
}

copy_kernel() {
	local path=$1 dir=$2 release

	[ -d "$path/lib/modules" ] ||
		die "$path: expected vmlinux or bzImage, and lib/modules/RELEASE"
	release=$(ls "$path/lib/modules")
	[ "$(wc -l <<<"$release")" -eq 1 ] ||
		die "$path/lib/modules: expected one release"
	say "image: kernel of $path"
	mkdir -p "$dir/lib/modules"
	rsync -a --exclude=/build --exclude=/source \
		"$path/lib/modules/$release" "$dir/lib/modules/"
	if [ -e "$path/vmlinux" ]; then
		cp "$path/vmlinux" "$dir/vmlinux"
	else
		cp "$path/bzImage" "$dir/bzImage"
	fi
	echo "$release" >"$dir/release"
	depmod -b "$dir" "$release"
}

make_kernel() {
	local dir guest release tmp

	dir=$(kernel_folder "$kernel")
	tmp=$dir.new
	rm -rf "$tmp"
	mkdir -p "$tmp"
	if [ -n "$kernel" ] && [ -e "$kernel" ]; then
		copy_kernel "$(readlink -f -- "$kernel")" "$tmp"
	else
		fetch_package "${dir#"$image/kernel-"}" "$tmp"
	fi
	release=$(<"$tmp/release")

	if [ ! -e "$tmp/vmlinux" ]; then
		extract_vmlinux "$tmp/bzImage" "$tmp/vmlinux"
		rm "$tmp/bzImage"
	fi
	make_initramfs "$tmp" "$release" "$tmp/early.cpio" "${early[@]}"
	# Guests have Debian's: one that looks for faults in itself would boot for minutes.
	guest=$(kernel_folder)
	if [ "$dir" = "$guest" ]; then
		guest=$tmp
		make_initramfs "$tmp" "$release" "$tmp/guest.cpio" "${guest_modules[@]}"
	fi

	# The disk of the kernel: modules for L1, and what L1 boots its guest from.
	mkdir "$tmp/disk"
	ln "$guest/vmlinux" "$guest/guest.cpio" "$tmp/disk/"
	mv "$tmp/lib/modules" "$tmp/disk/modules"
	mkfs.erofs --quiet -Enoinline_data --all-root "$tmp/kernel.erofs" "$tmp/disk" >/dev/null
	mv "$tmp/disk/modules" "$tmp/lib/modules"
	rm -rf "$tmp/disk"

	echo "$kernel_stamp" >"$tmp/stamp"
	rm -rf "$dir"
	mv "$tmp" "$dir"
}

# Of which guests have the kernel.
[ "$(kernel_folder "$kernel")" = "$(kernel_folder)" ] || "$0"

mkdir -p "$image"
exec 9>"$image/lock"
flock 9

stamp=$(stamp_of "$0")
[ "$(cat "$image/root.stamp" 2>/dev/null)" = "$stamp" ] || make_root

# A folder's kernel counts as changed when its image does.
kernel_stamp=$stamp
if [ -n "$kernel" ] && [ -e "$kernel" ]; then
	kernel_stamp+=$(find -L "$kernel" -maxdepth 3 -printf ' %P %T@ %s' | sha256sum)
fi
[ "$(cat "$(kernel_folder "$kernel")/stamp" 2>/dev/null)" = "$kernel_stamp" ] ||
	make_kernel
