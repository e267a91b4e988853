// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may have been written to.
 *
 * No IOMMU driver of this kernel tells what devices wrote, so while a domain shows
 * a mapping all of it counts as written. Without one only accesses write: each
 * area then remembers the pages that were pinned or written, from the time that
 * somebody began to ask.
 */
#include <linux/bitmap.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "pages.h"
#include "space.h"

static unsigned long area_bits(const struct area *area)
{
	return DIV_ROUND_UP(area_length(area), PAGE_SIZE);
}

static unsigned long bit_of(const struct area *area, unsigned long iova)
{
	return (iova - area->range.first) >> PAGE_SHIFT;
}

static void mark(struct area *area, unsigned long bit, unsigned long nr)
{
	/* More than bitmaps are made for */
	if (area_bits(area) > INT_MAX)
		area->all_dirty = true;
	if (!area->dirty && !area->all_dirty) {
		area->dirty = kvcalloc(BITS_TO_LONGS(area_bits(area)),
				       sizeof(*area->dirty),
				       GFP_KERNEL_ACCOUNT);
		/* Too much is safe to say, too little is not */
		area->all_dirty = !area->dirty;
	}
	if (area->all_dirty)
		return;
	bitmap_set(area->dirty, bit, nr);
}

static bool is_pinned(struct area *area, unsigned long bit)
{
	unsigned long index = (area->offset >> PAGE_SHIFT) + bit;

	return area->pins && pages_next_single(area->pages, &index, index);
}

/* What accesses have pinned at present counts as written, again and again */
static void mark_pinned(struct area *area)
{
	unsigned long start = area->offset >> PAGE_SHIFT;
	unsigned long last = start + area_bits(area) - 1;
	unsigned long index;

	if (!area->pins)
		return;
	for (index = start; index <= last; index++) {
		if (!pages_next_single(area->pages, &index, last))
			break;
		mark(area, index - start, 1);
	}
}

/**
 * space_track - Begin to remember what accesses write
 * @space: the space
 */
void space_track(struct space *space)
{
	struct area *area;

	mutex_lock(&space->lock);
	if (!space->tracking) {
		WRITE_ONCE(space->tracking, true);
		for (area = range_to_area(iova_tree_first(&space->areas, 0,
							  ULONG_MAX));
		     area;
		     area = range_to_area(iova_tree_next(&area->range,
							 ULONG_MAX)))
			mark_pinned(area);
	}
	mutex_unlock(&space->lock);
}

/**
 * space_untrack - Forget what accesses wrote
 * @space: the space
 */
void space_untrack(struct space *space)
{
	struct area *area;

	mutex_lock(&space->lock);
	WRITE_ONCE(space->tracking, false);
	for (area = range_to_area(iova_tree_first(&space->areas, 0, ULONG_MAX));
	     area;
	     area = range_to_area(iova_tree_next(&area->range, ULONG_MAX))) {
		kvfree(area->dirty);
		area->dirty = NULL;
		area->all_dirty = false;
	}
	mutex_unlock(&space->lock);
}

/**
 * space_mark_dirty - An access wrote to a range, or can
 * @space: with its lock held
 * @first: first IOVA
 * @last: last IOVA, inclusive; the access is in all areas of the range
 */
void space_mark_dirty(struct space *space, unsigned long first,
		      unsigned long last)
{
	struct area *area;

	lockdep_assert_held(&space->lock);

	if (!space->tracking)
		return;
	for (area = range_to_area(iova_tree_first(&space->areas, first, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last))) {
		unsigned long from = max(first, area->range.first);
		unsigned long to = min(last, area->range.last);

		mark(area, bit_of(area, from),
		     bit_of(area, to) - bit_of(area, from) + 1);
	}
}

/**
 * space_take_dirty - Read and clear which pages may have been written to
 * @space: the space
 * @iova: first IOVA of the pages, in a mapping that begins at a page
 * @nr: how many, from 1 to 64; those behind the mapping count as not written
 *
 * Return: a bit for each page, the lowest for the first.
 */
u64 space_take_dirty(struct space *space, unsigned long iova, unsigned int nr)
{
	struct area *area;
	unsigned long bit;
	u64 bits = 0;

	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, iova, iova));
	if (!area)
		goto out_unlock;
	/* It need not be the mapping any more that the caller saw */
	nr = min_t(unsigned long, nr, area_bits(area) - bit_of(area, iova));
	for (bit = 0; bit < nr; bit++) {
		unsigned long in_area = bit_of(area, iova) + bit;
		bool pinned = is_pinned(area, in_area);

		if (pinned || (area->dirty && test_bit(in_area, area->dirty)))
			bits |= BIT_ULL(bit);
		if (area->dirty && !pinned)
			__clear_bit(in_area, area->dirty);
	}
	if (space->nr_domains || area->all_dirty)
		bits = GENMASK_ULL(nr - 1, 0);
out_unlock:
	mutex_unlock(&space->lock);
	return bits;
}
