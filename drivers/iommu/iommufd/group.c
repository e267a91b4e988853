// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices of an IOMMU group, which attach as one.
 *
 * The IOMMU cannot tell the devices of a group apart, or could not keep
 * them from each other. So the DMA of all of them is owned and moved together:
 * binding the first device claims the group, and unbinding the last gives it back.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <compat.h>
#include "device.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Bind devices on platforms without interrupt remapping, on which their user can inject interrupts into the host (default: N)");

/**
 * iommufd_group_find - Is a group owned by this file?
 * @ictx: the file, with its topology locked
 * @group: the IOMMU group
 */
struct iommufd_group *iommufd_group_find(struct iommufd_ctx *ictx,
					 struct iommu_group *group)
{
	struct iommufd_group *igroup;

	lockdep_assert_held(&ictx->topology);

	list_for_each_entry(igroup, &ictx->groups, link)
		if (igroup->group == group)
			return igroup;
	return NULL;
}

/**
 * iommufd_group_claim - Own the DMA of a device's group
 * @ictx: the file, with its topology locked
 * @dev: the device
 *
 * Return: the group, to which the caller adds a device or which it gives to
 * iommufd_group_release_if_empty(); or an ERR_PTR: -ENODEV when there is none,
 * -EPERM when interrupts are not isolated or somebody else owns the group.
 */
struct iommufd_group *iommufd_group_claim(struct iommufd_ctx *ictx,
					  struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommufd_group *igroup;
	int rc;

	if (!group)
		return ERR_PTR(-ENODEV);
	igroup = iommufd_group_find(ictx, group);
	if (igroup) {
		iommu_group_put(group);
		return igroup;
	}

	igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);
	if (!igroup) {
		rc = -ENOMEM;
		goto err_put;
	}
	if (!iommu_group_has_isolated_msi(group) && !allow_unsafe_interrupts) {
		dev_warn_ratelimited(dev,
				     "interrupts are not isolated: turn interrupt remapping on, or set iommufd.allow_unsafe_interrupts\n");
		rc = -EPERM;
		goto err_free;
	}
	rc = iommu_group_claim_dma_owner(group, ictx);
	if (rc)
		goto err_free;

	igroup->ictx = ictx;
	igroup->group = group;
	igroup->can_enforce = iommu_group_can_enforce_coherency(group, dev);
	INIT_LIST_HEAD(&igroup->devices);
	list_add_tail(&igroup->link, &ictx->groups);
	return igroup;

err_free:
	kfree(igroup);
err_put:
	iommu_group_put(group);
	return ERR_PTR(rc);
}

/**
 * iommufd_group_release_if_empty - Give the DMA of a group back
 * @igroup: a group of a file whose topology is locked
 */
void iommufd_group_release_if_empty(struct iommufd_group *igroup)
{
	lockdep_assert_held(&igroup->ictx->topology);

	if (!list_empty(&igroup->devices))
		return;
	list_del(&igroup->link);
	iommu_group_release_dma_owner(igroup->group);
	iommu_group_put(igroup->group);
	kfree(igroup);
}

/**
 * iommufd_group_reserve - Exclude from a space what the group's devices reserve
 * @igroup: the group
 * @space: the space
 *
 * Return: 0; -EADDRINUSE when something is mapped there; -ENOMEM.
 */
int iommufd_group_reserve(struct iommufd_group *igroup, struct space *space)
{
	struct iommu_resv_region *resv;
	LIST_HEAD(regions);
	int rc;

	lockdep_assert_held(&igroup->ictx->topology);

	rc = iommu_get_group_resv_regions(igroup->group, &regions);
	if (rc)
		goto out_put;

	mutex_lock(&space->lock);
	list_for_each_entry(resv, &regions, list) {
		/* Meant for the device's firmware, which its user replaces */
		if (resv->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		rc = iova_reserve(space, resv->start,
				  resv->start + resv->length - 1, igroup);
		if (rc) {
			iova_unreserve(space, igroup);
			break;
		}
	}
	mutex_unlock(&space->lock);
out_put:
	iommu_put_resv_regions(iommufd_group_device(igroup), &regions);
	return rc;
}

/**
 * iommufd_group_unreserve - Undo iommufd_group_reserve()
 * @igroup: the group
 * @space: the space
 */
void iommufd_group_unreserve(struct iommufd_group *igroup, struct space *space)
{
	mutex_lock(&space->lock);
	iova_unreserve(space, igroup);
	mutex_unlock(&space->lock);
}
