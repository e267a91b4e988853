/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls of a VFIO device file. All return -errno. */
#ifndef LIB_VFIO_H
#define LIB_VFIO_H

#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

int vfio_bind(int device, int iommufd, uint32_t *id);
/* @pt: an IOAS or HWPT, set to the HWPT */
int vfio_attach(int device, uint32_t *pt);
int vfio_detach(int device);
int vfio_region(int device, uint32_t index, struct vfio_region_info *info);
/* The whole of a BAR, or NULL with errno. */
void *vfio_map_bar(int device, uint32_t index, size_t *size);
/* Clears and sets bits of the PCI command register. */
int vfio_set_command(int device, uint16_t clear, uint16_t set);

#endif
