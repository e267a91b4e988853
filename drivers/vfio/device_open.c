// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening and closing a device, whichever file it is opened by.
 *
 * Between the two the driver's module is held, the device is bound to a
 * /dev/iommu file, and the driver knows the virtual machine if there is one.
 */
#include <linux/module.h>

#include "vfio.h"

/* The last reference on a machine goes with memory of the calling process */
static void device_put_kvm(struct vfio_state *state)
{
	lockdep_assert_held(&state->lock);

	vfio_kvm_put(state->kvm);
	state->kvm = NULL;
}

/* Tell the driver, while no device of the set is opened, closed or reset */
static int driver_open(struct vfio_device *vdev)
{
	int ret = 0;

	lockdep_assert_held(&vdev->dev_set->lock);

	/* The driver's open_device may ask whether its device is open */
	vdev->open_count = 1;
	vdev->kvm = vfio_state(vdev)->kvm;
	if (vdev->ops->open_device)
		ret = vdev->ops->open_device(vdev);
	if (ret) {
		iommufd_refuse(ret, "the driver %s cannot open the device",
			       dev_driver_string(vdev->dev));
		vdev->kvm = NULL;
		vdev->open_count = 0;
	}
	return ret;
}

static void driver_close(struct vfio_device *vdev)
{
	lockdep_assert_held(&vdev->dev_set->lock);

	if (vdev->ops->close_device)
		vdev->ops->close_device(vdev);
	vdev->kvm = NULL;
	vdev->open_count = 0;
}

/**
 * vfio_device_open - Open a device that nobody has open
 * @vdev: the device
 * @ictx: where its DMA goes; not attached to anything afterwards
 * @kvm: the machines of the file that opens it
 * @devid: set to the ID in @ictx
 */
int vfio_device_open(struct vfio_device *vdev, struct iommufd_ctx *ictx,
		     struct vfio_kvm_slot *kvm, u32 *devid)
{
	struct vfio_state *state = vfio_state(vdev);
	int ret;

	lockdep_assert_held(&state->lock);

	if (!try_module_get(vdev->dev->driver->owner))
		return refuse(-ENODEV, "the driver %s is being unloaded",
			      dev_driver_string(vdev->dev));

	ret = vfio_iommufd_bind(vdev, ictx, devid);
	if (ret)
		goto err_module;

	state->kvm = vfio_kvm_get(kvm, ictx);
	mutex_lock(&vdev->dev_set->lock);
	ret = driver_open(vdev);
	if (!ret) {
		ret = vfio_virtio_check(vdev);
		if (ret)
			driver_close(vdev);
	}
	mutex_unlock(&vdev->dev_set->lock);
	if (!ret)
		return 0;

	device_put_kvm(state);
	vfio_iommufd_unbind(vdev);
err_module:
	module_put(vdev->dev->driver->owner);
	return ret;
}

/* Undo vfio_device_open(), wherever the device is attached */
void vfio_device_close(struct vfio_device *vdev)
{
	struct vfio_state *state = vfio_state(vdev);

	lockdep_assert_held(&state->lock);

	mutex_lock(&vdev->dev_set->lock);
	driver_close(vdev);
	mutex_unlock(&vdev->dev_set->lock);
	device_put_kvm(state);
	vfio_iommufd_unbind(vdev);
	module_put(vdev->dev->driver->owner);
}

/* Drivers have no business with the memory of a device that is not open */
bool vfio_device_is_open(struct vfio_device *vdev)
{
	return !WARN_ON_ONCE(!READ_ONCE(vdev->open_count));
}
