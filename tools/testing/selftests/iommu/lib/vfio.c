// SPDX-License-Identifier: GPL-2.0-only
#include "vfio.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "iommufd.h"

int vfio_bind(int device, int iommufd, uint32_t *id)
{
	struct vfio_device_bind_iommufd arg = {
		.argsz = sizeof(arg),
		.iommufd = iommufd,
	};
	int rc = xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &arg);

	*id = arg.out_devid;
	return rc;
}

int vfio_attach(int device, uint32_t *pt)
{
	struct vfio_device_attach_iommufd_pt arg = {
		.argsz = sizeof(arg),
		.pt_id = *pt,
	};
	int rc = xioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg);

	*pt = arg.pt_id;
	return rc;
}

int vfio_detach(int device)
{
	struct vfio_device_detach_iommufd_pt arg = { .argsz = sizeof(arg) };

	return xioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &arg);
}

int vfio_region(int device, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info) {
		.argsz = sizeof(*info),
		.index = index,
	};
	return xioctl(device, VFIO_DEVICE_GET_REGION_INFO, info);
}

void *vfio_map_bar(int device, uint32_t index, size_t *size)
{
	struct vfio_region_info info;
	void *bar;
	int rc;

	rc = vfio_region(device, index, &info);
	if (rc) {
		errno = -rc;
		return NULL;
	}
	*size = info.size;
	bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		   info.offset);
	return bar == MAP_FAILED ? NULL : bar;
}

int vfio_set_command(int device, uint16_t clear, uint16_t set)
{
	struct vfio_region_info config;
	uint16_t command;
	int rc;

	rc = vfio_region(device, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	if (rc)
		return rc;
	if (pread(device, &command, sizeof(command),
		  config.offset + PCI_COMMAND) != sizeof(command))
		return -EIO;
	command = (command & ~clear) | set;
	if (pwrite(device, &command, sizeof(command),
		   config.offset + PCI_COMMAND) != sizeof(command))
		return -EIO;
	return 0;
}
