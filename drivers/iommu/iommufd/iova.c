// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a mapping may go.
 *
 * Excluded is what the attached devices reserve and what lies outside the
 * apertures of the domains. Allowed is everything else, or the ranges that the user
 * listed, which no device that is attached later may then take away. Both are
 * few; mappings may be many, and are kept apart in the tree of areas.
 */
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "pages.h"
#include "space.h"

#define to_reserve(n) container_of(n, struct iova_reserve, node)

static int insert(struct rb_root_cached *tree, unsigned long first,
		  unsigned long last, const void *owner)
{
	struct iova_reserve *reserve;

	reserve = kmalloc(sizeof(*reserve), GFP_KERNEL_ACCOUNT);
	if (!reserve)
		return refuse(-ENOMEM, NO_MEMORY_FOR "a range");
	reserve->node.start = first;
	reserve->node.last = last;
	reserve->owner = owner;
	interval_tree_insert(&reserve->node, tree);
	return 0;
}

/**
 * iova_reserve - Exclude a range
 * @space: with its lock held
 * @first: first IOVA
 * @last: last IOVA, inclusive
 * @owner: on whose behalf
 *
 * Return: 0; -EADDRINUSE when something is mapped there or the user asked to
 * keep it; -ENOMEM.
 */
int iova_reserve(struct space *space, unsigned long first, unsigned long last,
		 const void *owner)
{
	struct interval_tree_node *allowed;
	struct area *area;

	lockdep_assert_held(&space->lock);

	area = range_to_area(iova_tree_first(&space->areas, first, last));
	if (area)
		return refuse(-EADDRINUSE,
			      "the device or its IOMMU reserves 0x%lx to 0x%lx, and 0x%lx to 0x%lx is mapped",
			      first, last, area->range.first,
			      area->range.last);
	allowed = interval_tree_iter_first(&space->allowed, first, last);
	if (allowed)
		return refuse(-EADDRINUSE,
			      "the device or its IOMMU reserves 0x%lx to 0x%lx, and IOMMU_IOAS_ALLOW_IOVAS keeps 0x%lx to 0x%lx",
			      first, last, allowed->start, allowed->last);
	return insert(&space->reserved, first, last, owner);
}

/**
 * iova_unreserve - Give back all that was reserved on somebody's behalf
 * @space: with its lock held
 * @owner: as passed to iova_reserve()
 */
void iova_unreserve(struct space *space, const void *owner)
{
	struct interval_tree_node *node;
	struct interval_tree_node *next;

	lockdep_assert_held(&space->lock);

	for (node = interval_tree_iter_first(&space->reserved, 0, ULONG_MAX);
	     node; node = next) {
		next = interval_tree_iter_next(node, 0, ULONG_MAX);
		if (to_reserve(node)->owner != owner)
			continue;
		interval_tree_remove(node, &space->reserved);
		kfree(to_reserve(node));
	}
}

/**
 * iova_pass_reserved - Let something be reserved on somebody else's behalf
 * @space: with its lock held
 * @from: as passed to iova_reserve()
 * @to: who has it from now on
 */
void iova_pass_reserved(struct space *space, const void *from, const void *to)
{
	struct interval_tree_node *node;

	lockdep_assert_held(&space->lock);

	for (node = interval_tree_iter_first(&space->reserved, 0, ULONG_MAX);
	     node; node = interval_tree_iter_next(node, 0, ULONG_MAX))
		if (to_reserve(node)->owner == from)
			to_reserve(node)->owner = to;
}

/**
 * iova_allow - Add a range to a list for iova_set_allowed()
 * @allowed: the list, not yet in use
 * @first: first IOVA
 * @last: last IOVA, inclusive
 *
 * Return: 0; -EINVAL when it is empty or overlaps another; -ENOMEM.
 */
int iova_allow(struct rb_root_cached *allowed, unsigned long first,
	       unsigned long last)
{
	if (first >= last || interval_tree_iter_first(allowed, first, last))
		return refuse(-EINVAL, "the range from 0x%lx to 0x%lx is empty or overlaps another",
			      first, last);
	return insert(allowed, first, last, NULL);
}

/**
 * iova_set_allowed - Replace the ranges that are kept for the user
 * @space: the space
 * @allowed: the new ranges; the former ones on success
 *
 * Return: 0, or -EADDRINUSE when one is not wholly free of reservations.
 */
int iova_set_allowed(struct space *space, struct rb_root_cached *allowed)
{
	struct interval_tree_node *reserved;
	struct interval_tree_node *node;
	int rc = 0;

	mutex_lock(&space->lock);
	for (node = interval_tree_iter_first(allowed, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		reserved = interval_tree_iter_first(&space->reserved,
						    node->start, node->last);
		if (reserved) {
			rc = refuse(-EADDRINUSE,
				    "0x%lx to 0x%lx overlaps 0x%lx to 0x%lx, which an attached device or its IOMMU reserves",
				    node->start, node->last, reserved->start,
				    reserved->last);
			break;
		}
		cond_resched();
	}
	if (!rc)
		swap(space->allowed, *allowed);
	mutex_unlock(&space->lock);
	return rc;
}

/**
 * iova_free_all - Free reserved or allowed ranges
 * @tree: the ranges, not in use any more
 */
void iova_free_all(struct rb_root_cached *tree)
{
	struct interval_tree_node *node;

	while ((node = interval_tree_iter_first(tree, 0, ULONG_MAX))) {
		interval_tree_remove(node, tree);
		kfree(to_reserve(node));
		cond_resched();
	}
}

/* The lowest range above @from that @tree does not touch */
static bool next_hole(struct rb_root_cached *tree, unsigned long from,
		      unsigned long *first, unsigned long *last)
{
	struct interval_tree_node *node;

	for (;;) {
		node = interval_tree_iter_first(tree, from, ULONG_MAX);
		if (!node || node->start > from)
			break;
		/* Ranges may overlap: look again above this one */
		if (node->last == ULONG_MAX)
			return false;
		from = node->last + 1;
	}
	*first = from;
	*last = node ? node->start - 1 : ULONG_MAX;
	return true;
}

/**
 * iova_next_free - Walk over what may be mapped
 * @space: with its lock held
 * @from: lowest IOVA to look at
 * @first: set to the first IOVA of the next range without a reservation
 * @last: set to its last IOVA, inclusive
 *
 * Return: false when there is none.
 */
bool iova_next_free(struct space *space, unsigned long from,
		    unsigned long *first, unsigned long *last)
{
	lockdep_assert_held(&space->lock);

	return next_hole(&space->reserved, from, first, last);
}

/**
 * iova_check - May a given range be mapped?
 * @space: with its lock held
 * @iova: first IOVA
 * @length: bytes, not 0
 *
 * That nothing is mapped there yet is found out by inserting the area.
 *
 * Return: 0; -EINVAL when it is not aligned or reserved; -EOVERFLOW.
 */
int iova_check(struct space *space, unsigned long iova, unsigned long length)
{
	struct interval_tree_node *reserved;
	unsigned long last;

	lockdep_assert_held(&space->lock);

	if (iova & (space->alignment - 1))
		return refuse(-EINVAL, "the IOVA 0x%lx is not aligned to 0x%lx",
			      iova, space->alignment);
	if (check_add_overflow(iova, length - 1, &last))
		return refuse(-EOVERFLOW, "0x%lx and 0x%lx bytes go past the last IOVA",
			      iova, length);
	reserved = interval_tree_iter_first(&space->reserved, iova, last);
	if (reserved)
		return refuse(-EINVAL,
			      "0x%lx to 0x%lx overlaps 0x%lx to 0x%lx, which an attached device or its IOMMU reserves",
			      iova, last, reserved->start, reserved->last);
	return 0;
}

/*
 * As the memory is aligned, up to the size that the length fills, so that both
 * can be mapped by the same large entries; and up to the length below that, which
 * users of aligned memory rely on.
 */
static unsigned long choose_alignment(unsigned long length)
{
	if (length >= PUD_SIZE)
		return PUD_SIZE;
	if (length >= PMD_SIZE)
		return PMD_SIZE;
	return max(roundup_pow_of_two(length), PAGE_SIZE);
}

/* The lowest range above @from from which an IOVA may be chosen */
static bool next_window(struct space *space, unsigned long from,
			unsigned long *first, unsigned long *last)
{
	struct interval_tree_node *node;

	if (RB_EMPTY_ROOT(&space->allowed.rb_root))
		return iova_next_free(space, from, first, last);

	/* Nothing is reserved in what is allowed */
	node = interval_tree_iter_first(&space->allowed, from, ULONG_MAX);
	if (!node)
		return false;
	*first = max(from, node->start);
	*last = node->last;
	return true;
}

/**
 * iova_choose - Find a free range
 * @space: with its lock held
 * @args: length and hint
 * @iova: set to the first IOVA
 *
 * Page 0 and the last page are never chosen.
 *
 * Return: 0; -EINVAL when memory or length is less aligned than the space
 * needs; -EOVERFLOW; -ENOSPC; -EINTR when the process is being killed.
 */
int iova_choose(struct space *space, const struct space_map_args *args,
		unsigned long *iova)
{
	const unsigned long end = ULONG_MAX - PAGE_SIZE;
	unsigned long from = PAGE_SIZE;
	unsigned long align;
	unsigned long first;
	unsigned long last;

	lockdep_assert_held(&space->lock);

	if (!args->length || args->length >= ULONG_MAX / 2)
		return refuse(-EOVERFLOW, "no IOVA can be chosen for 0x%lx bytes",
			      args->length);
	if ((args->hint | args->length) & (space->alignment - 1))
		return refuse(-EINVAL, "the memory or its length 0x%lx is not aligned to 0x%lx",
			      args->length, space->alignment);
	align = max(choose_alignment(args->length), space->alignment);

	while (from <= end && next_window(space, from, &first, &last)) {
		last = min(last, end);
		if (first <= last &&
		    iova_tree_find_gap(&space->areas, first, last,
				       args->length, align, args->hint, iova))
			return 0;
		from = last + 1;
		if (first > last)
			break;
		/* The user may have listed millions */
		if (fatal_signal_pending(current))
			return refuse(-EINTR, KILLED);
		cond_resched();
	}
	return refuse(-ENOSPC,
		      "no gap of 0x%lx bytes, aligned to 0x%lx, is left in what may be mapped",
		      args->length, align);
}

/**
 * iova_check_alignment - Do all mappings have a new, larger alignment?
 * @space: with its lock held
 * @alignment: a power of two
 *
 * Return: 0 or -EADDRINUSE.
 */
int iova_check_alignment(struct space *space, unsigned long alignment)
{
	struct area *area;

	lockdep_assert_held(&space->lock);

	for (area = range_to_area(iova_tree_first(&space->areas, 0, ULONG_MAX));
	     area;
	     area = range_to_area(iova_tree_next(&area->range, ULONG_MAX)))
		if ((area->range.first | area_length(area) | area->offset) &
		    (alignment - 1))
			return refuse(-EADDRINUSE,
				      "the mapping from 0x%lx to 0x%lx, or its memory, is not aligned to 0x%lx",
				      area->range.first, area->range.last,
				      alignment);
	return 0;
}
