// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of IOVA that do not overlap, and the gaps between them.
 *
 * A red-black tree by first IOVA. Mostly ranges come and go in ascending order,
 * so the tree remembers where it was worked on last and looks there first.
 *
 * For choosing a free IOVA each node also knows the free space behind it, and how much
 * no such space below it exceeds. That is a bound and not the maximum: what makes a
 * gap smaller leaves the bounds alone, and a search that was led astray by one puts it right.
 * So ranges that come and go do next to nothing for it, and still the choice costs
 * about the depth of the tree, whatever lies beneath the gap that is found.
 *
 * The space in front of the lowest range and that behind the highest are not among the
 * gaps, so that they may change without anybody being told.
 *
 * Needs nothing of the kernel but the red-black tree; the caller does the locking.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rbtree_augmented.h>

#include "iova_tree.h"

/*
 * How many gaps that are long enough but badly aligned are looked at before
 * the search asks for one in which any alignment fits.
 */
#define IOVA_TREE_TRIES 8

#define to_range(rb) rb_entry(rb, struct iova_range, node)
#define to_range_safe(rb) rb_entry_safe(rb, struct iova_range, node)

/* The largest gap below @rb, as far as is known */
static unsigned long bound_of(const struct rb_node *rb)
{
	const struct iova_range *left = to_range_safe(rb->rb_left);
	const struct iova_range *right = to_range_safe(rb->rb_right);
	unsigned long bound = to_range(rb)->gap;

	if (left)
		bound = max(bound, left->max_gap);
	if (right)
		bound = max(bound, right->max_gap);
	return bound;
}

/* A bound that has become too large will do */
static void bounds_propagate(struct rb_node *rb, struct rb_node *stop)
{
}

static void bounds_copy(struct rb_node *old, struct rb_node *new)
{
	to_range(new)->max_gap = to_range(old)->max_gap;
}

static void bounds_rotate(struct rb_node *old, struct rb_node *new)
{
	to_range(new)->max_gap = to_range(old)->max_gap;
	to_range(old)->max_gap = bound_of(old);
}

static const struct rb_augment_callbacks bounds = {
	.propagate = bounds_propagate,
	.copy = bounds_copy,
	.rotate = bounds_rotate,
};

/**
 * struct place - Where a new range goes
 * @parent: node that it is hung under
 * @link: the pointer to it
 * @before: the range that precedes it, or NULL
 * @after: the range that follows it, or NULL
 */
struct place {
	struct rb_node *parent;
	struct rb_node **link;
	struct iova_range *before;
	struct iova_range *after;
};

/* Does a range follow the finger, with nothing in between? */
static bool find_place_at_finger(struct iova_tree *tree,
				 const struct iova_range *range,
				 struct place *place)
{
	struct iova_range *finger = tree->finger;
	struct iova_range *after = NULL;

	if (!finger || range->first <= finger->last)
		return false;
	if (finger != tree->highest) {
		after = to_range(rb_next(&finger->node));
		if (after->first <= range->last)
			return false;
	}
	place->before = finger;
	place->after = after;
	if (!finger->node.rb_right) {
		place->parent = &finger->node;
		place->link = &finger->node.rb_right;
	} else {
		place->parent = &after->node;
		place->link = &after->node.rb_left;
	}
	return true;
}

static int find_place(struct iova_tree *tree, const struct iova_range *range,
		      struct place *place)
{
	struct rb_node **link = &tree->root.rb_node;

	*place = (struct place){};
	while (*link) {
		struct iova_range *cur = to_range(*link);

		place->parent = *link;
		if (range->last < cur->first) {
			place->after = cur;
			link = &place->parent->rb_left;
		} else if (range->first > cur->last) {
			place->before = cur;
			link = &place->parent->rb_right;
		} else {
			return -EEXIST;
		}
	}
	place->link = link;
	return 0;
}

/*
 * Let a node and those above it know of a gap. A gap that grows piece by piece is not
 * told each time, as they expect more. No bound is larger than that of the node
 * above.
 */
static void raise_bounds(struct rb_node *rb, unsigned long gap)
{
	if (!rb || to_range(rb)->max_gap >= gap)
		return;
	gap |= gap >> 1;
	for (; rb && to_range(rb)->max_gap < gap; rb = rb_parent(rb))
		to_range(rb)->max_gap = gap;
}

/* Divide the gap in which a new range lies */
static void divide_gap(struct iova_tree *tree, struct iova_range *range,
		       const struct place *place)
{
	struct iova_range *before = place->before;
	struct iova_range *after = place->after;

	range->gap = after ? after->first - range->last - 1 : 0;
	range->max_gap = range->gap;
	raise_bounds(place->parent, range->gap);
	if (before)
		before->gap = range->first - before->last - 1;
	else
		tree->lowest = range;
	/* It was the highest, and had none */
	if (before && !after)
		raise_bounds(&before->node, before->gap);
	if (!after)
		tree->highest = range;
}

/**
 * iova_tree_insert - Add a range
 * @tree: the tree
 * @range: first and last are set
 *
 * Return: 0, or -EEXIST when it overlaps a range of the tree.
 */
int iova_tree_insert(struct iova_tree *tree, struct iova_range *range)
{
	struct place place;

	if (!find_place_at_finger(tree, range, &place)) {
		int rc = find_place(tree, range, &place);

		if (rc)
			return rc;
	}

	divide_gap(tree, range, &place);
	rb_link_node(&range->node, place.parent, place.link);
	rb_insert_augmented(&range->node, &tree->root, &bounds);
	tree->finger = range;
	return 0;
}

/**
 * iova_tree_remove - Take a range out
 * @tree: the tree
 * @range: a range of it
 */
void iova_tree_remove(struct iova_tree *tree, struct iova_range *range)
{
	struct iova_range *before = NULL;
	struct iova_range *after = NULL;

	if (range != tree->highest)
		after = to_range(rb_next(&range->node));
	if (range != tree->lowest)
		before = to_range(rb_prev(&range->node));

	if (!after)
		tree->highest = before;
	if (!before)
		tree->lowest = after;
	if (before && after) {
		before->gap += range->last - range->first + 1 + range->gap;
		raise_bounds(&before->node, before->gap);
	} else if (before) {
		before->gap = 0;
	}
	tree->finger = after;
	rb_erase_augmented(&range->node, &tree->root, &bounds);
}

/**
 * iova_tree_reset - Take all ranges out at once
 * @tree: the tree
 */
void iova_tree_reset(struct iova_tree *tree)
{
	tree->root = RB_ROOT;
	tree->lowest = NULL;
	tree->highest = NULL;
	tree->finger = NULL;
}

/**
 * iova_tree_first - Find the lowest range that touches first…last
 * @tree: the tree
 * @first: first IOVA
 * @last: last IOVA, inclusive
 */
struct iova_range *iova_tree_first(const struct iova_tree *tree,
				   unsigned long first, unsigned long last)
{
	struct rb_node *rb = tree->root.rb_node;
	struct iova_range *found = tree->finger;

	/* A range that holds @first is the lowest that can touch */
	if (found && found->first <= first && found->last >= first)
		return found;

	found = NULL;
	while (rb) {
		struct iova_range *cur = to_range(rb);

		if (cur->last >= first) {
			found = cur;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return found && found->first <= last ? found : NULL;
}

/*
 * The lowest range in the subtree @top that has a gap of at least @length behind it. If
 * there is none, the bounds that promised one are lowered.
 */
static struct iova_range *lowest_with_gap(struct rb_node *top,
					  unsigned long length)
{
	struct rb_node *rb = top;
	struct rb_node *from;

	for (;;) {
		while (rb->rb_left && to_range(rb->rb_left)->max_gap >= length)
			rb = rb->rb_left;
		/* Nothing is left of @rb */
		for (;;) {
			if (to_range(rb)->gap >= length)
				return to_range(rb);
			if (rb->rb_right &&
			    to_range(rb->rb_right)->max_gap >= length)
				break;
			/* Nor in it: up to where it is the left one */
			do {
				to_range(rb)->max_gap = bound_of(rb);
				if (rb == top)
					return NULL;
				from = rb;
				rb = rb_parent(rb);
			} while (from == rb->rb_right);
		}
		rb = rb->rb_right;
	}
}

/*
 * The lowest range that has a gap of at least @length behind it which ends at @floor or
 * above.
 */
static struct iova_range *range_with_gap(struct iova_tree *tree,
					 unsigned long floor,
					 unsigned long length)
{
	struct rb_node *rb = tree->root.rb_node;
	struct iova_range *cur = NULL;

	if (!rb || to_range(rb)->max_gap < length)
		return NULL;
	/* From the lowest on all do */
	if (tree->lowest->last + tree->lowest->gap >= floor)
		return lowest_with_gap(rb, length);
	while (rb) {
		if (to_range(rb)->last + to_range(rb)->gap >= floor) {
			cur = to_range(rb);
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}

	while (cur && cur->gap < length) {
		struct iova_range *right = to_range_safe(cur->node.rb_right);
		struct rb_node *parent;

		if (right && right->max_gap >= length) {
			right = lowest_with_gap(&right->node, length);
			if (right)
				return right;
		}

		/* Up to the first range that everything seen lies left of */
		rb = &cur->node;
		while ((parent = rb_parent(rb)) && rb == parent->rb_right)
			rb = parent;
		cur = to_range_safe(parent);
	}
	return cur;
}

static bool fit(unsigned long start, unsigned long last, unsigned long length,
		unsigned long align, unsigned long phase, unsigned long *iova)
{
	unsigned long skip = (phase - start) & (align - 1);

	if (last < start || last - start < length - 1 ||
	    last - start - (length - 1) < skip)
		return false;
	*iova = start + skip;
	return true;
}

/**
 * iova_tree_find_gap - Choose the lowest IOVA that is free
 * @tree: the tree
 * @first: lowest IOVA to use
 * @last: highest IOVA to use, inclusive
 * @length: bytes needed, at least 1
 * @align: a power of two
 * @phase: the IOVA is congruent to this modulo @align
 * @iova: set to the IOVA
 *
 * Lowest but for one thing: when several gaps in a row are long enough and yet
 * have no aligned place, gaps shorter than @length + @align - 1 are left out.
 *
 * Return: true when there is one.
 */
bool iova_tree_find_gap(struct iova_tree *tree, unsigned long first,
			unsigned long last, unsigned long length,
			unsigned long align, unsigned long phase,
			unsigned long *iova)
{
	unsigned long want = length;
	unsigned long start = first;
	struct iova_range *range;
	unsigned int tries = 0;

	if (!tree->lowest)
		return fit(first, last, length, align, phase, iova);
	if (tree->lowest->first > first &&
	    fit(first, min(last, tree->lowest->first - 1), length, align, phase,
		iova))
		return true;

	for (;;) {
		unsigned long gap_last;

		if (start > last || last - start < length - 1)
			return false;
		/* Ends at start + length - 1 or above, so it fits from @start on */
		range = range_with_gap(tree, start + length - 1, want);
		if (!range)
			break;
		gap_last = range->last + range->gap;
		if (fit(max(start, range->last + 1), min(last, gap_last),
			length, align, phase, iova))
			return true;
		start = gap_last + 1;
		if (++tries == IOVA_TREE_TRIES &&
		    check_add_overflow(length, align - 1, &want))
			want = ULONG_MAX;
	}

	if (tree->highest->last == ULONG_MAX)
		return false;
	start = max(start, tree->highest->last + 1);
	return fit(start, last, length, align, phase, iova);
}
