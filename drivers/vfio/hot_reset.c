// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot reset of a PCI bus or slot, by the user of a device file.
 *
 * The reset hits every device there, so its user must own all of them. In the
 * old interface the user proves that with the groups of all the devices, which
 * is the only proof that this kernel's PCI drivers accept. The user of a device
 * file has no groups: all devices must belong to the /dev/iommu file that the
 * device is bound to, and an empty list of groups stands for that.
 *
 * So the call is translated: the driver gets a list with one file, which this
 * file makes, and which vfio_file_has_dev() takes for a proof of exactly the
 * devices that belong to the /dev/iommu file. The driver reads the list from
 * user memory and the file from the table of descriptors, where other threads
 * of the user can reach both; all they gain is a proof that is good for nothing
 * outside this one call, by this one task.
 */
#include <linux/anon_inodes.h>
#include <linux/fdtable.h>
#include <linux/iommufd.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "vfio.h"

/**
 * struct reset_proof - Behind the file that is passed to the driver
 * @task: who the proof is good for, NULL when the call is over
 * @ictx: every device that belongs to this is covered
 */
struct reset_proof {
	struct task_struct *task;
	struct iommufd_ctx *ictx;
};

static int proof_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations proof_fops = {
	.owner		= THIS_MODULE,
	.release	= proof_release,
};

/* To any other task, which may have got at it, the file is nothing */
bool vfio_hot_reset_is_proof(struct file *file)
{
	struct reset_proof *proof = file->private_data;

	/* Only the task itself can find itself here, so it needs no lock */
	return file->f_op == &proof_fops && READ_ONCE(proof->task) == current;
}

/* Does the proof, which is the calling task's, cover @vdev? */
bool vfio_hot_reset_proof_covers(struct file *file, struct vfio_device *vdev)
{
	struct reset_proof *proof = file->private_data;

	lockdep_assert_held(&vdev->dev_set->lock);
	return vfio_iommufd_devid(vdev, proof->ictx) !=
	       (u32)VFIO_PCI_DEVID_NOT_OWNED;
}

bool vfio_is_pci(struct vfio_device *vdev)
{
	return dev_is_pci(vdev->dev);
}

/* A walk over the devices that a reset of @vdev hits */
struct reset_walk {
	struct vfio_device *vdev;
	struct pci_slot *slot;
	struct iommufd_ctx *ictx;
	struct vfio_pci_dependent_devid *devs;
	unsigned int max;
	unsigned int count;
	bool owned;
};

/* Is @pdev in @slot, or behind a bridge that is? */
static bool pci_below_slot(struct pci_dev *pdev, struct pci_slot *slot)
{
	while (pdev && pdev->bus != slot->bus)
		pdev = pdev->bus->self;
	return pdev && pdev->slot == slot;
}

static int count_dev(struct pci_dev *pdev, void *data)
{
	struct reset_walk *walk = data;

	if (!walk->slot || pci_below_slot(pdev, walk->slot))
		walk->count++;
	return 0;
}

static int fill_dev(struct pci_dev *pdev, void *data)
{
	struct reset_walk *walk = data;

	if (walk->slot && !pci_below_slot(pdev, walk->slot))
		return 0;

	if (walk->count < walk->max)
		walk->devs[walk->count] = (struct vfio_pci_dependent_devid) {
			.segment = pci_domain_nr(pdev->bus),
			.bus = pdev->bus->number,
			.devfn = pdev->devfn,
		};
	walk->count++;
	return 0;
}

static bool is_same_dev(struct vfio_device *vdev,
			const struct vfio_pci_dependent_devid *dev)
{
	struct pci_dev *pdev = to_pci_dev(vdev->dev);

	return pci_domain_nr(pdev->bus) == dev->segment &&
	       pdev->bus->number == dev->bus && pdev->devfn == dev->devfn;
}

/* A device that is not in the set has no VFIO driver, and so no owner */
static void fill_devid(struct reset_walk *walk,
		       struct vfio_pci_dependent_devid *dev)
{
	struct vfio_device_set *set = walk->vdev->dev_set;
	struct vfio_device *vdev;

	lockdep_assert_held(&set->lock);

	dev->devid = VFIO_PCI_DEVID_NOT_OWNED;
	list_for_each_entry(vdev, &set->device_list, dev_set_list)
		if (is_same_dev(vdev, dev))
			dev->devid = vfio_iommufd_devid(vdev, walk->ictx);
	if (dev->devid == (u32)VFIO_PCI_DEVID_NOT_OWNED)
		walk->owned = false;
}

static long fill_devs(struct reset_walk *walk, struct pci_bus *bus)
{
	struct vfio_device_set *set = walk->vdev->dev_set;
	unsigned int i;

	walk->devs = kcalloc(walk->max, sizeof(*walk->devs), GFP_KERNEL);
	if (!walk->devs)
		return refuse(-ENOMEM, NO_MEMORY_FOR "%u devices",
			      walk->max);

	walk->count = 0;
	pci_walk_bus(bus, fill_dev, walk);
	/* A device has come since they were counted */
	if (walk->count > walk->max)
		return refuse(-EAGAIN, "a device has been added meanwhile");

	walk->owned = true;
	mutex_lock(&set->lock);
	walk->ictx = vfio_iommufd_ctx(walk->vdev);
	for (i = 0; i < walk->count; i++)
		fill_devid(walk, &walk->devs[i]);
	mutex_unlock(&set->lock);
	return 0;
}

long vfio_hot_reset_info(struct vfio_device *vdev, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_pci_hot_reset_info, count);
	struct vfio_pci_hot_reset_info __user *arg = uarg;
	struct pci_dev *pdev = to_pci_dev(vdev->dev);
	struct reset_walk walk = { .vdev = vdev };
	struct vfio_pci_hot_reset_info hdr;
	long ret;

	if (copy_from_user(&hdr, arg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (hdr.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, hdr.argsz, minsz);

	if (!pci_probe_reset_slot(pdev->slot))
		walk.slot = pdev->slot;
	else if (pci_probe_reset_bus(pdev->bus))
		return refuse(-ENODEV, "neither the device's slot nor its bus can be reset");

	pci_walk_bus(pdev->bus, count_dev, &walk);
	walk.max = walk.count;
	hdr.flags = 0;
	hdr.count = walk.count;
	if (walk.max > (hdr.argsz - minsz) / sizeof(*walk.devs)) {
		if (copy_to_user(arg, &hdr, minsz))
			return refuse(-EFAULT, NO_ANSWER);
		return refuse(-ENOSPC, "a reset hits %u devices, and there is room for %zu",
			      walk.max, (hdr.argsz - minsz) / sizeof(*walk.devs));
	}

	ret = fill_devs(&walk, pdev->bus);
	if (ret)
		goto out_free;

	hdr.count = walk.count;
	hdr.flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID;
	if (walk.owned)
		hdr.flags |= VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	if (copy_to_user(arg->devices, walk.devs,
			 walk.count * sizeof(*walk.devs)) ||
	    copy_to_user(arg, &hdr, minsz))
		ret = refuse(-EFAULT, NO_ANSWER);
out_free:
	kfree(walk.devs);
	return ret;
}

/* A proof for the calling task; it is open at @fd, and the caller's as well */
static struct file *proof_open(struct vfio_device *vdev, int *fd)
{
	struct reset_proof *proof;
	struct file *file;
	int ret;

	proof = kzalloc(sizeof(*proof), GFP_KERNEL);
	if (!proof)
		return ERR_PTR(refuse(-ENOMEM, NO_MEMORY_FOR "a file"));
	proof->task = current;
	/* Stays as long as the device file that the call came through */
	mutex_lock(&vdev->dev_set->lock);
	proof->ictx = vfio_iommufd_ctx(vdev);
	mutex_unlock(&vdev->dev_set->lock);

	ret = get_unused_fd_flags(O_CLOEXEC);
	if (ret < 0) {
		iommufd_refuse(ret, "the process may open no more files");
		goto err_free;
	}
	file = anon_inode_getfile("[vfio-reset]", &proof_fops, proof, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(ret);
		ret = refuse(PTR_ERR(file), "no file could be made");
		goto err_free;
	}
	*fd = ret;
	fd_install(ret, get_file(file));
	return file;

err_free:
	kfree(proof);
	return ERR_PTR(ret);
}

static void proof_close(struct file *file, int fd)
{
	struct reset_proof *proof = file->private_data;
	struct fd f = fdget(fd);
	bool ours = f.file == file;

	/* Another thread may have put something else there */
	if (f.file)
		fdput(f);
	if (ours)
		close_fd(fd);

	/* It may also have kept the file */
	WRITE_ONCE(proof->task, NULL);
	fput(file);
}

static long reset_with_proof(struct vfio_device *vdev, int fd)
{
	const size_t size = struct_size_t(struct vfio_pci_hot_reset,
					  group_fds, 1);
	struct {
		struct vfio_pci_hot_reset hdr;
		s32 fd;
	} list = {
		.hdr = { .argsz = size, .count = 1 },
		.fd = fd,
	};
	unsigned long addr;
	long ret;

	addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		return refuse((long)addr, "the process may map no more memory");

	if (copy_to_user((void __user *)addr, &list, size))
		ret = refuse(-EFAULT, "the process has unmapped memory of the call");
	else
		ret = vdev->ops->ioctl(vdev, VFIO_DEVICE_PCI_HOT_RESET, addr);
	if (ret < 0)
		iommufd_refuse(ret,
			       "a device that the reset hits is not bound to the same /dev/iommu, or the driver %s cannot reset",
			       dev_driver_string(vdev->dev));
	vm_munmap(addr, PAGE_SIZE);
	return ret;
}

long vfio_hot_reset(struct vfio_device *vdev, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_pci_hot_reset, count);
	struct vfio_pci_hot_reset hdr;
	struct file *proof;
	long ret;
	int fd;

	if (copy_from_user(&hdr, uarg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (hdr.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, hdr.argsz, minsz);
	if (hdr.flags)
		return refuse(-EINVAL, UNKNOWN_FLAGS, hdr.flags);
	if (hdr.count)
		return refuse(-EINVAL,
			      "%u groups are named, but a device file goes by its /dev/iommu: the count must be 0",
			      hdr.count);
	if (!vdev->ops->ioctl)
		return refuse(-EINVAL, "the driver %s has no ioctls",
			      dev_driver_string(vdev->dev));

	proof = proof_open(vdev, &fd);
	if (IS_ERR(proof))
		return PTR_ERR(proof);
	ret = reset_with_proof(vdev, fd);
	proof_close(proof, fd);
	return ret;
}
