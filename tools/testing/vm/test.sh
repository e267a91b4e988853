#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run test [--kernel debug|kcsan|PACKAGE-VERSION|PATH] [--at-once N]
#                   [--list] [PATTERN...]
#
# Build, then run every test, or those whose name matches a shell PATTERN. A
# test is named after its program and its machine, such as dma@amd. After each
# machine its kernel log is searched for reports of bugs, which count as a
# failure of the test. Those marked with + in tests.list, which take long, run only
# when a PATTERN names them. Each test's output is in build/test-log/NAME. N tests run
# beside each other: 1 to 4, as many as there are CPUs and memory for, unless
# --at-once says so. The last line says "N passed, N failed, N skipped"; the
# status is 0 if none failed.
. "$(dirname -- "$0")/lib.sh"

# For how many machines of 2 GiB, and what QEMU needs for itself, there is room.
room_for() {
	awk -v most=4 -v cpus="$(nproc)" '
		/^MemAvailable:/ {
			n = int($2 / (3 * 1024 * 1024))
			n = n < cpus ? n : cpus
			n = n < most ? n : most
			print (n > 1 ? n : 1)
		}' /proc/meminfo
}

kernel=
list=no
at_once=$(room_for)
while [ $# -gt 0 ]; do
	case $1 in
	--kernel)
		kernel=$(kernel_named "${2:?}")
		shift 2
		;;
	--at-once) at_once=${2:?} && shift 2 ;;
	--list) list=yes && shift ;;
	-h | --help) manual && exit ;;
	-*) die "unknown option $1" ;;
	*) break ;;
	esac
done
patterns=("$@")
[[ $at_once =~ ^[1-9][0-9]*$ ]] || die "--at-once $at_once: not a number"

flavours=(intel intel-nosnoop amd)
kernel_option=(${kernel:+--kernel "$kernel"})
# A kernel that checks itself is some times slower.
slow=(${kernel:+--timeout 1800})
# KCSAN waits for another CPU to come by, and an emulated one does if its turn comes
# whenever this one pauses.
[[ $kernel != */kcsan-kernel ]] || slow+=(--turns)
release=$(kernel_release "$kernel")
programs=$build/$release/tools/testing/selftests/iommu
logs=$build/test-log
results=$logs/results

wanted() {
	local pattern

	[ "${#patterns[@]}" -gt 0 ] || return 0
	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $1 != $pattern && ${1%@*} != $pattern ]] || return 0
	done
	return 1
}

# result NAME START PASSED FAILED SKIPPED NOTES
result() {
	local word=ok

	if [ "$4" -gt 0 ]; then
		word=FAILED
	elif [ "$3" -eq 0 ]; then
		word=skipped
	fi
	(
		flock 9
		printf '%-8s%-28s%4d passed %3d failed %3d skipped  (%s s)\n' \
			"$word" "$1" "$3" "$4" "$5" "$(seconds_since "$2")"
		[ ! -s "$6" ] || sed 's/^/          /' "$6"
		echo "$3 $4 $5" >&9
	) 9>>"$results"
}

# schedule COMMAND...: run a test, as soon as there is room for it.
schedule() {
	if [ "$at_once" -eq 1 ]; then
		"$@"
		return
	fi
	while [ "$(jobs -pr | wc -l)" -ge "$at_once" ]; do
		wait -n || :
	done
	"$@" &
}

# run_one NAME LOG COMMAND...: run and count a test that speaks TAP; LOG is the
# name of its machine's logs, or empty.
run_one() {
	local name=$1 log=$2 start rc=0 notes p f s found

	shift 2
	notes=$logs/$name.notes
	: >"$notes"
	start=$(now)
	(cd "$programs" && "$@") >"$logs/$name" 2>&1 </dev/null || rc=$?
	read -r p f s < <(awk -v notes="$notes" -f "$vm_dir/tap.awk" "$logs/$name")
	# kselftest's status for "skipped" is 4.
	if [ "$rc" -ne 0 ] && [ "$rc" -ne 4 ] && [ "$f" -eq 0 ]; then
		f=1
		echo "failed: status $rc, see build/test-log/$name" >>"$notes"
	fi
	if [ -n "$log" ]; then
		found=$(bugs_in "$log")
		if [ -n "$found" ]; then
			f=$((f + 1))
			printf 'failed: kernel log: %s\n' "$found" >>"$notes"
		fi
	fi
	if [ "$f" -gt 0 ]; then
		# What the harness expected, or else what came last.
		{ grep -E '^# [^ ]+:[0-9]+:' "$logs/$name" ||
			tail -n 5 "$logs/$name"; } | sed 's/^/| /' >>"$notes"
	fi
	result "$name" "$start" "$p" "$f" "$s" "$notes"
}

# run_in NAME MACHINES OPTIONS COMMAND: once on each machine.
run_in() {
	local name=$1 flavour word
	local -a machines options words command=()

	IFS=, read -ra machines <<<"$2"
	read -ra options <<<"$3"
	read -ra words <<<"$4"
	for word in "${words[@]}"; do
		case $word in
		@kernel@) command+=("${kernel_option[@]}") ;;
		*) command+=("${word//@vm@/$vm_dir}") ;;
		esac
	done
	for flavour in "${machines[@]}"; do
		wanted "$name@$flavour" || continue
		if [ "$list" = yes ]; then
			echo "$name@$flavour"
		elif [ "$flavour" = host ]; then
			schedule run_one "$name@host" "" "${command[@]}"
		else
			schedule run_one "$name@$flavour" "$name@$flavour" "$vm_dir/vm.sh" \
				"${kernel_option[@]}" "${slow[@]}" --iommu "$flavour" \
				--log "$name@$flavour" --share "$programs" \
				"${options[@]}" -- "${command[@]}"
		fi
	done
}

# host NAME COMMAND...: a check of this tree.
host() {
	local name=$1@host

	shift
	wanted "$name" || return 0
	if [ "$list" = yes ]; then
		echo "$name"
	else
		schedule run_host "$name" "$@"
	fi
}

# run_host NAME COMMAND...: run and count what wants a status of 0; 4 means skipped,
# for the reason in its last line.
run_host() {
	local name=$1 start rc=0 notes

	shift
	notes=$logs/$name.notes
	: >"$notes"
	start=$(now)
	"$@" >"$logs/$name" 2>&1 </dev/null || rc=$?
	case $rc in
	0) result "$name" "$start" 1 0 0 "$notes" ;;
	4)
		echo "skipped: $(tail -n 1 "$logs/$name")" >"$notes"
		result "$name" "$start" 0 0 1 "$notes"
		;;
	*)
		tail -n 20 "$logs/$name" >"$notes"
		result "$name" "$start" 0 1 0 "$notes"
		;;
	esac
}

# Everything once with W=1 and sparse: not one warning.
check() {
	"$vm_dir/build.sh" "${kernel_option[@]}" check || return 1
	! grep -E 'warning:|error:' "$logs/check@host"
}

abi_compare() {
	local folder

	folder=$("$vm_dir/headers.sh") || return
	"$programs/abi-compare.sh" "$folder"
}

demo() {
	"$vm_dir/demo.sh" "$@" "${kernel_option[@]}"
}

if [ "$list" = no ]; then
	mkdir -p "$logs"
	: >"$results"
	"$vm_dir/setup.sh"
	# A program whose source has gone must not run on.
	"$vm_dir/build.sh" "${kernel_option[@]}" >"$logs/build" 2>&1 || {
		tail -n 30 "$logs/build" >&2
		die "build failed; see build/test-log/build"
	}
	"$vm_dir/image.sh" "${kernel_option[@]}"
fi

# What runs beside this shell does not hear of ^C.
[ "$at_once" -eq 1 ] || trap 'trap - TERM; kill 0' INT TERM

# It builds what all others use.
host check check
wait
host abi-compare abi_compare

special=
while read -r name machines rest; do
	[[ $name != '' && $name != '#'* ]] || continue
	# What takes long is run when it is asked for by a pattern.
	on_request=no
	[[ $name != +* ]] || on_request=yes
	name=${name#+}
	special+=" $name "
	[ "$on_request" = no ] || [ "${#patterns[@]}" -gt 0 ] || continue
	run_in "$name" "$machines" "${rest%%-- *}" "${rest#*-- }"
done <"$vm_dir/tests.list"

for source in "$top"/tools/testing/selftests/iommu/*.c; do
	name=$(basename "$source" .c)
	[[ $special != *" $name "* ]] || continue
	run_in "$name" "$(IFS=,; echo "${flavours[*]}")" '' "./$name"
done

host demo demo
host demo-groups demo --groups
host demo-old-qemu demo --old-qemu

# It compares what those before it gave.
wait
run_in passthrough-matrix host '' '@vm@/matrix.sh'

[ "$list" = no ] || exit 0
wait
awk '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed > 0 || passed + skipped == 0
	}' "$results"
