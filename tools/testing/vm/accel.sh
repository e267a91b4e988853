#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: accel.sh
#
# Say how QEMU is to run the machine: kvm or tcg. A node /dev/kvm proves
# little, nor does it say whether nesting works; so the machine is started with
# it once, and the answer is kept until the next boot of this host.
. "$(dirname -- "$0")/lib.sh"

if [ ! -w /dev/kvm ]; then
	echo tcg
	exit
fi
answer=$image/accel-$(tr -d - </proc/sys/kernel/random/boot_id)
exec 9>"$image/accel.lock"
flock 9
if [ ! -e "$answer" ]; then
	if "$vm_dir/vm.sh" --stock --accel kvm --device none --timeout 20 \
		--log accel -- test -e /dev/kvm 2>/dev/null; then
		echo kvm >"$answer"
	else
		echo tcg >"$answer"
	fi
fi
cat "$answer"
