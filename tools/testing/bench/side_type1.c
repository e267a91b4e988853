// SPDX-License-Identifier: GPL-2.0-only
/* Containers with the ioctls of VFIO's type 1: each space is one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <linux/vfio.h>

#include "bench.h"
#include "lib/edu.h"
#include "lib/iommufd.h"
#include "lib/mock.h"
#include "lib/pci.h"

static int container[2];

/* The bookkeeping of more than 65,535 mappings needs leave */
static void lift_limit(void)
{
	FILE *file = fopen("/sys/module/vfio_iommu_type1/parameters/dma_entry_limit",
			   "w");

	if (!file)
		return;
	fprintf(file, "4000000\n");
	fclose(file);
}

static void open_container(int n, int group, const char *name)
{
	container[n] = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (group < 0 || container[n] < 0)
		die("%s: no group or container", name);
	if (xioctl(group, VFIO_GROUP_SET_CONTAINER, &container[n]) ||
	    xioctl(container[n], VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU))
		die("%s: cannot be put into a container", name);
}

static void open_spaces(int nr_spaces, uint64_t length, bool huge)
{
	char name[PCI_NAME_LEN];
	int i;

	lift_limit();
	for (i = 0; i < nr_spaces; i++) {
		if (pci_find(EDU_VENDOR, EDU_DEVICE, i, name))
			die("no edu device %d", i);
		if (pci_bind_driver(name, "vfio-pci"))
			die("%s: cannot be bound to vfio-pci", name);
		open_container(i, pci_open_group(name), name);
	}
}

static int open_mediated(void)
{
	char name[] = "iommufd_mock_mdev.1";
	int group = mock_open_group(MOCK_MDEV, 1);
	int device;

	lift_limit();
	open_container(0, group, name);
	device = xioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (device < 0)
		die("%s: error %d", name, -device);
	return device;
}

static int map(int space, void *memory, uint64_t length, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = length,
	};

	return xioctl(container[space], VFIO_IOMMU_MAP_DMA, &arg);
}

static int unmap(int space, uint64_t iova, uint64_t length)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg),
		.iova = iova,
		.size = length,
	};
	int rc = xioctl(container[space], VFIO_IOMMU_UNMAP_DMA, &arg);

	return rc ? rc : arg.size == length ? 0 : -EIO;
}

static int copy(void *memory, uint64_t length, uint64_t iova)
{
	return map(1, memory, length, iova);
}

static int uncopy(uint64_t length, uint64_t iova)
{
	return unmap(1, iova, length);
}

const struct side side_type1 = {
	.name = "type1",
	.open = open_spaces,
	.map = map,
	.unmap = unmap,
	.copy = copy,
	.uncopy = uncopy,
	.open_mediated = open_mediated,
};
