// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file /dev/vfio/N: gives a group an I/O address space and hands out its
 * devices.
 *
 * There are no containers here. What the user takes for one is a file of
 * iommufd, and a device got from the group is bound to it and attached to the IOAS
 * that it keeps for callers of the old interface.
 */
#include <linux/anon_inodes.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vfio.h"

#define GROUP_IS_GONE "the last device of the group is gone"

static long group_set_container(struct vfio_group *group, int __user *arg)
{
	struct iommufd_ctx *ictx;
	struct fd f;
	int ret;
	int fd;

	if (get_user(fd, arg))
		return refuse(-EFAULT, NO_ARGUMENT);
	f = fdget(fd);
	if (!f.file)
		return refuse(-EBADF, "no file is open at descriptor %d", fd);

	mutex_lock(&group->lock);
	if (group->ictx) {
		ret = refuse(-EINVAL, "the group has a container already");
		goto out_unlock;
	}
	if (!group->iommu_group) {
		ret = refuse(-ENODEV, GROUP_IS_GONE);
		goto out_unlock;
	}

	ictx = iommufd_ctx_from_file(f.file);
	if (IS_ERR(ictx)) {
		ret = PTR_ERR(ictx);
		goto out_unlock;
	}
	ret = iommufd_vfio_compat_join(ictx, group->iommu_group,
				       group->emulated);
	if (ret) {
		iommufd_ctx_put(ictx);
	} else {
		group->ictx = ictx;
		vfio_kvm_slot_bind(&group->kvm, ictx, NULL,
				   group->iommu_group);
	}

out_unlock:
	mutex_unlock(&group->lock);
	fdput(f);
	return ret;
}

/* Returns the former container if there was one, for the caller to put */
struct iommufd_ctx *vfio_group_leave_container(struct vfio_group *group)
{
	struct iommufd_ctx *ictx = group->ictx;

	lockdep_assert_held(&group->lock);

	if (ictx) {
		vfio_kvm_slot_unbind(&group->kvm);
		iommufd_vfio_compat_leave(ictx, group->iommu_group);
		group->ictx = NULL;
	}
	return ictx;
}

static long group_unset_container(struct vfio_group *group)
{
	struct iommufd_ctx *ictx;

	mutex_lock(&group->lock);
	if (!group->ictx || group->open_devices) {
		int ret = !group->ictx ?
			refuse(-EINVAL, "the group has no container") :
			refuse(-EBUSY, "%u files of devices of the group are open",
			       group->open_devices);

		mutex_unlock(&group->lock);
		return ret;
	}
	ictx = vfio_group_leave_container(group);
	mutex_unlock(&group->lock);

	iommufd_ctx_put(ictx);
	return 0;
}

static long group_get_status(struct vfio_group *group,
			     struct vfio_group_status __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_group_status, flags);
	struct vfio_group_status status;

	if (copy_from_user(&status, arg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (status.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, status.argsz, minsz);

	status.flags = 0;
	mutex_lock(&group->lock);
	if (!group->iommu_group) {
		mutex_unlock(&group->lock);
		return refuse(-ENODEV, GROUP_IS_GONE);
	}
	if (group->ictx)
		status.flags = VFIO_GROUP_FLAGS_CONTAINER_SET |
			       VFIO_GROUP_FLAGS_VIABLE;
	else if (!iommu_group_dma_owner_claimed(group->iommu_group))
		status.flags = VFIO_GROUP_FLAGS_VIABLE;
	mutex_unlock(&group->lock);

	if (copy_to_user(arg, &status, minsz))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}

/* The old interface has no call to attach: a device comes attached */
static int group_first_open(struct vfio_group *group, struct vfio_device *vdev)
{
	u32 devid, pt_id;
	int ret;

	lockdep_assert_held(&group->lock);
	lockdep_assert_held(&vfio_state(vdev)->lock);

	ret = iommufd_vfio_compat_ioas_get_id(group->ictx, &pt_id);
	if (ret)
		return ret;
	ret = vfio_device_open(vdev, group->ictx, &group->kvm, &devid);
	if (ret)
		return ret;
	ret = vfio_iommufd_attach(vdev, &pt_id);
	if (ret)
		vfio_device_close(vdev);
	return ret;
}

/* Drivers look at the sum of the set */
static void group_count_open(struct vfio_device *vdev, int more)
{
	mutex_lock(&vdev->dev_set->lock);
	vdev->open_count += more;
	mutex_unlock(&vdev->dev_set->lock);
}

static int group_open_device(struct vfio_device_file *df)
{
	struct vfio_group *group = df->group;
	struct vfio_device *vdev = df->vdev;
	struct vfio_state *state = vfio_state(vdev);
	int ret = 0;

	mutex_lock(&group->lock);
	if (!group->ictx) {
		ret = refuse(-EINVAL, "the group has no container");
		goto out_unlock;
	}

	mutex_lock(&state->lock);
	if (vdev->open_count)
		group_count_open(vdev, 1);
	else
		ret = group_first_open(group, vdev);
	if (!ret && state->idev)
		vfio_kvm_slot_bind(&df->kvm, group->ictx, state->idev, NULL);
	mutex_unlock(&state->lock);
	if (ret)
		goto out_unlock;

	/* The group has no other user before its devices are closed */
	get_file(group->opened_file);
	group->open_devices++;

out_unlock:
	mutex_unlock(&group->lock);
	return ret;
}

/* Undo group_open_device() */
void vfio_group_close_device(struct vfio_device_file *df)
{
	struct vfio_group *group = df->group;
	struct vfio_device *vdev = df->vdev;
	struct vfio_state *state = vfio_state(vdev);
	struct file *opened_file;

	mutex_lock(&group->lock);
	mutex_lock(&state->lock);
	if (vdev->open_count == 1)
		vfio_device_close(vdev);
	else
		group_count_open(vdev, -1);
	vfio_kvm_slot_unbind(&df->kvm);
	mutex_unlock(&state->lock);
	group->open_devices--;
	opened_file = group->opened_file;
	mutex_unlock(&group->lock);

	fput(opened_file);
}

/* On success the file owns the caller's use of @vdev */
static struct file *group_device_file(struct vfio_group *group,
				      struct vfio_device *vdev)
{
	struct vfio_device_file *df;
	struct file *file;
	int ret;

	df = vfio_device_file_alloc(vdev);
	if (!df)
		return ERR_PTR(refuse(-ENOMEM, NO_MEMORY_FOR "a file"));
	df->group = group;

	ret = group_open_device(df);
	if (ret) {
		file = ERR_PTR(ret);
		goto err_free;
	}
	vfio_device_file_set_usable(df);

	file = anon_inode_getfile("[vfio-device]", &vfio_device_fops, df,
				  O_RDWR);
	if (IS_ERR(file)) {
		iommufd_refuse(PTR_ERR(file), "no file could be made");
		goto err_close;
	}
	/* Regions of the device are read and written at an offset */
	file->f_mode |= FMODE_PREAD | FMODE_PWRITE;
	return file;

err_close:
	vfio_group_close_device(df);
err_free:
	vfio_device_file_free(df);
	return file;
}

static long group_get_device_fd(struct vfio_group *group, char __user *arg)
{
	struct vfio_device *vdev;
	struct file *file;
	char *name;
	int fd;

	name = strndup_user(arg, PAGE_SIZE);
	if (IS_ERR(name))
		return refuse(PTR_ERR(name), "the name cannot be read");
	vdev = vfio_group_get_device(group, name);
	kfree(name);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		iommufd_refuse(fd, "the process may open no more files");
		goto err_put_device;
	}

	file = group_device_file(group, vdev);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto err_put_device;
	}
	fd_install(fd, file);
	return fd;

err_put_device:
	vfio_device_put(vdev);
	return fd;
}

static long group_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vfio_group *group = file->private_data;
	void __user *uarg = (void __user *)arg;
	long ret;

	switch (cmd) {
	case VFIO_GROUP_GET_STATUS:
		ret = group_get_status(group, uarg);
		break;
	case VFIO_GROUP_SET_CONTAINER:
		ret = group_set_container(group, uarg);
		break;
	case VFIO_GROUP_UNSET_CONTAINER:
		ret = group_unset_container(group);
		break;
	case VFIO_GROUP_GET_DEVICE_FD:
		ret = group_get_device_fd(group, uarg);
		break;
	default:
		ret = refuse(-ENOTTY, "no ioctl of a group");
		break;
	}
	if (unlikely(ret < 0))
		vfio_group_refused(group, cmd, ret);
	return ret;
}

#ifdef CONFIG_PROC_FS
static void group_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct vfio_group *group = file->private_data;

	iommufd_refusal_show(m, &group->refusal);
}
#endif

static int group_open(struct inode *inode, struct file *file)
{
	struct vfio_group *group;
	int ret = 0;

	group = vfio_group_get_by_minor(iminor(inode));
	if (!group)
		return iommufd_open_refused(refuse(-ENODEV, GROUP_IS_GONE));

	mutex_lock(&group->lock);
	if (!group->iommu_group) {
		ret = refuse(-ENODEV, GROUP_IS_GONE);
	} else if (group->opened_file) {
		/* Two users would share each other's address space */
		ret = refuse(-EBUSY, "the group is open already");
	} else if (group->device_binds) {
		ret = refuse(-EBUSY, "%u devices of the group are bound by their device files",
			     group->device_binds);
	} else {
		group->opened_file = file;
		memset(&group->refusal, 0, sizeof(group->refusal));
		file->private_data = group;
	}
	mutex_unlock(&group->lock);

	if (ret) {
		put_device(&group->dev);
		iommufd_open_refused(ret);
	}
	return ret;
}

static int group_fops_release(struct inode *inode, struct file *file)
{
	struct vfio_group *group = file->private_data;
	struct iommufd_ctx *ictx;

	mutex_lock(&group->lock);
	WARN_ON(group->open_devices);
	ictx = vfio_group_leave_container(group);
	group->opened_file = NULL;
	mutex_unlock(&group->lock);

	if (ictx)
		iommufd_ctx_put(ictx);
	put_device(&group->dev);
	return 0;
}

const struct file_operations vfio_group_fops = {
	.owner		= THIS_MODULE,
	.open		= group_open,
	.release	= group_fops_release,
	.unlocked_ioctl	= group_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= group_show_fdinfo,
#endif
};

/* Keep the group's file shut while a device of it is bound by device file */
int vfio_group_block(struct vfio_group *group)
{
	int ret = 0;

	mutex_lock(&group->lock);
	if (group->opened_file)
		ret = refuse(-EBUSY, "the group %s is open, by itself or by a device of it",
			     dev_name(&group->dev));
	else
		group->device_binds++;
	mutex_unlock(&group->lock);
	return ret;
}

void vfio_group_unblock(struct vfio_group *group)
{
	mutex_lock(&group->lock);
	group->device_binds--;
	mutex_unlock(&group->lock);
}
