#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run vm [OPTIONS] -- COMMAND [ARGUMENT...]
#
# Boot the Debian 12 kernel in QEMU, with an emulated IOMMU, and run COMMAND in
# it as root. Its output and exit status are passed through; 124 says that the
# time was up, 125 that the machine died, did not start, or left no whole kernel log.
#
#   --iommu intel|intel-nosnoop|amd|none
#                         default intel, which can force snooping
#   --caching-mode on|off whether a map costs a flush, as on a virtual IOMMU of
#                         Intel's (default on)
#   --cpus N              default 1
#   --turns               the CPUs run by turns. Emulated CPUs that run at the same
#                         time stop now and then, one of them without its timer
#   --mem SIZE            default 2G
#   --kernel debug|kcsan|PACKAGE-VERSION|PATH
#                         such as 6.1.0-44, or a folder with vmlinux or bzImage
#                         and lib/modules/RELEASE
#   --stock               the stock vfio modules instead of ours
#   --share DIR           DIR, read-write, as /mnt/share and working directory
#   --secure-boot DIR     start as a PC does, with Secure Boot on, and without an
#                         end when it resets. DIR has the firmware, CODE.fd, and its
#                         variables, VARS.fd, which keep what is written to them;
#                         and esp/, the system partition, with shim, GRUB and
#                         vmlinuz, which gets grub.cfg and initrd.img
#   --icount              guest time counts executed instructions
#   --device DEVICE       repeatable; the first one replaces the default set:
#                         edu, nvme, virtio-net, e1000e. "default" stands for
#                         that set, "none" for no device. DEVICE is a QEMU
#                         -device; what it lacks is added: a disk of 64 MiB, a
#                         network, an id (edu0, nvme0, …), and, unless it has
#                         bus=, a root port of its own (not with amd, whose
#                         emulation does not see behind bridges)
#   --serve FILE          what a TCP connection to 10.0.2.100:9 reads
#   --timeout SECONDS     default 600
#   --accel tcg|kvm       default kvm where a trial start of it works, else tcg
#   --append WORDS        more kernel command line
#   --qemu-arg ARG        one more argument of QEMU, repeatable
#   --qmp SOCKET          a QMP socket on the host
#   --log NAME            build/vm-log/NAME.kernel and .console (serial port and
#                         QEMU's own messages)
#
# In the machine /dev/virtio-ports/monitor is QEMU's monitor, for example
#   echo device_del edu0 >/dev/virtio-ports/monitor
. "$(dirname -- "$0")/lib.sh"
. "$vm_dir/modules.sh"
. "$vm_dir/machine.sh"

iommu=intel caching=on cpus=1 mem=2G kernel='' stock=no share='' icount=no turns=no
secure_boot='' serve='' timeout=600 accel='' append='' qmp='' log=''
devices=() qemu_args=()

while [ $# -gt 0 ]; do
	case $1 in
	--iommu) iommu=$2 && shift 2 ;;
	--caching-mode) caching=$2 && shift 2 ;;
	--cpus) cpus=$2 && shift 2 ;;
	--turns) turns=yes && shift ;;
	--mem) mem=$2 && shift 2 ;;
	--kernel)
		kernel=$(kernel_named "${2:?}")
		shift 2
		;;
	--stock) stock=yes && shift ;;
	--share) share=$(readlink -e -- "$2") || die "$2: no such folder" && shift 2 ;;
	--secure-boot) secure_boot=$(readlink -e -- "$2") || die "$2: no such folder" && shift 2 ;;
	--icount) icount=yes && shift ;;
	--device) devices+=("$2") && shift 2 ;;
	--serve) serve=$(readlink -e -- "$2") || die "$2: no such file" && shift 2 ;;
	--timeout) timeout=$2 && shift 2 ;;
	--accel) accel=$2 && shift 2 ;;
	--append) append+=" $2" && shift 2 ;;
	--qemu-arg) qemu_args+=("$2") && shift 2 ;;
	--qmp) qmp=$2 && shift 2 ;;
	--log) log=$2 && shift 2 ;;
	-h | --help) manual && exit ;;
	--) shift && break ;;
	*) die "unknown option $1; see ./run vm -h" ;;
	esac
done
[ $# -gt 0 ] || die "no command; see ./run vm -h"
case $iommu in intel | intel-nosnoop | amd | none) ;; *) die "--iommu $iommu: unknown" ;; esac
case $caching in on | off) ;; *) die "--caching-mode $caching: not on or off" ;; esac
[ "${#devices[@]}" -gt 0 ] || devices=(default)

"$vm_dir/image.sh" ${kernel:+--kernel "$kernel"}
folder=$(kernel_folder "$kernel")
release=$(<"$folder/release")
[ -n "$accel" ] || accel=$("$vm_dir/accel.sh")

logs=$build/vm-log
log=${log:-$(date +%H%M%S)-$$}
[[ $log != */* ]] || die "--log $log: a name is wanted, not a path"
mkdir -p "$logs"
rm -f "$logs/$log.kernel" "$logs/$log.console"
tmp=$(mktemp -d)
qemu=
# shellcheck disable=SC2317 # the trap calls it
cleanup() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# What is different in each run goes into a second cpio behind the first.
mkdir -p "$tmp/initrd/vm"
cp "$vm_dir/guest/init" "$tmp/initrd/init"
cp "$vm_dir/guest/stage2" "$tmp/initrd/vm/stage2"
gcc -O2 -Wall -static -o "$tmp/initrd/vm/locked" "$vm_dir/guest/locked.c"
{
	printf 'exec'
	printf ' %q' "$@"
	echo
} >"$tmp/initrd/vm/command"
modules=(vfio_pci)
log_end='vm: end of the kernel log'
nested=kvm_amd
[ "$accel" = tcg ] || ! grep -qw vmx /proc/cpuinfo || nested=kvm_intel
if [ "$stock" = yes ]; then
	modules+=(vfio_iommu_type1)
else
	overlay=$(overlay_of "$release" "$folder")
	[ -n "$overlay" ] || die "no modules for $release; try ./run build, or --stock"
	cp -r "$overlay" "$tmp/initrd/vm/modules"
fi
cat >"$tmp/initrd/vm/config" <<-EOF
	vm_modules='${modules[*]}'
	vm_nested=$nested
	vm_share=${share:+yes}
	vm_log_end='$log_end'
EOF
(cd "$tmp/initrd" && find . | cpio --quiet -o -H newc -R 0:0) >"$tmp/run.cpio"
cat "$folder/early.cpio" "$tmp/run.cpio" >"$tmp/initrd.img"

machine_args

# Held open here, for a QEMU that ends before it opens them.
mkfifo "$tmp/out" "$tmp/err"
exec {out}<>"$tmp/out" {err}<>"$tmp/err"
cat "$tmp/out" {out}>&- {err}>&- &
relays=($!)
cat "$tmp/err" >&2 {out}>&- {err}>&- &
relays+=($!)

start=$(now)
timeout --foreground -k 5 "$timeout" "$vm_dir/qemu.sh" "${args[@]}" \
	</dev/null >>"$tmp/qemu.log" 2>&1 {out}>&- {err}>&- &
qemu=$!
rc=0
wait "$qemu" || rc=$?
qemu=
exec {out}>&- {err}>&-
for pid in "${relays[@]}"; do
	wait "$pid" || :
done

status=$(cat "$tmp/status" 2>/dev/null || :)
grep -v "warning: TCG doesn't support" "$tmp/qemu.log" >>"$logs/$log.console" || :
if [ -n "$status" ] && grep -qaF "$log_end" "$logs/$log.kernel" 2>/dev/null; then
	exit "$status"
fi
case $status,$rc in
,124 | ,137) say "vm: time is up after $(seconds_since "$start") s" && rc=124 ;;
,*) say "vm: the machine died" && rc=125 ;;
*) say "vm: the machine's status is $status, but the end of its kernel log is lost" && rc=125 ;;
esac
say "vm: the end of build/vm-log/$log.kernel and .console:"
tail -n 15 "$logs/$log.kernel" >&2 2>/dev/null || :
# From the first sign of trouble on, where there is one.
awk '/BUG|Oops|panic|general protection|KASAN/ { on = 1 } on && n++ < 40' \
	"$logs/$log.console" >&2
tail -n 5 "$logs/$log.console" >&2
exit "$rc"
