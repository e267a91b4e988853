// SPDX-License-Identifier: GPL-2.0-only
/*
 * The domains that show an address space to devices.
 *
 * A domain joins with a device attached to it and nothing mapped in it, so that
 * its geometry is known and the device's DMA blocked. With the semaphore held for
 * writing no area becomes live or dies, so the live ones can be walked without
 * holding the lock over pinning and mapping.
 */
#include <linux/iommu.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/mm.h>

#include <compat.h>
#include "bar.h"
#include "domain.h"
#include "pages.h"
#include "space.h"

/**
 * space_next_live - Find the lowest live area that touches a range
 * @space: with domains_sem held for writing
 * @from: first IOVA of the range
 * @end: last IOVA of the range
 */
struct area *space_next_live(struct space *space, unsigned long from,
			     unsigned long end)
{
	struct area *area;

	if (from > end)
		return NULL;
	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, from, end));
	while (area && !area_is_live(area))
		area = range_to_area(iova_tree_next(&area->range, end));
	mutex_unlock(&space->lock);
	return area;
}

/**
 * space_domain_map - Show an area to a domain
 * @space: the space
 * @member: the domain
 * @area: its pages are pinned
 *
 * As domain_map(). The other way is domain_unmap(), or space_domain_hide_bar() for
 * an area that is a BAR.
 */
int space_domain_map(struct space *space, struct space_domain *member,
		     const struct area *area)
{
	int rc = domain_map(member->domain, area->range.first, area->pages,
			    area->offset, area_length(area), area->prot,
			    space->huge);

	if (!rc && area->pages->is_bar)
		atomic_long_add(area_length(area), &member->bars);
	return rc;
}

/**
 * space_domain_hide_bar - Take an area that is a BAR out of a domain
 * @member: the domain; flushed on return
 * @area: the area
 */
void space_domain_hide_bar(struct space_domain *member, const struct area *area)
{
	bar_hide(area->pages->bar, member->domain, area->range.first);
	atomic_long_sub(area_length(area), &member->bars);
}

/**
 * space_domain_flush - Have nobody translate by what was taken out of a domain
 * @member: the domain
 * @gather: what domain_unmap() was given
 * @first: first IOVA that was taken out
 * @last: last IOVA, inclusive
 */
void space_domain_flush(struct space_domain *member,
			struct iommu_iotlb_gather *gather, unsigned long first,
			unsigned long last)
{
	if (unlikely(member->device_tlb))
		iommu_gather_flush_devices(member->domain, gather, first, last);
	else
		iommu_gather_flush(member->domain, gather);
}

static unsigned long domain_alignment(const struct iommu_domain *domain)
{
	return 1UL << __ffs(domain->pgsize_bitmap);
}

/**
 * space_update_alignment - Follow a change of domains, accesses or huge
 * @space: with both locks held, domains_sem for writing
 *
 * Return: 0, or -EADDRINUSE with nothing changed when a mapping does not have
 * the new alignment; never when something was taken away.
 */
int space_update_alignment(struct space *space)
{
	unsigned long alignment = space->huge ? 1 : PAGE_SIZE;
	struct space_access *access;
	struct space_domain *member;
	int rc;

	lockdep_assert_held_write(&space->domains_sem);
	lockdep_assert_held(&space->lock);

	list_for_each_entry(member, &space->domains, link)
		alignment = max(alignment, domain_alignment(member->domain));
	list_for_each_entry(access, &space->accesses, link)
		alignment = max(alignment, access->alignment);
	if (alignment > space->alignment) {
		rc = iova_check_alignment(space, alignment);
		if (rc)
			return rc;
	}
	space->alignment = alignment;
	return 0;
}

/* Join, but show nothing yet: new areas will be put in from here on */
static int domain_join(struct space *space, struct space_domain *member)
{
	const struct iommu_domain_geometry *geometry =
		&member->domain->geometry;
	int rc;

	lockdep_assert_held_write(&space->domains_sem);

	/* A space maps in pages, which each of its domains must be able to do */
	if (domain_alignment(member->domain) > PAGE_SIZE)
		return refuse(-EINVAL, "the IOMMU's smallest page has %lu bytes",
			      domain_alignment(member->domain));

	mutex_lock(&space->lock);
	if (geometry->aperture_start) {
		rc = iova_reserve(space, 0, geometry->aperture_start - 1,
				  member);
		if (rc)
			goto err_unlock;
	}
	if (geometry->aperture_end != ULONG_MAX) {
		rc = iova_reserve(space, geometry->aperture_end + 1, ULONG_MAX,
				  member);
		if (rc)
			goto err_unreserve;
	}
	list_add_tail(&member->link, &space->domains);
	WRITE_ONCE(space->nr_domains, space->nr_domains + 1);
	rc = space_update_alignment(space);
	if (!rc)
		goto out_unlock;

	WRITE_ONCE(space->nr_domains, space->nr_domains - 1);
	list_del(&member->link);
err_unreserve:
	iova_unreserve(space, member);
err_unlock:
out_unlock:
	mutex_unlock(&space->lock);
	return rc;
}

static void domain_leave(struct space *space, struct space_domain *member)
{
	lockdep_assert_held_write(&space->domains_sem);

	mutex_lock(&space->lock);
	WRITE_ONCE(space->nr_domains, space->nr_domains - 1);
	list_del(&member->link);
	iova_unreserve(space, member);
	WARN_ON(space_update_alignment(space));
	mutex_unlock(&space->lock);
}

/*
 * Clear the domain of the live areas up to @end, flush, and unpin them if no
 * other domain needs them pinned.
 */
static void domain_clear(struct space *space, struct space_domain *member,
			 unsigned long end)
{
	struct iommu_iotlb_gather gather;
	unsigned long first = ULONG_MAX;
	unsigned long last = 0;
	struct area *area;

	iommu_gather_start(&gather);
	for_each_live(area, space, end) {
		if (area->pages->is_bar)
			space_domain_hide_bar(member, area);
		else
			domain_unmap(member->domain, area->range.first,
				     area_length(area), &gather);
		first = min(first, area->range.first);
		last = area->range.last;
		cond_resched();
	}
	if (first > last)
		return;
	space_domain_flush(member, &gather, first, last);

	if (space->nr_domains > 1)
		return;
	for_each_live(area, space, end) {
		pages_unpin(area->pages);
		cond_resched();
	}
}

/* Have the table of a domain reach an IOVA that nothing is mapped at */
static int domain_extend(struct space *space, struct space_domain *member,
			 unsigned long reach)
{
	unsigned long last = min_t(unsigned long, reach,
				   member->domain->geometry.aperture_end);
	unsigned long first = ALIGN_DOWN(last, TABLE_SPAN);
	const struct iova_range range = {
		.first = first,
		.last = first + PAGE_SIZE - 1,
	};
	struct iommu_iotlb_gather gather;
	int rc;

	iommu_gather_start(&gather);
	rc = iommu_drop_tables(member->domain, first, TABLE_SPAN, &gather);
	if (rc)
		return refuse(rc, "the IOMMU's table cannot be made to reach IOVA 0x%lx",
			      last);
	space_domain_flush(member, &gather, range.first, range.last);
	mutex_lock(&space->lock);
	space_left_add(space, &range);
	mutex_unlock(&space->lock);
	return 0;
}

/*
 * A BAR that goes is taken out of domains by whoever changes the process's memory, so
 * it takes more than the semaphore for nobody to be at work in them.
 */
static int space_extend(struct space *space, unsigned long last)
{
	unsigned long reach = space->reach;
	struct space_domain *member;
	int rc = 0;

	lockdep_assert_held_write(&space->domains_sem);

	while (reach < last)
		reach = reach << 9 | 0x1ff;
	bar_lock_domains();
	list_for_each_entry(member, &space->domains, link) {
		rc = domain_extend(space, member, reach);
		if (rc)
			break;
	}
	bar_unlock_domains();
	if (!rc)
		space->reach = reach;
	return rc;
}

/**
 * space_lock_domains - Hold domains_sem for reading, to put areas into the domains
 * @space: the space
 * @last: last IOVA of what is to be mapped; inclusive
 *
 * A level is added to a table with nobody else at work in it: AMD's driver of 6.1 lets
 * one who looks up an entry meanwhile look in the wrong place.
 *
 * Return: 0; without the semaphore, the IOMMU driver's error.
 */
int space_lock_domains(struct space *space, unsigned long last)
{
	int rc = 0;

	down_read(&space->domains_sem);
	if (likely(last <= space->reach))
		return 0;
	up_read(&space->domains_sem);

	down_write(&space->domains_sem);
	if (last > space->reach)
		rc = space_extend(space, last);
	if (rc)
		up_write(&space->domains_sem);
	else
		downgrade_write(&space->domains_sem);
	return rc;
}

static int domain_fill(struct space *space, struct space_domain *member)
{
	struct area *area;
	int rc = 0;

	for_each_live(area, space, ULONG_MAX) {
		/* The first domain is what the memory is pinned for */
		if (space->nr_domains == 1) {
			rc = pages_pin(area->pages);
			if (rc)
				break;
		}
		rc = space_domain_map(space, member, area);
		if (rc) {
			if (space->nr_domains == 1)
				pages_unpin(area->pages);
			break;
		}
		cond_resched();
	}
	if (!rc)
		iommu_flush_iotlb_all(member->domain);
	else if (area->range.first)
		domain_clear(space, member, area->range.first - 1);
	return rc;
}

/**
 * space_add_domain - Show a space to the devices of a domain
 * @space: the space
 * @member: its domain has a device and no mappings
 *
 * Return: 0; -EADDRINUSE when a mapping lies outside the aperture or is not
 * aligned for the domain; -EINVAL when the domain cannot map pages; -ENOMEM when it
 * needs more page tables than the caller may have; otherwise as pages_pin() and the
 * IOMMU driver. Nothing is changed on failure.
 */
int space_add_domain(struct space *space, struct space_domain *member)
{
	int rc = 0;

	down_write(&space->domains_sem);
	if (!space->nr_domains)
		rc = space_tables_begin(space);
	if (rc)
		goto out_up;
	rc = domain_join(space, member);
	if (rc)
		goto out_up;
	/* Nobody knows of it yet */
	if (space->reach > SPACE_REACH)
		rc = domain_extend(space, member, space->reach);
	if (!rc)
		rc = domain_fill(space, member);
	if (rc)
		domain_leave(space, member);
out_up:
	up_write(&space->domains_sem);
	return rc;
}

/**
 * space_remove_domain - Undo space_add_domain()
 * @space: the space
 * @member: cleared of mappings on return
 */
void space_remove_domain(struct space *space, struct space_domain *member)
{
	down_write(&space->domains_sem);
	domain_clear(space, member, ULONG_MAX);
	domain_leave(space, member);
	up_write(&space->domains_sem);
}
