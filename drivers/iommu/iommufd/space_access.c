// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-kernel users of an address space.
 *
 * An access works on live areas without holding a lock of the space: it lists
 * what it is doing, and each area counts the pages that are left pinned. UNMAP
 * closes the areas, so that nothing begins there any more, waits for what is going
 * on, and tells every access to let go of what is pinned by then, with no lock held,
 * because unpinning takes the same path.
 */
#include <linux/iommu.h>
#include <linux/iommufd_refusal.h>
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

/* To be called after what is waited for; pairs with wait_idle() */
static void wake_idle(struct space *space)
{
	lockdep_assert_held(&space->lock);

	WRITE_ONCE(space->idle_seq, space->idle_seq + 1);
	if (wq_has_sleeper(&space->idle))
		wake_up_all(&space->idle);
}

/* Drops the lock until wake_idle() is called, or the process is being killed */
static int wait_idle(struct space *space)
{
	unsigned int seq = space->idle_seq;
	int rc;

	lockdep_assert_held(&space->lock);

	mutex_unlock(&space->lock);
	rc = wait_event_killable(space->idle,
				 READ_ONCE(space->idle_seq) != seq);
	mutex_lock(&space->lock);
	return rc;
}

/**
 * struct space_op - What an access is doing
 * @first: first IOVA
 * @last: last IOVA, inclusive
 * @area: the first area; none of the range goes away meanwhile
 * @link: in space.ops
 */
struct space_op {
	unsigned long first;
	unsigned long last;
	struct area *area;
	struct hlist_node link;
};

/**
 * space_is_busy - Is an access at work in an area?
 * @space: with its lock held
 * @area: an area of it
 */
bool space_is_busy(struct space *space, const struct area *area)
{
	struct space_op *op;

	lockdep_assert_held(&space->lock);

	hlist_for_each_entry(op, &space->ops, link)
		if (op->first <= area->range.last &&
		    op->last >= area->range.first)
			return true;
	return false;
}

static unsigned long area_index(const struct area *area, unsigned long iova)
{
	return (area->offset + (iova - area->range.first)) >> PAGE_SHIFT;
}

/* Pages of an area that are pinned, one behind the other, from @from to @last */
static bool area_next_pinned(const struct area *area, unsigned long from,
			     unsigned long last, struct space_extent *extent)
{
	unsigned long first = max(from, area->range.first);
	unsigned long end = area_index(area, min(last, area->range.last));
	unsigned long start = area_index(area, first);
	unsigned long index = start;
	unsigned long next;

	if (!area->pins || !pages_next_single(area->pages, &index, end))
		return false;
	extent->first = first + ((index - start) << PAGE_SHIFT);
	do {
		next = ++index;
	} while (next <= end &&
		 pages_next_single(area->pages, &next, next));
	extent->last = first + ((index - start) << PAGE_SHIFT) - 1;
	return true;
}

static bool next_pinned(struct space *space, unsigned long from,
			unsigned long last, struct space_extent *extent)
{
	struct area *area;

	lockdep_assert_held(&space->lock);

	for (area = range_to_area(iova_tree_first(&space->areas, from, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last)))
		if (area_next_pinned(area, from, last, extent))
			return true;
	return false;
}

/*
 * Tell an access of each stretch that is pinned in a range, be it by another
 * access. Some drivers look at every page of what they are told. Drops the lock.
 */
static void notify(struct space *space, struct space_access *access,
		   unsigned long first, unsigned long last)
{
	struct space_extent extent;

	lockdep_assert_held(&space->lock);

	/* Keeps it in the list while the lock is not held */
	access->calls++;
	while (first <= last && next_pinned(space, first, last, &extent)) {
		mutex_unlock(&space->lock);
		access->unmap(access->data, extent.first,
			      extent.last - extent.first + 1);
		mutex_lock(&space->lock);
		if (extent.last == last)
			break;
		first = extent.last + 1;
	}
	if (!--access->calls)
		wake_idle(space);
}

static void notify_accesses(struct space *space, unsigned long first,
			    unsigned long last)
{
	struct space_access *access;

	lockdep_assert_held(&space->lock);

	list_for_each_entry(access, &space->accesses, link)
		if (access->unmap)
			notify(space, access, first, last);
}

/**
 * space_let_go - Tell an access to unpin everything
 * @space: the space
 * @access: in it; it pins nothing any more
 */
void space_let_go(struct space *space, struct space_access *access)
{
	mutex_lock(&space->lock);
	if (access->unmap)
		notify(space, access, 0, ULONG_MAX);
	mutex_unlock(&space->lock);
}

/*
 * Close all areas of a range; return the lowest above @from that is in use. @opened
 * is whether that one was open, so that it may have been taken into use just now.
 */
static struct area *close_areas(struct space *space, unsigned long from,
				unsigned long last, bool *opened)
{
	struct area *area;

	lockdep_assert_held(&space->lock);

	for (area = range_to_area(iova_tree_first(&space->areas, from, last));
	     area; area = range_to_area(iova_tree_next(&area->range, last))) {
		*opened = !area->closed;
		area->closed = true;
		if (space_in_use(space, area))
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
 * space_quiesce_accesses - What space_quiesce() does if there are accesses
 * @space: the space
 * @first: first IOVA
 * @last: last IOVA, inclusive
 *
 * Return: as space_quiesce().
 */
int space_quiesce_accesses(struct space *space, unsigned long first,
			   unsigned long last)
{
	unsigned long from = first;
	unsigned long told = 0;
	bool any = false;
	struct area *area;
	bool opened;

	mutex_lock(&space->lock);
	while ((area = close_areas(space, from, last, &opened))) {
		from = area->range.first;
		/* Another unmap that failed may let accesses in where all were told */
		if (opened)
			any = false;
		/* Told once nothing begins there and nothing is going on */
		if (!space_is_busy(space, area) && (!any || from > told)) {
			any = true;
			told = area->range.last;
			notify_accesses(space, from, told);
		} else if (wait_idle(space)) {
			mutex_unlock(&space->lock);
			space_reopen(space, first, last);
			return refuse(-EINTR, KILLED);
		}
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

/*
 * Begin to work on a range that is mapped without a gap: its areas stay until
 * leave().
 */
static int enter(struct space *space, struct space_op *op, unsigned long first,
		 unsigned long last, bool write)
{
	unsigned long at = first;
	struct area *area;
	int rc = 0;

	op->first = first;
	op->last = last;
	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, first, last));
	op->area = area;
	for (;;) {
		if (!area || area->range.first > at ||
		    !area_is_live(area) || area->closed)
			rc = -ENOENT;
		else if (write && !(area->prot & IOMMU_WRITE))
			rc = -EPERM;
		if (rc || area->range.last >= last)
			break;
		at = area->range.last + 1;
		area = range_to_area(iova_tree_next(&area->range, last));
	}
	if (!rc)
		hlist_add_head(&op->link, &space->ops);
	mutex_unlock(&space->lock);
	return rc;
}

static void leave_locked(struct space *space, struct space_op *op)
{
	lockdep_assert_held(&space->lock);

	hlist_del(&op->link);
	wake_idle(space);
}

static void leave(struct space *space, struct space_op *op)
{
	mutex_lock(&space->lock);
	leave_locked(space, op);
	mutex_unlock(&space->lock);
}

/* End a pin: what it has pinned counts from now on */
static void leave_pinned(struct space *space, struct space_op *op)
{
	struct area *area;

	mutex_lock(&space->lock);
	for (area = op->area; area;
	     area = range_to_area(iova_tree_next(&area->range, op->last)))
		area->pins += pages_in(area, op->first, op->last);
	space_mark_dirty(space, op->first, op->last);
	leave_locked(space, op);
	mutex_unlock(&space->lock);
}

/* The area behind one that ends before @last; both stay, so it is there */
static struct area *area_behind(struct space *space, struct area *area,
				unsigned long last)
{
	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_next(&area->range, last));
	mutex_unlock(&space->lock);
	return area;
}

/* Unpin a range that begins in @area */
static void unpin_pages(struct space *space, struct area *area,
			unsigned long first, unsigned long last)
{
	for (;;) {
		unsigned long at = max(first, area->range.first);

		pages_unpin_singles(area->pages, area_index(area, at),
				    pages_in(area, first, last));
		if (area->range.last >= last)
			return;
		area = area_behind(space, area, last);
	}
}

static int pin_pages(struct space *space, const struct space_op *op,
		     struct page **out)
{
	struct area *area = op->area;
	int rc;

	for (;;) {
		unsigned long at = max(op->first, area->range.first);
		unsigned int nr = pages_in(area, op->first, op->last);

		rc = pages_pin_singles(area->pages, area_index(area, at), nr,
				       out);
		if (rc) {
			if (at != op->first)
				unpin_pages(space, op->area, op->first, at - 1);
			return rc;
		}
		if (area->range.last >= op->last)
			return 0;
		out += nr;
		area = area_behind(space, area, op->last);
	}
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
 * @space: the space, with an access that needs page alignment
 * @iova: first IOVA
 * @length: bytes
 * @out: one entry for each page that the range touches
 * @write: the pages will be written
 *
 * Return: 0; -EINVAL, -EOVERFLOW; -ENOENT when not all is mapped; -EPERM when it
 * is not mapped writable; -EFAULT or -ENOMEM from pinning. Nothing is pinned on
 * failure.
 */
int space_access_pin(struct space *space, unsigned long iova,
		     unsigned long length, struct page **out, bool write)
{
	unsigned long first;
	unsigned long last;
	struct space_op op;
	int rc;

	rc = page_range(iova, length, &first, &last);
	if (rc)
		return rc;
	rc = enter(space, &op, first, last, write);
	if (rc)
		return rc;
	rc = pin_pages(space, &op, out);
	if (rc)
		leave(space, &op);
	else
		leave_pinned(space, &op);
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
	struct area *start;
	struct area *area;

	if (WARN_ON(page_range(iova, length, &first, &last)))
		return;
	/* The pins keep the areas where they are */
	mutex_lock(&space->lock);
	start = range_to_area(iova_tree_first(&space->areas, first, first));
	mutex_unlock(&space->lock);

	unpin_pages(space, start, first, last);

	mutex_lock(&space->lock);
	for (area = start; area;
	     area = range_to_area(iova_tree_next(&area->range, last))) {
		area->pins -= pages_in(area, first, last);
		if (!area->pins)
			wake_idle(space);
	}
	mutex_unlock(&space->lock);
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
	struct space_op op;
	unsigned long last;
	struct area *area;
	int rc;

	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	rc = enter(space, &op, iova, last, write);
	if (rc)
		return rc;
	for (area = op.area;; area = area_behind(space, area, last)) {
		unsigned long end = min(last, area->range.last);

		rc = pages_rw(area->pages,
			      area->offset + (at - area->range.first), data,
			      end - at + 1, write);
		if (rc || end == last)
			break;
		data += end - at + 1;
		at = end + 1;
	}
	mutex_lock(&space->lock);
	if (write)
		space_mark_dirty(space, iova, last);
	leave_locked(space, &op);
	mutex_unlock(&space->lock);
	return rc;
}
