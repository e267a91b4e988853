// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device sets: devices that a driver has to open, close and reset together,
 * under one lock. A set has the ID that the driver chose, such as the address
 * of a PCI bus.
 */
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "vfio.h"

/* Sets by ID; its lock guards device_count of each set */
static DEFINE_XARRAY(device_sets);

static struct vfio_device_set *device_set_get(void *set_id)
{
	unsigned long index = (unsigned long)set_id;
	struct vfio_device_set *set, *other;

	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return ERR_PTR(-ENOMEM);
	mutex_init(&set->lock);
	INIT_LIST_HEAD(&set->device_list);
	set->set_id = set_id;

	xa_lock(&device_sets);
	other = __xa_cmpxchg(&device_sets, index, NULL, set, GFP_KERNEL);
	if (other) {
		mutex_destroy(&set->lock);
		kfree(set);
		set = xa_is_err(other) ? ERR_PTR(xa_err(other)) : other;
	}
	if (!IS_ERR(set))
		set->device_count++;
	xa_unlock(&device_sets);
	return set;
}

int vfio_assign_device_set(struct vfio_device *vdev, void *set_id)
{
	struct vfio_device_set *set;

	if (WARN_ON(!set_id))
		return -EINVAL;

	set = device_set_get(set_id);
	if (IS_ERR(set))
		return PTR_ERR(set);

	mutex_lock(&set->lock);
	vdev->dev_set = set;
	list_add_tail(&vdev->dev_set_list, &set->device_list);
	mutex_unlock(&set->lock);
	return 0;
}

void vfio_release_device_set(struct vfio_device *vdev)
{
	struct vfio_device_set *set = vdev->dev_set;

	if (!set)
		return;

	mutex_lock(&set->lock);
	list_del(&vdev->dev_set_list);
	mutex_unlock(&set->lock);

	xa_lock(&device_sets);
	if (--set->device_count) {
		xa_unlock(&device_sets);
		return;
	}
	__xa_erase(&device_sets, (unsigned long)set->set_id);
	xa_unlock(&device_sets);

	mutex_destroy(&set->lock);
	kfree(set);
}

unsigned int vfio_device_set_open_count(struct vfio_device_set *set)
{
	struct vfio_device *vdev;
	unsigned int count = 0;

	lockdep_assert_held(&set->lock);

	list_for_each_entry(vdev, &set->device_list, dev_set_list)
		count += vdev->open_count;
	return count;
}

void vfio_device_set_exit(void)
{
	WARN_ON(!xa_empty(&device_sets));
	xa_destroy(&device_sets);
}
