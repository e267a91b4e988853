/* SPDX-License-Identifier: GPL-2.0-only */
/* bar_place.c: where a process has mapped a BAR */
#ifndef __IOMMUFD_BAR_PLACE_H
#define __IOMMUFD_BAR_PLACE_H

#include <linux/types.h>

struct file;
struct mm_struct;
struct runs;

/**
 * struct bar_place - What is mapped at a bar's addresses
 * @file: of the device; only compared
 * @set: the devices that are reset together; only compared
 * @pgoff: of the bar's first page
 */
struct bar_place {
	const struct file *file;
	const void *set;
	unsigned long pgoff;
};

int bar_place_read(struct mm_struct *mm, unsigned long uaddr,
		   unsigned long nr_pages, bool writable, bool patient,
		   struct bar_place *place, struct runs *runs);

#endif
