// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of the calls, for the line about the last call that was refused. A number
 * means something else on each kind of file.
 */
#include <linux/iommufd_refusal.h>

#include "vfio.h"

static const struct iommufd_call device_calls[] = {
	IOMMUFD_CALL(VFIO_DEVICE_BIND_IOMMUFD),
	IOMMUFD_CALL(VFIO_DEVICE_ATTACH_IOMMUFD_PT),
	IOMMUFD_CALL(VFIO_DEVICE_DETACH_IOMMUFD_PT),
	IOMMUFD_CALL(VFIO_DEVICE_GET_INFO),
	IOMMUFD_CALL(VFIO_DEVICE_GET_REGION_INFO),
	IOMMUFD_CALL(VFIO_DEVICE_GET_IRQ_INFO),
	IOMMUFD_CALL(VFIO_DEVICE_SET_IRQS),
	IOMMUFD_CALL(VFIO_DEVICE_RESET),
	IOMMUFD_CALL(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO),
	IOMMUFD_CALL(VFIO_DEVICE_PCI_HOT_RESET),
	IOMMUFD_CALL(VFIO_DEVICE_QUERY_GFX_PLANE),
	IOMMUFD_CALL(VFIO_DEVICE_GET_GFX_DMABUF),
	IOMMUFD_CALL(VFIO_DEVICE_IOEVENTFD),
	IOMMUFD_CALL(VFIO_DEVICE_FEATURE),
};

static const struct iommufd_call group_calls[] = {
	IOMMUFD_CALL(VFIO_GROUP_GET_STATUS),
	IOMMUFD_CALL(VFIO_GROUP_SET_CONTAINER),
	IOMMUFD_CALL(VFIO_GROUP_UNSET_CONTAINER),
	IOMMUFD_CALL(VFIO_GROUP_GET_DEVICE_FD),
};

/* An ioctl on a device file was refused */
void __cold vfio_device_refused(struct vfio_device_file *df, unsigned int cmd,
				int error)
{
	iommufd_refusal_keep(&df->refusal,
			     iommufd_call_name(device_calls,
					       ARRAY_SIZE(device_calls), cmd),
			     cmd, error);
}

/* An ioctl on a group's file was refused */
void __cold vfio_group_refused(struct vfio_group *group, unsigned int cmd,
			       int error)
{
	iommufd_refusal_keep(&group->refusal,
			     iommufd_call_name(group_calls,
					       ARRAY_SIZE(group_calls), cmd),
			     cmd, error);
}
