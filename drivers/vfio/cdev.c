// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device files /dev/vfio/devices/vfioN.
 *
 * Anybody with access may open one, any number of times. Opened, it does
 * nothing until it is bound to a /dev/iommu file, which only one of them can
 * be, and only while nobody has the group open.
 */
#include <linux/cdev.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>
#include <linux/xarray.h>

#include "vfio.h"

/*
 * Makes the node and the way from its number to the device come in one step,
 * for an open that is quicker than the registration.
 */
static DEFINE_MUTEX(nodes_lock);
/* Registered devices by index; written under nodes_lock */
static DEFINE_XARRAY(nodes);
static dev_t device_devt;
static struct cdev device_cdev;

/* Make the node. From here on the device counts its users. */
int vfio_cdev_add(struct vfio_device *vdev)
{
	int ret;

	vdev->device.devt = MKDEV(MAJOR(device_devt), vdev->index);

	mutex_lock(&nodes_lock);
	ret = xa_insert(&nodes, vdev->index, vdev, GFP_KERNEL);
	if (ret)
		goto out_unlock;
	ret = device_add(&vdev->device);
	if (ret)
		xa_erase(&nodes, vdev->index);
	else
		refcount_set(&vdev->refcount, 1);
out_unlock:
	mutex_unlock(&nodes_lock);
	return ret;
}

/* Take the node away. Files that are open stay so. */
void vfio_cdev_del(struct vfio_device *vdev)
{
	mutex_lock(&nodes_lock);
	xa_erase(&nodes, vdev->index);
	mutex_unlock(&nodes_lock);
	device_del(&vdev->device);
}

int vfio_cdev_open(struct inode *inode, struct file *file)
{
	struct vfio_device_file *df;
	struct vfio_device *vdev;

	mutex_lock(&nodes_lock);
	vdev = xa_load(&nodes, iminor(inode));
	if (vdev && !vfio_device_get(vdev))
		vdev = NULL;
	mutex_unlock(&nodes_lock);
	if (!vdev)
		return iommufd_open_refused(refuse(-ENODEV, "the device is gone"));

	df = vfio_device_file_alloc(vdev);
	if (!df) {
		vfio_device_put(vdev);
		return iommufd_open_refused(refuse(-ENOMEM, NO_MEMORY_FOR "a file"));
	}
	file->private_data = df;
	return 0;
}

/**
 * struct cdev_bind - What VFIO_DEVICE_BIND_IOMMUFD asks for
 * @arg: the argument
 * @token: what @arg points to, if it has VFIO_DEVICE_BIND_FLAG_TOKEN
 *
 * Copied whole before a lock is taken, because the user can keep a copy waiting.
 */
struct cdev_bind {
	struct vfio_device_bind_iommufd arg;
	uuid_t token;
};

/*
 * Some devices want a token that their user shares with others. Drivers of this
 * kernel take it as part of the name by which a device is got from its group,
 * and refuse a name that lacks it, so they are asked in either case.
 */
static int cdev_check_token(struct vfio_device *vdev,
			    const struct cdev_bind *bind)
{
	bool given = bind->arg.flags & VFIO_DEVICE_BIND_FLAG_TOKEN;
	char *name;
	int match;

	if (!vdev->ops->match)
		return 0;

	if (given)
		name = kasprintf(GFP_KERNEL, "%s vf_token=%pUb",
				 dev_name(vdev->dev), &bind->token);
	else
		name = kstrdup(dev_name(vdev->dev), GFP_KERNEL);
	if (!name)
		return refuse(-ENOMEM, NO_MEMORY_FOR "a name");

	match = vdev->ops->match(vdev, name);
	kfree(name);
	if (match < 0)
		return refuse(match, given ? "the driver %s refuses the token" :
					     "the driver %s wants a token",
			      dev_driver_string(vdev->dev));
	if (!match)
		return refuse(-EINVAL, "the driver %s does not take the device for %s",
			      dev_driver_string(vdev->dev),
			      dev_name(vdev->dev));
	return 0;
}

static int cdev_copy_bind(struct vfio_device *vdev, struct cdev_bind *bind,
			  struct vfio_device_bind_iommufd __user *uarg)
{
	struct vfio_device_bind_iommufd *arg = &bind->arg;
	u32 size;
	int ret;

	if (get_user(size, &uarg->argsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (size < offsetofend(struct vfio_device_bind_iommufd, out_devid))
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, size,
			      offsetofend(struct vfio_device_bind_iommufd,
					  out_devid));
	ret = copy_struct_from_user(arg, sizeof(*arg), uarg, size);
	if (ret == -E2BIG)
		return refuse(ret,
			      "of the %u bytes of the argument some beyond the %zu known are not 0",
			      size, sizeof(*arg));
	if (ret)
		return refuse(ret, NO_ARGUMENT);
	if (arg->iommufd < 0)
		return refuse(-EINVAL, "%d is no descriptor", arg->iommufd);
	if (arg->flags & ~VFIO_DEVICE_BIND_FLAG_TOKEN)
		return refuse(-EINVAL, UNKNOWN_FLAGS, arg->flags);
	if (!(arg->flags & VFIO_DEVICE_BIND_FLAG_TOKEN))
		return 0;
	if (!vdev->ops->match)
		return refuse(-EINVAL, "the driver %s takes no token",
			      dev_driver_string(vdev->dev));
	if (copy_from_user(&bind->token, u64_to_user_ptr(arg->token_uuid_ptr),
			   sizeof(bind->token)))
		return refuse(-EFAULT, "the token cannot be read");
	return 0;
}

static int cdev_bind_locked(struct vfio_device_file *df,
			    const struct cdev_bind *bind, u32 *devid)
{
	struct vfio_device *vdev = df->vdev;
	struct vfio_state *state = vfio_state(vdev);
	struct iommufd_ctx *ictx;
	int ret;

	lockdep_assert_held(&state->lock);

	if (df->usable)
		return refuse(-EINVAL, "the device file is bound already");
	ret = cdev_check_token(vdev, bind);
	if (ret)
		return ret;

	ictx = iommufd_ctx_from_fd(bind->arg.iommufd);
	if (IS_ERR(ictx))
		return PTR_ERR(ictx);

	/* Bound through another file of the same device */
	if (vdev->open_count) {
		ret = refuse(-EINVAL, "the device is bound by another open of its device file");
		goto out_put;
	}
	ret = vfio_device_open(vdev, ictx, &df->kvm, devid);
	if (!ret && state->idev)
		vfio_kvm_slot_bind(&df->kvm, ictx, state->idev, NULL);

out_put:
	/* A bound device holds the file by itself */
	iommufd_ctx_put(ictx);
	return ret;
}

static void cdev_unbind(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->vdev;
	struct iommufd_ctx *ictx;

	mutex_lock(&vfio_state(vdev)->lock);
	/* Virtual machines are told the last of the device after it is gone */
	ictx = vfio_iommufd_ctx(vdev);
	if (ictx)
		iommufd_ctx_get(ictx);
	vfio_device_close(vdev);
	vfio_kvm_slot_unbind(&df->kvm);
	mutex_unlock(&vfio_state(vdev)->lock);
	if (ictx)
		iommufd_ctx_put(ictx);
	vfio_group_unblock(vdev->group);
}

long vfio_cdev_bind(struct vfio_device_file *df, void __user *uarg)
{
	struct vfio_device_bind_iommufd __user *arg = uarg;
	struct vfio_device *vdev = df->vdev;
	struct cdev_bind bind;
	u32 devid;
	int ret;

	ret = cdev_copy_bind(vdev, &bind, arg);
	if (ret)
		return ret;
	if (df->group)
		return refuse(-EINVAL, "the file was got from its group, which has bound it");

	ret = vfio_group_block(vdev->group);
	if (ret)
		return ret;

	/* Who has bound the device may keep it locked for as long as he likes */
	if (mutex_lock_killable(&vfio_state(vdev)->lock)) {
		ret = refuse(-EINTR, KILLED);
	} else {
		ret = cdev_bind_locked(df, &bind, &devid);
		mutex_unlock(&vfio_state(vdev)->lock);
	}
	if (ret) {
		vfio_group_unblock(vdev->group);
		return ret;
	}

	/* Nobody can use the device before its ID is known, nor bind it again */
	if (put_user(devid, &arg->out_devid)) {
		cdev_unbind(df);
		return refuse(-EFAULT, NO_ANSWER);
	}
	vfio_device_file_set_usable(df);
	return 0;
}

/* Undo vfio_cdev_bind(), if there was one; the file is being closed */
void vfio_cdev_release(struct vfio_device_file *df)
{
	if (df->usable)
		cdev_unbind(df);
}

long vfio_cdev_attach(struct vfio_device_file *df, void __user *uarg)
{
	const size_t minsz =
		offsetofend(struct vfio_device_attach_iommufd_pt, pt_id);
	struct vfio_device_attach_iommufd_pt __user *arg = uarg;
	struct vfio_device_attach_iommufd_pt attach;
	struct vfio_device *vdev = df->vdev;
	int ret;

	if (copy_from_user(&attach, arg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (attach.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, attach.argsz, minsz);
	if (attach.flags & ~VFIO_DEVICE_ATTACH_PASID)
		return refuse(-EINVAL, UNKNOWN_FLAGS, attach.flags);
	if (attach.flags)
		return refuse(-EOPNOTSUPP, NO_PASIDS);

	mutex_lock(&vfio_state(vdev)->lock);
	ret = vfio_iommufd_attach(vdev, &attach.pt_id);
	mutex_unlock(&vfio_state(vdev)->lock);
	if (ret)
		return ret;

	if (put_user(attach.pt_id, &arg->pt_id)) {
		mutex_lock(&vfio_state(vdev)->lock);
		vfio_iommufd_detach(vdev);
		mutex_unlock(&vfio_state(vdev)->lock);
		return refuse(-EFAULT, NO_ANSWER);
	}
	return 0;
}

long vfio_cdev_detach(struct vfio_device_file *df, void __user *uarg)
{
	const size_t minsz =
		offsetofend(struct vfio_device_detach_iommufd_pt, flags);
	struct vfio_device_detach_iommufd_pt detach;
	struct vfio_device *vdev = df->vdev;

	if (copy_from_user(&detach, uarg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (detach.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, detach.argsz, minsz);
	if (detach.flags & ~VFIO_DEVICE_DETACH_PASID)
		return refuse(-EINVAL, UNKNOWN_FLAGS, detach.flags);
	if (detach.flags)
		return refuse(-EOPNOTSUPP, NO_PASIDS);

	mutex_lock(&vfio_state(vdev)->lock);
	vfio_iommufd_detach(vdev);
	mutex_unlock(&vfio_state(vdev)->lock);
	return 0;
}

int __init vfio_cdev_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&device_devt, 0, MINORMASK + 1, "vfio-dev");
	if (ret)
		return ret;

	/*
	 * One for all devices, so that a file never refers to a device beyond
	 * its release; the device's driver may be gone by then.
	 */
	cdev_init(&device_cdev, &vfio_device_fops);
	device_cdev.owner = THIS_MODULE;
	ret = cdev_add(&device_cdev, device_devt, MINORMASK + 1);
	if (ret)
		unregister_chrdev_region(device_devt, MINORMASK + 1);
	return ret;
}

void vfio_cdev_exit(void)
{
	cdev_del(&device_cdev);
	unregister_chrdev_region(device_devt, MINORMASK + 1);
	WARN_ON(!xa_empty(&nodes));
	xa_destroy(&nodes);
}
