// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_IOEVENTFD of PCI devices.
 *
 * vfio-pci-core takes the number of a BAR out of the upper bits of the offset, and
 * does not notice that it is negative when the top bit is set: it goes on with what
 * is in front of its arrays. So the offset is looked at here. But the driver reads the
 * argument by itself, from user memory, which another thread may have changed by
 * then. So it gets a copy: a page that the process has mapped for the moment and
 * cannot write to. Nor can it put other memory there, as mmap_lock is held.
 *
 * The driver takes its locks and allocates memory inside mmap_lock this way, as it
 * does in mmap(). None of them is held by anybody who waits for mmap_lock.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "vfio.h"

/* With none at all it would count as memory without a file */
static const struct vm_operations_struct argument_vm_ops = {
};

/* The file cannot be written to, so even a debugger cannot write to the mapping */
static int argument_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_mod(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &argument_vm_ops;
	return vm_insert_page(vma, vma->vm_start, file->private_data);
}

/* The process may have moved the mapping, and so have kept it until here */
static int argument_release(struct inode *inode, struct file *file)
{
	__free_page(file->private_data);
	return 0;
}

static const struct file_operations argument_fops = {
	.owner		= THIS_MODULE,
	.mmap		= argument_mmap,
	.release	= argument_release,
};

static struct file *argument_file(const void *argument, size_t size)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	struct file *file;

	if (!page)
		return ERR_PTR(-ENOMEM);
	memcpy(page_address(page), argument, size);
	file = anon_inode_getfile("[vfio-ioeventfd]", &argument_fops, page,
				  O_RDONLY);
	if (IS_ERR(file))
		__free_page(page);
	return file;
}

/* Call the driver with what of @file is mapped at @addr */
static long ioctl_mapped(struct vfio_device *vdev, struct file *file,
			 unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	long ret;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (!vma || vma->vm_file != file) {
		mmap_read_unlock(mm);
		return refuse(-EFAULT, NO_ARGUMENT);
	}
	/* The page is there; a fault would take mmap_lock once more */
	pagefault_disable();
	ret = vfio_driver_ioctl(vdev, VFIO_DEVICE_IOEVENTFD, addr);
	pagefault_enable();
	mmap_read_unlock(mm);

	vm_munmap(addr, PAGE_SIZE);
	return ret;
}

/* VFIO_DEVICE_IOEVENTFD of a PCI device */
long vfio_ioeventfd(struct vfio_device *vdev, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_device_ioeventfd, fd);
	struct vfio_device_ioeventfd arg;
	unsigned long addr;
	struct file *file;
	long ret;

	if (copy_from_user(&arg, uarg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (arg.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, arg.argsz, minsz);
	if ((s64)arg.offset < 0)
		return refuse(-EINVAL, "the offset 0x%llx is in no BAR",
			      arg.offset);

	file = argument_file(&arg, minsz);
	if (IS_ERR(file))
		return refuse(PTR_ERR(file), NO_MEMORY_FOR "the argument");
	addr = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	if (IS_ERR_VALUE(addr))
		ret = refuse((long)addr, "the process has no room for one more page");
	else
		ret = ioctl_mapped(vdev, file, addr);
	fput(file);
	return ret;
}
