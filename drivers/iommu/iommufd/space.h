/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An I/O address space: an IOAS without its ID.
 *
 * space.c: map, copy, unmap
 * space_domain.c: the domains that show it
 * space_tables.c: how much memory their page tables may take
 * space_left.c: tables in the way of larger entries
 * space_access.c: in-kernel users of it
 * space_extent.c: which mappings there are
 * space_vaddr.c: mappings whose user address changes
 * space_dirty.c: what may have been written to
 * iova.c: where a mapping may go
 */
#ifndef __IOMMUFD_SPACE_H
#define __IOMMUFD_SPACE_H

#include <linux/atomic.h>
#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "iova_tree.h"

struct iommu_domain;
struct iommu_iotlb_gather;
struct owner_table;
struct page;
struct pages;

/**
 * enum area_state - Who may do what with an area
 * @AREA_BUSY: being mapped; only the IOVA counts
 * @AREA_LIVE: in every domain of the space
 * @AREA_DYING: being unmapped; only the IOVA counts
 */
enum area_state {
	AREA_BUSY,
	AREA_LIVE,
	AREA_DYING,
};

/**
 * struct area - A slice of memory at an IOVA
 * @range: place in space.areas
 * @pages: the memory; a reference
 * @offset: bytes from the start of @pages' first page
 * @next: next area, by ascending IOVA, of what one call works on
 * @state: see enum area_state. Becomes live, or stops being so, only with
 *         space.domains_sem held for reading, too
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 * @closed: no access may begin: it is about to be unmapped
 * @no_vaddr: the user address was declared void, see space_vaddr.c
 * @all_dirty: every page counts as written
 * @pins: pages that accesses have pinned
 * @dirty: a bit for each page that accesses wrote or pinned, see space_dirty.c;
 *         NULL for none
 *
 * Guarded by space.lock but for @pages, @offset and @prot, which are fixed.
 */
struct area {
	struct iova_range range;
	struct pages *pages;
	unsigned long offset;
	struct area *next;
	u8 state;
	u8 prot;
	bool closed : 1;
	bool no_vaddr : 1;
	bool all_dirty : 1;
	unsigned int pins;
	unsigned long *dirty;
};

/* How much a space remembers of where tables were left: 2 to the power of */
#define SPACE_LEFT_BITS 12

/* A table of three levels, the lowest that IOMMUs have, reaches so far */
#define SPACE_REACH ((1UL << 39) - 1)

/**
 * struct space - An I/O address space
 * @domains_sem: held for reading to put areas into domains or take them out,
 *               for writing to change @domains, @nr_domains, @huge and @reach.
 *               Outside @lock
 * @lock: guards what follows
 * @areas: all areas by IOVA
 * @nr_areas: how many, at every moment that @lock is free
 * @reserved: IOVA that devices or apertures exclude, by struct iova_reserve
 * @allowed: IOVA that the user asked to keep, by struct iova_reserve;
 *           empty when it did not
 * @alignment: of IOVA, of length and of offset in a page, for MAP and COPY
 * @mapped: bytes in live areas; needs no lock
 * @domains: struct space_domain; read under either lock
 * @nr_domains: how many
 * @accesses: struct space_access
 * @ops: struct space_op, what accesses are doing at present
 * @huge: entries may be larger than a page
 * @reach: the last IOVA for which the tables of all @domains have enough levels; read
 *         under @domains_sem alone
 * @tracking: area.dirty is kept
 * @idle: woken when one of @ops ends or an area.pins becomes 0
 * @idle_seq: counts those moments
 * @inner_tables: page tables that an unmap takes out, see space_tables.c
 * @edge_tables: others that a domain may have by now
 * @tables_next: how many of both make it worth while to look
 * @left: where a table may be that larger entries would replace, see space_left.c;
 *        read without @lock, too
 */
struct space {
	struct rw_semaphore domains_sem;
	struct mutex lock; /* guards the members below */
	struct iova_tree areas;
	unsigned long nr_areas;
	struct rb_root_cached reserved;
	struct rb_root_cached allowed;
	unsigned long alignment;
	atomic_long_t mapped;
	struct list_head domains;
	unsigned int nr_domains;
	struct list_head accesses;
	struct hlist_head ops;
	bool huge;
	unsigned long reach;
	bool tracking;
	wait_queue_head_t idle;
	unsigned int idle_seq;
	unsigned long inner_tables;
	unsigned long edge_tables;
	unsigned long tables_next;
	DECLARE_BITMAP(left, 1U << SPACE_LEFT_BITS);
};

/**
 * struct space_domain - A domain that shows a space to devices
 * @domain: the domain, to which a device is attached
 * @device_tlb: one of its devices may keep translations; set before its user has it, with
 *              space.domains_sem held for writing
 * @bars: bytes of what it shows that are BARs, also of those that are away
 * @link: in space.domains
 */
struct space_domain {
	struct iommu_domain *domain;
	bool device_tlb;
	atomic_long_t bars;
	struct list_head link;
};

/**
 * struct space_access - An in-kernel user of a space
 * @unmap: told to unpin before a range is unmapped, see iommufd_access_ops;
 *         NULL for one that never pins
 * @data: passed to it
 * @alignment: that it needs
 * @link: in space.accesses; guarded by space.lock
 * @calls: @unmap is running; guarded by space.lock
 */
struct space_access {
	void (*unmap)(void *data, unsigned long iova, unsigned long length);
	void *data;
	unsigned long alignment;
	struct list_head link;
	unsigned int calls;
};

static inline struct area *range_to_area(struct iova_range *range)
{
	return range ? container_of(range, struct area, range) : NULL;
}

static inline bool area_is_live(const struct area *area)
{
	/* Pairs with areas_set_live() */
	return smp_load_acquire(&area->state) == AREA_LIVE;
}

static inline unsigned long area_length(const struct area *area)
{
	return area->range.last - area->range.first + 1;
}

/* space.c */

/**
 * struct space_map_args - What to map where
 * @iova: first IOVA if @fixed, else set to the one chosen
 * @length: bytes
 * @hint: user address or file offset that the IOVA is aligned with
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 * @fixed: @iova is given
 */
struct space_map_args {
	unsigned long iova;
	unsigned long length;
	unsigned long hint;
	int prot;
	bool fixed;
};

void space_init(struct space *space);
void space_destroy(struct space *space);
int space_map(struct space *space, struct pages *pages, unsigned long offset,
	      struct space_map_args *args);
int space_copy(struct space *to, struct space *from, unsigned long from_iova,
	       struct space_map_args *args);
int space_unmap(struct space *space, unsigned long first, unsigned long last,
		unsigned long *unmapped);
int space_set_huge(struct space *space, bool huge);

/*
 * The spans, each of @shift bits and a multiple of its size, that a range covers whole: the
 * number of the first one, and of the one behind the last. That is less, if there is none.
 */
static inline unsigned long iova_whole_first(const struct iova_range *range,
					     unsigned int shift)
{
	return (range->first >> shift) +
	       !!(range->first & ((1UL << shift) - 1));
}

static inline unsigned long iova_whole_end(const struct iova_range *range,
					   unsigned int shift)
{
	return (range->last >> shift) +
	       !(~range->last & ((1UL << shift) - 1));
}

/* space_tables.c */

/* The smallest table of an IOMMU spans this much */
#define TABLE_SPAN SZ_2M

void space_tables_init(struct space *space);
void space_tables_add(struct space *space, const struct area *area);
void space_tables_sub_inner(struct space *space, const struct area *area);
void space_tables_keep(struct space *space, const struct area *list);
int space_tables_make_room(struct space *space, unsigned long length);
int space_tables_begin(struct space *space);

/* An area leaves the tree, with the lock of the space held */
static inline void space_tables_sub(struct space *space,
				    const struct area *area)
{
	if (area_length(area) >= TABLE_SPAN)
		space_tables_sub_inner(space, area);
}

/* All areas do */
static inline void space_tables_sub_all(struct space *space)
{
	space->inner_tables = 0;
}

/* Has one to look before so many bytes more are mapped? */
static inline bool space_tables_full(struct space *space, unsigned long length)
{
	return unlikely(space->inner_tables + space->edge_tables +
			length / TABLE_SPAN >= space->tables_next);
}

/* space_left.c */
void space_left_init(struct space *space);
void space_left_add(struct space *space, const struct iova_range *range);
void space_left_anywhere(struct space *space);
int space_left_clear(struct space *space, struct space_domain *member,
		     const struct iova_range *range);

/* space_domain.c */
int space_domain_map(struct space *space, struct space_domain *member,
		     const struct area *area);
void space_domain_hide_bar(struct space_domain *member, const struct area *area);
void space_domain_flush(struct space_domain *member,
			struct iommu_iotlb_gather *gather, unsigned long first,
			unsigned long last);
struct area *space_next_live(struct space *space, unsigned long from,
			     unsigned long end);
int space_update_alignment(struct space *space);
int space_lock_domains(struct space *space, unsigned long last);
int space_add_domain(struct space *space, struct space_domain *member);
void space_remove_domain(struct space *space, struct space_domain *member);

/* Live areas up to @end, which is inclusive; with domains_sem held for writing */
#define for_each_live(area, space, end)					\
	for ((area) = space_next_live(space, 0, end); (area);		\
	     (area) = (area)->range.last == ULONG_MAX ? NULL :		\
		      space_next_live(space, (area)->range.last + 1, end))

/* space_access.c */
int space_add_access(struct space *space, struct space_access *access);
void space_remove_access(struct space *space, struct space_access *access);
int space_quiesce_accesses(struct space *space, unsigned long first,
			   unsigned long last);
void space_reopen(struct space *space, unsigned long first, unsigned long last);
bool space_is_busy(struct space *space, const struct area *area);
void space_let_go(struct space *space, struct space_access *access);
int space_access_pin(struct space *space, unsigned long iova,
		     unsigned long length, struct page **out, bool write);
void space_access_unpin(struct space *space, unsigned long iova,
			unsigned long length);
int space_access_rw(struct space *space, unsigned long iova, void *data,
		    unsigned long length, bool write);

/**
 * space_quiesce - Have all accesses leave a range that is to be unmapped
 * @space: the space
 * @first: first IOVA
 * @last: last IOVA, inclusive
 *
 * Return: 0 with the areas closed; -EINTR with them open when the process is
 * being killed.
 */
static inline int space_quiesce(struct space *space, unsigned long first,
				unsigned long last)
{
	if (list_empty_careful(&space->accesses))
		return 0;
	return space_quiesce_accesses(space, first, last);
}

/* Is an access at work in an area, or has one pinned pages of it? */
static inline bool space_in_use(struct space *space, const struct area *area)
{
	return area->pins ||
	       (!hlist_empty(&space->ops) && space_is_busy(space, area));
}

/* space_extent.c */

/**
 * struct space_extent - Where a mapping is
 * @first: first IOVA
 * @last: last IOVA, inclusive
 */
struct space_extent {
	unsigned long first;
	unsigned long last;
};

bool space_extent_next(struct space *space, unsigned long first,
		       unsigned long last, struct space_extent *extent);
bool space_extent_cut(struct space *space, unsigned long first,
		      unsigned long last);

/* space_vaddr.c */
int space_void_vaddr(struct space *space, unsigned long first,
		     unsigned long last, u64 *voided);
int space_set_vaddr(struct space *space, unsigned long first,
		    unsigned long last, unsigned long vaddr);
bool space_lacks_vaddr(struct space *space);

/* space_dirty.c */
void space_track(struct space *space);
void space_untrack(struct space *space);
void space_mark_dirty(struct space *space, unsigned long first,
		      unsigned long last);
u64 space_take_dirty(struct space *space, unsigned long iova, unsigned int nr);

/* iova.c */

/**
 * struct iova_reserve - A range of IOVA that is set apart
 * @node: first and last, inclusive
 * @owner: on whose behalf; NULL for an allowed range
 */
struct iova_reserve {
	struct interval_tree_node node;
	const void *owner;
};

int iova_check(struct space *space, unsigned long iova, unsigned long length);
int iova_choose(struct space *space, const struct space_map_args *args,
		unsigned long *iova);
int iova_reserve(struct space *space, unsigned long first, unsigned long last,
		 const void *owner);
void iova_unreserve(struct space *space, const void *owner);
void iova_pass_reserved(struct space *space, const void *from, const void *to);
int iova_set_allowed(struct space *space, struct rb_root_cached *allowed);
int iova_allow(struct rb_root_cached *allowed, unsigned long first,
	       unsigned long last);
void iova_free_all(struct rb_root_cached *tree);
bool iova_next_free(struct space *space, unsigned long from,
		    unsigned long *first, unsigned long *last);
int iova_check_alignment(struct space *space, unsigned long alignment);

#endif
