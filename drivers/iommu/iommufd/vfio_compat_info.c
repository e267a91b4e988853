// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_CHECK_EXTENSION and VFIO_IOMMU_GET_INFO.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "ioas.h"

static bool is_set_up(struct iommufd_ctx *ictx)
{
	u32 id;

	if (ictx->compat.container)
		return ictx->compat.type;
	return !vfio_compat_ioas_id(ictx, &id);
}

/* Do all devices see memory through domains that enforce snooping? */
static long all_enforce(struct iommufd_ctx *ictx)
{
	struct iommufd_hwpt *hwpt;
	struct iommufd_ioas *ioas;
	bool all = true;

	if (ictx->compat.container && !ictx->compat.type)
		return 0;
	ioas = vfio_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ictx->topology);
	list_for_each_entry(hwpt, &ioas->hwpts, link)
		all &= !hwpt->nr_groups || hwpt->enforces;
	mutex_unlock(&ictx->topology);
	iommufd_ioas_put(ioas);
	return all;
}

/**
 * vfio_compat_check_extension - What a container can do
 * @ictx: with the lock of the container held
 * @arg: number of an extension
 *
 * Return: 1 or 0; -ENODEV when it depends on an IOAS, and there is none.
 */
long vfio_compat_check_extension(struct iommufd_ctx *ictx, unsigned long arg)
{
	switch (arg) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_TYPE1_NESTING_IOMMU:
		/* Type 1 has it without any use */
		return ictx->compat.container;
	case VFIO_UPDATE_VADDR:
		return is_set_up(ictx) &&
		       !vfio_compat_has_emulated(&ictx->compat);
	case VFIO_DMA_CC_IOMMU:
		return all_enforce(ictx);
	default:
		return 0;
	}
}

/**
 * struct info - What VFIO_IOMMU_GET_INFO tells
 * @pgsizes: sizes of IOMMU entries that all domains have
 * @ranges: IOVA that may be mapped, NULL without domains
 * @nr_ranges: how many
 */
struct info {
	u64 pgsizes;
	struct vfio_iova_range *ranges;
	unsigned int nr_ranges;
};

static void collect_pgsizes(struct space *space, struct info *info)
{
	struct space_domain *member;

	info->pgsizes = ULONG_MAX;
	list_for_each_entry(member, &space->domains, link)
		info->pgsizes &= member->domain->pgsize_bitmap;
	/* Memory comes in pages, whatever else the IOMMU can */
	if (info->pgsizes & ~PAGE_MASK)
		info->pgsizes = (info->pgsizes & PAGE_MASK) | PAGE_SIZE;
}

static int collect_ranges(struct space *space, struct info *info)
{
	unsigned long from = 0;
	unsigned long first;
	unsigned long last;
	unsigned int n = 0;

	/* Accesses exclude nothing, and never did say so */
	if (list_empty(&space->domains))
		return 0;

	while (iova_next_free(space, from, &first, &last)) {
		info->nr_ranges++;
		if (last == ULONG_MAX)
			break;
		from = last + 1;
	}
	info->ranges = kvcalloc(info->nr_ranges, sizeof(*info->ranges),
				GFP_KERNEL_ACCOUNT);
	if (!info->ranges)
		return refuse(-ENOMEM, NO_MEMORY_FOR "%u ranges",
			      info->nr_ranges);
	for (from = 0; n < info->nr_ranges; n++, from = last + 1) {
		iova_next_free(space, from, &first, &last);
		info->ranges[n] = (struct vfio_iova_range){
			.start = first,
			.end = last,
		};
	}
	return 0;
}

static int collect(struct space *space, struct info *info)
{
	int rc;

	mutex_lock(&space->lock);
	collect_pgsizes(space, info);
	rc = collect_ranges(space, info);
	mutex_unlock(&space->lock);
	return rc;
}

/* The capabilities as VFIO has always packed them, without a gap */
struct fixed_caps {
	struct vfio_iommu_type1_info_cap_migration migration;
	struct vfio_iommu_type1_info_dma_avail avail;
} __packed;

static size_t caps_size(const struct info *info)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	size_t size = sizeof(struct fixed_caps);

	if (info->nr_ranges)
		size += struct_size(cap, iova_ranges, info->nr_ranges);
	return size;
}

static int put_caps(void __user *uarg, size_t offset, const struct info *info)
{
	struct vfio_iommu_type1_info_cap_iova_range ranges = {
		.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
		.header.version = 1,
		.nr_iovas = info->nr_ranges,
	};
	struct fixed_caps caps = {
		.migration = {
			.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
			.header.version = 1,
			.header.next = offset + offsetof(struct fixed_caps,
							 avail),
			.pgsize_bitmap = 1ULL << __ffs(info->pgsizes),
			.max_dirty_bitmap_size = VFIO_COMPAT_BITMAP_MAX,
		},
		.avail = {
			.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
			.header.version = 1,
			/* There is no limit */
			.avail = U32_MAX,
		},
	};

	uarg += offset;
	if (info->nr_ranges)
		caps.avail.header.next = offset + sizeof(caps);
	if (copy_to_user(uarg, &caps, sizeof(caps)))
		return refuse(-EFAULT, NO_ANSWER);
	if (!info->nr_ranges)
		return 0;
	uarg += sizeof(caps);
	if (copy_to_user(uarg, &ranges, sizeof(ranges)) ||
	    copy_to_user(uarg + sizeof(ranges), info->ranges,
			 info->nr_ranges * sizeof(*info->ranges)))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}

static int put_info(void __user *uarg, struct vfio_iommu_type1_info *user,
		    const struct info *info)
{
	size_t size = offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	size_t needed = sizeof(*user) + caps_size(info);

	/* Old users do not know of capabilities */
	if (user->argsz >= offsetofend(struct vfio_iommu_type1_info,
				       cap_offset))
		size = offsetofend(struct vfio_iommu_type1_info, cap_offset);
	user->flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	user->iova_pgsizes = info->pgsizes;
	user->cap_offset = 0;
	if (user->argsz < needed) {
		user->argsz = needed;
	} else {
		if (put_caps(uarg, sizeof(*user), info))
			return -EFAULT;
		user->cap_offset = sizeof(*user);
	}
	if (copy_to_user(uarg, user, size))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}

/**
 * vfio_compat_get_info - Describe the address space
 * @ictx: the file, with the lock of its container held
 * @uarg: struct vfio_iommu_type1_info, followed by capabilities if there is room
 */
long vfio_compat_get_info(struct iommufd_ctx *ictx, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_info,
					 iova_pgsizes);
	struct vfio_iommu_type1_info user = {};
	struct iommufd_ioas *ioas;
	struct info info = {};
	int rc;

	if (copy_from_user(&user, uarg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (user.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, user.argsz, minsz);
	ioas = vfio_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = collect(&ioas->space, &info);
	iommufd_ioas_put(ioas);
	if (!rc)
		rc = put_info(uarg, &user, &info);
	kvfree(info.ranges);
	return rc;
}
