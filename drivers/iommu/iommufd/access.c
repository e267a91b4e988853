// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-kernel users of address spaces, by ID.
 *
 * An access keeps count of what it has pinned, page by page, for two ends: its
 * user may pin in other portions than it unpins, and is asked to unpin only ranges
 * in which something is pinned, because some drivers look at every page of
 * the range that they are given.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/kthread.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "ioas.h"

/**
 * struct iommufd_access - An in-kernel user of address spaces
 * @obj: the object; held by the driver that created the access
 * @ops: what to call back
 * @data: passed to @ops
 * @attach_sem: guards @ioas and @leaving: held for reading by those who use
 *              them. Inside ctx->topology, outside the space's locks
 * @ioas: where it is attached, or NULL; held
 * @leaving: detach has begun, nothing may be pinned any more
 * @member: the access in the space
 * @pin_lock: keeps what one pin has reserved in @pins from another pin or unpin.
 *            Inside @attach_sem
 * @pins: index of the IOVA in pages -> how often it is pinned
 * @unpinned: woken when @pins has become empty
 */
struct iommufd_access {
	struct iommufd_object obj;
	const struct iommufd_access_ops *ops;
	void *data;
	struct rw_semaphore attach_sem;
	struct iommufd_ioas *ioas;
	bool leaving;
	struct space_access member;
	struct mutex pin_lock; /* keeps the slots of a pin that is under way */
	struct xarray pins;
	wait_queue_head_t unpinned;
};

static void access_release(struct iommufd_object *obj)
{
	struct iommufd_access *access =
		container_of(obj, struct iommufd_access, obj);

	WARN_ON(access->ioas || !xa_empty(&access->pins));
	xa_destroy(&access->pins);
	mutex_destroy(&access->pin_lock);
}

const struct iommufd_object_ops iommufd_access_object_ops = {
	.release = access_release,
};

/* Add to the count of each page from @first to @last; nothing is allocated */
static void pins_count(struct iommufd_access *access, unsigned long first,
		       unsigned long last, int by)
{
	unsigned long index;

	xa_lock(&access->pins);
	for (index = first; index <= last; index++) {
		unsigned long count = xa_to_value(xa_load(&access->pins,
							  index)) + by;

		if (count)
			__xa_store(&access->pins, index, xa_mk_value(count),
				   GFP_NOWAIT);
		else
			__xa_erase(&access->pins, index);
	}
	xa_unlock(&access->pins);
	if (by < 0 && xa_empty(&access->pins))
		wake_up_all(&access->unpinned);
}

static void access_pinned(void *data, unsigned long first, unsigned long last)
{
	pins_count(data, first >> PAGE_SHIFT, last >> PAGE_SHIFT, 1);
}

/* Have room for a count of each page from @first to @last */
static int pins_reserve(struct iommufd_access *access, unsigned long first,
			unsigned long last)
{
	unsigned long index;
	int rc;

	for (index = first; index <= last; index++) {
		rc = xa_reserve(&access->pins, index, GFP_KERNEL_ACCOUNT);
		if (rc)
			break;
	}
	if (index > last)
		return 0;
	while (index-- > first)
		xa_release(&access->pins, index);
	return rc;
}

static void pins_release(struct iommufd_access *access, unsigned long first,
			 unsigned long last)
{
	unsigned long index;

	for (index = first; index <= last; index++)
		xa_release(&access->pins, index);
}

/* Ask for each stretch that is pinned between two IOVAs to be unpinned */
static void access_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct iommufd_access *access = data;
	unsigned long last = (iova + length - 1) >> PAGE_SHIFT;
	unsigned long index = iova >> PAGE_SHIFT;

	while (xa_find(&access->pins, &index, last, XA_PRESENT)) {
		unsigned long first = index;

		do {
			index++;
		} while (index <= last && xa_load(&access->pins, index));
		access->ops->unmap(access->data, first << PAGE_SHIFT,
				   (index - first) << PAGE_SHIFT);
		if (index > last)
			break;
	}
}

struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ictx,
		      const struct iommufd_access_ops *ops, void *data, u32 *id)
{
	struct iommufd_access *access;

	access = iommufd_object_alloc(ictx, sizeof(*access),
				      IOMMUFD_OBJ_ACCESS);
	if (IS_ERR(access))
		return access;
	access->ops = ops;
	access->data = data;
	init_rwsem(&access->attach_sem);
	mutex_init(&access->pin_lock);
	xa_init_flags(&access->pins, XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&access->unpinned);
	access->member.data = access;
	access->member.unmap = ops->needs_pin_pages ? access_unmap : NULL;
	access->member.pinned = access_pinned;
	access->member.alignment = ops->needs_pin_pages ? PAGE_SIZE : 1;
	iommufd_object_hold(&access->obj);
	iommufd_ctx_get(ictx);
	iommufd_object_publish(&access->obj);
	*id = access->obj.id;
	return access;
}
EXPORT_SYMBOL_GPL(iommufd_access_create);

static int attach_locked(struct iommufd_access *access,
			 struct iommufd_ioas *ioas)
{
	int rc;

	if (!iommufd_object_hold(&ioas->obj))
		return -ENOENT;
	rc = space_add_access(&ioas->space, &access->member);
	if (rc) {
		iommufd_object_unhold(&ioas->obj);
		return rc;
	}
	down_write(&access->attach_sem);
	access->ioas = ioas;
	access->leaving = false;
	up_write(&access->attach_sem);
	return 0;
}

static void detach_locked(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas = access->ioas;

	down_write(&access->attach_sem);
	access->leaving = true;
	up_write(&access->attach_sem);

	if (access->member.unmap)
		access_unmap(access, 0, ULONG_MAX);
	wait_event(access->unpinned, xa_empty(&access->pins));

	down_write(&access->attach_sem);
	access->ioas = NULL;
	up_write(&access->attach_sem);
	space_remove_access(&ioas->space, &access->member);
	iommufd_object_unhold(&ioas->obj);
}

int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ctx *ictx = access->obj.ictx;
	struct iommufd_ioas *ioas = iommufd_ioas_get(ictx, ioas_id);
	int rc = -EINVAL;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ictx->topology);
	if (!access->ioas)
		rc = attach_locked(access, ioas);
	mutex_unlock(&ictx->topology);
	iommufd_ioas_put(ioas);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_access_attach);

int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ctx *ictx = access->obj.ictx;
	struct iommufd_ioas *ioas = iommufd_ioas_get(ictx, ioas_id);
	struct iommufd_ioas *former;
	int rc = 0;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ictx->topology);
	former = access->ioas;
	if (!former) {
		rc = -ENOENT;
	} else if (former != ioas) {
		/* The former cannot be retired before it may be needed again */
		iommufd_object_hold(&former->obj);
		detach_locked(access);
		rc = attach_locked(access, ioas);
		if (rc)
			WARN_ON(attach_locked(access, former));
		iommufd_object_unhold(&former->obj);
	}
	mutex_unlock(&ictx->topology);
	iommufd_ioas_put(ioas);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_access_replace);

void iommufd_access_detach(struct iommufd_access *access)
{
	struct iommufd_ctx *ictx = access->obj.ictx;

	mutex_lock(&ictx->topology);
	if (!WARN_ON(!access->ioas))
		detach_locked(access);
	mutex_unlock(&ictx->topology);
}
EXPORT_SYMBOL_GPL(iommufd_access_detach);

void iommufd_access_destroy(struct iommufd_access *access)
{
	struct iommufd_ctx *ictx = access->obj.ictx;

	mutex_lock(&ictx->topology);
	if (access->ioas)
		detach_locked(access);
	mutex_unlock(&ictx->topology);

	iommufd_object_tryget(&access->obj);
	iommufd_object_unhold(&access->obj);
	iommufd_object_retire(&access->obj);
	iommufd_object_put(&access->obj);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_GPL(iommufd_access_destroy);

int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	unsigned long first = iova >> PAGE_SHIFT;
	unsigned long last;
	int rc = -ENOENT;

	if (WARN_ON(!access->member.unmap))
		return -EINVAL;
	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	last >>= PAGE_SHIFT;

	down_read(&access->attach_sem);
	mutex_lock(&access->pin_lock);
	if (!access->ioas || access->leaving)
		goto out_unlock;
	rc = pins_reserve(access, first, last);
	if (rc)
		goto out_unlock;
	rc = space_access_pin(&access->ioas->space, &access->member, iova,
			      length, out_pages,
			      flags & IOMMUFD_ACCESS_RW_WRITE);
	if (rc)
		pins_release(access, first, last);
out_unlock:
	mutex_unlock(&access->pin_lock);
	up_read(&access->attach_sem);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_access_pin_pages);

void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length)
{
	unsigned long last;

	if (WARN_ON(!length || check_add_overflow(iova, length - 1, &last)))
		return;
	down_read(&access->attach_sem);
	if (!WARN_ON(!access->ioas)) {
		/* Before UNMAP can take the pages for somebody else's */
		mutex_lock(&access->pin_lock);
		pins_count(access, iova >> PAGE_SHIFT, last >> PAGE_SHIFT, -1);
		mutex_unlock(&access->pin_lock);
		space_access_unpin(&access->ioas->space, iova, length);
	}
	up_read(&access->attach_sem);
}
EXPORT_SYMBOL_GPL(iommufd_access_unpin_pages);

int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t len, unsigned int flags)
{
	int rc = -ENOENT;

	down_read(&access->attach_sem);
	if (access->ioas && !access->leaving)
		rc = space_access_rw(&access->ioas->space, iova, data, len,
				     flags & IOMMUFD_ACCESS_RW_WRITE);
	up_read(&access->attach_sem);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_access_rw);
