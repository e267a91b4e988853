// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a device: allocated by its driver, registered, unregistered, freed.
 *
 * Registered, it counts its users: each open file is one, and the registration
 * itself. vfio_unregister_group_dev() first sees to it that nobody new finds
 * the device, then waits until the last user is gone; only after that may the
 * driver let go of the hardware.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "vfio.h"

/* How long to wait for users before asking them again to leave */
#define VFIO_REQUEST_INTERVAL (10 * HZ)

static DEFINE_IDA(device_indices);
static struct class *device_class;

bool vfio_device_get(struct vfio_device *vdev)
{
	return refcount_inc_not_zero(&vdev->refcount);
}

void vfio_device_put(struct vfio_device *vdev)
{
	if (refcount_dec_and_test(&vdev->refcount))
		complete(&vdev->comp);
}

static void device_cleanup(struct vfio_device *vdev)
{
	vfio_release_device_set(vdev);
	ida_free(&device_indices, vdev->index);
	mutex_destroy(&vfio_state(vdev)->lock);
	kfree(vfio_state(vdev));
}

static void device_release(struct device *dev)
{
	struct vfio_device *vdev = container_of(dev, struct vfio_device, device);

	device_cleanup(vdev);
	/* Frees @vdev, by vfio_free_device() or in a way of the driver's own */
	vdev->ops->release(vdev);
}

int vfio_init_device(struct vfio_device *vdev, struct device *dev,
		     const struct vfio_device_ops *ops)
{
	struct vfio_state *state;
	int ret;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;

	ret = ida_alloc_max(&device_indices, MINORMASK, GFP_KERNEL);
	if (ret < 0) {
		kfree(state);
		return ret;
	}

	mutex_init(&state->lock);
	vdev->index = ret;
	vdev->dev = dev;
	vdev->ops = ops;
	init_completion(&vdev->comp);
	dev_set_drvdata(&vdev->device, state);

	if (ops->init) {
		ret = ops->init(vdev);
		if (ret) {
			device_cleanup(vdev);
			return ret;
		}
	}

	device_initialize(&vdev->device);
	vdev->device.release = device_release;
	vdev->device.class = device_class;
	vdev->device.parent = dev;
	return 0;
}

struct vfio_device *_vfio_alloc_device(size_t size, struct device *dev,
				       const struct vfio_device_ops *ops)
{
	struct vfio_device *vdev;
	int ret;

	if (WARN_ON(size < sizeof(*vdev)))
		return ERR_PTR(-EINVAL);

	vdev = kvzalloc(size, GFP_KERNEL);
	if (!vdev)
		return ERR_PTR(-ENOMEM);

	ret = vfio_init_device(vdev, dev, ops);
	if (ret) {
		kvfree(vdev);
		return ERR_PTR(ret);
	}
	return vdev;
}

void vfio_free_device(struct vfio_device *vdev)
{
	kvfree(vdev);
}

static int vfio_register(struct vfio_device *vdev, bool emulated)
{
	int ret;

	if (!vdev->dev_set) {
		ret = vfio_assign_device_set(vdev, vdev);
		if (ret)
			return ret;
	}

	ret = dev_set_name(&vdev->device, "vfio%u", vdev->index);
	if (ret)
		return ret;
	ret = vfio_group_join(vdev, emulated);
	if (ret)
		return ret;
	ret = vfio_cdev_add(vdev);
	if (ret) {
		vfio_group_leave(vdev);
		return ret;
	}
	vfio_group_publish(vdev);
	return 0;
}

int vfio_register_group_dev(struct vfio_device *vdev)
{
	return vfio_register(vdev, false);
}

int vfio_register_emulated_iommu_dev(struct vfio_device *vdev)
{
	return vfio_register(vdev, true);
}

/* Ask the users to leave, again and again, until the last one has left */
static void device_drain(struct vfio_device *vdev)
{
	bool interrupted = false;
	unsigned int count = 0;
	long left;

	vfio_device_put(vdev);
	if (try_wait_for_completion(&vdev->comp))
		return;

	do {
		if (vdev->ops->request)
			vdev->ops->request(vdev, count++);

		if (interrupted) {
			left = wait_for_completion_timeout(&vdev->comp,
							   VFIO_REQUEST_INTERVAL);
			continue;
		}

		left = wait_for_completion_interruptible_timeout(&vdev->comp,
								 VFIO_REQUEST_INTERVAL);
		if (left < 0) {
			interrupted = true;
			dev_warn(vdev->dev,
				 "in use; %s (%d) waits until it is closed and cannot be interrupted\n",
				 current->comm, task_pid_nr(current));
		}
	} while (left <= 0);
}

void vfio_unregister_group_dev(struct vfio_device *vdev)
{
	vfio_group_withdraw(vdev);
	/* Before waiting, or the device file would let in new users for ever */
	vfio_cdev_del(vdev);
	device_drain(vdev);
	vfio_group_leave(vdev);
}

static char *device_devnode(struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/devices/%s", dev_name(dev));
}

int __init vfio_device_init(void)
{
	int ret;

	device_class = class_create("vfio-dev");
	if (IS_ERR(device_class))
		return PTR_ERR(device_class);
	device_class->devnode = device_devnode;

	ret = vfio_cdev_init();
	if (ret)
		class_destroy(device_class);
	return ret;
}

void vfio_device_exit(void)
{
	vfio_cdev_exit();
	class_destroy(device_class);
	WARN_ON(!ida_is_empty(&device_indices));
	ida_destroy(&device_indices);
	vfio_device_set_exit();
}
