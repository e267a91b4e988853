/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO groups and containers, with a device to do DMA: the same calls on the
 * stock modules and on /dev/iommu. All return -errno.
 */
#ifndef LIB_TYPE1_H
#define LIB_TYPE1_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/vfio.h>

#include "edu.h"
#include "pci.h"

#define DMA_READ	VFIO_DMA_MAP_FLAG_READ
#define DMA_WRITE	VFIO_DMA_MAP_FLAG_WRITE
#define DMA_RW		(DMA_READ | DMA_WRITE)

/* Whether the stock type 1 is what answers here. */
bool type1_is_stock(void);

int container_open(void);
int container_version(int container);
int container_extension(int container, unsigned long extension);
int container_set_iommu(int container, unsigned long type);
int container_map(int container, uint32_t flags, const void *memory,
		  uint64_t size, uint64_t iova);
/* @size: what was asked, and then what was unmapped */
int container_unmap(int container, uint32_t flags, uint64_t iova,
		    uint64_t *size);
int container_unmap_bitmap(int container, uint64_t iova, uint64_t *size,
			   uint64_t pgsize, void *bitmap, uint64_t bytes);
int container_dirty(int container, uint32_t flags);
int container_get_bitmap(int container, uint64_t iova, uint64_t size,
			 uint64_t pgsize, void *bitmap, uint64_t bytes);
/* All that there is to know, up to @size bytes of it. */
int container_info(int container, struct vfio_iommu_type1_info *info,
		   uint32_t size);
/* A capability in that, or NULL. */
void *container_capability(struct vfio_iommu_type1_info *info, uint16_t id);

int group_set_container(int group, int container);
int group_unset_container(int group);
int group_status(int group, uint32_t *flags);
int group_device(int group, const char *name);

/* A device, its group, and a container; -1 for what is not open. */
struct type1 {
	char name[PCI_NAME_LEN];
	int container;
	int group;
	int device;
	struct edu edu;
};

/*
 * The steps, each of which includes those before it. -ENODEV when the machine
 * has no edu device.
 */
int type1_open(struct type1 *type1);	/* both files */
int type1_join(struct type1 *type1);	/* the group is in the container */
int type1_set(struct type1 *type1, unsigned long type);
int type1_start(struct type1 *type1);	/* after these, DMA can be started */
void type1_close(struct type1 *type1);

#endif
