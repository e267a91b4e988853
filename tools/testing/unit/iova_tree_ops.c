// SPDX-License-Identifier: GPL-2.0-only
/*
 * iova_tree.c against an array.
 *
 * Ranges lie in a strip of CELLS addresses at the bottom, at the top or in the
 * middle of the address space, so that a model can afford one entry for each
 * address. What is asked about may lie anywhere.
 */
#include "shim.h"

#include "iova_tree.h"
#include "ops.h"

#define CELLS	192
/* Gaps that find_gap() tries before it may pass over one that would do */
#define TRIES	8

typedef unsigned __int128 wide;

struct world {
	struct iova_tree tree;
	unsigned long base;
	/* The range that covers an address, or NULL */
	struct iova_range *cell[CELLS];
	/* A range is the one whose first address has its index */
	struct iova_range range[CELLS];
};

/* A stretch of free addresses; false when there is none from @from on */
static bool next_gap(struct world *world, wide from, wide *first, wide *last)
{
	wide at = from;

	while (at >= world->base && at - world->base < CELLS &&
	       world->cell[at - world->base])
		at = (wide)world->cell[at - world->base]->last + 1;
	if (at > ULONG_MAX)
		return false;
	*first = at;
	*last = ULONG_MAX;
	if (at < world->base)
		at = world->base;
	for (; at - world->base < CELLS; at++) {
		if (world->cell[at - world->base]) {
			*last = at - 1;
			break;
		}
	}
	return true;
}

/* What is seen of a tree while walking over it in ascending order */
struct walk {
	unsigned long count;
	struct iova_range *lowest;
	struct iova_range *last;
};

/* Returns the largest gap behind the ranges below @rb. */
static unsigned long check_node(struct rb_node *rb, struct walk *walk)
{
	struct iova_range *range = rb_entry(rb, struct iova_range, node);
	unsigned long max_gap = 0;

	if (rb->rb_left)
		max_gap = check_node(rb->rb_left, walk);
	if (walk->last) {
		CHECK(range->first > walk->last->last,
		      "%#lx is not behind %#lx", range->first,
		      walk->last->last);
		CHECK(walk->last->gap == range->first - walk->last->last - 1,
		      "%#lx has %#lx in front of %#lx", walk->last->first,
		      walk->last->gap, range->first);
	} else {
		walk->lowest = range;
	}
	walk->last = range;
	walk->count++;
	if (rb->rb_right)
		max_gap = max(max_gap, check_node(rb->rb_right, walk));
	max_gap = max(max_gap, range->gap);
	CHECK(range->max_gap >= max_gap, "%#lx has %#lx, not %#lx",
	      range->first, range->max_gap, max_gap);
	return max_gap;
}

/* Order, gaps and what each node knows of those below it */
static void check_tree(struct world *world)
{
	struct walk walk = {};
	unsigned long wanted = 0;
	unsigned int i;

	if (world->tree.root.rb_node)
		check_node(world->tree.root.rb_node, &walk);
	for (i = 0; i < CELLS; i++)
		wanted += world->cell[i] == &world->range[i];
	CHECK(walk.count == wanted, "%lu ranges, not %lu", walk.count, wanted);
	CHECK(world->tree.lowest == walk.lowest, "%p, not %p",
	      (void *)world->tree.lowest, (void *)walk.lowest);
	CHECK(world->tree.highest == walk.last, "%p, not %p",
	      (void *)world->tree.highest, (void *)walk.last);
	CHECK(!walk.last || !walk.last->gap, "the highest has %#lx",
	      walk.last->gap);
	CHECK(iova_tree_empty(&world->tree) == !wanted, "%lu ranges", wanted);
}

static void do_insert(struct world *world, struct bytes *bytes)
{
	unsigned int first = take(bytes, 1) % CELLS;
	unsigned int last = first + take(bytes, 1) % 16;
	struct iova_range *range = &world->range[first];
	struct iova_range other;
	int expect = 0;
	unsigned int i;
	int rc;

	if (last >= CELLS)
		last = CELLS - 1;
	for (i = first; i <= last; i++)
		if (world->cell[i])
			expect = -EEXIST;
	if (expect)
		range = &other;
	memset(range, 0xa5, sizeof(*range));
	range->first = world->base + first;
	range->last = world->base + last;
	rc = iova_tree_insert(&world->tree, range);
	CHECK(rc == expect, "insert %#lx…%#lx: %d, not %d", range->first,
	      range->last, rc, expect);
	for (i = first; !rc && i <= last; i++)
		world->cell[i] = range;
}

static void do_remove(struct world *world, struct bytes *bytes)
{
	struct iova_range *range = world->cell[take(bytes, 1) % CELLS];
	unsigned long at;

	if (!range)
		return;
	iova_tree_remove(&world->tree, range);
	for (at = range->first - world->base; at <= range->last - world->base;
	     at++)
		world->cell[at] = NULL;
}

static void do_reset(struct world *world)
{
	iova_tree_reset(&world->tree);
	memset(world->cell, 0, sizeof(world->cell));
}

/* An address in the strip, mostly, or anywhere */
static unsigned long take_address(struct world *world, struct bytes *bytes)
{
	unsigned int how = take(bytes, 1);

	if (how < 8)
		return 0;
	if (how < 16)
		return ULONG_MAX;
	if (how < 24)
		return take(bytes, 8);
	return world->base + how % CELLS;
}

static void do_search(struct world *world, struct bytes *bytes)
{
	unsigned long first = take_address(world, bytes);
	unsigned long last = take_address(world, bytes);
	struct iova_range *expect = NULL;
	struct iova_range *range;
	unsigned int i;

	if (first > last) {
		unsigned long swap = first;

		first = last;
		last = swap;
	}
	range = iova_tree_first(&world->tree, first, last);
	for (i = 0; i < CELLS; i++) {
		struct iova_range *cell = world->cell[i];

		if (cell && cell->last >= first && cell->first <= last &&
		    cell != expect) {
			expect = cell;
			CHECK(range == expect, "%#lx…%#lx: %p, not %p", first,
			      last, (void *)range, (void *)expect);
			range = iova_tree_next(range, last);
		}
	}
	CHECK(!range, "%#lx…%#lx: one more, %#lx…%#lx", first, last,
	      range->first, range->last);
}

static void do_find_gap(struct world *world, struct bytes *bytes)
{
	unsigned long first = take_address(world, bytes);
	unsigned long last = take_address(world, bytes);
	unsigned int shape = take(bytes, 1);
	unsigned long length = 1 + take(bytes, 1) % 24;
	unsigned long align = 1UL << shape % 6;
	unsigned long phase = take(bytes, 1);
	unsigned int missed = 0;
	bool lowest_known = true;
	bool must = false;
	unsigned long iova = 0;
	wide lowest = 0;
	wide from, to;
	bool any = false;
	bool found;

	if (shape >= 0xf0)
		length = take(bytes, 8) | 1;
	if (shape >= 0xe0 && shape < 0xf8)
		align = 1UL << take(bytes, 1) % 64;
	if (shape & 0x40)
		phase = take(bytes, 8);

	/* What there is: all gaps from below, cut to first…last */
	for (from = 0; next_gap(world, from, &from, &to); from = to + 1) {
		wide low = max(from, (wide)first);
		wide high = min(to, (wide)last);
		wide at;

		if (to < first || from > last)
			continue;
		at = low + ((phase - (unsigned long)low) & (align - 1));
		if (at + length - 1 <= high) {
			if (!any) {
				lowest = at;
				lowest_known = missed < TRIES;
			}
			any = true;
			/* As long as this, no alignment can be in the way */
			if (high - low + 1 >= (wide)length + align - 1)
				must = true;
		} else if (high >= low && high - low + 1 >= length) {
			missed++;
		} else if (to - from + 1 >= length) {
			/* Long enough before it was cut: may count as tried */
			missed++;
		}
	}

	found = iova_tree_find_gap(&world->tree, first, last, length, align,
				   phase, &iova);
	if (found) {
		unsigned long i;

		CHECK(any, "%#lx of %#lx in %#lx…%#lx, where none is", iova,
		      length, first, last);
		CHECK(iova >= first && (wide)iova + length - 1 <= last,
		      "%#lx of %#lx is outside %#lx…%#lx", iova, length, first,
		      last);
		CHECK(!((iova ^ phase) & (align - 1)), "%#lx: phase %#lx of %#lx",
		      iova, phase, align);
		for (i = 0; i < CELLS; i++)
			CHECK(!world->cell[i] || world->base + i < iova ||
			      world->base + i - iova >= length,
			      "%#lx of %#lx is not free", iova, length);
		if (lowest_known)
			CHECK(iova == lowest, "%#lx, lowest is %#lx", iova,
			      (unsigned long)lowest);
	} else {
		CHECK(!must && !(any && lowest_known),
		      "none of %#lx in %#lx…%#lx aligned %#lx, but %#lx",
		      length, first, last, align, (unsigned long)lowest);
	}
}

void ops_run(const uint8_t *data, size_t size)
{
	static const unsigned long bases[] = {
		0, 1, 4096, 1UL << 40, ULONG_MAX - CELLS, ULONG_MAX - CELLS + 1,
	};
	struct bytes bytes = { data, data + size };
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.base = bases[take(&bytes, 1) % (sizeof(bases) / sizeof(*bases))];
	while (bytes.at < bytes.end) {
		unsigned int what = take(&bytes, 1);

		if (what == 0)
			do_reset(&world);
		else if (what < 80)
			do_insert(&world, &bytes);
		else if (what < 130)
			do_remove(&world, &bytes);
		else if (what < 180)
			do_search(&world, &bytes);
		else
			do_find_gap(&world, &bytes);
		if (what % 4 == 0)
			check_tree(&world);
		ops_done++;
	}
	check_tree(&world);
}
