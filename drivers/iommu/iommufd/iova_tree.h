/* SPDX-License-Identifier: GPL-2.0-only */
/* iova_tree.c: ranges of IOVA that do not overlap, and the gaps between them */
#ifndef __IOMMUFD_IOVA_TREE_H
#define __IOMMUFD_IOVA_TREE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct iova_range - A range in an iova_tree, embedded in what it describes
 * @first: first IOVA
 * @last: last IOVA, inclusive
 * @node: place in the tree
 * @gap: free IOVAs between @last and the range that follows; 0 for the highest
 * @max_gap: no @gap in the subtree below @node is larger
 */
struct iova_range {
	unsigned long first;
	unsigned long last;
	struct rb_node node;
	unsigned long gap;
	unsigned long max_gap;
};

/**
 * struct iova_tree - Ranges by their first IOVA
 * @root: the tree
 * @lowest: its first range
 * @highest: its last range
 * @finger: the range that was inserted last, or follows the one that was removed
 *          last: mostly next to what is asked for now
 */
struct iova_tree {
	struct rb_root root;
	struct iova_range *lowest;
	struct iova_range *highest;
	struct iova_range *finger;
};

int iova_tree_insert(struct iova_tree *tree, struct iova_range *range);
void iova_tree_remove(struct iova_tree *tree, struct iova_range *range);
void iova_tree_reset(struct iova_tree *tree);
struct iova_range *iova_tree_first(const struct iova_tree *tree,
				   unsigned long first, unsigned long last);
bool iova_tree_find_gap(struct iova_tree *tree, unsigned long first,
			unsigned long last, unsigned long length,
			unsigned long align, unsigned long phase,
			unsigned long *iova);

static inline struct iova_range *iova_tree_prev(const struct iova_range *range)
{
	return rb_entry_safe(rb_prev(&range->node), struct iova_range, node);
}

/**
 * iova_tree_next - The range that follows, if it touches …last
 * @range: a range of a tree
 * @last: last IOVA, inclusive
 */
static inline struct iova_range *
iova_tree_next(const struct iova_range *range, unsigned long last)
{
	struct iova_range *next = rb_entry_safe(rb_next(&range->node),
						struct iova_range, node);

	return next && next->first <= last ? next : NULL;
}

static inline bool iova_tree_empty(const struct iova_tree *tree)
{
	return RB_EMPTY_ROOT(&tree->root);
}

#endif
