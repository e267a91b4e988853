// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of the ioctls, for the line about the last call that was refused. A number
 * means something else on each kind of file.
 */
#include <linux/iommufd_refusal.h>

#include "vfio.h"

#define CALL(cmd) { cmd, #cmd }

struct call {
	unsigned int cmd;
	const char *name;
};

static const struct call device_calls[] = {
	CALL(VFIO_DEVICE_BIND_IOMMUFD),
	CALL(VFIO_DEVICE_ATTACH_IOMMUFD_PT),
	CALL(VFIO_DEVICE_DETACH_IOMMUFD_PT),
	CALL(VFIO_DEVICE_GET_INFO),
	CALL(VFIO_DEVICE_GET_REGION_INFO),
	CALL(VFIO_DEVICE_GET_IRQ_INFO),
	CALL(VFIO_DEVICE_SET_IRQS),
	CALL(VFIO_DEVICE_RESET),
	CALL(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO),
	CALL(VFIO_DEVICE_PCI_HOT_RESET),
	CALL(VFIO_DEVICE_QUERY_GFX_PLANE),
	CALL(VFIO_DEVICE_GET_GFX_DMABUF),
	CALL(VFIO_DEVICE_IOEVENTFD),
	CALL(VFIO_DEVICE_FEATURE),
};

static const struct call group_calls[] = {
	CALL(VFIO_GROUP_GET_STATUS),
	CALL(VFIO_GROUP_SET_CONTAINER),
	CALL(VFIO_GROUP_UNSET_CONTAINER),
	CALL(VFIO_GROUP_GET_DEVICE_FD),
};

static const char *find(const struct call *calls, unsigned int nr,
			unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (calls[i].cmd == cmd)
			return calls[i].name;
	return NULL;
}

/* An ioctl on a device file was refused */
void __cold vfio_device_refused(struct vfio_device_file *df, unsigned int cmd,
				int error)
{
	iommufd_refusal_keep(&df->refusal,
			     find(device_calls, ARRAY_SIZE(device_calls), cmd),
			     cmd, error);
}

/* An ioctl on a group's file was refused */
void __cold vfio_group_refused(struct vfio_group *group, unsigned int cmd,
			       int error)
{
	iommufd_refusal_keep(&group->refusal,
			     find(group_calls, ARRAY_SIZE(group_calls), cmd),
			     cmd, error);
}
