// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping, copying and unmapping in an I/O address space.
 *
 * An area is put into the tree before its memory is pinned, which can take long
 * and is done without a lock, and is taken out after no domain translates to it
 * any more. In between its state says that only its IOVA counts.
 *
 * Memory is unpinned only after the domains were flushed, and the domains are
 * flushed once for everything that one call takes away.
 */
#include <linux/iommu.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include <compat.h>
#include "domain.h"
#include "pages.h"
#include "space.h"

/* Areas that are worked on before others get the lock, or may run */
#define AREAS_BATCH 1024

void space_init(struct space *space)
{
	init_rwsem(&space->domains_sem);
	mutex_init(&space->lock);
	space->areas = (struct iova_tree){};
	space->reserved = RB_ROOT_CACHED;
	space->allowed = RB_ROOT_CACHED;
	space->alignment = 1;
	INIT_LIST_HEAD(&space->domains);
	INIT_LIST_HEAD(&space->accesses);
	INIT_HLIST_HEAD(&space->ops);
	space->huge = true;
	space->reach = SPACE_REACH;
	space_tables_init(space);
	space_left_init(space);
	init_waitqueue_head(&space->idle);
}

/**
 * space_destroy - Unmap everything and free what the space holds
 * @space: without domains and accesses
 */
void space_destroy(struct space *space)
{
	unsigned long unmapped;

	WARN_ON(space_unmap(space, 0, ULONG_MAX, &unmapped));
	WARN_ON(space->nr_domains || !list_empty(&space->accesses));
	WARN_ON(!iova_tree_empty(&space->areas));
	iova_free_all(&space->reserved);
	iova_free_all(&space->allowed);
	mutex_destroy(&space->lock);
}

static void area_remove(struct space *space, struct area *area)
{
	space_tables_sub(space, area);
	iova_tree_remove(&space->areas, &area->range);
	space->nr_areas--;
}

static void areas_remove(struct space *space, struct area *list,
			 unsigned long nr_list)
{
	unsigned int nr = 0;

	mutex_lock(&space->lock);
	if (space->nr_areas == nr_list) {
		space->nr_areas = 0;
		iova_tree_reset(&space->areas);
		space_tables_sub_all(space);
		list = NULL;
	}
	for (; list; list = list->next) {
		area_remove(space, list);
		if (++nr == AREAS_BATCH) {
			nr = 0;
			mutex_unlock(&space->lock);
			cond_resched();
			mutex_lock(&space->lock);
		}
	}
	mutex_unlock(&space->lock);
}

static void __cold refuse_overlap(struct space *space, const struct area *area,
				  int error)
{
	struct area *other;

	lockdep_assert_held(&space->lock);

	other = range_to_area(iova_tree_first(&space->areas, area->range.first,
					      area->range.last));
	if (other)
		iommufd_refuse(error, "0x%lx to 0x%lx overlaps the mapping from 0x%lx to 0x%lx",
			       area->range.first, area->range.last,
			       other->range.first, other->range.last);
}

/*
 * Take the lock of the space, and see to it that there may be the page tables for so
 * many bytes more. Whoever shows the space to a first device has not counted those.
 */
static int lock_with_room(struct space *space, unsigned long length)
{
	bool looked = false;
	bool shown = false;
	int rc;

	for (;;) {
		mutex_lock(&space->lock);
		if (!space_tables_full(space, length) ||
		    (looked && (shown || !space->nr_domains)))
			return 0;
		shown = space->nr_domains;
		mutex_unlock(&space->lock);
		rc = space_tables_make_room(space, length);
		if (rc)
			return rc;
		looked = true;
	}
}

/*
 * Take the IOVA for new areas, one behind the other. Until here their ranges
 * begin at 0.
 */
static int areas_insert(struct space *space, struct area *list,
			struct space_map_args *args)
{
	unsigned long iova = args->iova;
	struct area *area;
	struct area *undo;
	int rc;

	rc = lock_with_room(space, args->length);
	if (rc)
		return rc;
	if (args->fixed)
		rc = iova_check(space, iova, args->length);
	else
		rc = iova_choose(space, args, &iova);
	if (rc)
		goto out_unlock;

	for (area = list; area; area = area->next) {
		if ((area_length(area) | area->offset) &
		    (space->alignment - 1)) {
			rc = refuse(-EINVAL,
				    "the memory or its length 0x%lx is not aligned to 0x%lx",
				    area_length(area), space->alignment);
			break;
		}
		area->range.first += iova;
		area->range.last += iova;
		rc = iova_tree_insert(&space->areas, &area->range);
		if (rc) {
			refuse_overlap(space, area, rc);
			break;
		}
		space_tables_add(space, area);
		space->nr_areas++;
		if (area->next)
			cond_resched();
	}
	if (!rc) {
		args->iova = iova;
		goto out_unlock;
	}
	for (undo = list; undo != area; undo = undo->next)
		area_remove(space, undo);
out_unlock:
	mutex_unlock(&space->lock);
	return rc;
}

/*
 * Neighbours are cleared together: an IOMMU driver takes a table that a range
 * covers whole out at once. A BAR may not be there, and would be a hole. Returns the
 * last IOVA of all.
 */
static unsigned long areas_unmap_domain(struct area *list, struct area *end,
					struct space_domain *member,
					struct iommu_iotlb_gather *gather)
{
	unsigned long last = 0;

	while (list != end) {
		unsigned long first = list->range.first;
		bool is_bar = list->pages->is_bar;

		if (is_bar)
			space_domain_hide_bar(member, list);
		do {
			last = list->range.last;
			list = list->next;
		} while (!is_bar && list != end && !list->pages->is_bar &&
			 list->range.first == last + 1);
		if (!is_bar)
			domain_unmap(member->domain, first, last - first + 1,
				     gather);
		cond_resched();
	}
	return last;
}

/* Take areas before @end, or all for NULL, out of one domain; at least one */
static void areas_unmap_now(struct area *list, struct area *end,
			    struct space_domain *member)
{
	struct iommu_iotlb_gather gather __uninitialized;
	unsigned long last;

	iommu_gather_start(&gather);
	last = areas_unmap_domain(list, end, member, &gather);
	space_domain_flush(member, &gather, list->range.first, last);
}

/* Take areas out of the domains before @end, or of all for NULL */
static void areas_unmap_domains(struct space *space, struct area *list,
				struct space_domain *end)
{
	struct space_domain *member;

	lockdep_assert_held(&space->domains_sem);

	list_for_each_entry(member, &space->domains, link) {
		if (member == end)
			break;
		areas_unmap_now(list, NULL, member);
	}
}

static int area_map_domain(struct space *space, const struct area *area,
			   struct space_domain *member)
{
	int rc;

	if (space->huge && area_length(area) >= TABLE_SPAN) {
		rc = space_left_clear(space, member, &area->range);
		if (rc)
			return rc;
	}
	return space_domain_map(space, member, area);
}

/*
 * Put new areas, which follow each other without a gap, into one domain: all or
 * none.
 */
static int areas_map_domain(struct space *space, struct area *list,
			    struct space_domain *member)
{
	unsigned long first = list->range.first;
	unsigned long done = 0;
	struct area *area;
	int rc;

	for (area = list; area; area = area->next) {
		rc = area_map_domain(space, area, member);
		if (rc)
			goto err_unmap;
		done += area_length(area);
		if (area->next)
			cond_resched();
	}
	rc = iommu_sync_map(member->domain, first, done);
	if (!rc)
		return 0;

err_unmap:
	if (area != list)
		areas_unmap_now(list, area, member);
	return rc;
}

static int areas_map_domains(struct space *space, struct area *list)
{
	struct space_domain *member;
	int rc;

	lockdep_assert_held(&space->domains_sem);

	list_for_each_entry(member, &space->domains, link) {
		rc = areas_map_domain(space, list, member);
		if (rc) {
			areas_unmap_domains(space, list, member);
			return rc;
		}
	}
	return 0;
}

/* Undo areas_pin() of the areas before @end, or of all for NULL */
static void areas_unpin(struct area *list, struct area *end)
{
	struct pages_bin bin __uninitialized;

	pages_bin_init(&bin);
	for (; list != end; list = list->next) {
		pages_bin_unpin(&bin, list->pages);
		if (list->next)
			cond_resched();
	}
	pages_bin_empty(&bin);
}

static int areas_pin(struct area *list)
{
	struct area *area;
	int rc;

	for (area = list; area; area = area->next) {
		rc = pages_pin(area->pages);
		if (rc) {
			areas_unpin(list, area);
			return rc;
		}
	}
	return 0;
}

/*
 * The store is what a thread that finds an area live relies on; the area is
 * taken away only by one that finds it so, and may be gone at once.
 */
static void areas_set_live(struct space *space, struct area *list,
			   unsigned long length)
{
	struct area *next;

	lockdep_assert_held(&space->domains_sem);

	atomic_long_add(length, &space->mapped);
	for (; list; list = next) {
		next = list->next;
		/* Pairs with area_is_live() */
		smp_store_release(&list->state, AREA_LIVE);
		if (next)
			cond_resched();
	}
}

/*
 * Make busy areas live. Their memory is pinned before domains_sem is taken,
 * because the space mostly still has the domains that it has now.
 */
static int areas_fill(struct space *space, struct area *list,
		      unsigned long length)
{
	bool pinned = READ_ONCE(space->nr_domains);
	int rc;

	if (pinned) {
		rc = areas_pin(list);
		if (rc)
			return rc;
	}

	rc = space_lock_domains(space, list->range.first + length - 1);
	if (rc)
		goto out_unpin;
	if (space->nr_domains && !pinned) {
		rc = areas_pin(list);
		if (rc)
			goto out_up;
		pinned = true;
	}
	rc = areas_map_domains(space, list);
	if (!rc) {
		/* The domains are gone meanwhile: nobody needs it */
		if (pinned && !space->nr_domains)
			areas_unpin(list, NULL);
		pinned = false;
		areas_set_live(space, list, length);
	}
out_up:
	up_read(&space->domains_sem);
out_unpin:
	if (pinned)
		areas_unpin(list, NULL);
	return rc;
}

/* The area has a reference on the pages from now on */
static void area_init(struct area *area, struct pages *pages,
		      unsigned long offset, unsigned long first,
		      unsigned long length, int prot)
{
	*area = (struct area){
		.range.first = first,
		.range.last = first + length - 1,
		.pages = pages,
		.offset = offset,
		.prot = prot,
		.state = AREA_BUSY,
	};
}

static struct area *area_alloc(struct pages *pages, unsigned long offset,
			       unsigned long first, unsigned long length,
			       int prot)
{
	struct area *area = kmalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (area) {
		pages_get(pages);
		area_init(area, pages, offset, first, length, prot);
	}
	return area;
}

/* Undo area_init(), and areas_pin() if it was done */
static void areas_free(struct pages_bin *bin, struct area *list, bool pinned)
{
	unsigned int nr = 0;

	while (list) {
		struct area *area = list;
		struct pages *pages = area->pages;

		list = area->next;
		if (area->dirty)
			kvfree(area->dirty);
		if (!pages_is_room(pages, area))
			pages_bin_free(bin, area);
		if (pinned)
			pages_bin_unpin_put(bin, pages);
		else
			pages_bin_put(bin, pages);
		if (!(++nr % AREAS_BATCH))
			cond_resched();
	}
}

static void areas_free_now(struct area *list)
{
	struct pages_bin bin __uninitialized;

	pages_bin_init(&bin);
	areas_free(&bin, list, false);
	pages_bin_empty(&bin);
}

static unsigned long areas_count(const struct area *list)
{
	unsigned long nr = 0;

	for (; list; list = list->next)
		nr++;
	return nr;
}

/* Show new areas, which are freed if that fails */
static int areas_show(struct space *space, struct area *list,
		      struct space_map_args *args)
{
	int rc;

	rc = areas_insert(space, list, args);
	if (rc)
		goto err_free;
	rc = areas_fill(space, list, args->length);
	if (rc)
		goto err_remove;
	return 0;

err_remove:
	space_tables_keep(space, list);
	areas_remove(space, list, areas_count(list));
err_free:
	areas_free_now(list);
	return rc;
}

/**
 * space_map - Show memory to the devices of a space
 * @space: the space
 * @pages: the memory; made for this, so that it has room for an area. The caller's
 *         reference is used up
 * @offset: bytes from the start of its first page
 * @args: where; iova is set to what was used
 *
 * Return: 0; -EINVAL, -EEXIST, -EOVERFLOW or -ENOSPC from choosing the IOVA;
 * otherwise as pages_pin() and the IOMMU driver. Nothing is changed on failure.
 */
int space_map(struct space *space, struct pages *pages, unsigned long offset,
	      struct space_map_args *args)
{
	struct area *area = pages_room(pages);

	BUILD_BUG_ON(sizeof(*area) > PAGES_ROOM);
	area_init(area, pages, offset, 0, args->length, args->prot);
	return areas_show(space, area, args);
}

/*
 * New areas on the memory that a range of @space shows, which need not begin or
 * end where an area does.
 */
static struct area *space_clone(struct space *space, unsigned long first,
				unsigned long last, int prot)
{
	struct area *list = NULL;
	struct area **tail = &list;
	unsigned long at = first;
	struct area *area;
	int rc;

	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, first, last));
	for (;;) {
		unsigned long end;

		if (!area || area->range.first > at || !area_is_live(area)) {
			rc = refuse(-ENOENT, "nothing is mapped at 0x%lx of the source",
				    at);
			goto err_free;
		}
		if (prot & IOMMU_WRITE && !area->pages->writable) {
			rc = refuse(-EPERM,
				    "the source's mapping from 0x%lx to 0x%lx was not made writeable",
				    area->range.first, area->range.last);
			goto err_free;
		}
		end = min(last, area->range.last);
		*tail = area_alloc(area->pages,
				   area->offset + (at - area->range.first),
				   at - first, end - at + 1, prot);
		if (!*tail) {
			rc = refuse(-ENOMEM, NO_MEMORY_FOR "a mapping");
			goto err_free;
		}
		if (end == last)
			break;
		tail = &(*tail)->next;
		at = end + 1;
		area = range_to_area(iova_tree_next(&area->range, last));
	}
	mutex_unlock(&space->lock);
	return list;

err_free:
	mutex_unlock(&space->lock);
	areas_free_now(list);
	return ERR_PTR(rc);
}

/**
 * space_copy - Show in one space what another shows
 * @to: where to
 * @from: where from; may be the same
 * @from_iova: first IOVA in @from
 * @args: where in @to, and how much; hint is not used
 *
 * Return: as space_map(); -ENOENT when @from has a gap in that range; -EPERM
 * when it is to be writable and is not.
 */
int space_copy(struct space *to, struct space *from, unsigned long from_iova,
	       struct space_map_args *args)
{
	struct area *list;
	unsigned long last;

	if (!args->length)
		return refuse(-EINVAL, "the length is 0");
	if (check_add_overflow(from_iova, args->length - 1, &last))
		return refuse(-EOVERFLOW, "0x%lx and 0x%lx bytes go past the last IOVA",
			      from_iova, args->length);
	list = space_clone(from, from_iova, last, args->prot);
	if (IS_ERR(list))
		return PTR_ERR(list);
	args->hint = list->pages->base + list->offset;
	return areas_show(to, list, args);
}

/**
 * struct dying - Areas that one unmap takes away
 * @list: the areas by ascending IOVA
 * @nr: how many
 * @bytes: how long they are together
 */
struct dying {
	struct area *list;
	unsigned long nr;
	unsigned long bytes;
};

/* Undo the marking of areas_mark_dying() */
static void areas_revive(struct space *space, struct area *list)
{
	lockdep_assert_held(&space->lock);

	for (; list; list = list->next) {
		list->state = AREA_LIVE;
		list->closed = false;
		if (list->next)
			cond_resched();
	}
}

/*
 * Mark all areas of a range as dying and list them.
 *
 * Return: 0; -ENOENT when an area is only partly in the range; -EBUSY when one
 * is being mapped or unmapped; -EAGAIN when an access is at work in one.
 */
static int areas_mark_dying(struct space *space, unsigned long first,
			    unsigned long last, struct dying *dying)
{
	struct area **tail = &dying->list;
	struct area *area;
	int rc = 0;

	*dying = (struct dying){};
	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, first, last));
	for (; area;
	     area = range_to_area(iova_tree_next(&area->range, last))) {
		if (area->range.first < first || area->range.last > last)
			rc = refuse(-ENOENT,
				    "0x%lx to 0x%lx has only a part of the mapping from 0x%lx to 0x%lx",
				    first, last, area->range.first,
				    area->range.last);
		else if (!area_is_live(area))
			rc = refuse(-EBUSY, "0x%lx to 0x%lx is just being mapped or unmapped",
				    area->range.first, area->range.last);
		else if (space_in_use(space, area))
			rc = -EAGAIN;
		if (rc)
			break;
		area->state = AREA_DYING;
		area->next = NULL;
		*tail = area;
		tail = &area->next;
		dying->bytes += area_length(area);
		if (!(++dying->nr % AREAS_BATCH)) {
			/* A dying area stays in the tree, and marks the place */
			mutex_unlock(&space->lock);
			cond_resched();
			mutex_lock(&space->lock);
		}
	}
	if (rc)
		areas_revive(space, dying->list);
	mutex_unlock(&space->lock);
	return rc;
}

/**
 * space_unmap - Hide all areas of a range from the devices
 * @space: the space
 * @first: first IOVA
 * @last: last IOVA, inclusive
 * @unmapped: set to the bytes that were mapped there, 0 on failure
 *
 * In-kernel accesses are told to let go first, and waited for.
 *
 * Return: 0, also when nothing was mapped; -ENOENT when an area is only partly
 * in the range; -EBUSY when one is being mapped or unmapped by another thread;
 * -EINTR when the process is being killed. Nothing is changed on failure.
 */
int space_unmap(struct space *space, unsigned long first, unsigned long last,
		unsigned long *unmapped)
{
	struct pages_bin bin __uninitialized;
	struct dying dying;
	bool pinned;
	int rc;

	*unmapped = 0;
	do {
		rc = space_quiesce(space, first, last);
		if (rc)
			return rc;
		down_read(&space->domains_sem);
		rc = areas_mark_dying(space, first, last, &dying);
		if (rc)
			up_read(&space->domains_sem);
	} while (rc == -EAGAIN);
	if (rc) {
		space_reopen(space, first, last);
		return rc;
	}
	if (!dying.list) {
		up_read(&space->domains_sem);
		return 0;
	}

	areas_unmap_domains(space, dying.list, NULL);
	/* Only a domain needed the memory pinned; nothing reaches it any more */
	pinned = space->nr_domains;
	up_read(&space->domains_sem);

	atomic_long_sub(dying.bytes, &space->mapped);
	areas_remove(space, dying.list, dying.nr);
	pages_bin_init(&bin);
	areas_free(&bin, dying.list, pinned);
	pages_bin_empty(&bin);
	*unmapped = dying.bytes;
	return 0;
}

/**
 * space_set_huge - Choose the size of the entries
 * @space: the space
 * @huge: they may be larger than a page
 *
 * Return: 0; -EINVAL to forbid them while devices see mappings;
 * -EADDRINUSE when mappings are not page-aligned.
 */
int space_set_huge(struct space *space, bool huge)
{
	int rc = 0;

	down_write(&space->domains_sem);
	mutex_lock(&space->lock);
	if (huge == space->huge)
		goto out_unlock;
	if (!huge && space->nr_domains && !iova_tree_empty(&space->areas)) {
		rc = refuse(-EINVAL, "%lu mappings are in the domains of devices",
			    space->nr_areas);
		goto out_unlock;
	}
	space->huge = huge;
	rc = space_update_alignment(space);
	if (rc)
		space->huge = !huge;
out_unlock:
	mutex_unlock(&space->lock);
	up_write(&space->domains_sem);
	return rc;
}
