# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2054,SC2154
#
# The machine as arguments of QEMU, from the options that vm.sh has read.

declare -A count=()
ports=0

# next_id KIND: set "id" to edu0, edu1 and so on.
next_id() {
	local kind=${1//[^a-z0-9]/-}

	id=$kind${count[$kind]:-0}
	count[$kind]=$((${count[$kind]:-0} + 1))
}

# root_port: add one, and set "port" to its name.
root_port() {
	port=port$ports
	args+=(-device "pcie-root-port,id=$port,chassis=$((ports + 1)),slot=$((ports + 1)),bus=pcie.0,addr=$(printf '%x.%x' $((4 + ports / 8)) $((ports % 8))),multifunction=on")
	ports=$((ports + 1))
}

network() {
	local opts=user,id=net-$id,hostname=guest

	[ -z "$serve" ] || opts+=",guestfwd=tcp:10.0.2.100:9-cmd:cat ${serve//,/,,}"
	args+=(-netdev "$opts")
}

device() {
	local spec=$1 kind=${1%%,*} id port

	case $kind in
	default)
		device edu
		device nvme
		device virtio-net
		device e1000e
		return
		;;
	none) return ;;
	virtio-net)
		kind=virtio-net
		spec=virtio-net-pci,disable-legacy=on,iommu_platform=on,romfile=${spec#virtio-net}
		;;
	esac

	if [[ ,$spec, =~ ,id=([^,]*), ]]; then
		id=${BASH_REMATCH[1]}
	else
		next_id "$kind"
		spec+=,id=$id
	fi
	case $kind in
	edu)
		[[ $spec == *,dma_mask=* ]] || spec+=,dma_mask=0xffffffffff
		;;
	nvme)
		if [[ $spec != *,drive=* ]]; then
			truncate -s 64M "$tmp/$id.disk"
			args+=(-drive "if=none,id=disk-$id,format=raw,cache=unsafe,file=$tmp/$id.disk")
			spec+=,drive=disk-$id
		fi
		[[ $spec == *,serial=* ]] || spec+=,serial=$id
		;;
	virtio-net* | e1000* | igb)
		if [[ $spec != *,netdev=* ]]; then
			network
			spec+=,netdev=net-$id
		fi
		[[ $spec == *,romfile=* ]] || spec+=,romfile=
		;;
	esac
	if [[ $spec != *,bus=* && $iommu != amd ]]; then
		root_port
		spec+=,bus=$port
	fi
	args+=(-device "$spec")
}

# secure_boot_args WORDS: firmware that trusts what Microsoft has signed, and with that
# shim, which trusts what Debian has signed: GRUB, and the kernel.
secure_boot_args() {
	mkdir -p "$secure_boot/esp/EFI/debian"
	cp "$tmp/initrd.img" "$secure_boot/esp/initrd.img"
	cat >"$secure_boot/esp/EFI/debian/grub.cfg" <<-EOF
		linux /vmlinuz $1
		initrd /initrd.img
		boot
	EOF
	args+=(-machine smm=on -global driver=cfi.pflash01,property=secure,value=on
		-drive "if=pflash,unit=0,format=raw,readonly=on,file=$secure_boot/CODE.fd"
		-drive "if=pflash,unit=1,format=raw,file=$secure_boot/VARS.fd"
		-drive "if=none,id=esp,format=raw,readonly=on,file=fat:$secure_boot/esp"
		-device virtio-blk-pci,drive=esp,serial=esp,bootindex=0,addr=1a)
}

machine_args() {
	local cpu engine=$accel options='' port one words

	case $accel in
	kvm) cpu=host ;;
	*) cpu=EPYC,+svm ;;
	esac
	if [ "$icount" = yes ] || [ "$accel,$turns" = tcg,yes ]; then
		engine=tcg,thread=single
	elif [ "$accel" = tcg ]; then
		engine=tcg,thread=multi
	fi

	# An emulated CPU may wait long for its turn, which is no stall.
	options=' rcupdate.rcu_cpu_stall_timeout=300 workqueue.watchdog_thresh=300'
	[[ $iommu != intel* ]] || options+=' intel_iommu=on'

	words="console=ttyS0 quiet$options no_timer_check mitigations=off printk.devkmsg=on log_buf_len=1M$append"

	args=(-machine q35,kernel-irqchip=split -accel "$engine" -cpu "$cpu"
		-smp "$cpus" -m "$mem" -nodefaults -display none -no-user-config
		-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
	if [ -n "$secure_boot" ]; then
		secure_boot_args "$words"
	else
		args+=(-no-reboot -bios qboot.rom -kernel "$folder/vmlinux"
			-initrd "$tmp/initrd.img" -append "$words panic=-1")
	fi
	[ "$icount" = no ] || args+=(-icount "shift=0,sleep=off")

	case $iommu in
	intel | intel-nosnoop)
		one=on
		[ "$iommu" = intel ] || one=off
		args+=(-device "intel-iommu,intremap=on,device-iotlb=on,caching-mode=$caching,snoop-control=$one")
		;;
	amd) args+=(-device amd-iommu,intremap=on,device-iotlb=on) ;;
	esac

	# The machine's own devices sit at fixed places above those under test.
	args+=(-drive "if=none,id=root,format=raw,readonly=on,file=$image/root.erofs"
		-drive "if=none,id=kernel,format=raw,readonly=on,file=$folder/kernel.erofs"
		-device virtio-blk-pci,drive=root,serial=root,addr=1c
		-device virtio-blk-pci,drive=kernel,serial=kernel,addr=1d
		-chardev "file,id=console,path=$logs/$log.console"
		-serial chardev:console
		-device virtio-serial-pci,addr=1e)
	for one in out err status; do
		args+=(-chardev "file,id=$one,path=$tmp/$one"
			-device "virtserialport,chardev=$one,name=$one")
	done
	args+=(-chardev "file,id=log,path=$logs/$log.kernel"
		-device virtserialport,chardev=log,name=log
		-chardev "socket,id=hmp,path=$tmp/hmp,server=on,wait=off"
		-mon chardev=hmp,mode=readline
		-chardev "socket,id=monitor,path=$tmp/hmp"
		-device virtserialport,chardev=monitor,name=monitor)
	[ -z "$qmp" ] || args+=(-qmp "unix:${qmp//,/,,},server=on,wait=off")
	[ -z "$share" ] || args+=(
		-fsdev "local,id=share,path=${share//,/,,},security_model=none,multidevs=remap"
		-device virtio-9p-pci,fsdev=share,mount_tag=share,addr=1b)

	for one in "${devices[@]}"; do
		device "$one"
	done
	args+=(${qemu_args[@]+"${qemu_args[@]}"})
}
