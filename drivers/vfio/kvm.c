// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that user space adds to a virtual machine.
 *
 * KVM asks whether a file may be added, then tells which machine it belongs to,
 * for drivers that need to know, and later that it belongs to none. The same
 * questions come from drivers during a hot reset, about files that prove the
 * right to reset a device.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>

#include "vfio.h"

enum vfio_file_kind {
	VFIO_FILE_OTHER,
	VFIO_FILE_GROUP,
	VFIO_FILE_DEVICE,
	VFIO_FILE_RESET_PROOF,
	VFIO_FILE_IOMMU,
};

static enum vfio_file_kind file_kind(struct file *file)
{
	if (file->f_op == &vfio_group_fops)
		return VFIO_FILE_GROUP;
	if (file->f_op == &vfio_device_fops)
		return VFIO_FILE_DEVICE;
	if (vfio_hot_reset_is_proof(file))
		return VFIO_FILE_RESET_PROOF;
	if (iommufd_file_is(file))
		return VFIO_FILE_IOMMU;
	return VFIO_FILE_OTHER;
}

/*
 * Called "is group" since the time when there were only groups. KVM means: may
 * this file be added? Drivers mean: does this prove anything about a device?
 */
bool vfio_file_is_group(struct file *file)
{
	return file_kind(file) != VFIO_FILE_OTHER;
}

/* Only of use to KVM on machines with an SPAPR TCE IOMMU */
struct iommu_group *vfio_file_iommu_group(struct file *file)
{
	struct iommu_group *iommu_group = NULL;
	struct vfio_group *group;

	if (!IS_ENABLED(CONFIG_SPAPR_TCE_IOMMU) ||
	    file_kind(file) != VFIO_FILE_GROUP)
		return NULL;

	group = file->private_data;
	mutex_lock(&group->lock);
	if (group->iommu_group) {
		iommu_group = group->iommu_group;
		iommu_group_ref_get(iommu_group);
	}
	mutex_unlock(&group->lock);
	return iommu_group;
}

/*
 * KVM takes "no" for a reason to let guests flush caches, and asks only when a
 * file is added or removed, before anything is attached. Whether DMA is
 * coherent is pushed to it when it changes, see virt/kvm/vfio.c.
 */
bool vfio_file_enforced_coherent(struct file *file)
{
	return true;
}

void vfio_file_set_kvm(struct file *file, struct kvm *kvm)
{
	struct vfio_device_file *df;
	struct vfio_group *group;
	struct iommufd_ctx *ictx;

	switch (file_kind(file)) {
	case VFIO_FILE_GROUP:
		group = file->private_data;
		vfio_kvm_slot_set(&group->kvm, kvm);
		break;
	case VFIO_FILE_DEVICE:
		df = file->private_data;
		vfio_kvm_slot_set(&df->kvm, kvm);
		break;
	case VFIO_FILE_IOMMU:
		ictx = iommufd_ctx_from_file(file);
		vfio_kvm_iommu_file_set(ictx, kvm);
		iommufd_ctx_put(ictx);
		break;
	default:
		break;
	}
}

/* Does the file prove that its owner may reset @vdev? */
bool vfio_file_has_dev(struct file *file, struct vfio_device *vdev)
{
	switch (file_kind(file)) {
	case VFIO_FILE_GROUP:
		return file->private_data == vdev->group;
	case VFIO_FILE_RESET_PROOF:
		return vfio_hot_reset_proof_covers(file, vdev);
	default:
		return false;
	}
}
