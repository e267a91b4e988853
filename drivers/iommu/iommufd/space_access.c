// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-kernel users of an address space.
 *
 * An access works on live areas without holding a lock of the space: it counts
 * itself in the areas that it uses, and UNMAP waits for the count. Before that,
 * UNMAP closes the areas to new uses and tells every access to let go of its pins
 * there, with no lock held, because unpinning takes the same path.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>

#include "pages.h"
#include "space.h"

/**
 * space_add_access - Begin to use a space
 * @space: the space
 * @access: not yet in a space
 *
 * Return: 0, or -EADDRINUSE when mappings do not have the alignment it needs.
 */
int space_add_access(struct space *space, struct space_access *access)
{
	int rc;

	access->calls = 0;
	down_write(&space->domains_sem);
	mutex_lock(&space->lock);
	list_add_tail(&access->link, &space->accesses);
	rc = space_update_alignment(space);
	if (rc)
		list_del(&access->link);
	mutex_unlock(&space->lock);
	up_write(&space->domains_sem);
	return rc;
}

/**
 * space_remove_access - End it
 * @space: the space
 * @access: nothing is pinned by it; its unmap is not called any more on return
 */
void space_remove_access(struct space *space, struct space_access *access)
{
	unsigned int seq;

	mutex_lock(&space->lock);
	while (access->calls) {
		seq = space->idle_seq;
		mutex_unlock(&space->lock);
		wait_event(space->idle, READ_ONCE(space->idle_seq) != seq);
		mutex_lock(&space->lock);
	}
	list_del(&access->link);
	mutex_unlock(&space->lock);

	down_write(&space->domains_sem);
	mutex_lock(&space->lock);
	WARN_ON(space_update_alignment(space));
	mutex_unlock(&space->lock);
	up_write(&space->domains_sem);
}

static void wake_idle(struct space *space)
{
	lockdep_assert_held(&space->lock);

	WRITE_ONCE(space->idle_seq, space->idle_seq + 1);
	wake_up_all(&space->idle);
}

/* Tell every access to let go of a range. Drops the lock meanwhile */
static void notify_accesses(struct space *space, unsigned long first,
			    unsigned long length)
{
	struct space_access *access;

	lockdep_assert_held(&space->lock);

	list_for_each_entry(access, &space->accesses, link) {
		if (!access->unmap)
			continue;
		/* Keeps it in the list while the lock is not held */
		access->calls++;
		mutex_unlock(&space->lock);
		access->unmap(access->data, first, length);
		mutex_lock(&space->lock);
		if (!--access->calls)
			wake_idle(space);
	}
}

/* Close all areas of a range; return the lowest above @from that is in use */
static struct area *close_areas(struct space *space, unsigned long from,
				unsigned long last)
{
	struct area *area;

	lockdep_assert_held(&space->lock);

	for (area = range_to_area(iova_tree_first(&space->areas, from, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last))) {
		area->closed = true;
		if (area->uses)
			return area;
	}
	return NULL;
}

/**
 * space_reopen - Undo space_quiesce() when nothing is unmapped after all
 * @space: the space
 * @first: first IOVA
 * @last: last IOVA, inclusive
 */
void space_reopen(struct space *space, unsigned long first, unsigned long last)
{
	struct area *area;

	mutex_lock(&space->lock);
	for (area = range_to_area(iova_tree_first(&space->areas, first, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last)))
		area->closed = false;
	mutex_unlock(&space->lock);
}

/**
 * space_quiesce - Have all accesses leave a range that is to be unmapped
 * @space: the space
 * @first: first IOVA
 * @last: last IOVA, inclusive
 *
 * Return: 0 with the areas closed; -EINTR with them open when the process is
 * being killed.
 */
int space_quiesce(struct space *space, unsigned long first, unsigned long last)
{
	unsigned long from = first;
	unsigned long told = 0;
	bool any = false;
	struct area *area;
	unsigned int seq;
	int rc;

	if (list_empty_careful(&space->accesses))
		return 0;

	mutex_lock(&space->lock);
	while ((area = close_areas(space, from, last))) {
		from = area->range.first;
		/* Each area is announced once; then its users are waited for */
		if (!any || from > told) {
			any = true;
			told = area->range.last;
			notify_accesses(space, from, area_length(area));
			continue;
		}
		seq = space->idle_seq;
		mutex_unlock(&space->lock);
		rc = wait_event_killable(space->idle,
					 READ_ONCE(space->idle_seq) != seq);
		if (rc) {
			space_reopen(space, first, last);
			return -EINTR;
		}
		mutex_lock(&space->lock);
	}
	mutex_unlock(&space->lock);
	return 0;
}

/* How many pages of an area lie in a range of whole pages */
static unsigned int pages_in(const struct area *area, unsigned long first,
			     unsigned long last)
{
	return (min(last, area->range.last) >> PAGE_SHIFT) -
	       (max(first, area->range.first) >> PAGE_SHIFT) + 1;
}

/* Leave the areas of a range, for each page pinned in it or for the range */
static void leave_areas(struct space *space, unsigned long first,
			unsigned long last, bool per_page)
{
	struct area *area;

	mutex_lock(&space->lock);
	for (area = range_to_area(iova_tree_first(&space->areas, first, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last))) {
		area->uses -= per_page ? pages_in(area, first, last) : 1;
		if (!area->uses)
			wake_idle(space);
	}
	mutex_unlock(&space->lock);
}

static bool any_closed(struct space *space, unsigned long first,
		       unsigned long last)
{
	struct area *area;

	lockdep_assert_held(&space->lock);

	for (area = range_to_area(iova_tree_first(&space->areas, first, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last)))
		if (area->closed)
			return true;
	return false;
}

/*
 * Stay in the areas of a range for each page that is pinned in it. Not where UNMAP
 * has closed one meanwhile: it told the access to let go before there was
 * anything, and would wait for ever. What it tells of is counted under the same lock.
 */
static int hold_pages(struct space *space, struct space_access *access,
		      unsigned long first, unsigned long last)
{
	struct area *area;
	int rc = 0;

	mutex_lock(&space->lock);
	if (any_closed(space, first, last)) {
		rc = -ENOENT;
		goto out_unlock;
	}
	for (area = range_to_area(iova_tree_first(&space->areas, first, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last)))
		area->uses += pages_in(area, first, last);
	access->pinned(access->data, first, last);
	space_mark_dirty(space, first, last);
out_unlock:
	mutex_unlock(&space->lock);
	return rc;
}

/* Count one use in each area of a range that is mapped without a gap */
static int enter_areas(struct space *space, unsigned long first,
		       unsigned long last, bool write)
{
	unsigned long at = first;
	struct area *area;
	int rc = 0;

	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, first, last));
	for (;;) {
		if (!area || area->range.first > at ||
		    !area_is_live(area) || area->closed)
			rc = -ENOENT;
		else if (write && !(area->prot & IOMMU_WRITE))
			rc = -EPERM;
		if (rc)
			break;
		area->uses++;
		if (area->range.last >= last)
			break;
		at = area->range.last + 1;
		area = range_to_area(iova_tree_next(&area->range, last));
	}
	mutex_unlock(&space->lock);
	if (rc && at != first)
		leave_areas(space, first, at - 1, false);
	return rc;
}

/* The area at @iova, which an access has entered, so it is there to stay */
static struct area *entered_area(struct space *space, unsigned long iova)
{
	struct area *area;

	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, iova, iova));
	mutex_unlock(&space->lock);
	return area;
}

static unsigned long area_index(const struct area *area, unsigned long iova)
{
	return (area->offset + (iova - area->range.first)) >> PAGE_SHIFT;
}

static void unpin_pages(struct space *space, unsigned long first,
			unsigned long last)
{
	unsigned long at = first;

	for (;;) {
		struct area *area = entered_area(space, at);
		unsigned long end = min(last, area->range.last);
		unsigned long index;

		for (index = area_index(area, at);
		     index <= area_index(area, end); index++)
			pages_unpin_single(area->pages, index);
		if (end == last)
			return;
		at = end + 1;
	}
}

static int pin_pages(struct space *space, unsigned long first,
		     unsigned long last, struct page **out)
{
	unsigned long at = first;
	int rc;

	for (;;) {
		struct area *area = entered_area(space, at);
		unsigned long end = min(last, area->range.last);
		unsigned long index;

		for (index = area_index(area, at);
		     index <= area_index(area, end); index++) {
			rc = pages_pin_single(area->pages, index, out++);
			if (rc)
				goto err_unpin;
			at += PAGE_SIZE;
		}
		if (end == last)
			return 0;
	}

err_unpin:
	if (at != first)
		unpin_pages(space, first, at - 1);
	return rc;
}

/* Round a range outwards to pages */
static int page_range(unsigned long iova, unsigned long length,
		      unsigned long *first, unsigned long *last)
{
	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, last))
		return -EOVERFLOW;
	*first = iova & PAGE_MASK;
	*last |= ~PAGE_MASK;
	return 0;
}

/**
 * space_access_pin - Pin what is mapped at a range
 * @space: the space
 * @access: in it; one that needs page alignment
 * @iova: first IOVA
 * @length: bytes
 * @out: one entry for each page that the range touches
 * @write: the pages will be written
 *
 * Return: 0; -EINVAL, -EOVERFLOW; -ENOENT when not all is mapped; -EPERM when it
 * is not mapped writable; -EFAULT or -ENOMEM from pinning. Nothing is pinned on
 * failure.
 */
int space_access_pin(struct space *space, struct space_access *access,
		     unsigned long iova, unsigned long length,
		     struct page **out, bool write)
{
	unsigned long first;
	unsigned long last;
	int rc;

	rc = page_range(iova, length, &first, &last);
	if (rc)
		return rc;
	rc = enter_areas(space, first, last, write);
	if (rc)
		return rc;
	rc = pin_pages(space, first, last, out);
	if (!rc) {
		rc = hold_pages(space, access, first, last);
		if (rc)
			unpin_pages(space, first, last);
	}
	leave_areas(space, first, last, false);
	return rc;
}

/**
 * space_access_unpin - Undo space_access_pin()
 * @space: the space
 * @iova: first IOVA
 * @length: bytes; each page was pinned, in whatever portions
 */
void space_access_unpin(struct space *space, unsigned long iova,
			unsigned long length)
{
	unsigned long first;
	unsigned long last;

	if (WARN_ON(page_range(iova, length, &first, &last)))
		return;
	unpin_pages(space, first, last);
	leave_areas(space, first, last, true);
}

/**
 * space_access_rw - Copy to or from what is mapped at a range
 * @space: the space
 * @iova: first IOVA
 * @data: kernel memory
 * @length: bytes
 * @write: copy to the mapping
 *
 * Return: as space_access_pin(), with part of it copied on -EFAULT or -ENOMEM.
 */
int space_access_rw(struct space *space, unsigned long iova, void *data,
		    unsigned long length, bool write)
{
	unsigned long at = iova;
	unsigned long last;
	int rc;

	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	rc = enter_areas(space, iova, last, write);
	if (rc)
		return rc;
	for (;;) {
		struct area *area = entered_area(space, at);
		unsigned long end = min(last, area->range.last);

		rc = pages_rw(area->pages,
			      area->offset + (at - area->range.first), data,
			      end - at + 1, write);
		if (rc || end == last)
			break;
		data += end - at + 1;
		at = end + 1;
	}
	if (write && READ_ONCE(space->tracking)) {
		mutex_lock(&space->lock);
		space_mark_dirty(space, iova, last);
		mutex_unlock(&space->lock);
	}
	leave_areas(space, iova, last, false);
	return rc;
}
