// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-kernel users of address spaces, by ID.
 *
 * What is pinned is counted page by page in the memory and in the areas of the
 * address space, so a user may pin in other portions than it unpins. Here is just
 * how much it is, which DETACH waits for.
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/kthread.h>
#include <linux/wait.h>

#include "ioas.h"
#include "trace.h"

/**
 * struct iommufd_access - An in-kernel user of address spaces
 * @obj: the object; held by the driver that created the access
 * @dev: the device whose DMA it is, or NULL. Guarded by ctx->topology, and NULL from
 *       the end of the access on
 * @attach_sem: guards @ioas and @leaving: held for reading by those who use
 *              them. Inside ctx->topology, outside the space's locks
 * @ioas: where it is attached, or NULL; held
 * @leaving: detach has begun, nothing may be pinned any more
 * @member: the access in the space
 * @nr_pinned: pages that are pinned. Becomes more only with @attach_sem held for
 *             reading and @leaving not set
 * @unpinned: woken when @nr_pinned has become 0
 */
struct iommufd_access {
	struct iommufd_object obj;
	struct device *dev;
	struct rw_semaphore attach_sem;
	struct iommufd_ioas *ioas;
	bool leaving;
	struct space_access member;
	atomic_long_t nr_pinned;
	wait_queue_head_t unpinned;
};

static void access_release(struct iommufd_object *obj)
{
	struct iommufd_access *access =
		container_of(obj, struct iommufd_access, obj);

	WARN_ON(access->ioas || atomic_long_read(&access->nr_pinned));
}

const struct iommufd_object_ops iommufd_access_object_ops = {
	.release = access_release,
};

static int group_number(struct device *dev)
{
	struct iommu_group *group = dev ? iommu_group_get(dev) : NULL;
	int number = group ? iommu_group_id(group) : -1;

	iommu_group_put(group);
	return number;
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
	access->dev = ops->device ? ops->device(data) : NULL;
	init_rwsem(&access->attach_sem);
	init_waitqueue_head(&access->unpinned);
	access->member.data = data;
	access->member.unmap = ops->needs_pin_pages ? ops->unmap : NULL;
	access->member.alignment = ops->needs_pin_pages ? PAGE_SIZE : 1;
	iommufd_object_hold(&access->obj);
	iommufd_ctx_get(ictx);
	iommufd_object_publish(&access->obj);
	trace_iommufd_bind(access->dev, access->obj.id,
			   group_number(access->dev));
	*id = access->obj.id;
	return access;
}
EXPORT_SYMBOL_GPL(iommufd_access_create);

static int attach_locked(struct iommufd_access *access,
			 struct iommufd_ioas *ioas)
{
	int rc;

	if (!iommufd_object_hold(&ioas->obj))
		return refuse(-ENOENT, "IOAS %u is being destroyed",
			      ioas->obj.id);
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

	/* A driver that is closed has no pins, and others' are none of its business */
	if (atomic_long_read(&access->nr_pinned))
		space_let_go(&ioas->space, &access->member);
	wait_event(access->unpinned, !atomic_long_read(&access->nr_pinned));

	down_write(&access->attach_sem);
	access->ioas = NULL;
	up_write(&access->attach_sem);
	space_remove_access(&ioas->space, &access->member);
	iommufd_object_unhold(&ioas->obj);
}

/*
 * What may fail comes before the driver is told to let go: the access joins the new
 * space in the person of somebody who demands the same of it, but has no pins of
 * which an UNMAP there could tell.
 */
static int move_locked(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	struct space_access keep = { .alignment = access->member.alignment };
	int rc;

	if (!iommufd_object_hold(&ioas->obj))
		return refuse(-ENOENT, "IOAS %u is being destroyed",
			      ioas->obj.id);
	rc = space_add_access(&ioas->space, &keep);
	if (rc)
		goto out_unhold;
	detach_locked(access);
	WARN_ON(attach_locked(access, ioas));
	space_remove_access(&ioas->space, &keep);
out_unhold:
	iommufd_object_unhold(&ioas->obj);
	return rc;
}

static void detach_traced(struct iommufd_access *access)
{
	trace_iommufd_detach(access->dev, access->obj.id, 0,
			     access->ioas->obj.id);
	detach_locked(access);
}

int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ctx *ictx = access->obj.ictx;
	struct iommufd_ioas *ioas = iommufd_ioas_get(ictx, ioas_id);
	int rc;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ictx->topology);
	if (access->ioas)
		rc = refuse(-EINVAL, "the device is attached already");
	else
		rc = attach_locked(access, ioas);
	if (!rc)
		trace_iommufd_attach(access->dev, access->obj.id, 0, ioas_id);
	mutex_unlock(&ictx->topology);
	iommufd_ioas_put(ioas);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_access_attach);

int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ctx *ictx = access->obj.ictx;
	struct iommufd_ioas *ioas = iommufd_ioas_get(ictx, ioas_id);
	int rc = 0;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ictx->topology);
	if (!access->ioas)
		rc = refuse(-ENOENT, "the device is not attached");
	else if (access->ioas != ioas)
		rc = move_locked(access, ioas);
	if (!rc)
		trace_iommufd_replace(access->dev, access->obj.id, 0, ioas_id);
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
		detach_traced(access);
	mutex_unlock(&ictx->topology);
}
EXPORT_SYMBOL_GPL(iommufd_access_detach);

void iommufd_access_destroy(struct iommufd_access *access)
{
	struct iommufd_ctx *ictx = access->obj.ictx;

	mutex_lock(&ictx->topology);
	if (access->ioas)
		detach_traced(access);
	trace_iommufd_unbind(access->dev, access->obj.id,
			     group_number(access->dev));
	access->dev = NULL;
	mutex_unlock(&ictx->topology);

	iommufd_object_tryget(&access->obj);
	iommufd_object_unhold(&access->obj);
	iommufd_object_retire(&access->obj);
	iommufd_object_put(&access->obj);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_GPL(iommufd_access_destroy);

static unsigned long pages_touched(unsigned long iova, unsigned long last)
{
	return (last >> PAGE_SHIFT) - (iova >> PAGE_SHIFT) + 1;
}

int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	unsigned long last;
	int rc = -ENOENT;

	if (WARN_ON(!access->member.unmap))
		return -EINVAL;
	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;

	down_read(&access->attach_sem);
	if (!access->ioas || access->leaving)
		goto out_up;
	rc = space_access_pin(&access->ioas->space, iova, length, out_pages,
			      flags & IOMMUFD_ACCESS_RW_WRITE);
	if (!rc)
		atomic_long_add(pages_touched(iova, last), &access->nr_pinned);
out_up:
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
		space_access_unpin(&access->ioas->space, iova, length);
		if (!atomic_long_sub_return(pages_touched(iova, last),
					    &access->nr_pinned))
			wake_up_all(&access->unpinned);
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

/**
 * iommufd_access_show - Describe an access in a line of fdinfo
 * @seq: where to
 * @obj: the access, with ctx->topology held
 */
void iommufd_access_show(struct seq_file *seq, struct iommufd_object *obj)
{
	struct iommufd_access *access =
		container_of(obj, struct iommufd_access, obj);

	lockdep_assert_held(&obj->ictx->topology);

	seq_printf(seq, "access:\t%u", obj->id);
	if (access->dev)
		seq_printf(seq, " name %s", dev_name(access->dev));
	if (access->ioas)
		seq_printf(seq, " ioas %u\n", access->ioas->obj.id);
	else
		seq_puts(seq, " ioas -\n");
}
