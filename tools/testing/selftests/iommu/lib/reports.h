/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel log says when something is wrong with the kernel. Scripts look for
 * the same in the logs of whole machines: tools/testing/vm/lib.sh reads this file,
 * whose strings stand on lines of their own and have nothing escaped.
 */
#ifndef LIB_REPORTS_H
#define LIB_REPORTS_H

/*
 * Of each report words of its first line: what follows belongs to the same one. Lockdep,
 * which stops at its first report, begins most of them with "WARNING: ".
 */
static const char *const reports[] = {
	"BUG:",
	"BUG ",
	"WARNING: ",
	"INFO: trying to register non-static key",
	"KASAN:",
	"KCSAN:",
	"UBSAN:",
	"ODEBUG:",
	"Oops",
	"[#1]",
	"general protection fault",
	"Kernel panic",
	"refcount_t:",
	"list_add corruption",
	"list_del corruption",
	"unreferenced object 0x",
	"blocked for more than",
	"soft lockup",
	"hard LOCKUP",
	"detected stall",
	"detected expedited stall",
	"cannot create duplicate filename",
	"nobody cared",
};

/*
 * Lines with such words that are none. What the CPU's mitigations lack is the host's
 * affair. Of itself 6.1 complains when it splits a mapping of hugetlb pages: it asks
 * whether a lock is held that the caller takes eleven lines later.
 */
static const char *const no_reports[] = {
	"RETBleed: WARNING: ",
	"ITS: WARNING: ",
	"Spectre V2 : WARNING: ",
	"Speculative Return Stack Overflow: WARNING: ",
	"at hugetlb_split+",
};

/*
 * The same when memory runs out at will: the core of 6.1 cannot take a device from a
 * domain, or give it back, without an allocation, and it removes files of an interrupt
 * in /proc that it may have failed to make.
 */
static const char *const no_reports_in_faults[] = {
	"at iommu_detach_group+",
	"at iommu_group_release_dma_owner+",
	"at remove_proc_entry+",
};

#endif
