/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel log says since a mark. */
#ifndef LIB_KLOG_H
#define LIB_KLOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A descriptor of the log that reads what comes after now, or -errno. Waits
 * where so many faults were logged that the kernel would suppress further ones.
 */
int klog_mark(void);

/*
 * Whether an IOMMU fault at the page of @iova has been or is logged, waiting
 * for it up to a few seconds. Reads on from the mark.
 */
bool klog_has_fault(int log, uint64_t iova);

/*
 * Whether the log still has what no test may cause, see reports.h; the line is copied,
 * and the next call goes on behind it.
 */
bool klog_has_trouble(int log, char *line, unsigned long size);
/* Whether that is no fault of ours where allocations are made to fail. */
bool klog_is_for_want_of_memory(const char *line);

#endif
