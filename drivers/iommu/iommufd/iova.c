// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a mapping may go.
 *
 * Excluded is what the attached devices reserve and what lies outside the
 * apertures of the domains. Allowed is everything else, or the ranges that the user
 * listed, which no device that is attached later may then take away. Both are
 * few; mappings may be many, and are kept apart in the tree of areas.
 */
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
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
		return -ENOMEM;
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
	lockdep_assert_held(&space->lock);

	if (iova_tree_first(&space->areas, first, last) ||
	    interval_tree_iter_first(&space->allowed, first, last))
		return -EADDRINUSE;
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
		return -EINVAL;
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
	struct interval_tree_node *node;
	int rc = 0;

	mutex_lock(&space->lock);
	for (node = interval_tree_iter_first(allowed, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		if (interval_tree_iter_first(&space->reserved, node->start,
					     node->last)) {
			rc = -EADDRINUSE;
			break;
		}
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
	unsigned long last;

	lockdep_assert_held(&space->lock);

	if (iova & (space->alignment - 1))
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	if (interval_tree_iter_first(&space->reserved, iova, last))
		return -EINVAL;
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
 * needs; -EOVERFLOW; -ENOSPC.
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
		return -EOVERFLOW;
	if ((args->hint | args->length) & (space->alignment - 1))
		return -EINVAL;
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
	}
	return -ENOSPC;
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
			return -EADDRINUSE;
	return 0;
}
