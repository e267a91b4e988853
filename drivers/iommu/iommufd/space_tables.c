// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory the page tables of an address space may take.
 *
 * The IOMMU driver makes them as it is told to map. VT-d's charges them to nobody, and
 * keeps a table that has become empty as long as the domain. One pinned page,
 * mapped by turns or by COPY all over the IOVA, could so take any amount of memory.
 *
 * Therefore each space counts the tables that its areas need. Inner ones, which lie
 * wholly in the range of an area, are taken out when it is unmapped. Those at
 * its edges are counted from above: areas add to the count and do not take away from
 * it. When it has grown much, the tables at the edges of the areas that are
 * left are counted anew, all others are given back to the kernel, and who has more
 * than a user may have is refused more.
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include <compat.h>
#include "domain.h"
#include "pages.h"
#include "space.h"

/* A table of 512 entries spans this much (as a shift), by its level */
static const unsigned int table_shifts[] = { ilog2(TABLE_SPAN), 30, 39 };

/* Tables that are added between one count and the next: 16 MiB */
#define TABLES_STEP 4096UL

static unsigned int table_memory = 64;
module_param(table_memory, uint, 0644);
MODULE_PARM_DESC(table_memory,
		 "MiB that IOMMU page tables of one address space may take beyond RLIMIT_MEMLOCK (default 64)");

/**
 * space_tables_init - Begin to count
 * @space: without areas
 */
void space_tables_init(struct space *space)
{
	space->inner_tables = 0;
	space->edge_tables = 0;
	space->tables_next = TABLES_STEP;
}

static inline bool same_table(unsigned long a, unsigned long b,
			      unsigned int shift)
{
	return a >> shift == b >> shift;
}

/* Tables of a level that a range needs, and the one in front of it does not */
static unsigned long tables_of_level(const struct iova_range *range,
				     const struct iova_range *before,
				     unsigned int shift)
{
	unsigned long nr = (range->last >> shift) -
			   (range->first >> shift) + 1;

	return nr - (before && same_table(before->last, range->first, shift));
}

/* Those of them that no other range needs */
static unsigned long tables_inside(const struct iova_range *range,
				   unsigned int shift)
{
	unsigned long first = iova_whole_first(range, shift);
	unsigned long end = iova_whole_end(range, shift);

	return end > first ? end - first : 0;
}

/**
 * space_tables_add - Count the tables that a new area needs
 * @space: with its lock held
 * @area: in the tree
 *
 * Those that it shares with its neighbours are there already, and remembered as
 * what may be left one day.
 */
void space_tables_add(struct space *space, const struct area *area)
{
	const struct iova_range *range = &area->range;
	const struct iova_range *before = iova_tree_prev(range);
	const struct iova_range *after;
	unsigned int i;

	lockdep_assert_held(&space->lock);

	/* By far the most */
	if (before && same_table(before->last, range->last, table_shifts[0]))
		return;
	space_left_add(space, range);
	after = iova_tree_next(range, ULONG_MAX);
	for (i = 0; i < ARRAY_SIZE(table_shifts); i++) {
		unsigned int shift = table_shifts[i];
		unsigned long nr = tables_of_level(range, before, shift);
		unsigned long inside = tables_inside(range, shift);

		if (nr && after && same_table(after->first, range->last, shift))
			nr--;
		if (!nr && same_table(range->first, range->last, shift))
			break;
		space->inner_tables += inside;
		space->edge_tables += nr - inside;
	}
}

static unsigned long inner_tables(const struct area *area)
{
	unsigned long nr = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table_shifts); i++)
		nr += tables_inside(&area->range, table_shifts[i]);
	return nr;
}

/**
 * space_tables_sub_inner - Count no more the inner tables of an area
 * @space: with its lock held
 * @area: counted by space_tables_add()
 */
void space_tables_sub_inner(struct space *space, const struct area *area)
{
	lockdep_assert_held(&space->lock);

	space->inner_tables -= inner_tables(area);
}

/**
 * space_tables_keep - Expect tables of areas that could not be mapped
 * @space: the space
 * @list: the areas, still in the tree
 */
void space_tables_keep(struct space *space, const struct area *list)
{
	mutex_lock(&space->lock);
	space_left_anywhere(space);
	for (; list; list = list->next) {
		space->edge_tables += inner_tables(list);
		if (list->next)
			cond_resched();
	}
	mutex_unlock(&space->lock);
}

/**
 * struct gap - IOVA that no live area has
 * @first: first IOVA
 * @end: the IOVA behind it
 * @left: a domain translates what is in front of it
 * @right: a domain translates what is behind it
 */
struct gap {
	unsigned long first;
	unsigned long end;
	bool left;
	bool right;
};

static void clear_piece(struct iommu_domain *domain, unsigned long first,
			unsigned long end, struct iommu_iotlb_gather *gather)
{
	if (first < end)
		iommu_unmap_fast(domain, first, end - first, gather);
}

/*
 * Take the tables out that lie wholly in a gap. VT-d clears at least what the lowest
 * entry that is there spans, which may be more than it was told. So a piece has
 * the size of tables of a level, and lies in a table of the next level that is
 * known to be there because a neighbour needs it.
 */
static void clear_gap(struct iommu_domain *domain, const struct gap *gap,
		      struct iommu_iotlb_gather *gather)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table_shifts); i++) {
		unsigned long span = 1UL << table_shifts[i];
		unsigned long above = span << 9;
		unsigned long first = ALIGN(gap->first, span);
		unsigned long end = ALIGN_DOWN(gap->end, span);

		/* It would be behind the last IOVA */
		if (first < gap->first)
			break;
		if (gap->left)
			clear_piece(domain, first,
				    min(end, ALIGN(gap->first, above)), gather);
		if (gap->right)
			clear_piece(domain,
				    max(first, ALIGN_DOWN(gap->end, above)),
				    end, gather);
	}
}

/* The IOVA behind what a domain can translate, or behind all tables that are counted */
static unsigned long domain_end(const struct iommu_domain *domain)
{
	unsigned long last = domain->geometry.aperture_end;

	return last == ULONG_MAX ? ALIGN_DOWN(last, 1UL << 48) : last + 1;
}

/*
 * Nobody maps or unmaps meanwhile, so there is in the domain what is live. A BAR may
 * be gone for the moment and come back: nothing is known about its tables.
 */
static void domain_shrink(struct space *space, struct iommu_domain *domain)
{
	struct iommu_iotlb_gather gather;
	struct gap gap = {};
	struct area *area;
	bool any = false;

	lockdep_assert_held_write(&space->domains_sem);

	iommu_gather_start(&gather);
	for_each_live(area, space, ULONG_MAX) {
		gap.end = area->range.first;
		gap.right = !area->pages->is_bar;
		clear_gap(domain, &gap, &gather);
		gap.first = area->range.last + 1;
		gap.left = gap.right;
		any = true;
		cond_resched();
	}
	gap.end = domain_end(domain);
	gap.right = false;
	if (any) {
		/* 0 behind the last IOVA */
		if (gap.first)
			clear_gap(domain, &gap, &gather);
	} else {
		/* In two, as VT-d takes the whole for the end of the domain */
		clear_piece(domain, 0, gap.end / 2, &gather);
		clear_piece(domain, gap.end / 2, gap.end, &gather);
	}
	/* Otherwise the IOMMU knows of nothing that has gone */
	if (!list_empty(&gather.freelist))
		iommu_gather_flush(domain, &gather);
}

/* Tables at the edges of live areas */
static unsigned long count_edges(struct space *space)
{
	const struct iova_range *before = NULL;
	unsigned long nr = 0;
	struct area *area;
	unsigned int i;

	for_each_live(area, space, ULONG_MAX) {
		for (i = 0; i < ARRAY_SIZE(table_shifts); i++)
			nr += tables_of_level(&area->range, before,
					      table_shifts[i]) -
			      tables_inside(&area->range, table_shifts[i]);
		before = &area->range;
		cond_resched();
	}
	return nr;
}

/* What the caller may have: what he may pin, and something for a start */
static unsigned long tables_limit(void)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK);

	if (limit == RLIM_INFINITY || capable(CAP_IPC_LOCK))
		return ULONG_MAX;
	return (limit >> PAGE_SHIFT) +
	       READ_ONCE(table_memory) * (SZ_1M / PAGE_SIZE);
}

/* With how many tables one has to look again */
static unsigned long next_look(unsigned long used, unsigned long limit)
{
	unsigned long next = used + max(used / 2, TABLES_STEP);

	if (used > limit)
		return limit;
	return next > limit ? min(next, limit + TABLES_STEP) : next;
}

/* Give empty ones back if there may be many, or if there would be more than @limit */
static int make_room(struct space *space, unsigned long more,
		     unsigned long limit)
{
	struct space_domain *member;
	unsigned long counted;
	unsigned long empty;
	unsigned long inner;
	unsigned long edges;
	unsigned long used;

	lockdep_assert_held_write(&space->domains_sem);

	mutex_lock(&space->lock);
	counted = space->edge_tables;
	inner = space->inner_tables;
	mutex_unlock(&space->lock);

	edges = count_edges(space);
	empty = counted - min(counted, edges);
	if (empty >= TABLES_STEP || inner + counted + more > limit) {
		list_for_each_entry(member, &space->domains, link)
			domain_shrink(space, member->domain);
		empty = 0;
	}

	used = inner + edges;
	mutex_lock(&space->lock);
	/* New areas went on adding */
	space->edge_tables = edges + empty + (space->edge_tables - counted);
	space->tables_next = next_look(used, limit);
	mutex_unlock(&space->lock);
	if (used + more > limit)
		return refuse(-ENOMEM,
			      "%lu page tables of the IOMMU are in use and %lu are to be added: RLIMIT_MEMLOCK and iommufd.table_memory allow %lu",
			      used, more, limit);
	return 0;
}

/**
 * space_tables_make_room - Look whether more tables may be added
 * @space: the space
 * @length: bytes that are about to be mapped, if there is a domain
 *
 * Return: 0, or -ENOMEM when he may not have so many.
 */
int space_tables_make_room(struct space *space, unsigned long length)
{
	int rc;

	down_write(&space->domains_sem);
	rc = make_room(space, length / TABLE_SPAN,
		       space->nr_domains ? tables_limit() : ULONG_MAX);
	up_write(&space->domains_sem);
	return rc;
}

/**
 * space_tables_begin - Look whether a first domain may have the tables that it needs
 * @space: without domains; with domains_sem held for writing
 *
 * Return: 0, or -ENOMEM when the caller may not have so many.
 */
int space_tables_begin(struct space *space)
{
	unsigned long limit = tables_limit();
	unsigned long most;

	lockdep_assert_held_write(&space->domains_sem);

	mutex_lock(&space->lock);
	most = space->inner_tables + space->edge_tables;
	if (most <= limit)
		space->tables_next = next_look(most, limit);
	mutex_unlock(&space->lock);
	return most <= limit ? 0 : make_room(space, 0, limit);
}
