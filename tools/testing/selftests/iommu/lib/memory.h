/* SPDX-License-Identifier: GPL-2.0-only */
/* Anonymous memory of a test, or NULL. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stddef.h>

/* In pages of whatever size the kernel likes. */
void *memory_anonymous(size_t size);
/* In pages of 4 KiB, so that their number is known. */
void *memory_of_pages(size_t size);
/* In pages of hugetlb, see census_want_hugepages(). */
void *memory_hugetlb(size_t size);

#endif
