// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs of PCI devices that user space has mapped, as memory for other devices.
 *
 * iommufd follows such a mapping through the MMU notifiers. That relies on the
 * PCI driver to know each mapping that has page table entries, and to clear these
 * before it takes the BAR away. The driver learns of a mapping by the page fault
 * that fills it, and so would not know one that got its entries by mremap():
 * those are cleared here, and the next access faults.
 */
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#include "vfio.h"

static DEFINE_MUTEX(vm_ops_lock); /* guards the operations until they are set */

static int bar_mremap(struct vm_area_struct *vma)
{
	zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	return 0;
}

/*
 * Make what a driver has just mapped followable, if it is a BAR. What a driver
 * maps in other ways than by page faults is something else, or not cleared.
 */
void vfio_bar_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vfio_state *state = vfio_state(vdev);

	if (!vfio_is_pci(vdev) || !(vma->vm_flags & VM_PFNMAP) ||
	    !vma->vm_ops || !vma->vm_ops->fault || vma->vm_ops->mremap)
		return;

	mutex_lock(&vm_ops_lock);
	if (!state->driver_vm_ops) {
		state->bar_vm_ops = *vma->vm_ops;
		state->bar_vm_ops.mremap = bar_mremap;
		state->driver_vm_ops = vma->vm_ops;
	}
	if (vma->vm_ops == state->driver_vm_ops)
		vma->vm_ops = &state->bar_vm_ops;
	mutex_unlock(&vm_ops_lock);
}

static const void *bar_device_set(const struct vm_area_struct *vma)
{
	const struct vfio_device_file *df;

	if (!vma->vm_file || vma->vm_file->f_op != &vfio_device_fops)
		return NULL;
	df = vma->vm_file->private_data;
	if (vma->vm_ops != &vfio_state(df->vdev)->bar_vm_ops)
		return NULL;
	return df->vdev->dev_set;
}

static const struct iommufd_bar_source bar_source = {
	.device_set = bar_device_set,
};

/* Before a call that may take BARs away or bring them back */
void vfio_bars_guard(struct vfio_device *vdev, struct iommufd_bar_guard *guard)
{
	if (vfio_is_pci(vdev))
		iommufd_bars_guard(guard, vdev->dev_set);
}

/* After it */
void vfio_bars_restored(struct vfio_device *vdev,
			struct iommufd_bar_guard *guard)
{
	if (vfio_is_pci(vdev))
		iommufd_bars_restored(guard);
}

void __init vfio_bar_init(void)
{
	iommufd_bar_source_set(&bar_source);
}

void vfio_bar_exit(void)
{
	iommufd_bar_source_set(NULL);
}
