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
#include <linux/pci.h>
#include <linux/slab.h>

#include <compat.h>
#include "device.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Bind devices on platforms without interrupt remapping, on which their user can inject interrupts into the host (default: N)");

static struct iommufd_group *group_find(struct iommufd_ctx *ictx,
					struct iommu_group *group)
{
	struct iommufd_group *igroup;

	lockdep_assert_held(&ictx->topology);

	list_for_each_entry(igroup, &ictx->groups, link)
		if (igroup->group == group)
			return igroup;
	return NULL;
}

static int get_first(struct device *dev, void *data)
{
	*(struct device **)data = get_device(dev);
	return 1;
}

/**
 * iommufd_group_get_device - Any device of a group
 * @group: an IOMMU group with a device
 *
 * For what the IOMMU drivers of the group's devices have in common.
 *
 * Return: the device with a reference, or NULL when there is none after all.
 */
struct device *iommufd_group_get_device(struct iommu_group *group)
{
	struct device *dev = NULL;

	iommu_group_for_each_dev(group, &dev, get_first);
	return dev;
}

/*
 * Is it a device whose driver has the kernel do its DMA? One that comes or goes just
 * now is passed over.
 */
static int get_used_by_kernel(struct device *dev, void *data)
{
	bool used;

	/* Whoever has it may be waiting for the group's lock, which is held here */
	if (!device_trylock(dev))
		return 0;
	used = dev->driver && !(dev_is_pci(dev) &&
				to_pci_driver(dev->driver)->driver_managed_dma);
	device_unlock(dev);
	return used ? get_first(dev, data) : 0;
}

static void __cold refuse_claim(struct iommu_group *group, int error)
{
	struct device *dev = NULL;

	iommu_group_for_each_dev(group, &dev, get_used_by_kernel);
	if (dev)
		iommufd_refuse(error, "group %d is not viable: %s is used by the driver %s",
			       iommu_group_id(group), dev_name(dev),
			       dev_driver_string(dev));
	else if (error == -EPERM)
		iommufd_refuse(error, "group %d belongs to another /dev/iommu or container",
			       iommu_group_id(group));
	else
		iommufd_refuse(error, "group %d cannot be taken from the kernel: error %d",
			       iommu_group_id(group), error);
	put_device(dev);
}

/**
 * iommufd_group_claim - Own the DMA of a group
 * @ictx: the file, with its topology locked
 * @group: the IOMMU group
 *
 * Return: the group, to which the caller adds a device or a hold, or which it
 * gives to iommufd_group_release_if_empty(); or an ERR_PTR: -EPERM when interrupts
 * are not isolated or somebody else owns the group; what the IOMMU driver says when no
 * domain serves the group now.
 */
struct iommufd_group *iommufd_group_claim(struct iommufd_ctx *ictx,
					  struct iommu_group *group)
{
	struct iommufd_group *igroup = group_find(ictx, group);
	struct device *dev;
	int rc;

	if (igroup)
		return igroup;

	igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);
	if (!igroup)
		return ERR_PTR(refuse(-ENOMEM, NO_MEMORY_FOR "a group"));
	dev = iommufd_group_get_device(group);
	if (!dev) {
		rc = refuse(-ENODEV, "group %d has no device",
			    iommu_group_id(group));
		goto err_free;
	}
	if (!iommu_group_has_isolated_msi(group) && !allow_unsafe_interrupts) {
		dev_warn_ratelimited(dev,
				     "interrupts are not isolated: turn interrupt remapping on, or set iommufd.allow_unsafe_interrupts\n");
		rc = refuse(-EPERM,
			    "interrupts are not isolated: turn interrupt remapping on, or set iommufd.allow_unsafe_interrupts");
		goto err_put;
	}
	rc = iommu_group_take(group, ictx);
	if (rc) {
		refuse_claim(group, rc);
		goto err_put;
	}

	rc = iommu_group_get_traits(group, dev, &igroup->traits);
	if (rc) {
		iommufd_refuse(rc, "the IOMMU driver of %s has no domain for it: error %d",
			       dev_name(dev), rc);
		goto err_release;
	}

	igroup->ictx = ictx;
	igroup->group = iommu_group_ref_get(group);
	INIT_LIST_HEAD(&igroup->devices);
	list_add_tail(&igroup->link, &ictx->groups);
	put_device(dev);
	return igroup;

err_release:
	iommu_group_give_back(group);
err_put:
	put_device(dev);
err_free:
	kfree(igroup);
	return ERR_PTR(rc);
}

/**
 * iommufd_group_hold - Own the DMA of a group until iommufd_group_unhold()
 * @ictx: the file
 * @group: the IOMMU group
 *
 * Return: as iommufd_group_claim().
 */
struct iommufd_group *iommufd_group_hold(struct iommufd_ctx *ictx,
					 struct iommu_group *group)
{
	struct iommufd_group *igroup;

	mutex_lock(&ictx->topology);
	igroup = iommufd_group_claim(ictx, group);
	if (!IS_ERR(igroup))
		igroup->holds++;
	mutex_unlock(&ictx->topology);
	return igroup;
}

/**
 * iommufd_group_unhold - Undo iommufd_group_hold()
 * @igroup: not attached on the caller's behalf any more
 */
void iommufd_group_unhold(struct iommufd_group *igroup)
{
	struct iommufd_ctx *ictx = igroup->ictx;

	mutex_lock(&ictx->topology);
	igroup->holds--;
	iommufd_group_release_if_empty(igroup);
	mutex_unlock(&ictx->topology);
}

/**
 * iommufd_group_release_if_empty - Give the DMA of a group back
 * @igroup: a group of a file whose topology is locked
 */
void iommufd_group_release_if_empty(struct iommufd_group *igroup)
{
	lockdep_assert_held(&igroup->ictx->topology);

	if (igroup->holds || !list_empty(&igroup->devices))
		return;
	list_del(&igroup->link);
	iommu_group_give_back(igroup->group);
	iommu_group_put(igroup->group);
	kfree(igroup);
}

/**
 * iommufd_group_reserve - Exclude from a space what the group's devices reserve
 * @igroup: the group
 * @space: the space; what they have reserved in it before is replaced
 *
 * Return: 0; -EADDRINUSE when something is mapped there; -ENOMEM. Nothing has changed
 * then.
 */
int iommufd_group_reserve(struct iommufd_group *igroup, struct space *space)
{
	struct iommu_resv_region *resv;
	LIST_HEAD(regions);
	struct device *dev;
	int rc;

	lockdep_assert_held(&igroup->ictx->topology);

	rc = iommu_get_group_resv_regions(igroup->group, &regions);
	if (rc) {
		iommufd_refuse(rc,
			       "the regions that group %d reserves cannot be found out: error %d",
			       iommu_group_id(igroup->group), rc);
		goto out_put;
	}

	mutex_lock(&space->lock);
	list_for_each_entry(resv, &regions, list) {
		/* Meant for the device's firmware, which its user replaces */
		if (resv->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		rc = iova_reserve(space, resv->start,
				  resv->start + resv->length - 1, &regions);
		if (rc)
			break;
	}
	if (rc) {
		iova_unreserve(space, &regions);
	} else {
		iova_unreserve(space, igroup);
		iova_pass_reserved(space, &regions, igroup);
	}
	mutex_unlock(&space->lock);
out_put:
	dev = iommufd_group_get_device(igroup->group);
	iommu_put_resv_regions(dev, &regions);
	put_device(dev);
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
