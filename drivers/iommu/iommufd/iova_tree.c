// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of IOVA that do not overlap, and the gaps between them.
 *
 * A red-black tree by first IOVA. Mostly ranges come and go in ascending order,
 * so the tree remembers where it was worked on last and looks there first.
 *
 * For choosing a free IOVA each node also knows the free space in front of it and
 * the largest such space below it, which makes the choice cost the depth of the
 * tree, whatever lies beneath the gap that is found. Who places everything at
 * fixed IOVAs, as virtual machine monitors do, does not pay for that: it begins
 * with the first question.
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

static inline unsigned long range_gap(struct iova_range *range)
{
	return range->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct iova_range, node,
			 unsigned long, max_gap, range_gap)

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

/* Let those above know of a gap, which takes nothing from what they have */
static void raise_max(struct rb_node *rb, unsigned long gap)
{
	for (; rb && to_range(rb)->max_gap < gap; rb = rb_parent(rb))
		to_range(rb)->max_gap = gap;
}

static void insert_with_gaps(struct iova_tree *tree, struct iova_range *range,
			     const struct place *place)
{
	struct iova_range *after = place->after;

	range->gap = range->first -
		     (place->before ? place->before->last + 1 : 0);
	range->max_gap = range->gap;
	raise_max(place->parent, range->gap);
	if (after) {
		after->gap = after->first - range->last - 1;
		gap_callbacks.propagate(&after->node, NULL);
	}
	rb_insert_augmented(&range->node, &tree->root, &gap_callbacks);
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

	rb_link_node(&range->node, place.parent, place.link);
	if (tree->gaps)
		insert_with_gaps(tree, range, &place);
	else
		rb_insert_color(&range->node, &tree->root);
	if (!place.after)
		tree->highest = range;
	tree->finger = range;
	return 0;
}

static void remove_with_gaps(struct iova_tree *tree, struct iova_range *range,
			     struct iova_range *after)
{
	/* First, so that the update after the removal ends soon */
	if (after) {
		after->gap += range->gap + (range->last - range->first) + 1;
		raise_max(&after->node, after->gap);
	}
	rb_erase_augmented(&range->node, &tree->root, &gap_callbacks);
}

/**
 * iova_tree_remove - Take a range out
 * @tree: the tree
 * @range: a range of it
 */
void iova_tree_remove(struct iova_tree *tree, struct iova_range *range)
{
	struct iova_range *after = NULL;

	if (range == tree->highest)
		tree->highest = to_range_safe(rb_prev(&range->node));
	else
		after = to_range(rb_next(&range->node));
	tree->finger = after;
	if (tree->gaps)
		remove_with_gaps(tree, range, after);
	else
		rb_erase(&range->node, &tree->root);
}

/**
 * iova_tree_reset - Take all ranges out at once
 * @tree: the tree
 */
void iova_tree_reset(struct iova_tree *tree)
{
	tree->root = RB_ROOT;
	tree->highest = NULL;
	tree->finger = NULL;
}

/* Begin to keep the gaps */
static void compute_gaps(struct iova_tree *tree)
{
	unsigned long free = 0;
	struct rb_node *rb;

	for (rb = rb_first(&tree->root); rb; rb = rb_next(rb)) {
		to_range(rb)->gap = to_range(rb)->first - free;
		free = to_range(rb)->last + 1;
	}
	/* Children before their parents */
	for (rb = rb_first_postorder(&tree->root); rb;
	     rb = rb_next_postorder(rb))
		gap_callbacks_compute_max(to_range(rb), false);
	tree->gaps = true;
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

/* The lowest range below @rb with a gap of at least @length: there is one */
static struct iova_range *lowest_with_gap(struct rb_node *rb,
					  unsigned long length)
{
	for (;;) {
		struct iova_range *left = to_range_safe(rb->rb_left);

		if (left && left->max_gap >= length) {
			rb = rb->rb_left;
			continue;
		}
		if (to_range(rb)->gap >= length)
			return to_range(rb);
		rb = rb->rb_right;
	}
}

/*
 * The lowest range that begins above @floor and has a gap of at least @length
 * in front of it.
 */
static struct iova_range *range_behind_gap(const struct iova_tree *tree,
					   unsigned long floor,
					   unsigned long length)
{
	struct rb_node *rb = tree->root.rb_node;
	struct iova_range *cur = NULL;

	while (rb) {
		if (to_range(rb)->first > floor) {
			cur = to_range(rb);
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}

	while (cur && cur->gap < length) {
		struct iova_range *right = to_range_safe(cur->node.rb_right);
		struct rb_node *parent;

		if (right && right->max_gap >= length)
			return lowest_with_gap(&right->node, length);

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
	struct iova_range *behind;
	unsigned int tries = 0;

	if (!tree->gaps)
		compute_gaps(tree);

	for (;;) {
		unsigned long gap_first;

		if (start > last || last - start < length - 1)
			return false;
		/* Ends above start + length - 1, so it fits from @start on */
		behind = range_behind_gap(tree, start + length - 1, want);
		if (!behind)
			break;
		gap_first = max(start, behind->first - behind->gap);
		if (fit(gap_first, min(last, behind->first - 1), length, align,
			phase, iova))
			return true;
		start = behind->last + 1;
		if (!start)
			return false;
		if (++tries == IOVA_TREE_TRIES &&
		    check_add_overflow(length, align - 1, &want))
			want = ULONG_MAX;
	}

	if (tree->highest) {
		if (tree->highest->last == ULONG_MAX)
			return false;
		start = max(start, tree->highest->last + 1);
	}
	return fit(start, last, length, align, phase, iova);
}
