// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device as /dev/iommu sees it: an iommufd device if it does DMA by itself,
 * an iommufd access if the CPU does it on the device's behalf. The latter's
 * drivers pin, read and write the memory of their user through functions here.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "compat.h"
#include "vfio.h"

/* The driver must let go of its pins in a range that is about to be unmapped */
static void access_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct vfio_device *vdev = data;

	vdev->ops->dma_unmap(vdev, iova, length);
}

static struct device *access_device(void *data)
{
	struct vfio_device *vdev = data;

	return vdev->dev;
}

static const struct iommufd_access_ops pinning_ops = {
	.needs_pin_pages = 1,
	.unmap = access_unmap,
	.device = access_device,
};

/* For a driver that can not be told to let go, and so may not pin */
static const struct iommufd_access_ops copying_ops = {
	.device = access_device,
};

static void group_add_owner(struct vfio_group *group, struct iommufd_ctx *ictx)
{
	spin_lock(&group->owner_lock);
	WARN_ON(group->owned && group->owner != ictx);
	group->owner = ictx;
	group->owned++;
	spin_unlock(&group->owner_lock);
}

static void group_drop_owner(struct vfio_group *group)
{
	spin_lock(&group->owner_lock);
	if (!--group->owned)
		group->owner = NULL;
	spin_unlock(&group->owner_lock);
}

static bool group_is_owned(struct vfio_group *group, struct iommufd_ctx *ictx)
{
	bool owned;

	spin_lock(&group->owner_lock);
	owned = group->owner == ictx;
	spin_unlock(&group->owner_lock);
	return owned;
}

int vfio_iommufd_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx,
		      u32 *devid)
{
	struct vfio_state *state = vfio_state(vdev);

	lockdep_assert_held(&state->lock);

	if (vdev->group->emulated) {
		const struct iommufd_access_ops *ops =
			vdev->ops->dma_unmap ? &pinning_ops : &copying_ops;
		struct iommufd_access *access;

		access = iommufd_access_create(ictx, ops, vdev, devid);
		if (IS_ERR(access))
			return PTR_ERR(access);
		state->access = access;
	} else {
		struct iommufd_device *idev;

		idev = iommufd_device_bind(ictx, vdev->dev, devid);
		if (IS_ERR(idev))
			return PTR_ERR(idev);
		mutex_lock(&vdev->dev_set->lock);
		state->idev = idev;
		group_add_owner(vdev->group, ictx);
		mutex_unlock(&vdev->dev_set->lock);
	}
	return 0;
}

/*
 * The driver has been closed, so it has no pins left, and is not told to let go of
 * any. Until the access has ended it may hear of what others unmap, as ever.
 */
void vfio_iommufd_unbind(struct vfio_device *vdev)
{
	struct vfio_state *state = vfio_state(vdev);
	struct iommufd_device *idev = state->idev;

	lockdep_assert_held(&state->lock);

	if (state->access) {
		iommufd_access_destroy(state->access);
		state->access = NULL;
		state->attached = false;
	} else {
		vfio_iommufd_detach(vdev);
		/* Nobody else can own the group before the device is unbound */
		mutex_lock(&vdev->dev_set->lock);
		group_drop_owner(vdev->group);
		state->idev = NULL;
		mutex_unlock(&vdev->dev_set->lock);
		iommufd_device_unbind(idev);
	}
}

/* Attach, or move if attached already */
int vfio_iommufd_attach(struct vfio_device *vdev, u32 *pt_id)
{
	struct vfio_state *state = vfio_state(vdev);
	int ret;

	lockdep_assert_held(&state->lock);

	if (state->access)
		ret = state->attached ?
			iommufd_access_replace(state->access, *pt_id) :
			iommufd_access_attach(state->access, *pt_id);
	else
		ret = state->attached ?
			iommufd_device_replace(state->idev, IOMMU_NO_PASID,
					       pt_id) :
			iommufd_device_attach(state->idev, IOMMU_NO_PASID,
					      pt_id);
	if (!ret)
		state->attached = true;
	return ret;
}

void vfio_iommufd_detach(struct vfio_device *vdev)
{
	struct vfio_state *state = vfio_state(vdev);

	lockdep_assert_held(&state->lock);

	if (!state->attached)
		return;
	if (state->access)
		iommufd_access_detach(state->access);
	else
		iommufd_device_detach(state->idev, IOMMU_NO_PASID);
	state->attached = false;
}

/* Where the DMA of a device goes; NULL if it is not open or does none itself */
struct iommufd_ctx *vfio_iommufd_ctx(struct vfio_device *vdev)
{
	struct vfio_state *state = vfio_state(vdev);

	lockdep_assert(lockdep_is_held(&state->lock) ||
		       lockdep_is_held(&vdev->dev_set->lock));

	return state->idev ? iommufd_device_to_ictx(state->idev) : NULL;
}

/*
 * What @vdev is to the user of @ictx: the ID of the device there; or
 * VFIO_PCI_DEVID_OWNED for one without ID that nobody else can be using,
 * because its group belongs to @ictx; or VFIO_PCI_DEVID_NOT_OWNED. Must not ask
 * @ictx, whose own locks are held while memory is pinned: drivers get here with
 * locks held that a page fault waits for.
 */
u32 vfio_iommufd_devid(struct vfio_device *vdev, struct iommufd_ctx *ictx)
{
	lockdep_assert_held(&vdev->dev_set->lock);

	if (vfio_iommufd_ctx(vdev) == ictx)
		return iommufd_device_to_id(vfio_state(vdev)->idev);
	if (vdev->group && group_is_owned(vdev->group, ictx))
		return VFIO_PCI_DEVID_OWNED;
	return VFIO_PCI_DEVID_NOT_OWNED;
}

/*
 * Pin @npage pages from the one that @iova lies in; the driver adds the offset
 * in the page itself. All or none: the count is returned, or an error.
 *
 * The access of an open device stays, so there is no lock to take here.
 */
int vfio_pin_pages(struct vfio_device *vdev, dma_addr_t iova, int npage,
		   int prot, struct page **pages)
{
	struct iommufd_access *access;
	int ret;

	if (!pages || npage <= 0 || !vfio_device_is_open(vdev))
		return -EINVAL;
	if (npage > VFIO_PIN_PAGES_MAX_ENTRIES)
		return -E2BIG;

	access = vfio_state(vdev)->access;
	if (!access || !vdev->ops->dma_unmap)
		return -EINVAL;

	ret = iommufd_access_pin_pages(access, ALIGN_DOWN(iova, PAGE_SIZE),
				       npage * PAGE_SIZE, pages,
				       prot & IOMMU_WRITE ?
				       IOMMUFD_ACCESS_RW_WRITE :
				       IOMMUFD_ACCESS_RW_READ);
	return ret ? ret : npage;
}

void vfio_unpin_pages(struct vfio_device *vdev, dma_addr_t iova, int npage)
{
	struct iommufd_access *access;

	/* Drivers undo a pin of which not even the first page could be had */
	if (!npage)
		return;
	if (WARN_ON(npage < 0 || npage > VFIO_PIN_PAGES_MAX_ENTRIES))
		return;
	if (!vfio_device_is_open(vdev))
		return;

	access = vfio_state(vdev)->access;
	if (WARN_ON(!access || !vdev->ops->dma_unmap))
		return;
	iommufd_access_unpin_pages(access, ALIGN_DOWN(iova, PAGE_SIZE),
				   npage * PAGE_SIZE);
}

int vfio_dma_rw(struct vfio_device *vdev, dma_addr_t iova, void *data,
		size_t len, bool write)
{
	unsigned int flags = write ? IOMMUFD_ACCESS_RW_WRITE :
				     IOMMUFD_ACCESS_RW_READ;
	struct iommufd_access *access;

	if (!data || !len || !vfio_device_is_open(vdev))
		return -EINVAL;

	access = vfio_state(vdev)->access;
	if (!access)
		return -EINVAL;
	/* Drivers call this from kernel threads without saying so */
	if (!current->mm)
		flags |= IOMMUFD_ACCESS_RW_KTHREAD;
	return iommufd_access_rw(access, iova, data, len, flags);
}
