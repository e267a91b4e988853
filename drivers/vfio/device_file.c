// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open file of a device, whether got from its group or opened by its node.
 *
 * A device may be asleep; every ioctl wakes it up and keeps it awake until it
 * returns. Regions are read, written and mapped through the driver alone.
 */
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "vfio.h"

struct vfio_device_file *vfio_device_file_alloc(struct vfio_device *vdev)
{
	struct vfio_device_file *df;

	df = kzalloc(sizeof(*df), GFP_KERNEL_ACCOUNT);
	if (!df)
		return NULL;
	df->vdev = vdev;
	vfio_kvm_slot_init(&df->kvm);
	return df;
}

void vfio_device_file_free(struct vfio_device_file *df)
{
	vfio_kvm_slot_destroy(&df->kvm);
	kfree(df);
}

static int device_release(struct inode *inode, struct file *file)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;

	if (df->group)
		vfio_group_close_device(df);
	else
		vfio_cdev_release(df);
	vfio_device_file_free(df);
	/* The device may go from here on */
	vfio_device_put(vdev);
	return 0;
}

static bool device_has_pm(struct vfio_device *vdev)
{
	return vdev->dev->driver && vdev->dev->driver->pm;
}

static int device_wake(struct vfio_device *vdev)
{
	int ret;

	if (!device_has_pm(vdev))
		return 0;
	ret = pm_runtime_resume_and_get(vdev->dev);
	if (ret) {
		dev_info_ratelimited(vdev->dev, "cannot resume: %d\n", ret);
		return refuse(-EIO, "the device cannot be woken up: error %d",
			      ret);
	}
	return 0;
}

static void device_let_sleep(struct vfio_device *vdev)
{
	if (device_has_pm(vdev))
		pm_runtime_put(vdev->dev);
}

/* What the driver says to an ioctl, with the reason if it refuses it */
long vfio_driver_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long arg)
{
	long ret;

	if (!vdev->ops->ioctl)
		return refuse(-EINVAL, "the driver %s has no ioctls",
			      dev_driver_string(vdev->dev));
	ret = vdev->ops->ioctl(vdev, cmd, arg);
	if (ret == -ENOTTY)
		iommufd_refuse(ret, "the driver %s does not know the ioctl",
			       dev_driver_string(vdev->dev));
	else if (ret < 0)
		iommufd_refuse(ret, "refused by the driver %s",
			       dev_driver_string(vdev->dev));
	return ret;
}

/* What means something else, or nothing at all, on a file got from a group */
static long cdev_ioctl(struct vfio_device_file *df, unsigned int cmd,
		       unsigned long arg)
{
	struct vfio_device *vdev = df->vdev;
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		return vfio_cdev_attach(df, uarg);
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
		return vfio_cdev_detach(df, uarg);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		if (vfio_is_pci(vdev))
			return vfio_hot_reset_info(vdev, uarg);
		break;
	case VFIO_DEVICE_PCI_HOT_RESET:
		if (vfio_is_pci(vdev))
			return vfio_hot_reset(vdev, uarg);
		break;
	}
	return vfio_driver_ioctl(vdev, cmd, arg);
}

static long awake_ioctl(struct vfio_device_file *df, unsigned int cmd,
			unsigned long arg)
{
	struct vfio_device *vdev = df->vdev;

	if (cmd == VFIO_DEVICE_FEATURE)
		return vfio_device_feature(vdev, (void __user *)arg);
	if (cmd == VFIO_DEVICE_IOEVENTFD && vfio_is_pci(vdev))
		return vfio_ioeventfd(vdev, (void __user *)arg);
	if (df->group)
		return vfio_driver_ioctl(vdev, cmd, arg);
	return cdev_ioctl(df, cmd, arg);
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;
	struct iommufd_bar_guard guard;
	bool awake = false;
	long ret;

	if (cmd == VFIO_DEVICE_BIND_IOMMUFD) {
		ret = vfio_cdev_bind(df, (void __user *)arg);
	} else if (!vfio_device_file_usable(df)) {
		ret = refuse(-EINVAL, "the device file is not bound to a /dev/iommu");
	} else {
		ret = device_wake(vdev);
		awake = !ret;
		if (awake) {
			vfio_bars_guard(vdev, &guard);
			ret = awake_ioctl(df, cmd, arg);
		}
	}
	/* Before the BARs, which may have reasons of their own */
	if (unlikely(ret < 0))
		vfio_device_refused(df, cmd, ret);
	if (awake) {
		vfio_bars_restored(vdev, &guard);
		device_let_sleep(vdev);
	}
	return ret;
}

/* Of read(), write() and mmap(), which the driver does: why not? */
static void __cold region_refused(struct vfio_device_file *df, const char *call,
				  const void *op, int error)
{
	if (!vfio_device_file_usable(df))
		iommufd_refuse(error, "the device file is not bound to a /dev/iommu");
	else if (!op)
		iommufd_refuse(error, "the driver %s does not do it",
			       dev_driver_string(df->vdev->dev));
	else
		iommufd_refuse(error, "refused by the driver %s",
			       dev_driver_string(df->vdev->dev));
	iommufd_refusal_keep(&df->refusal, call, 0, error);
}

static ssize_t device_read(struct file *file, char __user *buf, size_t count,
			   loff_t *ppos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;
	ssize_t ret = -EINVAL;

	if (vfio_device_file_usable(df) && vdev->ops->read)
		ret = vdev->ops->read(vdev, buf, count, ppos);
	if (unlikely(ret < 0))
		region_refused(df, "read", vdev->ops->read, ret);
	return ret;
}

static ssize_t device_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;
	struct iommufd_bar_guard guard;
	ssize_t ret = -EINVAL;

	if (vfio_device_file_usable(df) && vdev->ops->write) {
		vfio_bars_guard(vdev, &guard);
		ret = vdev->ops->write(vdev, buf, count, ppos);
		vfio_bars_restored(vdev, &guard);
	}
	if (unlikely(ret < 0))
		region_refused(df, "write", vdev->ops->write, ret);
	return ret;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;
	int ret = -EINVAL;

	if (vfio_device_file_usable(df) && vdev->ops->mmap)
		ret = vdev->ops->mmap(vdev, vma);
	if (unlikely(ret))
		region_refused(df, "mmap", vdev->ops->mmap, ret);
	else
		vfio_bar_mmap(vdev, vma);
	return ret;
}

#ifdef CONFIG_PROC_FS
static void device_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct vfio_device_file *df = file->private_data;
	char *path;

	iommufd_refusal_show(m, &df->refusal);
	path = kobject_get_path(&df->vdev->dev->kobj, GFP_KERNEL);
	if (!path)
		return;
	seq_printf(m, "vfio-device-syspath: /sys%s\n", path);
	kfree(path);
}
#endif

const struct file_operations vfio_device_fops = {
	.owner		= THIS_MODULE,
	.open		= vfio_cdev_open,
	.release	= device_release,
	.read		= device_read,
	.write		= device_write,
	.unlocked_ioctl	= device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= device_mmap,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= device_show_fdinfo,
#endif
};
