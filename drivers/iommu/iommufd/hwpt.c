// SPDX-License-Identifier: GPL-2.0-only
/*
 * The domains that show an address space to devices.
 *
 * A HWPT has its domain only while a group is attached to it. What a domain can
 * do depends on the IOMMUs of its devices, and 6.1's drivers tell the truth about
 * it only once a device is there: the aperture, the sizes of entries, and whether
 * snooping can be enforced. So the first group's attach makes the domain and
 * decides all of that while it is empty, and the last group's detach frees it.
 */
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>

#include <compat.h>

#include "bar.h"
#include "coherency.h"

/**
 * iommufd_hwpt_alloc - Make a HWPT
 * @ioas: what it shows; referenced by the caller
 * @automatic: it is made for an attach to the IOAS
 *
 * Return: the HWPT, not yet published, or an ERR_PTR.
 */
struct iommufd_hwpt *iommufd_hwpt_alloc(struct iommufd_ioas *ioas,
					bool automatic)
{
	struct iommufd_hwpt *hwpt;

	if (!iommufd_object_hold(&ioas->obj))
		return ERR_PTR(refuse(-ENOENT, "IOAS %u is being destroyed",
				      ioas->obj.id));
	hwpt = iommufd_object_alloc(ioas->obj.ictx, sizeof(*hwpt),
				    IOMMUFD_OBJ_HWPT);
	if (IS_ERR(hwpt)) {
		iommufd_object_unhold(&ioas->obj);
		return hwpt;
	}
	hwpt->ioas = ioas;
	hwpt->automatic = automatic;
	INIT_LIST_HEAD(&hwpt->link);
	return hwpt;
}

/**
 * iommufd_hwpt_abort - Give up a HWPT that was not published
 * @hwpt: nothing is attached to it
 */
void iommufd_hwpt_abort(struct iommufd_hwpt *hwpt)
{
	iommufd_object_unhold(&hwpt->ioas->obj);
	iommufd_object_abort(&hwpt->obj);
}

/**
 * iommufd_hwpt_publish - Let others find a HWPT
 * @hwpt: with ctx->topology held
 */
void iommufd_hwpt_publish(struct iommufd_hwpt *hwpt)
{
	lockdep_assert_held(&hwpt->obj.ictx->topology);

	list_add_tail(&hwpt->link, &hwpt->ioas->hwpts);
	iommufd_object_publish(&hwpt->obj);
}

static void hwpt_release(struct iommufd_object *obj)
{
	struct iommufd_hwpt *hwpt = container_of(obj, struct iommufd_hwpt, obj);

	mutex_lock(&obj->ictx->topology);
	list_del(&hwpt->link);
	mutex_unlock(&obj->ictx->topology);
	iommufd_object_unhold(&hwpt->ioas->obj);
}

const struct iommufd_object_ops iommufd_hwpt_object_ops = {
	.release = hwpt_release,
};

/*
 * What the IOMMU driver says when the device is not one for this domain. A user
 * tries another HWPT on -EINVAL alone.
 */
static int __cold attach_error(int rc)
{
	int error = rc == -EOPNOTSUPP || rc == -EFAULT ? -EINVAL : rc;

	return refuse(error, "the IOMMU driver cannot attach the device to the domain: error %d",
		      rc);
}

/*
 * Before the devices of a group can translate through a HWPT, whoever watches is
 * told what they may do there.
 */
static int tell_coherency(struct iommufd_hwpt *hwpt,
			  struct iommufd_group *group)
{
	if (hwpt->enforces)
		return 0;
	if (!coherency_permits(hwpt->obj.ictx))
		return refuse(-EPERM, NOT_COHERENT);
	coherency_update_group(group, true, "attach");
	return 0;
}

static struct iommu_domain *alloc_domain(struct iommufd_group *group)
{
	struct device *dev = iommufd_group_get_device(group->group);
	struct iommu_domain *domain;

	if (!dev)
		return ERR_PTR(refuse(-ENODEV, "the group has no device any more"));
	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		iommufd_refuse(PTR_ERR(domain), "the IOMMU driver of %s has no domain for it",
			       dev_name(dev));
	put_device(dev);
	return domain;
}

static int attach_first(struct iommufd_hwpt *hwpt, struct iommufd_group *group)
{
	struct iommu_domain *domain = alloc_domain(group);
	int rc;

	if (IS_ERR(domain))
		return PTR_ERR(domain);
	rc = iommu_attach_group(domain, group->group);
	if (rc) {
		rc = attach_error(rc);
		goto err_free;
	}
	hwpt->enforces = group->traits.can_enforce &&
			 domain->ops->enforce_cache_coherency(domain);
	rc = tell_coherency(hwpt, group);
	if (rc)
		goto err_detach;
	hwpt->member.domain = domain;
	rc = space_add_domain(&hwpt->ioas->space, &hwpt->member);
	if (rc)
		goto err_detach;
	return 0;

err_detach:
	hwpt->member.domain = NULL;
	if (!iommu_group_block(domain, group->group))
		return rc;
err_free:
	iommu_domain_free(domain);
	return rc;
}

/*
 * The devices of a domain that is in use change only while nobody maps or unmaps in
 * it: VT-d of 6.1 flushes the IOMMUs of the devices without looking whether one is
 * just leaving.
 */
static void domain_lock(struct iommufd_hwpt *hwpt)
{
	down_write(&hwpt->ioas->space.domains_sem);
	bar_lock_domains();
}

static void domain_unlock(struct iommufd_hwpt *hwpt)
{
	bar_unlock_domains();
	up_write(&hwpt->ioas->space.domains_sem);
}

/**
 * iommufd_hwpt_block - Take a group's devices off the domain of a HWPT
 * @hwpt: with ctx->topology held
 * @group: attached to its domain; it still counts as such
 *
 * Return: true; false when the group can be attached nowhere else, because the IOMMU
 * core could not let go of the domain. The DMA is blocked in either case.
 */
bool iommufd_hwpt_block(struct iommufd_hwpt *hwpt, struct iommufd_group *group)
{
	bool blocked;

	lockdep_assert_held(&hwpt->obj.ictx->topology);

	domain_lock(hwpt);
	blocked = iommu_group_block(hwpt->member.domain, group->group);
	domain_unlock(hwpt);
	if (blocked)
		return true;
	/* Rather leaked than used after it was freed */
	hwpt->stuck = true;
	return false;
}

/* How long to wait for memory that an attach needs which must not fail */
#define RETURN_TRIES 40

/**
 * iommufd_hwpt_return - Undo iommufd_hwpt_block()
 * @hwpt: with ctx->topology held
 * @group: blocked
 *
 * The domain has served the group before, so only lack of memory can be in the
 * way. Should that last, the group stays blocked.
 */
void iommufd_hwpt_return(struct iommufd_hwpt *hwpt, struct iommufd_group *group)
{
	unsigned int tries;
	int rc;

	lockdep_assert_held(&hwpt->obj.ictx->topology);

	for (tries = 0; tries < RETURN_TRIES; tries++) {
		if (tries)
			msleep(25);
		domain_lock(hwpt);
		rc = iommu_attach_group(hwpt->member.domain, group->group);
		domain_unlock(hwpt);
		if (rc != -ENOMEM)
			break;
	}
	WARN_ON(rc);
}

/*
 * A further group must take the domain as it is: it holds entries that were
 * written for the groups that are there. To be known before the attach: VT-d of 6.1
 * drops the top of a table that is too deep for the new device, although other
 * devices walk it, and the domain stays as narrow as its narrowest device, with
 * entries of a size that the new one may not know.
 */
static int check_further(const struct iommufd_hwpt *hwpt,
			 const struct iommufd_group *group)
{
	const struct iommu_domain *domain = hwpt->member.domain;

	if (!iommu_domain_serves(domain, group->group))
		return refuse(-EINVAL, "HWPT %u is of another IOMMU driver",
			      hwpt->obj.id);
	if (domain->geometry.aperture_end != group->traits.aperture_end)
		return refuse(-EINVAL,
			      "the IOMMU of the device has IOVA up to 0x%llx, HWPT %u up to 0x%llx",
			      (u64)group->traits.aperture_end, hwpt->obj.id,
			      (u64)domain->geometry.aperture_end);
	if (domain->pgsize_bitmap & ~group->traits.pgsize_bitmap)
		return refuse(-EINVAL,
			      "HWPT %u has pages of sizes 0x%lx, the IOMMU of the device 0x%lx",
			      hwpt->obj.id, domain->pgsize_bitmap,
			      group->traits.pgsize_bitmap);
	return 0;
}

static int attach_further(struct iommufd_hwpt *hwpt,
			  struct iommufd_group *group)
{
	int rc;

	rc = check_further(hwpt, group);
	if (rc)
		return rc;
	rc = tell_coherency(hwpt, group);
	if (rc)
		return rc;
	domain_lock(hwpt);
	rc = iommu_attach_group(hwpt->member.domain, group->group);
	domain_unlock(hwpt);
	return rc ? attach_error(rc) : 0;
}

/**
 * iommufd_hwpt_learn_device_tlbs - Find out whether a group's devices keep translations
 * @hwpt: with ctx->topology held
 * @group: to be attached to it; or attached, and the core attached one more device
 */
void iommufd_hwpt_learn_device_tlbs(struct iommufd_hwpt *hwpt,
				    struct iommufd_group *group)
{
	lockdep_assert_held(&hwpt->obj.ictx->topology);

	if (hwpt->member.device_tlb || !iommu_group_has_device_tlb(group->group))
		return;
	domain_lock(hwpt);
	hwpt->member.device_tlb = true;
	domain_unlock(hwpt);
}

/**
 * iommufd_hwpt_attach - Let the devices of a group translate through a HWPT
 * @hwpt: with ctx->topology held
 * @group: its DMA is blocked; what it reserves is reserved in the space
 *
 * Return: 0; -EINVAL when the domain cannot serve the group; -ENOENT when the HWPT
 * is retired; -EADDRINUSE when a mapping is in the way; otherwise as pages_pin()
 * and the IOMMU driver; -EPERM also when its DMA has to be coherent and is not. The
 * group is blocked still on failure; coherency_update_group() is the caller's.
 */
int iommufd_hwpt_attach(struct iommufd_hwpt *hwpt, struct iommufd_group *group)
{
	int rc;

	lockdep_assert_held(&hwpt->obj.ictx->topology);

	if (!iommufd_object_hold(&hwpt->obj))
		return refuse(-ENOENT, "HWPT %u is being destroyed",
			      hwpt->obj.id);
	/* From the first translation on that a device may keep */
	iommufd_hwpt_learn_device_tlbs(hwpt, group);
	if (hwpt->nr_groups)
		rc = attach_further(hwpt, group);
	else
		rc = attach_first(hwpt, group);
	if (rc) {
		iommufd_object_unhold(&hwpt->obj);
		return rc;
	}
	hwpt->nr_groups++;
	group->hwpt = hwpt;
	return 0;
}

/**
 * iommufd_hwpt_leave - Do without a group whose DMA is elsewhere by now
 * @hwpt: with ctx->topology held, and referenced by the caller
 */
void iommufd_hwpt_leave(struct iommufd_hwpt *hwpt)
{
	lockdep_assert_held(&hwpt->obj.ictx->topology);

	if (!--hwpt->nr_groups) {
		struct iommu_domain *domain = hwpt->member.domain;

		space_remove_domain(&hwpt->ioas->space, &hwpt->member);
		hwpt->member.domain = NULL;
		if (!hwpt->stuck)
			iommu_domain_free(domain);
		hwpt->stuck = false;
	}
	iommufd_object_unhold(&hwpt->obj);
}

/**
 * iommufd_hwpt_detach - Block the DMA of a group
 * @hwpt: with ctx->topology held, and referenced by the caller
 * @group: attached to it
 */
void iommufd_hwpt_detach(struct iommufd_hwpt *hwpt, struct iommufd_group *group)
{
	/* First of all nothing reaches the memory any more */
	iommufd_hwpt_block(hwpt, group);
	group->hwpt = NULL;
	iommufd_hwpt_leave(hwpt);
}

/**
 * iommufd_hwpt_put - Let go of a HWPT that a group may have left
 * @hwpt: referenced by the caller, who holds no locks
 *
 * An automatic one that nobody uses any more goes with it.
 */
void iommufd_hwpt_put(struct iommufd_hwpt *hwpt)
{
	/* -EBUSY is the answer while it is in use */
	if (hwpt->automatic)
		iommufd_object_retire(&hwpt->obj);
	iommufd_object_put(&hwpt->obj);
}
