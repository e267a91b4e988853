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
		return -EIO;
	}
	return 0;
}

static void device_let_sleep(struct vfio_device *vdev)
{
	if (device_has_pm(vdev))
		pm_runtime_put(vdev->dev);
}

static long driver_ioctl(struct vfio_device *vdev, unsigned int cmd,
			 unsigned long arg)
{
	return vdev->ops->ioctl ? vdev->ops->ioctl(vdev, cmd, arg) : -EINVAL;
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
	return driver_ioctl(vdev, cmd, arg);
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;
	void __user *uarg = (void __user *)arg;
	struct iommufd_bar_guard guard;
	long ret;

	if (cmd == VFIO_DEVICE_BIND_IOMMUFD)
		return vfio_cdev_bind(df, uarg);
	if (!vfio_device_file_usable(df))
		return -EINVAL;

	ret = device_wake(vdev);
	if (ret)
		return ret;
	vfio_bars_guard(vdev, &guard);
	if (cmd == VFIO_DEVICE_FEATURE)
		ret = vfio_device_feature(vdev, uarg);
	else if (df->group)
		ret = driver_ioctl(vdev, cmd, arg);
	else
		ret = cdev_ioctl(df, cmd, arg);
	vfio_bars_restored(vdev, &guard);
	device_let_sleep(vdev);
	return ret;
}

static ssize_t device_read(struct file *file, char __user *buf, size_t count,
			   loff_t *ppos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;

	if (!vfio_device_file_usable(df) || !vdev->ops->read)
		return -EINVAL;
	return vdev->ops->read(vdev, buf, count, ppos);
}

static ssize_t device_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;
	struct iommufd_bar_guard guard;
	ssize_t ret;

	if (!vfio_device_file_usable(df) || !vdev->ops->write)
		return -EINVAL;
	vfio_bars_guard(vdev, &guard);
	ret = vdev->ops->write(vdev, buf, count, ppos);
	vfio_bars_restored(vdev, &guard);
	return ret;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->vdev;
	int ret;

	if (!vfio_device_file_usable(df) || !vdev->ops->mmap)
		return -EINVAL;
	ret = vdev->ops->mmap(vdev, vma);
	if (!ret)
		vfio_bar_mmap(vdev, vma);
	return ret;
}

#ifdef CONFIG_PROC_FS
static void device_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct vfio_device_file *df = file->private_data;
	char *path;

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
