// SPDX-License-Identifier: GPL-2.0-only
#include "type1.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int call(int fd, unsigned long number, unsigned long arg)
{
	int rc = ioctl(fd, number, arg);

	return rc < 0 ? -errno : rc;
}

bool type1_is_stock(void)
{
	return access("/dev/iommu", F_OK) < 0;
}

int container_open(void)
{
	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int container_version(int container)
{
	return call(container, VFIO_GET_API_VERSION, 0);
}

int container_extension(int container, unsigned long extension)
{
	return call(container, VFIO_CHECK_EXTENSION, extension);
}

int container_set_iommu(int container, unsigned long type)
{
	return call(container, VFIO_SET_IOMMU, type);
}

int container_map(int container, uint32_t flags, const void *memory,
		  uint64_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = flags,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return call(container, VFIO_IOMMU_MAP_DMA, (uintptr_t)&arg);
}

int container_unmap(int container, uint32_t flags, uint64_t iova,
		    uint64_t *size)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg),
		.flags = flags,
		.iova = iova,
		.size = *size,
	};
	int rc = call(container, VFIO_IOMMU_UNMAP_DMA, (uintptr_t)&arg);

	*size = arg.size;
	return rc;
}

int container_unmap_bitmap(int container, uint64_t iova, uint64_t *size,
			   uint64_t pgsize, void *bitmap, uint64_t bytes)
{
	struct {
		struct vfio_iommu_type1_dma_unmap unmap;
		struct vfio_bitmap bitmap;
	} arg = {
		.unmap.argsz = sizeof(arg),
		.unmap.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.unmap.iova = iova,
		.unmap.size = *size,
		.bitmap.pgsize = pgsize,
		.bitmap.size = bytes,
		.bitmap.data = bitmap,
	};
	int rc = call(container, VFIO_IOMMU_UNMAP_DMA, (uintptr_t)&arg);

	*size = arg.unmap.size;
	return rc;
}

int container_dirty(int container, uint32_t flags)
{
	struct vfio_iommu_type1_dirty_bitmap arg = {
		.argsz = sizeof(arg),
		.flags = flags,
	};

	return call(container, VFIO_IOMMU_DIRTY_PAGES, (uintptr_t)&arg);
}

int container_get_bitmap(int container, uint64_t iova, uint64_t size,
			 uint64_t pgsize, void *bitmap, uint64_t bytes)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap dirty;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} arg = {
		.dirty.argsz = sizeof(arg),
		.dirty.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.get.iova = iova,
		.get.size = size,
		.get.bitmap.pgsize = pgsize,
		.get.bitmap.size = bytes,
		.get.bitmap.data = bitmap,
	};

	return call(container, VFIO_IOMMU_DIRTY_PAGES, (uintptr_t)&arg);
}

int container_info(int container, struct vfio_iommu_type1_info *info,
		   uint32_t size)
{
	memset(info, 0, size);
	info->argsz = size;
	return call(container, VFIO_IOMMU_GET_INFO, (uintptr_t)info);
}

void *container_capability(struct vfio_iommu_type1_info *info, uint16_t id)
{
	struct vfio_info_cap_header *header;
	uint32_t next = info->cap_offset;

	while (next) {
		header = (void *)((char *)info + next);
		if (header->id == id)
			return header;
		next = header->next;
	}
	return NULL;
}

int group_set_container(int group, int container)
{
	return call(group, VFIO_GROUP_SET_CONTAINER, (uintptr_t)&container);
}

int group_unset_container(int group)
{
	return call(group, VFIO_GROUP_UNSET_CONTAINER, 0);
}

int group_status(int group, uint32_t *flags)
{
	struct vfio_group_status arg = { .argsz = sizeof(arg) };
	int rc = call(group, VFIO_GROUP_GET_STATUS, (uintptr_t)&arg);

	*flags = arg.flags;
	return rc;
}

int group_device(int group, const char *name)
{
	return call(group, VFIO_GROUP_GET_DEVICE_FD, (uintptr_t)name);
}

int type1_open(struct type1 *type1)
{
	int rc;

	*type1 = (struct type1){ .container = -1, .group = -1, .device = -1 };
	rc = pci_find(EDU_VENDOR, EDU_DEVICE, 0, type1->name);
	if (rc)
		return rc;
	rc = pci_bind_driver(type1->name, "vfio-pci");
	if (rc)
		return rc;
	type1->container = container_open();
	if (type1->container < 0)
		return type1->container;
	type1->group = pci_open_group(type1->name);
	return type1->group < 0 ? type1->group : 0;
}

int type1_join(struct type1 *type1)
{
	int rc = type1_open(type1);

	return rc ? rc : group_set_container(type1->group, type1->container);
}

int type1_set(struct type1 *type1, unsigned long type)
{
	int rc = type1_join(type1);

	return rc ? rc : container_set_iommu(type1->container, type);
}

int type1_start(struct type1 *type1)
{
	type1->device = group_device(type1->group, type1->name);
	if (type1->device < 0)
		return type1->device;
	return edu_init(&type1->edu, type1->device);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void type1_close(struct type1 *type1)
{
	edu_fini(&type1->edu);
	close_one(&type1->device);
	close_one(&type1->group);
	close_one(&type1->container);
}
