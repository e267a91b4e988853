# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# In the machine, in the root of another Debian: that system on this kernel.

if ! mountpoint -q proc; then
	for dir in dev proc sys; do
		mount --rbind "/$dir" "$dir"
	done
	# There are no sockets on the share
	mount -t tmpfs run run
fi

# user COMMAND: as its root does it
user() {
	chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
		SYSTEMD_IGNORE_CHROOT=1 sh -c "$1"
}
