// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA.
 *
 * One MAP_DMA makes one mapping, and it goes whole. The two versions of type 1
 * differ in what they do with a range that does not fit: version 2 refuses one that
 * cuts a mapping, on /dev/iommu with the error of that file's own ioctl; version 1
 * unmaps each mapping whose beginning is in the range, and stops, without an
 * error, at a first one that begins before the range.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "ioas.h"
#include "pages.h"
#include "trace.h"

#define MAP_ACCESS (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define MAP_FLAGS (MAP_ACCESS | VFIO_DMA_MAP_FLAG_VADDR)
#define UNMAP_FLAGS (VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP |		\
		     VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR)

/* The address range of a mapping: neither address may wrap */
static int check_map(const struct vfio_iommu_type1_dma_map *map,
		     unsigned long *last)
{
	unsigned long last_vaddr;

	if (!map->size ||
	    !PAGE_ALIGNED(map->size | map->iova | map->vaddr) ||
	    check_add_overflow((unsigned long)map->iova,
			       (unsigned long)map->size - 1, last) ||
	    check_add_overflow((unsigned long)map->vaddr,
			       (unsigned long)map->size - 1, &last_vaddr))
		return refuse(-EINVAL,
			      "the size 0x%llx is 0 or not whole pages, or IOVA 0x%llx or address 0x%llx is not a page's or wraps",
			      map->size, map->iova, map->vaddr);
	return 0;
}

static int map_memory(struct iommufd_ioas *ioas,
		      const struct vfio_iommu_type1_dma_map *map)
{
	struct space_map_args args = {
		.iova = map->iova,
		.length = map->size,
		.prot = IOMMU_CACHE,
		.fixed = true,
	};
	struct pages *pages;
	int rc;

	if (map->flags & VFIO_DMA_MAP_FLAG_READ)
		args.prot |= IOMMU_READ;
	if (map->flags & VFIO_DMA_MAP_FLAG_WRITE)
		args.prot |= IOMMU_WRITE;
	pages = pages_alloc_user(&ioas->obj.ictx->owners, map->vaddr, map->size,
				 args.prot & IOMMU_WRITE);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	rc = space_map(&ioas->space, pages, 0, &args);
	if (!rc)
		trace_iommufd_map(ioas->obj.id, args.iova, args.length,
				  args.prot);
	return rc;
}

static int map_new(struct iommufd_ioas *ioas,
		   const struct vfio_iommu_type1_dma_map *map,
		   unsigned long last)
{
	struct space_extent extent;
	int rc;

	/* That it is taken is said first, whatever else is wrong */
	if (space_extent_next(&ioas->space, map->iova, last, &extent))
		return refuse(-EEXIST, "0x%llx to 0x%lx overlaps the mapping from 0x%lx to 0x%lx",
			      map->iova, last, extent.first, extent.last);
	if (ioas->space.tracking &&
	    map->size >> PAGE_SHIFT > VFIO_COMPAT_BITS_MAX)
		return refuse(-EINVAL,
			      "while dirty pages are tracked a mapping has at most %llu pages",
			      VFIO_COMPAT_BITS_MAX);
	rc = map_memory(ioas, map);
	return rc == -EOVERFLOW ? refuse_as(-EFAULT) : rc;
}

/**
 * vfio_compat_map_dma - Map memory, or tell the new address of what is mapped
 * @ictx: the file, with the lock of its container held
 * @uarg: struct vfio_iommu_type1_dma_map
 */
long vfio_compat_map_dma(struct iommufd_ctx *ictx, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_dma_map, size);
	struct vfio_iommu_type1_dma_map map;
	struct iommufd_ioas *ioas;
	unsigned long last;
	bool move;
	int rc;

	if (copy_from_user(&map, uarg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (map.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, map.argsz, minsz);
	if (map.flags & ~MAP_FLAGS)
		return refuse(-EINVAL, UNKNOWN_FLAGS, map.flags);
	move = map.flags & VFIO_DMA_MAP_FLAG_VADDR;
	if (move == !!(map.flags & MAP_ACCESS))
		return refuse(-EINVAL, "flags 0x%x must have either VADDR alone, or READ or WRITE",
			      map.flags);
	rc = check_map(&map, &last);
	if (rc)
		return rc;

	ioas = vfio_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (move)
		rc = space_set_vaddr(&ioas->space, map.iova, last, map.vaddr);
	else
		rc = map_new(ioas, &map, last);
	iommufd_ioas_put(ioas);
	return rc;
}

/* What version 1 unmaps of a range: @last is moved to the end of a mapping */
static bool extend_range(struct space *space, unsigned long first,
			 unsigned long *last)
{
	struct space_extent extent;

	if (!space_extent_next(space, first, *last, &extent))
		return true;
	if (extent.first < first)
		return false;
	if (space_extent_next(space, *last, *last, &extent))
		*last = extent.last;
	return true;
}

/* Nobody may write any more between the report and the end of the mapping */
static int report_and_unmap(struct space *space,
			    const struct vfio_bitmap *bitmap,
			    unsigned long first, unsigned long last,
			    unsigned long *unmapped)
{
	int rc;

	rc = space_quiesce(space, first, last);
	if (rc)
		return rc;
	rc = vfio_compat_report(space, bitmap, first, last);
	if (rc) {
		space_reopen(space, first, last);
		return rc;
	}
	return space_unmap(space, first, last, unmapped);
}

static int unmap_range(struct iommufd_ioas *ioas, u32 flags,
		       const struct vfio_bitmap *bitmap, unsigned long first,
		       unsigned long last, u64 *size)
{
	const struct vfio_compat *compat = &ioas->obj.ictx->compat;
	const int err_cut = compat->container ? -EINVAL : -ENOENT;
	struct space *space = &ioas->space;
	unsigned long unmapped = 0;
	int rc;

	lockdep_assert_held_write(&compat->sem);

	*size = 0;
	if (compat->type == VFIO_TYPE1_IOMMU) {
		if (!extend_range(space, first, &last))
			return 0;
	} else if (space_extent_cut(space, first, last)) {
		return refuse(err_cut, "0x%lx to 0x%lx begins or ends inside a mapping",
			      first, last);
	}

	if (flags & VFIO_DMA_UNMAP_FLAG_VADDR)
		return space_void_vaddr(space, first, last, size);
	if (flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
		rc = report_and_unmap(space, bitmap, first, last, &unmapped);
	else
		rc = space_unmap(space, first, last, &unmapped);
	*size = unmapped;
	if (!rc)
		trace_iommufd_unmap(ioas->obj.id, first, last, unmapped);
	return rc == -ENOENT ? refuse_as(err_cut) : rc;
}

static int read_bitmap(const struct vfio_iommu_type1_dma_unmap *unmap,
		       size_t minsz, void __user *uarg,
		       struct vfio_bitmap *bitmap)
{
	if (unmap->flags & (VFIO_DMA_UNMAP_FLAG_ALL |
			    VFIO_DMA_UNMAP_FLAG_VADDR))
		return refuse(-EINVAL, "there is no bitmap for ALL or VADDR");
	if (unmap->argsz < minsz + sizeof(*bitmap))
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, unmap->argsz,
			      minsz + sizeof(*bitmap));
	if (copy_from_user(bitmap, uarg + minsz, sizeof(*bitmap)))
		return refuse(-EFAULT, "the bitmap's description cannot be read");
	return vfio_compat_check_bitmap(bitmap, unmap->size);
}

static int check_unmap(const struct iommufd_ioas *ioas,
		       const struct vfio_iommu_type1_dma_unmap *unmap,
		       const struct vfio_bitmap *bitmap, unsigned long *last)
{
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_VADDR &&
	    vfio_compat_has_emulated(&ioas->obj.ictx->compat))
		return refuse(-EBUSY, "a group whose DMA the CPU does needs the user addresses");
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		*last = ULONG_MAX;
		return !unmap->iova && !unmap->size ? 0 :
		       refuse(-EINVAL, "IOVA and size must be 0 for ALL");
	}
	if (!unmap->size || !PAGE_ALIGNED(unmap->iova | unmap->size) ||
	    check_add_overflow((unsigned long)unmap->iova,
			       (unsigned long)unmap->size - 1, last))
		return refuse(-EINVAL,
			      "the size 0x%llx is 0 or not whole pages, or IOVA 0x%llx is not a page's or wraps",
			      unmap->size, unmap->iova);
	/* What that unmaps need not end where the bitmap does */
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP &&
	    ioas->obj.ictx->compat.type == VFIO_TYPE1_IOMMU)
		return refuse(-EINVAL, "version 1 of type 1 knows no bitmaps");
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP &&
	    (!ioas->space.tracking || bitmap->pgsize != PAGE_SIZE))
		return refuse(-EINVAL,
			      "dirty pages are not tracked, or the bitmap's pages of %llu bytes are not the kernel's",
			      bitmap->pgsize);
	return 0;
}

/**
 * vfio_compat_unmap_dma - Unmap, or declare the addresses of mappings void
 * @ictx: the file, with the lock of its container held for writing
 * @uarg: struct vfio_iommu_type1_dma_unmap
 */
long vfio_compat_unmap_dma(struct iommufd_ctx *ictx, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_dma_unmap,
					 size);
	struct vfio_iommu_type1_dma_unmap unmap;
	struct vfio_bitmap bitmap = {};
	struct iommufd_ioas *ioas;
	unsigned long last;
	int rc;

	if (copy_from_user(&unmap, uarg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (unmap.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, unmap.argsz, minsz);
	if (unmap.flags & ~UNMAP_FLAGS)
		return refuse(-EINVAL, UNKNOWN_FLAGS, unmap.flags);
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
		rc = read_bitmap(&unmap, minsz, uarg, &bitmap);
		if (rc)
			return rc;
	}
	ioas = vfio_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = check_unmap(ioas, &unmap, &bitmap, &last);
	if (!rc)
		rc = unmap_range(ioas, unmap.flags, &bitmap, unmap.iova, last,
				 &unmap.size);
	iommufd_ioas_put(ioas);
	if (rc)
		return rc;
	if (copy_to_user(uarg, &unmap, minsz))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}
