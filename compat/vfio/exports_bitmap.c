// SPDX-License-Identifier: GPL-2.0-only
/*
 * The symbol that the stock iova_bitmap.c exports, with that file's includes
 * and its private types.
 */
#include <linux/iova_bitmap.h>
#include <linux/mm.h>
#include <linux/highmem.h>

#ifdef __GENKSYMS__
struct iova_bitmap_map {
	unsigned long iova;
	unsigned long pgshift;
	unsigned long pgoff;
	unsigned long npages;
	struct page **pages;
};

struct iova_bitmap {
	struct iova_bitmap_map mapped;
	u8 __user *bitmap;
	unsigned long mapped_base_index;
	unsigned long mapped_total_index;
	unsigned long iova;
	size_t length;
};
#endif

EXPORT_SYMBOL_GPL(iova_bitmap_set);
