// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: one for each IOMMU group in which a VFIO driver manages a device.
 *
 * The first device of an IOMMU group that registers brings the group and its
 * node, the last one that leaves takes both away. An open file keeps the memory
 * of a group that is gone; it finds iommu_group cleared and gets -ENODEV.
 */
#include <linux/cdev.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "vfio.h"

/*
 * Guards groups and the drivers count of each; held while a node comes or goes.
 * Whoever opens a group needs it, so no lock is taken under it that a user can hold
 * for as long as he likes.
 */
static DEFINE_MUTEX(groups_lock);
static LIST_HEAD(groups);
static DEFINE_IDA(group_minors);
static struct class *group_class;
static dev_t group_devt;
static struct cdev group_cdev;

static void group_release(struct device *dev)
{
	struct vfio_group *group = container_of(dev, struct vfio_group, dev);

	ida_free(&group_minors, MINOR(dev->devt));
	vfio_kvm_slot_destroy(&group->kvm);
	mutex_destroy(&group->devices_lock);
	mutex_destroy(&group->lock);
	kfree(group);
}

static struct vfio_group *group_alloc(struct iommu_group *iommu_group,
				      bool emulated)
{
	struct vfio_group *group;
	int minor;

	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);

	minor = ida_alloc_max(&group_minors, MINORMASK, GFP_KERNEL);
	if (minor < 0) {
		kfree(group);
		return ERR_PTR(minor);
	}

	mutex_init(&group->lock);
	mutex_init(&group->devices_lock);
	INIT_LIST_HEAD(&group->devices);
	spin_lock_init(&group->owner_lock);
	vfio_kvm_slot_init(&group->kvm);
	group->emulated = emulated;
	group->iommu_group = iommu_group;

	device_initialize(&group->dev);
	group->dev.class = group_class;
	group->dev.devt = MKDEV(MAJOR(group_devt), minor);
	group->dev.release = group_release;
	return group;
}

/* Takes a reference on @iommu_group */
static struct vfio_group *group_create(struct iommu_group *iommu_group,
				       bool emulated)
{
	struct vfio_group *group;
	int ret;

	lockdep_assert_held(&groups_lock);

	group = group_alloc(iommu_group, emulated);
	if (IS_ERR(group))
		return group;

	ret = dev_set_name(&group->dev, "%d", iommu_group_id(iommu_group));
	if (!ret)
		ret = device_add(&group->dev);
	if (ret) {
		put_device(&group->dev);
		return ERR_PTR(ret);
	}

	iommu_group_ref_get(iommu_group);
	list_add(&group->node, &groups);
	return group;
}

static struct vfio_group *group_find(struct iommu_group *iommu_group)
{
	struct vfio_group *group;

	lockdep_assert_held(&groups_lock);

	list_for_each_entry(group, &groups, node)
		if (group->iommu_group == iommu_group)
			return group;
	return NULL;
}

struct vfio_group *vfio_group_get_by_minor(unsigned int minor)
{
	struct vfio_group *group, *found = NULL;

	mutex_lock(&groups_lock);
	list_for_each_entry(group, &groups, node) {
		if (MINOR(group->dev.devt) == minor) {
			get_device(&group->dev);
			found = group;
			break;
		}
	}
	mutex_unlock(&groups_lock);
	return found;
}

static bool group_has_device(struct vfio_group *group, struct device *dev)
{
	struct vfio_device *vdev;
	bool found = false;

	mutex_lock(&group->devices_lock);
	list_for_each_entry(vdev, &group->devices, group_next)
		found |= vdev->dev == dev;
	mutex_unlock(&group->devices_lock);
	return found;
}

/* A driver may reset the device with others before and after it is registered */
static void group_set(struct vfio_device *vdev, struct vfio_group *group)
{
	mutex_lock(&vdev->dev_set->lock);
	vdev->group = group;
	mutex_unlock(&vdev->dev_set->lock);
}

static int group_join_iommu(struct vfio_device *vdev,
			    struct iommu_group *iommu_group, bool emulated)
{
	struct vfio_group *group;
	int ret = 0;

	mutex_lock(&groups_lock);
	group = group_find(iommu_group);
	if (!group)
		group = group_create(iommu_group, emulated);

	if (IS_ERR(group)) {
		ret = PTR_ERR(group);
	} else if (group_has_device(group, vdev->dev)) {
		dev_WARN(vdev->dev, "registered with VFIO already\n");
		ret = -EBUSY;
	} else {
		group->drivers++;
	}
	mutex_unlock(&groups_lock);

	/* Before the device can be found, and counted as a driver */
	if (!ret)
		group_set(vdev, group);
	return ret;
}

/*
 * User space finds a device through its IOMMU group, so a device without DMA of
 * its own gets a group for itself.
 */
static int group_join_emulated(struct vfio_device *vdev)
{
	struct iommu_group *iommu_group;
	int ret;

	iommu_group = iommu_group_alloc();
	if (IS_ERR(iommu_group))
		return PTR_ERR(iommu_group);

	ret = iommu_group_set_name(iommu_group, "vfio-noiommu");
	if (ret)
		goto out_put;
	ret = iommu_group_add_device(iommu_group, vdev->dev);
	if (ret)
		goto out_put;
	ret = group_join_iommu(vdev, iommu_group, true);
	if (ret)
		iommu_group_remove_device(vdev->dev);
out_put:
	iommu_group_put(iommu_group);
	return ret;
}

/* Find or make the group of a device, before the device can be seen */
int vfio_group_join(struct vfio_device *vdev, bool emulated)
{
	struct iommu_group *iommu_group;
	int ret;

	if (emulated)
		return group_join_emulated(vdev);

	iommu_group = iommu_group_get(vdev->dev);
	if (!iommu_group)
		return -EINVAL;

	/* User space has no means to make DMA and caches agree by itself */
	if (device_iommu_capable(vdev->dev, IOMMU_CAP_CACHE_COHERENCY))
		ret = group_join_iommu(vdev, iommu_group, false);
	else
		ret = -EINVAL;
	iommu_group_put(iommu_group);
	return ret;
}

/* Undo vfio_group_join(), after the last user of the device is gone */
void vfio_group_leave(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;
	struct iommu_group *iommu_group;
	struct iommufd_ctx *ictx;

	if (group->emulated)
		iommu_group_remove_device(vdev->dev);

	group_set(vdev, NULL);
	mutex_lock(&groups_lock);
	if (--group->drivers) {
		mutex_unlock(&groups_lock);
		return;
	}

	/*
	 * Under the lock, because the next group of the same IOMMU group has
	 * the same name in sysfs.
	 */
	list_del(&group->node);
	device_del(&group->dev);
	mutex_unlock(&groups_lock);

	/*
	 * Whoever has found it before may still open it until iommu_group is
	 * cleared. The next group can be there already, and then shares the
	 * DMA with the container, or is refused it, until that is left.
	 */
	mutex_lock(&group->lock);
	WARN_ON(group->open_devices || group->device_binds);
	ictx = vfio_group_leave_container(group);
	iommu_group = group->iommu_group;
	group->iommu_group = NULL;
	mutex_unlock(&group->lock);

	if (ictx)
		iommufd_ctx_put(ictx);
	iommu_group_put(iommu_group);
	put_device(&group->dev);
}

/* Let the users of the group find the device */
void vfio_group_publish(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;

	mutex_lock(&group->devices_lock);
	list_add(&vdev->group_next, &group->devices);
	mutex_unlock(&group->devices_lock);
}

void vfio_group_withdraw(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;

	mutex_lock(&group->devices_lock);
	list_del(&vdev->group_next);
	mutex_unlock(&group->devices_lock);
}

/*
 * The device that the user means by @name, as a user of its registration. A
 * driver may define what a name looks like, and want more in it than a name.
 */
struct vfio_device *vfio_group_get_device(struct vfio_group *group, char *name)
{
	struct vfio_device *vdev, *found = NULL;

	mutex_lock(&group->devices_lock);
	list_for_each_entry(vdev, &group->devices, group_next) {
		int match;

		if (vdev->ops->match)
			match = vdev->ops->match(vdev, name);
		else
			match = !strcmp(dev_name(vdev->dev), name);

		if (match < 0) {
			found = ERR_PTR(refuse(match,
					       "the driver %s wants another name, or a token in it",
					       dev_driver_string(vdev->dev)));
			break;
		}
		if (match && vfio_device_get(vdev)) {
			found = vdev;
			break;
		}
	}
	mutex_unlock(&group->devices_lock);
	if (!found)
		found = ERR_PTR(refuse(-ENODEV, "no device of group %s has that name",
				       dev_name(&group->dev)));
	return found;
}

static char *group_devnode(struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/%s", dev_name(dev));
}

int __init vfio_group_init(void)
{
	int ret;

	group_class = class_create("vfio");
	if (IS_ERR(group_class))
		return PTR_ERR(group_class);
	group_class->devnode = group_devnode;

	ret = alloc_chrdev_region(&group_devt, 0, MINORMASK + 1, "vfio");
	if (ret)
		goto out_class;

	/* One for all groups: what a file opens is looked up by its minor */
	cdev_init(&group_cdev, &vfio_group_fops);
	group_cdev.owner = THIS_MODULE;
	ret = cdev_add(&group_cdev, group_devt, MINORMASK + 1);
	if (ret)
		goto out_region;
	return 0;

out_region:
	unregister_chrdev_region(group_devt, MINORMASK + 1);
out_class:
	class_destroy(group_class);
	return ret;
}

void vfio_group_exit(void)
{
	cdev_del(&group_cdev);
	unregister_chrdev_region(group_devt, MINORMASK + 1);
	class_destroy(group_class);
	WARN_ON(!ida_is_empty(&group_minors));
	ida_destroy(&group_minors);
}
