// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bound devices, and what they are attached to.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>

#include <compat.h>

#include "coherency.h"
#include "trace.h"

static void device_release(struct iommufd_object *obj)
{
	/* All was given back by iommufd_device_unbind() */
}

const struct iommufd_object_ops iommufd_device_object_ops = {
	.release = device_release,
};

struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx,
					   struct device *dev, u32 *id)
{
	struct iommu_group *iommu_group;
	struct iommufd_device *idev;
	struct iommufd_group *group;

	/* There is no way for the user to flush the caches by hand */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(refuse(-EINVAL,
				      "%s is not behind an IOMMU whose DMA is coherent with the caches",
				      dev_name(dev)));

	iommu_group = iommu_group_get(dev);
	if (!iommu_group)
		return ERR_PTR(refuse(-ENODEV, "%s has no IOMMU group",
				      dev_name(dev)));
	idev = iommufd_object_alloc(ictx, sizeof(*idev), IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev)) {
		iommu_group_put(iommu_group);
		return idev;
	}

	mutex_lock(&ictx->topology);
	group = iommufd_group_claim(ictx, iommu_group);
	iommu_group_put(iommu_group);
	if (IS_ERR(group)) {
		mutex_unlock(&ictx->topology);
		iommufd_object_abort(&idev->obj);
		return ERR_CAST(group);
	}
	idev->dev = dev;
	idev->group = group;
	list_add_tail(&idev->link, &group->devices);
	/* The driver's, so that the user cannot destroy it */
	iommufd_object_hold(&idev->obj);
	iommufd_ctx_get(ictx);
	iommufd_object_publish(&idev->obj);
	coherency_bind(idev);
	/* It may have been plugged in after the others of its group were attached */
	if (group->hwpt)
		iommufd_hwpt_learn_device_tlbs(group->hwpt, group);
	trace_iommufd_bind(dev, idev->obj.id, iommu_group_id(group->group));
	mutex_unlock(&ictx->topology);
	*id = idev->obj.id;
	return idev;
}
EXPORT_SYMBOL_GPL(iommufd_device_bind);

void iommufd_device_unbind(struct iommufd_device *idev)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;

	mutex_lock(&ictx->topology);
	WARN_ON(idev->attached);
	trace_iommufd_unbind(idev->dev, idev->obj.id,
			     iommu_group_id(idev->group->group));
	coherency_unbind(idev);
	list_del(&idev->link);
	iommufd_group_release_if_empty(idev->group);
	idev->dev = NULL;
	mutex_unlock(&ictx->topology);

	iommufd_object_tryget(&idev->obj);
	iommufd_object_unhold(&idev->obj);
	iommufd_object_retire(&idev->obj);
	iommufd_object_put(&idev->obj);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_GPL(iommufd_device_unbind);

/* Attach a blocked group to one of the automatic HWPTs of an IOAS */
static int attach_ioas(struct iommufd_group *group, struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	list_for_each_entry(hwpt, &ioas->hwpts, link) {
		/* One that enforces snooping stays so, and so does one that can't */
		if (!hwpt->automatic || !hwpt->nr_groups ||
		    hwpt->enforces != group->traits.can_enforce)
			continue;
		rc = iommufd_hwpt_attach(hwpt, group);
		if (rc != -EINVAL && rc != -ENOENT)
			return rc;
		/* Another HWPT may do */
		iommufd_refusal_forget();
	}

	hwpt = iommufd_hwpt_alloc(ioas, true);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = iommufd_hwpt_attach(hwpt, group);
	if (rc)
		iommufd_hwpt_abort(hwpt);
	else
		iommufd_hwpt_publish(hwpt);
	return rc;
}

/**
 * struct target - Where a group is to be attached
 * @obj: a reference on the one of both that the user named
 * @ioas: the address space
 * @hwpt: the HWPT that was named, or NULL when it was the IOAS
 */
struct target {
	struct iommufd_object *obj;
	struct iommufd_ioas *ioas;
	struct iommufd_hwpt *hwpt;
};

static int target_get(struct iommufd_ctx *ictx, u32 pasid, u32 id,
		      struct target *target)
{
	struct iommufd_object *obj;

	if (pasid != IOMMU_NO_PASID)
		return refuse(-EOPNOTSUPP, NO_PASIDS);
	obj = iommufd_object_get(ictx, id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	target->obj = obj;
	target->hwpt = NULL;
	switch (obj->type) {
	case IOMMUFD_OBJ_HWPT:
		target->hwpt = container_of(obj, struct iommufd_hwpt, obj);
		target->ioas = target->hwpt->ioas;
		return 0;
	case IOMMUFD_OBJ_IOAS:
		target->ioas = container_of(obj, struct iommufd_ioas, obj);
		return 0;
	default:
		iommufd_object_put(obj);
		return refuse(-EINVAL, "the ID %u is of type %s, not IOAS or HWPT",
			      id, iommufd_object_type_name(obj->type));
	}
}

/* Is an attached group where it is to go already? */
static bool at_target(const struct iommufd_group *group,
		      const struct target *target)
{
	if (target->hwpt)
		return group->hwpt == target->hwpt;
	return group->hwpt->automatic && group->hwpt->ioas == target->ioas;
}

static int attach_target(struct iommufd_group *group,
			 const struct target *target)
{
	if (target->hwpt)
		return iommufd_hwpt_attach(target->hwpt, group);
	return attach_ioas(group, target->ioas);
}

static int group_attach(struct iommufd_group *group,
			const struct target *target)
{
	struct space *space = &target->ioas->space;
	int rc;

	/* All devices of a group are attached to one HWPT */
	if (group->hwpt) {
		if (!at_target(group, target))
			return refuse(-EINVAL,
				      "the group is attached to HWPT %u of IOAS %u, where all of its devices have to be",
				      group->hwpt->obj.id,
				      group->hwpt->ioas->obj.id);
		/* A container has it attached without a device that counts */
		if (!group->hwpt->enforces && !coherency_permits(group->ictx))
			return refuse(-EPERM, NOT_COHERENT);
		/* Devices may have come since the others were attached */
		rc = iommufd_group_reserve(group, space);
		if (rc)
			return rc;
		coherency_update_group(group, !group->hwpt->enforces, "attach");
		return 0;
	}

	rc = iommufd_group_reserve(group, space);
	if (rc)
		return rc;
	rc = attach_target(group, target);
	if (rc)
		iommufd_group_unreserve(group, space);
	return rc;
}

/**
 * iommufd_group_attach - Let a whole group translate through an address space
 * @group: held by the caller, with ctx->topology held
 * @ioas: the address space, referenced by the caller
 *
 * Return: as iommufd_device_attach().
 */
int iommufd_group_attach(struct iommufd_group *group, struct iommufd_ioas *ioas)
{
	const struct target target = { .obj = &ioas->obj, .ioas = ioas };
	int rc;

	lockdep_assert_held(&group->ictx->topology);

	rc = group_attach(group, &target);
	if (!rc)
		group->nr_attached++;
	return rc;
}

/**
 * iommufd_group_detach - Undo one iommufd_group_attach(), or a device's attach
 * @group: with ctx->topology held
 *
 * Return: what the group is detached from, for iommufd_hwpt_put() once the lock is
 * released; NULL while another user keeps the group attached.
 */
struct iommufd_hwpt *iommufd_group_detach(struct iommufd_group *group)
{
	struct iommufd_hwpt *former = NULL;

	lockdep_assert_held(&group->ictx->topology);

	if (!--group->nr_attached) {
		former = group->hwpt;
		iommufd_object_tryget(&former->obj);
		iommufd_hwpt_detach(former, group);
		iommufd_group_unreserve(group, &former->ioas->space);
	}
	return former;
}

int iommufd_device_attach(struct iommufd_device *idev, u32 pasid, u32 *pt_id)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	struct iommufd_group *group;
	struct target target;
	int rc;

	rc = target_get(ictx, pasid, *pt_id, &target);
	if (rc)
		return rc;

	mutex_lock(&ictx->topology);
	group = idev->group;
	if (idev->attached) {
		rc = refuse(-EINVAL, "the device is attached already");
		goto out_unlock;
	}
	/* Attached as far as coherency goes before it can translate */
	idev->attached = true;
	rc = group_attach(group, &target);
	if (rc) {
		idev->attached = false;
		coherency_update_group(group, group->hwpt &&
				       !group->hwpt->enforces, "attach-failed");
		goto out_unlock;
	}
	group->nr_attached++;
	*pt_id = group->hwpt->obj.id;
	trace_iommufd_attach(idev->dev, idev->obj.id, *pt_id,
			     group->hwpt->ioas->obj.id);
out_unlock:
	mutex_unlock(&ictx->topology);
	iommufd_object_put(target.obj);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_device_attach);

/*
 * Move a group from one HWPT to another. The IOMMU core of 6.1 knows no other way
 * than through the blocked state. If the new one cannot be had, the group goes
 * back, for which its former HWPT is kept filled.
 */
static int group_move(struct iommufd_group *group, const struct target *target)
{
	struct iommufd_hwpt *former = group->hwpt;
	struct space *space = &target->ioas->space;
	bool same_space = former->ioas == target->ioas;
	int rc;

	if (!same_space) {
		rc = iommufd_group_reserve(group, space);
		if (rc)
			return rc;
	}

	if (!iommufd_hwpt_block(former, group)) {
		rc = refuse(-ENOMEM, "the IOMMU driver has no memory for the domain that blocks");
		goto err_unreserve;
	}
	group->hwpt = NULL;
	rc = attach_target(group, target);
	if (rc) {
		coherency_update_group(group, !former->enforces,
				       "replace-failed");
		iommufd_hwpt_return(former, group);
		group->hwpt = former;
		goto err_unreserve;
	}
	coherency_update_group(group, !group->hwpt->enforces, "replace");
	iommufd_hwpt_leave(former);
	if (!same_space)
		iommufd_group_unreserve(group, &former->ioas->space);
	return 0;

err_unreserve:
	if (!same_space)
		iommufd_group_unreserve(group, space);
	return rc;
}

int iommufd_device_replace(struct iommufd_device *idev, u32 pasid, u32 *pt_id)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	struct iommufd_hwpt *former = NULL;
	struct iommufd_group *group;
	struct target target;
	int rc;

	rc = target_get(ictx, pasid, *pt_id, &target);
	if (rc)
		return rc;

	mutex_lock(&ictx->topology);
	group = idev->group;
	if (!idev->attached) {
		rc = refuse(-EINVAL, "the device is not attached");
		goto out_unlock;
	}
	if (!at_target(group, &target)) {
		former = group->hwpt;
		iommufd_object_tryget(&former->obj);
		rc = group_move(group, &target);
		if (rc)
			goto out_unlock;
	}
	*pt_id = group->hwpt->obj.id;
	trace_iommufd_replace(idev->dev, idev->obj.id, *pt_id,
			      group->hwpt->ioas->obj.id);
out_unlock:
	mutex_unlock(&ictx->topology);
	if (former)
		iommufd_hwpt_put(former);
	iommufd_object_put(target.obj);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_device_replace);

void iommufd_device_detach(struct iommufd_device *idev, u32 pasid)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	struct iommufd_hwpt *former = NULL;
	struct iommufd_group *group;

	if (pasid != IOMMU_NO_PASID)
		return;
	mutex_lock(&ictx->topology);
	group = idev->group;
	if (WARN_ON(!idev->attached))
		goto out_unlock;
	trace_iommufd_detach(idev->dev, idev->obj.id, group->hwpt->obj.id,
			     group->hwpt->ioas->obj.id);
	idev->attached = false;
	former = iommufd_group_detach(group);
	coherency_update_group(group, group->hwpt && !group->hwpt->enforces,
			       "detach");
out_unlock:
	mutex_unlock(&ictx->topology);
	if (former)
		iommufd_hwpt_put(former);
}
EXPORT_SYMBOL_GPL(iommufd_device_detach);

struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->obj.ictx;
}
EXPORT_SYMBOL_GPL(iommufd_device_to_ictx);

u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_GPL(iommufd_device_to_id);
