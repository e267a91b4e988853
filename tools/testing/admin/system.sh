# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# A Debian 12 with nothing but a kernel, in the folder "root", which goes with the
# script, as all does whose name is "root" and a suffix; and our packages in its /root,
# of "version". Its kernel is "old", and "new" is the newest one.
. "$admin/../vm/lib.sh"
set +e
. "$admin/tap.sh"

# The newest kernel of Debian 12, and the one before it
kernels=$(apt-cache pkgnames linux-image-6.1.0- | sed -n 's/^linux-image-\(6\.1\.0-[0-9]*-amd64\)$/\1/p' |
	sort -V)
new=$(default_release)
old=$(grep -xB 1 "$new" <<<"$kernels" | head -n 1)
base=$build/deb/system-$old.tar
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$top/packaging/debian/changelog")

[ "$(id -u)" -eq 0 ] || skip_all "needs root, for chroot"
unshare -m true 2>/dev/null || skip_all "may not mount"
[[ -n $old && $old != "$new" ]] || skip_all "apt knows only one kernel 6.1"

"$top/run" deb >&2 || exit 1

# What is in an initramfs is not tested here; that there is one is
# shellcheck disable=SC2016 # mmdebstrap's shell has the folder as $1
small='mkdir -p "$1/etc/initramfs-tools/conf.d" &&
	printf "MODULES=list\nCOMPRESS=gzip\nCOMPRESSLEVEL=1\n" >"$1/etc/initramfs-tools/conf.d/small"'

make_base() {
	local uri security keys=/usr/share/keyrings/debian-archive-keyring.gpg
	local aptopts=() line sources

	uri=$(mirror)
	# shellcheck disable=SC2016 # apt fills this in
	security=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Label: Debian-Security' 'Component: main' | head -n 1)
	while IFS= read -r line; do
		aptopts+=(--aptopt="$line")
	done < <(apt-config dump | grep -E '^Acquire::(Check-|[a-z]+::Proxy)')
	sources="deb [signed-by=$keys] $uri bookworm main"
	[ -z "$security" ] ||
		sources+=$'\n'"deb [signed-by=$keys] $security bookworm-security main"
	mmdebstrap --quiet --format=tar --variant=apt --architectures=amd64 "${aptopts[@]}" \
		--include="initramfs-tools,kmod,udev,linux-image-$old,linux-headers-$old" \
		--essential-hook="$small" \
		bookworm "$base.new" - <<<"$sources" && mv "$base.new" "$base"
}

# inside COMMAND: in the new system, where it sees no other processes
inside() {
	local start status

	start=$(now)
	# shellcheck disable=SC2016 # for the shell inside
	unshare -m -p -f sh -c 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
		exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			DEBIAN_FRONTEND=noninteractive LC_ALL=C sh -c "$2"' \
		sh "$root" "$1" >"$root.log" 2>&1
	status=$?
	echo "# $(seconds_since "$start") s: ${1%%&&*}" | cut -c 1-100 >&2
	return "$status"
}
log() { cat "$root.log"; }

# files_of RELEASE MODULE NAMES: which files of modules of these names (a pattern of
# sed) modprobe would load for MODULE
files_of() {
	modprobe -d "$root" -S "$1" --show-depends "$2" 2>/dev/null |
		sed -n "s,.*/lib/modules/$1/\(.*/\($3\)\.ko\).*,\1,p" | uniq
}

# Each builds the packages anew, in one place.
mkdir -p "$build/deb"
exec 6>"$build/deb.lock"
flock 6
[ -e "$base" ] || make_base >&2 || exit 1
root=$(mktemp -d -p "$build/deb")
trap 'rm -rf "$root" "$root".*' EXIT
tar -x -C "$root" -f "$base"
# Nothing in it has to outlast a loss of power
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$build"/deb/iommufd-*_"$version"_*.deb "$root/root/"
inside "apt-get -q update" || { log >&2; exit 1; }
