#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which lines of a machine's kernel log count as reports of bugs, in TAP. The lines are
# those of Linux 6.1.
. "$(dirname -- "$0")/lib.sh"
. "$top/tools/testing/admin/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strings=$(grep -c '^	"' "$top/tools/testing/selftests/iommu/lib/reports.h")
build=$work
mkdir "$build/vm-log"

# found NAME LINE [FILE]: what bugs_in says of a log with the line
found() {
	rm -f "$build/vm-log/"*
	echo '[    0.000000] Linux version 6.1.0' >"$build/vm-log/$1.kernel"
	echo "[   12.345678] $2" >>"$build/vm-log/$1.${3:-kernel}"
	bugs_in "$1"
}

plan
expect "every string of the list is read" "$strings" "$(
	for list in reports no_reports no_reports_in_faults; do
		strings_of "$list"
	done | wc -l)"

while IFS= read -r line; do
	expect "a bug: $line" "[   12.345678] $line" "$(found dma@intel "$line")"
done <<-'EOF'
	WARNING: CPU: 0 PID: 166 at drivers/iommu/iommufd/device.c:28 detach+0x19/0x20 [iommufd]
	WARNING: possible circular locking dependency detected
	WARNING: possible recursive locking detected
	WARNING: possible irq lock inversion dependency detected
	WARNING: suspicious RCU usage
	WARNING: inconsistent lock state
	WARNING: bad unlock balance detected!
	WARNING: bad contention detected!
	WARNING: held lock freed!
	WARNING: lock held when returning to user space!
	WARNING: dma/123 still has locks held!
	WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected
	WARNING: Nested lock was not taken
	INFO: trying to register non-static key.
	[ BUG: Invalid wait context ]
	BUG: MAX_LOCKDEP_ENTRIES too low!
	BUG: sleeping function called from invalid context at mm/slab.h:1
	BUG: scheduling while atomic: dma/123/0x00000002
	BUG: Bad page state in process dma  pfn:12345
	BUG: KASAN: use-after-free in find+0x1/0x2 [iommufd]
	BUG: KCSAN: data-race in find [iommufd] / insert [iommufd]
	BUG kmalloc-64 (Tainted: G           O     ): Poison overwritten
	BUG: unable to handle page fault for address: ffff888000000000
	general protection fault, probably for non-canonical address 0x6b6b6b6b: 0000 [#1] PREEMPT SMP
	divide error: 0000 [#1] PREEMPT SMP
	kernel BUG at mm/gup.c:1!
	Kernel panic - not syncing: Fatal exception
	UBSAN: shift-out-of-bounds in drivers/iommu/iommufd/pages.c:1:2
	ODEBUG: free active (active state 0) object type: work_struct hint: f+0x0/0x1
	refcount_t: underflow; use-after-free.
	list_add corruption. next->prev should be prev (ffff888000000000), but was 0000000000000000.
	list_del corruption, ffff888000000000->next is LIST_POISON1 (dead000000000100)
	unreferenced object 0xffff888000000000 (size 64):
	INFO: task dma:123 blocked for more than 120 seconds.
	rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
	rcu: INFO: rcu_preempt self-detected stall on CPU
	rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: {
	watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [dma:123]
	sysfs: cannot create duplicate filename '/class/misc/iommu'
	irq 16: nobody cared (try booting with the "irqpoll" option)
	census: differs at the end: pins 0 before, pins 1 now
EOF

while IFS= read -r line; do
	expect "no bug: $line" '' "$(found dma@intel "$line")"
done <<-'EOF'
	iommufd: loading out-of-tree module taints kernel.
	DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr 0x1000 [fault reason 0x05] PTE Write access is not set
	kcsan: non-strict mode configured - use CONFIG_KCSAN_STRICT=y to see all data races
	rcu: 	RCU debug extended QS entry/exit.
	Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/html/latest/admin-guide/hw-vuln/srso.html for mitigation options.
	WARNING: CPU: 0 PID: 166 at hugetlb_split+0x1dd/0x2a0
EOF

line='WARNING: CPU: 0 PID: 166 at iommu_detach_group+0x1c6/0x1f0'
expect "a bug unless memory is meant to run out" "[   12.345678] $line" "$(found dma@amd "$line")"
expect "and none if it is" '' "$(found faults@amd "$line")"
expect "as it is of others, too" '' "$(found faults_kvm@amd "$line")"
line='WARNING: possible circular locking dependency detected'
expect "a lock order that is the stock modules'" '' "$(found type1_mdev-stock@intel "$line")"
line='WARNING: bad unlock balance detected!'
expect "they may not do all" "[   12.345678] $line" "$(found type1_mdev-stock@intel "$line")"

line='Kernel panic - not syncing: sysrq triggered crash'
expect "the console counts, too" "[   12.345678] $line" "$(found dma@intel "$line" console)"
: >"$build/vm-log/dma@intel.kernel"
expect "an empty log is not clean" "there is no kernel log" "$(bugs_in dma@intel | head -n 1)"
rm "$build/vm-log/dma@intel".*
expect "a missing one neither" "there is no kernel log" "$(bugs_in dma@intel)"
finish
