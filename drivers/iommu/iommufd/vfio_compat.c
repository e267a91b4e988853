// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file as a VFIO container.
 *
 * On /dev/vfio/vfio the rules of VFIO hold to the letter: a group comes first, then
 * VFIO_SET_IOMMU, which is when the groups begin to translate, and when the last
 * group has left, all is as it was at the beginning. A /dev/iommu file can be
 * given to a group as well. It needs no VFIO_SET_IOMMU, and its mappings are the
 * user's own and stay.
 *
 * The address space is the IOAS that IOMMU_VFIO_IOAS names in both cases.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <uapi/linux/vfio.h>

#include "device.h"
#include "trace.h"

#define NO_IOAS "the file has no IOAS for VFIO's calls: none is set, and no group is in it"
#define NO_TYPE "VFIO_SET_IOMMU has not been called on the container"

/**
 * struct vfio_compat_group - A group in a container
 * @link: in vfio_compat.groups
 * @iommu_group: the group
 * @igroup: its DMA, held; NULL when it does none itself
 * @attached: to the IOAS
 */
struct vfio_compat_group {
	struct list_head link;
	struct iommu_group *iommu_group;
	struct iommufd_group *igroup;
	bool attached;
};

void vfio_compat_init(struct vfio_compat *compat, bool container)
{
	init_rwsem(&compat->sem);
	compat->container = container;
	INIT_LIST_HEAD(&compat->groups);
}

/**
 * vfio_compat_has_emulated - Is there a group whose DMA the CPU does?
 * @compat: with its lock held
 */
bool vfio_compat_has_emulated(const struct vfio_compat *compat)
{
	struct vfio_compat_group *group;

	lockdep_assert_held(&compat->sem);

	list_for_each_entry(group, &compat->groups, link)
		if (!group->igroup)
			return true;
	return false;
}

/* NULL when there is none. One that DESTROY has retired may still be in use */
static struct iommufd_ioas *chosen_ioas(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = ictx->vfio_ioas;

	lockdep_assert_held(&ictx->topology);

	return ioas && !iommufd_object_is_retired(&ioas->obj) ? ioas : NULL;
}

/**
 * vfio_compat_ioas - The IOAS that the VFIO ioctls work on
 * @ictx: the file
 *
 * Return: the IOAS with a reference, or ERR_PTR(-ENODEV) when there is none.
 */
struct iommufd_ioas *vfio_compat_ioas(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;

	mutex_lock(&ictx->topology);
	ioas = chosen_ioas(ictx);
	if (!ioas || !iommufd_object_tryget(&ioas->obj))
		ioas = ERR_PTR(refuse(-ENODEV, NO_IOAS));
	mutex_unlock(&ictx->topology);
	return ioas;
}

static int compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = iommufd_ioas_alloc(ictx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	mutex_lock(&ictx->topology);
	if (chosen_ioas(ictx)) {
		mutex_unlock(&ictx->topology);
		iommufd_object_abort(&ioas->obj);
		return 0;
	}
	ictx->vfio_ioas = ioas;
	iommufd_object_publish(&ioas->obj);
	mutex_unlock(&ictx->topology);
	return 0;
}

/**
 * vfio_compat_ioas_id - Which IOAS do the VFIO ioctls work on?
 * @ictx: the file
 * @id: set to its ID
 *
 * Return: 0, or -ENODEV when there is none.
 */
int vfio_compat_ioas_id(struct iommufd_ctx *ictx, u32 *id)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	mutex_lock(&ictx->topology);
	ioas = chosen_ioas(ictx);
	if (ioas)
		*id = ioas->obj.id;
	else
		rc = refuse(-ENODEV, NO_IOAS);
	mutex_unlock(&ictx->topology);
	return rc;
}

int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	/* Set once as long as there is a group, and the caller has one */
	if (ictx->compat.container && !READ_ONCE(ictx->compat.type))
		return refuse(-EINVAL, NO_TYPE);
	return vfio_compat_ioas_id(ictx, out_ioas_id);
}
EXPORT_SYMBOL_GPL(iommufd_vfio_compat_ioas_get_id);

static void group_detach(struct iommufd_ctx *ictx,
			 struct vfio_compat_group *group)
{
	struct iommufd_hwpt *hwpt;

	lockdep_assert_held_write(&ictx->compat.sem);

	if (!group->attached)
		return;
	group->attached = false;
	mutex_lock(&ictx->topology);
	hwpt = iommufd_group_detach(group->igroup);
	mutex_unlock(&ictx->topology);
	if (hwpt)
		iommufd_hwpt_put(hwpt);
}

static int group_attach(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas,
			struct vfio_compat_group *group)
{
	int rc;

	lockdep_assert_held_write(&ictx->compat.sem);

	/* What has no address cannot be pinned, for a device or by a driver */
	if (space_lacks_vaddr(&ioas->space))
		return refuse(-EBUSY,
			      "the user addresses of a mapping are void (VFIO_DMA_UNMAP_FLAG_VADDR)");
	if (!group->igroup)
		return 0;
	mutex_lock(&ictx->topology);
	rc = iommufd_group_attach(group->igroup, ioas);
	mutex_unlock(&ictx->topology);
	if (!rc)
		group->attached = true;
	return rc == -EADDRINUSE ? refuse_as(-EINVAL) : rc;
}

static int groups_attach(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas)
{
	struct vfio_compat_group *group;
	int rc;

	list_for_each_entry(group, &ictx->compat.groups, link) {
		rc = group_attach(ictx, ioas, group);
		if (rc)
			goto err_detach;
	}
	return 0;

err_detach:
	list_for_each_entry_continue_reverse(group, &ictx->compat.groups, link)
		group_detach(ictx, group);
	return rc;
}

static void set_type(struct iommufd_ctx *ictx, unsigned long type)
{
	lockdep_assert_held_write(&ictx->compat.sem);

	mutex_lock(&ictx->topology);
	WRITE_ONCE(ictx->compat.type, type);
	mutex_unlock(&ictx->topology);
}

/* /dev/vfio/vfio answers as type 1 does, /dev/iommu as mainline's does */
static int check_type(const struct vfio_compat *compat, unsigned long type)
{
	switch (type) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
		return 0;
	case VFIO_TYPE1_NESTING_IOMMU:
	case VFIO_UNMAP_ALL:
		/* Extensions by number, but none that an IOMMU has or that is set */
		return refuse(-EINVAL, "extension %lu is not one to set", type);
	default:
		return refuse(compat->container ? -ENODEV : -EINVAL,
			      "the type %lu is not known", type);
	}
}

static long set_iommu(struct iommufd_ctx *ictx, unsigned long type)
{
	struct vfio_compat *compat = &ictx->compat;
	unsigned long former = compat->type;
	struct iommufd_ioas *ioas;
	int rc;

	lockdep_assert_held_write(&compat->sem);

	if (compat->container && former)
		return refuse(-EINVAL, "VFIO_SET_IOMMU has been called already, with %lu",
			      former);
	if (compat->container && list_empty(&compat->groups))
		return refuse(-EINVAL, "no group is in the container");
	rc = check_type(compat, type);
	if (rc)
		return rc;

	ioas = vfio_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	/* On /dev/iommu version 1 goes with small entries, as the user can read */
	if (type == VFIO_TYPE1_IOMMU && !compat->container) {
		rc = space_set_huge(&ioas->space, false);
		if (rc)
			goto out_put;
	}
	set_type(ictx, type);
	/* With a type the groups are attached already */
	rc = former ? 0 : groups_attach(ictx, ioas);
	if (rc)
		set_type(ictx, 0);
out_put:
	iommufd_ioas_put(ioas);
	return rc;
}

/* Ioctls that work on the IOAS */
static long ioas_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
		       void __user *uarg)
{
	lockdep_assert_held(&ictx->compat.sem);

	if (ictx->compat.container && !ictx->compat.type)
		return refuse(-EINVAL, NO_TYPE);
	switch (cmd) {
	case VFIO_IOMMU_GET_INFO:
		return vfio_compat_get_info(ictx, uarg);
	case VFIO_IOMMU_MAP_DMA:
		return vfio_compat_map_dma(ictx, uarg);
	case VFIO_IOMMU_UNMAP_DMA:
		return vfio_compat_unmap_dma(ictx, uarg);
	default:
		return vfio_compat_dirty_pages(ictx, uarg);
	}
}

/**
 * vfio_compat_name - What one of VFIO's ioctls is called
 * @cmd: number
 *
 * Return: the name, or NULL for another ioctl.
 */
const char *vfio_compat_name(unsigned int cmd)
{
	static const struct iommufd_call calls[] = {
		IOMMUFD_CALL(VFIO_GET_API_VERSION),
		IOMMUFD_CALL(VFIO_CHECK_EXTENSION),
		IOMMUFD_CALL(VFIO_SET_IOMMU),
		IOMMUFD_CALL(VFIO_IOMMU_GET_INFO),
		IOMMUFD_CALL(VFIO_IOMMU_MAP_DMA),
		IOMMUFD_CALL(VFIO_IOMMU_UNMAP_DMA),
		IOMMUFD_CALL(VFIO_IOMMU_DIRTY_PAGES),
	};

	return iommufd_call_name(calls, ARRAY_SIZE(calls), cmd);
}

/**
 * vfio_compat_ioctl - VFIO's ioctls on containers
 * @ictx: the file
 * @cmd: number
 * @arg: argument
 */
long vfio_compat_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
		       unsigned long arg)
{
	struct vfio_compat *compat = &ictx->compat;
	void __user *uarg = (void __user *)arg;
	long rc;

	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_SET_IOMMU:
		if (down_write_killable(&compat->sem))
			return refuse(-EINTR, KILLED);
		rc = set_iommu(ictx, arg);
		up_write(&compat->sem);
		return rc;
	case VFIO_IOMMU_UNMAP_DMA:
	case VFIO_IOMMU_DIRTY_PAGES:
		if (down_write_killable(&compat->sem))
			return refuse(-EINTR, KILLED);
		rc = ioas_ioctl(ictx, cmd, uarg);
		up_write(&compat->sem);
		return rc;
	}

	if (down_read_killable(&compat->sem))
		return refuse(-EINTR, KILLED);
	switch (cmd) {
	case VFIO_CHECK_EXTENSION:
		rc = vfio_compat_check_extension(ictx, arg);
		break;
	case VFIO_IOMMU_GET_INFO:
	case VFIO_IOMMU_MAP_DMA:
		rc = ioas_ioctl(ictx, cmd, uarg);
		break;
	default:
		rc = compat->container && !compat->type ? -EINVAL : -ENOTTY;
		iommufd_refuse(rc, "no ioctl of this file");
		break;
	}
	up_read(&compat->sem);
	return rc;
}

/* A group that joins when VFIO_SET_IOMMU has been called translates at once */
static int join_late(struct iommufd_ctx *ictx, struct vfio_compat_group *group)
{
	struct iommufd_ioas *ioas;
	int rc;

	if (!ictx->compat.type)
		return 0;
	ioas = vfio_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = group_attach(ictx, ioas, group);
	iommufd_ioas_put(ioas);
	return rc;
}

int iommufd_vfio_compat_join(struct iommufd_ctx *ictx,
			     struct iommu_group *iommu_group, bool emulated)
{
	struct vfio_compat *compat = &ictx->compat;
	struct vfio_compat_group *group;
	int rc;

	group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group)
		return refuse(-ENOMEM, NO_MEMORY_FOR "a group");
	group->iommu_group = iommu_group;

	down_write(&compat->sem);
	if (!emulated) {
		group->igroup = iommufd_group_hold(ictx, iommu_group);
		if (IS_ERR(group->igroup)) {
			rc = PTR_ERR(group->igroup);
			goto err_free;
		}
	}
	rc = compat_ioas_create(ictx);
	if (rc)
		goto err_unhold;
	rc = join_late(ictx, group);
	if (rc)
		goto err_unhold;
	list_add_tail(&group->link, &compat->groups);
	up_write(&compat->sem);
	return 0;

err_unhold:
	if (group->igroup)
		iommufd_group_unhold(group->igroup);
err_free:
	up_write(&compat->sem);
	kfree(group);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_vfio_compat_join);

/* Without groups a container is as it was when it was opened */
static void compat_reset(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = vfio_compat_ioas(ictx);
	unsigned long unmapped;

	lockdep_assert_held_write(&ictx->compat.sem);

	set_type(ictx, 0);
	if (IS_ERR(ioas))
		return;
	space_untrack(&ioas->space);
	if (ictx->compat.container &&
	    !space_unmap(&ioas->space, 0, ULONG_MAX, &unmapped))
		trace_iommufd_unmap(ioas->obj.id, 0, ULONG_MAX, unmapped);
	iommufd_ioas_put(ioas);
}

void iommufd_vfio_compat_leave(struct iommufd_ctx *ictx,
			       struct iommu_group *iommu_group)
{
	struct vfio_compat *compat = &ictx->compat;
	struct vfio_compat_group *group;

	down_write(&compat->sem);
	list_for_each_entry(group, &compat->groups, link)
		if (group->iommu_group == iommu_group)
			break;
	list_del(&group->link);
	group_detach(ictx, group);
	if (group->igroup)
		iommufd_group_unhold(group->igroup);
	kfree(group);
	if (list_empty(&compat->groups))
		compat_reset(ictx);
	up_write(&compat->sem);
}
EXPORT_SYMBOL_GPL(iommufd_vfio_compat_leave);
