// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that an unmap left, in the way of larger entries.
 *
 * A table goes with an unmap that covers all that it spans. One at the edge of an
 * area stays, with nothing in it, until an entry of 2 MiB or 1 GiB takes its
 * place. Not every IOMMU driver flushes before it frees it then, and the IOMMU would
 * for a moment walk through memory that has become somebody else's.
 *
 * So each space remembers where areas have begun or ended within such an entry, and
 * what is there is taken out, flushed and freed in this order before an area is
 * mapped over it. It remembers by a hash and never forgets: a place that is taken
 * for another costs a few steps, nothing else.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/iommu.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/sched.h>

#include <compat.h>
#include "space.h"

/* Entries that take the place of tables, as shifts, by their level */
static const unsigned int entry_shifts[] = { ilog2(TABLE_SPAN), 30 };

static unsigned int left_bit(unsigned long nr, unsigned int level)
{
	return hash_long(nr << 1 | level, SPACE_LEFT_BITS);
}

static void left_set(struct space *space, unsigned long nr, unsigned int level)
{
	unsigned int bit = left_bit(nr, level);

	if (!test_bit(bit, space->left))
		set_bit(bit, space->left);
}

/**
 * space_left_init - Begin to remember
 * @space: without areas
 */
void space_left_init(struct space *space)
{
	bitmap_zero(space->left, 1U << SPACE_LEFT_BITS);
}

/**
 * space_left_add - Remember where an area begins and ends
 * @space: with its lock held
 * @range: of the area
 */
void space_left_add(struct space *space, const struct iova_range *range)
{
	unsigned int level;

	lockdep_assert_held(&space->lock);

	for (level = 0; level < ARRAY_SIZE(entry_shifts); level++) {
		unsigned int shift = entry_shifts[level];
		unsigned long mask = (1UL << shift) - 1;

		if (range->first & mask)
			left_set(space, range->first >> shift, level);
		if ((range->last & mask) != mask)
			left_set(space, range->last >> shift, level);
	}
}

/**
 * space_left_anywhere - Expect tables everywhere
 * @space: where a mapping failed half-way
 */
void space_left_anywhere(struct space *space)
{
	lockdep_assert_held(&space->lock);

	bitmap_fill(space->left, 1U << SPACE_LEFT_BITS);
}

/*
 * Taking out a table of the lowest level may make one of the next, empty: @any says
 * that it was done.
 */
static int clear_level(struct space *space, struct iommu_domain *domain,
		       const struct iova_range *range, unsigned int level,
		       bool *any, struct iommu_iotlb_gather *gather)
{
	unsigned int shift = entry_shifts[level];
	unsigned long span = 1UL << shift;
	unsigned long at = iova_whole_first(range, shift);
	unsigned long end = iova_whole_end(range, shift);
	bool all = *any;
	int rc;

	if (!(domain->pgsize_bitmap & span))
		return 0;
	for (; at < end; at++) {
		if (!all && !test_bit(left_bit(at, level), space->left))
			continue;
		rc = iommu_drop_tables(domain, at << shift, span, gather);
		if (rc)
			return refuse(rc, "the IOMMU's tables at IOVA 0x%lx cannot be taken out",
				      at << shift);
		*any = true;
		cond_resched();
	}
	return 0;
}

/**
 * space_left_clear - Clear the way for larger entries
 * @space: with domains_sem held
 * @member: a domain
 * @range: of an area that is about to be mapped in it
 *
 * Return: 0, or -ENOMEM and the like from the IOMMU driver.
 */
int space_left_clear(struct space *space, struct space_domain *member,
		     const struct iova_range *range)
{
	struct iommu_iotlb_gather gather __uninitialized;
	unsigned int level;
	bool any = false;
	int rc = 0;

	lockdep_assert_held(&space->domains_sem);

	iommu_gather_start(&gather);
	for (level = 0; !rc && level < ARRAY_SIZE(entry_shifts); level++)
		rc = clear_level(space, member->domain, range, level, &any,
				 &gather);
	if (any)
		space_domain_flush(member, &gather, range->first, range->last);
	return rc;
}
