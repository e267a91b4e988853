/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VFIO container interface ("type 1") on an IOAS.
 *
 * vfio_compat.c: ioctls, and the groups that a file serves as container
 * vfio_compat_info.c: what the user is told
 * vfio_compat_map.c: mapping and unmapping
 * vfio_compat_dirty.c: bitmaps of what devices may have written to
 */
#ifndef __IOMMUFD_VFIO_COMPAT_H
#define __IOMMUFD_VFIO_COMPAT_H

#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/types.h>

struct file;
struct iommufd_ctx;
struct iommufd_ioas;
struct space;
struct vfio_bitmap;

/**
 * struct vfio_compat - A file as a VFIO container
 * @sem: guards what follows. Held for writing to change what is unmapped, so that
 *       the calls of one user see each other whole; for reading to map.
 *       Outside ctx->topology; never taken in a callback of an access
 * @container: opened as /dev/vfio/vfio: without groups and VFIO_SET_IOMMU nothing
 *             is possible, and what is mapped goes with the last group. Fixed
 * @type: argument of VFIO_SET_IOMMU, or 0. Written with ctx->topology held, too,
 *        so stable under either
 * @groups: struct vfio_compat_group
 */
struct vfio_compat {
	struct rw_semaphore sem;
	bool container;
	unsigned long type;
	struct list_head groups;
};

void vfio_compat_init(struct vfio_compat *compat, bool container);
long vfio_compat_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
		       unsigned long arg);
const char *vfio_compat_name(unsigned int cmd);
struct iommufd_ioas *vfio_compat_ioas(struct iommufd_ctx *ictx);
int vfio_compat_ioas_id(struct iommufd_ctx *ictx, u32 *id);
bool vfio_compat_has_emulated(const struct vfio_compat *compat);

/* vfio_compat_info.c */
long vfio_compat_check_extension(struct iommufd_ctx *ictx, unsigned long arg);
long vfio_compat_get_info(struct iommufd_ctx *ictx, void __user *uarg);

/* vfio_compat_map.c */
long vfio_compat_map_dma(struct iommufd_ctx *ictx, void __user *uarg);
long vfio_compat_unmap_dma(struct iommufd_ctx *ictx, void __user *uarg);

/* vfio_compat_dirty.c */
#define VFIO_COMPAT_BITS_MAX ((u64)INT_MAX)
#define VFIO_COMPAT_BITMAP_BYTES(n) (DIV_ROUND_UP_ULL(n, 64) * sizeof(u64))
#define VFIO_COMPAT_BITMAP_MAX VFIO_COMPAT_BITMAP_BYTES(VFIO_COMPAT_BITS_MAX)

int vfio_compat_check_bitmap(const struct vfio_bitmap *bitmap, u64 length);
int vfio_compat_report(struct space *space, const struct vfio_bitmap *bitmap,
		       unsigned long first, unsigned long last);
long vfio_compat_dirty_pages(struct iommufd_ctx *ictx, void __user *uarg);

#endif
