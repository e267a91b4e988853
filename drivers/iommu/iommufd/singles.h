/* SPDX-License-Identifier: GPL-2.0-only */
/* singles.c: the pages of a mapping that accesses have pinned */
#ifndef __IOMMUFD_SINGLES_H
#define __IOMMUFD_SINGLES_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/xarray.h>

/*
 * A page in 8 bytes: 40 bits of page frame number, one bit that says who holds
 * it, 23 bits of how often it is pinned. 0 stands for no page.
 */
#define SINGLE_PFN_BITS 40
/* Pinned and charged for itself; else it is held by a use of the whole */
#define SINGLE_OWN BIT_ULL(SINGLE_PFN_BITS)
#define SINGLE_ONCE BIT_ULL(SINGLE_PFN_BITS + 1)

/**
 * struct singles - Pages by their index, sparse
 * @chunks: index / SINGLES_PER_CHUNK -> struct singles_chunk, none without a page
 * @nr_own: pages with SINGLE_OWN
 *
 * singles_next() needs no lock; for the rest the caller does the locking.
 */
struct singles {
	struct xarray chunks;
	unsigned long nr_own;
};

struct singles_chunk;

/**
 * struct singles_cursor - The chunk that was looked at last
 * @singles: where
 * @chunk: it, or NULL
 * @nr: its number, if there is one
 */
struct singles_cursor {
	struct singles *singles;
	struct singles_chunk *chunk;
	unsigned long nr;
};

static inline bool singles_empty(const struct singles *singles)
{
	return xa_empty(&singles->chunks);
}

static inline unsigned long single_pfn(u64 word)
{
	return word & (SINGLE_OWN - 1);
}

static inline void singles_begin(struct singles_cursor *cursor,
				 struct singles *singles)
{
	cursor->singles = singles;
	cursor->chunk = NULL;
}

struct singles *singles_alloc(void);
void singles_free(struct singles *singles);
u64 singles_get(struct singles_cursor *cursor, unsigned long index);
unsigned long singles_reserve(struct singles_cursor *cursor,
			      unsigned long index, unsigned long nr);
void singles_set(struct singles_cursor *cursor, unsigned long index, u64 word);
void singles_end(struct singles_cursor *cursor);
bool singles_next(struct singles *singles, unsigned long *index,
		  unsigned long last);

#endif
