// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings that outlive the user addresses they were made with.
 *
 * A process that is about to replace itself by another program, or to hand its
 * devices to another process, first declares the addresses of its mappings
 * void and then gives each its new one. The memory stays the same, and devices go
 * on using it.
 */
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>

#include "pages.h"
#include "space.h"

/**
 * space_void_vaddr - Declare the user addresses of all mappings of a range void
 * @space: the space, in which nobody else maps or unmaps
 * @first: first IOVA
 * @last: last IOVA, inclusive; no mapping lies only partly in the range
 * @voided: set to the length of the mappings, 0 on failure
 *
 * Return: 0, or -EINVAL with nothing changed when that of one is void already.
 */
int space_void_vaddr(struct space *space, unsigned long first,
		     unsigned long last, u64 *voided)
{
	struct area *area;
	int rc = 0;

	*voided = 0;
	mutex_lock(&space->lock);
	for (area = range_to_area(iova_tree_first(&space->areas, first, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last))) {
		if (area->no_vaddr) {
			rc = refuse(-EINVAL,
				    "the user address of the mapping from 0x%lx to 0x%lx is void already",
				    area->range.first, area->range.last);
			*voided = 0;
			goto out_unlock;
		}
		*voided += area_length(area);
	}

	for (area = range_to_area(iova_tree_first(&space->areas, first, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last)))
		area->no_vaddr = true;
out_unlock:
	mutex_unlock(&space->lock);
	return rc;
}

/**
 * space_set_vaddr - Tell where the memory of a mapping is now
 * @space: the space, in which nobody else maps or unmaps
 * @first: first IOVA of the mapping
 * @last: its last IOVA, inclusive
 * @vaddr: user address in the calling process, which pays from now on
 *
 * Return: 0; -ENOENT when nothing is mapped there; -EINVAL when the mapping is not
 * exactly there, has an address, or is of a file; -ENOMEM when it exceeds the
 * limit of the caller.
 */
int space_set_vaddr(struct space *space, unsigned long first,
		    unsigned long last, unsigned long vaddr)
{
	struct pages *pages;
	struct area *area;
	int rc;

	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, first, last));
	if (!area) {
		rc = refuse(-ENOENT, "nothing is mapped from 0x%lx to 0x%lx",
			    first, last);
		goto out_unlock;
	}
	if (!area->no_vaddr || !area_is_live(area) ||
	    area->range.first != first || area->range.last != last ||
	    vaddr < area->offset) {
		rc = refuse(-EINVAL,
			    "the mapping from 0x%lx to 0x%lx is not just 0x%lx to 0x%lx, or its user address is not void",
			    area->range.first, area->range.last, first, last);
		goto out_unlock;
	}
	pages = area->pages;
	pages_get(pages);
	/* The address is of the slice that the area shows */
	vaddr -= area->offset;
	mutex_unlock(&space->lock);

	rc = pages_move(pages, vaddr);
	if (!rc) {
		mutex_lock(&space->lock);
		/* It may have been unmapped through another interface */
		area = range_to_area(iova_tree_first(&space->areas, first,
						     last));
		if (area && area->pages == pages)
			area->no_vaddr = false;
		mutex_unlock(&space->lock);
	}
	pages_put(pages);
	return rc;

out_unlock:
	mutex_unlock(&space->lock);
	return rc;
}

/**
 * space_lacks_vaddr - Is the user address of any mapping void?
 * @space: the space
 */
bool space_lacks_vaddr(struct space *space)
{
	struct area *area;

	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, 0, ULONG_MAX));
	while (area && !area->no_vaddr)
		area = range_to_area(iova_tree_next(&area->range, ULONG_MAX));
	mutex_unlock(&space->lock);
	return area;
}
