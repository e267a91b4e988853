// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is there DMA that goes past the caches?
 *
 * A device is non-coherent while it is attached to a HWPT whose domain does not
 * enforce snooping. That is set before the domain translates for the device for the
 * first time, and cleared after it has stopped. Whoever watches the file, a device
 * or a group is told of the first reason and of the end of the last; the policy to
 * assume the worst is one more reason for everybody, while the file has a device:
 * who has none must not make KVM flush the host's caches.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <uapi/linux/iommufd.h>

#include "coherency.h"

#include "trace.h"

void coherency_init(struct iommufd_coherency *coherency)
{
	mutex_init(&coherency->lock);
	coherency->policy = IOMMU_COHERENCY_FOLLOW;
	INIT_LIST_HEAD(&coherency->watches);
}

void coherency_destroy(struct iommufd_coherency *coherency)
{
	WARN_ON(coherency->nr || coherency->nr_bound ||
		!list_empty(&coherency->watches));
	mutex_destroy(&coherency->lock);
}

static bool watches(const struct iommufd_watch *watch,
		    const struct iommufd_device *idev)
{
	if (watch->idev)
		return watch->idev == idev;
	return !watch->group || watch->group == idev->group->group;
}

static void watch_add_reasons(struct iommufd_watch *watch, unsigned int nr)
{
	lockdep_assert_held(&watch->ictx->coherency.lock);

	if (!watch->nr && nr)
		watch->change(watch, true);
	watch->nr += nr;
}

static void watch_drop_reasons(struct iommufd_watch *watch, unsigned int nr)
{
	lockdep_assert_held(&watch->ictx->coherency.lock);

	watch->nr -= nr;
	if (!watch->nr && nr)
		watch->change(watch, false);
}

/**
 * coherency_permits - May a device become non-coherent?
 * @ictx: the file, with its topology locked, so that the answer lasts
 */
bool coherency_permits(struct iommufd_ctx *ictx)
{
	lockdep_assert_held(&ictx->topology);

	return ictx->coherency.policy != IOMMU_COHERENCY_REQUIRE;
}

static void update_device(struct iommufd_device *idev, bool noncoherent,
			  const char *cause)
{
	struct iommufd_coherency *coherency = &idev->obj.ictx->coherency;
	struct iommufd_watch *watch;

	lockdep_assert_held(&coherency->lock);

	if (idev->noncoherent == noncoherent)
		return;
	idev->noncoherent = noncoherent;
	coherency->nr += noncoherent ? 1 : -1;
	trace_iommufd_coherency(idev->dev, cause, noncoherent, coherency->nr);
	list_for_each_entry(watch, &coherency->watches, link) {
		if (!watches(watch, idev))
			continue;
		if (noncoherent)
			watch_add_reasons(watch, 1);
		else
			watch_drop_reasons(watch, 1);
	}
}

/**
 * coherency_update_group - The attached devices of a group change
 * @group: with ctx->topology held
 * @noncoherent: before a domain that does not enforce snooping translates for
 *               them; false when no such domain does any more
 * @cause: for the trace
 *
 * A device of the group that is not attached is coherent in any case.
 */
void coherency_update_group(struct iommufd_group *group, bool noncoherent,
			    const char *cause)
{
	struct iommufd_coherency *coherency = &group->ictx->coherency;
	struct iommufd_device *idev;

	lockdep_assert_held(&group->ictx->topology);

	mutex_lock(&coherency->lock);
	list_for_each_entry(idev, &group->devices, link)
		update_device(idev, noncoherent && idev->attached, cause);
	mutex_unlock(&coherency->lock);
}

static bool assumes(const struct iommufd_coherency *coherency)
{
	return coherency->policy == IOMMU_COHERENCY_ASSUME_NONE &&
	       coherency->nr_bound;
}

/* After what assumes() looks at has changed */
static void update_assumed(struct iommufd_coherency *coherency, bool assumed,
			   struct device *dev, const char *cause)
{
	bool assume = assumes(coherency);
	struct iommufd_watch *watch;

	lockdep_assert_held(&coherency->lock);

	if (assume == assumed)
		return;
	trace_iommufd_coherency(dev, cause, assume || coherency->nr,
				coherency->nr);
	list_for_each_entry(watch, &coherency->watches, link) {
		if (assume)
			watch_add_reasons(watch, 1);
		else
			watch_drop_reasons(watch, 1);
	}
}

static void change_bound(struct iommufd_device *idev, int change,
			 const char *cause)
{
	struct iommufd_coherency *coherency = &idev->obj.ictx->coherency;
	bool assumed;

	lockdep_assert_held(&idev->obj.ictx->topology);

	mutex_lock(&coherency->lock);
	assumed = assumes(coherency);
	coherency->nr_bound += change;
	update_assumed(coherency, assumed, idev->dev, cause);
	mutex_unlock(&coherency->lock);
}

/**
 * coherency_bind - A device is bound, which entitles to the policy
 * @idev: with ctx->topology held
 */
void coherency_bind(struct iommufd_device *idev)
{
	change_bound(idev, 1, "bind");
}

/**
 * coherency_unbind - Undo coherency_bind()
 * @idev: with ctx->topology held
 */
void coherency_unbind(struct iommufd_device *idev)
{
	change_bound(idev, -1, "unbind");
}

/**
 * coherency_set_policy - Choose what may become of the answer
 * @ictx: the file
 * @policy: enum iommufd_coherency_policy
 *
 * Return: 0; -EBUSY to require what is not so; -EINVAL.
 */
int coherency_set_policy(struct iommufd_ctx *ictx, u64 policy)
{
	struct iommufd_coherency *coherency = &ictx->coherency;
	bool assumed;
	int rc = 0;

	if (policy > IOMMU_COHERENCY_ASSUME_NONE)
		return refuse(-EINVAL, "the policy %llu is not known", policy);

	mutex_lock(&ictx->topology);
	mutex_lock(&coherency->lock);
	if (policy == IOMMU_COHERENCY_REQUIRE && coherency->nr) {
		rc = refuse(-EBUSY, "the DMA of %u devices is not coherent",
			    coherency->nr);
		goto out_unlock;
	}
	assumed = assumes(coherency);
	coherency->policy = policy;
	update_assumed(coherency, assumed, NULL, "policy");
out_unlock:
	mutex_unlock(&coherency->lock);
	mutex_unlock(&ictx->topology);
	return rc;
}

unsigned int coherency_policy(struct iommufd_ctx *ictx)
{
	return READ_ONCE(ictx->coherency.policy);
}

/**
 * coherency_state - Is there DMA that is not coherent, or assumed to be?
 * @ictx: the file
 */
bool coherency_state(struct iommufd_ctx *ictx)
{
	struct iommufd_coherency *coherency = &ictx->coherency;
	bool noncoherent;

	mutex_lock(&coherency->lock);
	noncoherent = coherency->nr || assumes(coherency);
	mutex_unlock(&coherency->lock);
	return noncoherent;
}

/* Devices that a new watch finds non-coherent, and the policy */
static unsigned int count_reasons(const struct iommufd_watch *watch)
{
	struct iommufd_ctx *ictx = watch->ictx;
	unsigned int nr = assumes(&ictx->coherency);
	struct iommufd_device *idev;
	struct iommufd_group *group;

	list_for_each_entry(group, &ictx->groups, link)
		list_for_each_entry(idev, &group->devices, link)
			nr += watches(watch, idev) && idev->noncoherent;
	return nr;
}

void iommufd_watch_add(struct iommufd_watch *watch)
{
	struct iommufd_coherency *coherency = &watch->ictx->coherency;

	mutex_lock(&watch->ictx->topology);
	mutex_lock(&coherency->lock);
	watch->nr = 0;
	watch_add_reasons(watch, count_reasons(watch));
	list_add_tail(&watch->link, &coherency->watches);
	mutex_unlock(&coherency->lock);
	mutex_unlock(&watch->ictx->topology);
}
EXPORT_SYMBOL_GPL(iommufd_watch_add);

void iommufd_watch_remove(struct iommufd_watch *watch)
{
	struct iommufd_coherency *coherency = &watch->ictx->coherency;

	mutex_lock(&coherency->lock);
	list_del(&watch->link);
	watch_drop_reasons(watch, watch->nr);
	mutex_unlock(&coherency->lock);
}
EXPORT_SYMBOL_GPL(iommufd_watch_remove);
