# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every script of this folder shares: where things are, which kernel is
# meant, and how to stop with a message.
set -euo pipefail

vm_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
top=$(cd -- "$vm_dir/../../.." && pwd)
build=$top/build
image=$build/image

# shellcheck disable=SC2034 # used by the scripts that read this file
suite=trixie

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

say() {
	echo "# $*" >&2
}

# The first comment of a script is its manual.
manual() {
	sed -n '/^# usage:/,/^[^#]/{s/^# \{0,1\}//p}' "$0"
}

# as_root COMMAND...: for installing packages only; nothing else needs it.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -n "$@" || die "needs root for: $*"
	fi
}

# The newest 6.1 kernel that headers are installed for.
default_release() {
	local dir

	dir=$(printf '%s\n' /usr/src/linux-headers-6.1.*-amd64 | sort -V | tail -n 1)
	[ -d "$dir" ] ||
		die "no headers of a Debian 12 kernel in /usr/src; try ./run setup"
	echo "${dir#/usr/src/linux-headers-}"
}

# kernel_named debug|kcsan|PACKAGE-VERSION|PATH: the same, with the path of what
# ./run debug-kernel builds in place of the first two.
kernel_named() {
	case $1 in
	debug)
		"$vm_dir/debug-kernel.sh" >&2 || return
		echo "$build/debug-kernel"
		;;
	kcsan)
		"$vm_dir/debug-kernel.sh" kcsan >&2 || return
		echo "$build/kcsan-kernel"
		;;
	*) echo "$1" ;;
	esac
}

# kernel_folder [PACKAGE-VERSION|PATH]: the folder that holds the kernel, as
# image.sh leaves it: "release", "vmlinux", lib/modules/RELEASE.
kernel_folder() {
	local kernel=${1:-}

	if [ -z "$kernel" ]; then
		kernel=$(default_release)
	elif [ -e "$kernel" ]; then
		echo "$image/kernel-$(readlink -f -- "$kernel" | sha256sum | cut -c 1-12)"
		return
	fi
	kernel=${kernel#linux-image-}
	echo "$image/kernel-${kernel%-amd64}-amd64"
}

# kernel_release [PACKAGE-VERSION|PATH]: what uname -r says under it.
kernel_release() {
	local name

	if [ -n "${1:-}" ] && [ -e "$1" ]; then
		name=$(ls "$1/lib/modules")
	else
		name=$(kernel_folder "${1:-}")
	fi
	echo "${name#"$image/kernel-"}"
}

# The address of the Debian archive that this machine's apt uses.
mirror() {
	# shellcheck disable=SC2016 # apt fills this in
	apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Label: Debian' 'Component: main' | head -n 1
}

# stamp_of FILE...: changes when one of the inputs does.
stamp_of() {
	cat -- "$@" | sha256sum | cut -c 1-16
}

# strings_of LIST: what the C programs look for in a kernel log, a line each.
strings_of() {
	sed -n "/^static const char \*const $1\[\]/,/^}/s/^\t\"\(.*\)\",\$/\1/p" \
		"$top/tools/testing/selftests/iommu/lib/reports.h"
}

# The stock type 1 calls drivers with a lock held that pinning takes, and the mock
# driver pins with one held that it takes when it is called.
complaint_of_stock='WARNING: possible circular locking dependency'

# bugs_in NAME: reports of bugs in the logs that a machine has left under that name.
bugs_in() {
	local log=$build/vm-log/$1 but

	but=$(strings_of no_reports)
	case $1 in
	faults*@* | fuzz | fuzz-try) but+=$'\n'$(strings_of no_reports_in_faults) ;;
	type1_mdev-stock@*) but+=$'\n'$complaint_of_stock ;;
	esac
	[ -s "$log.kernel" ] || echo "there is no kernel log"
	cat -- "$log.kernel" "$log.console" 2>/dev/null |
		grep -aF -e "$(strings_of reports)" -e 'census: differs' |
		grep -avF -m 5 -e "$but" || :
}

now() {
	echo "${EPOCHREALTIME/./}"
}

# seconds_since MICROSECONDS: with one digit behind the point.
seconds_since() {
	local tenths=$((($(now) - $1) / 100000))

	echo "$((tenths / 10)).$((tenths % 10))"
}
