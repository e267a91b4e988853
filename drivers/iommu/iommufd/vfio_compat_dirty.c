// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty bitmaps of VFIO containers.
 *
 * A bitmap has a bit for each page from the first IOVA that was asked for, in words
 * of 64. A word in the middle of which a mapping begins keeps what is in it, because
 * that may tell of another mapping. The further words of a mapping are written
 * whole, and words without a mapping are left alone.
 */
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "ioas.h"

#define DIRTY_FLAGS (VFIO_IOMMU_DIRTY_PAGES_FLAG_START |	\
		     VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP |		\
		     VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)

#define WORD_BITS 64

/**
 * vfio_compat_check_bitmap - Can a bitmap hold a range?
 * @bitmap: as the user described it
 * @length: of the range
 */
int vfio_compat_check_bitmap(const struct vfio_bitmap *bitmap, u64 length)
{
	u64 bits;

	if (!access_ok(bitmap->data, bitmap->size) || !bitmap->pgsize)
		return refuse(-EINVAL,
			      "the bitmap is no memory of the user's, or its pages have 0 bytes");
	bits = length >> __ffs64(bitmap->pgsize);
	if (!bits || bitmap->size > VFIO_COMPAT_BITMAP_MAX ||
	    bitmap->size / sizeof(u64) < DIV_ROUND_UP_ULL(bits, WORD_BITS))
		return refuse(-EINVAL,
			      "a bitmap of %llu bytes is too large, or too small for %llu pages",
			      bitmap->size, bits);
	return 0;
}

/* Report one mapping in the bits from @bit on */
static int report_extent(struct space *space, u64 __user *data,
			 unsigned long bit, const struct space_extent *extent)
{
	unsigned long left = (extent->last - extent->first + 1) >> PAGE_SHIFT;
	unsigned long iova = extent->first;
	u64 __user *word = data + bit / WORD_BITS;
	unsigned int shift = bit % WORD_BITS;
	u64 value = 0;

	if (shift && get_user(value, word))
		return refuse(-EFAULT, "the bitmap cannot be read");
	while (left) {
		unsigned int nr = min_t(unsigned long, left, WORD_BITS - shift);

		value |= space_take_dirty(space, iova, nr) << shift;
		if (put_user(value, word))
			return refuse(-EFAULT, "the bitmap cannot be written");
		left -= nr;
		iova += (unsigned long)nr << PAGE_SHIFT;
		word++;
		shift = 0;
		value = 0;
		cond_resched();
	}
	return 0;
}

/**
 * vfio_compat_report - Write the bits of all mappings of a range
 * @space: the space
 * @bitmap: large enough
 * @first: first IOVA, the bitmap's first bit
 * @last: last IOVA, inclusive; no mapping lies only partly in the range
 */
int vfio_compat_report(struct space *space, const struct vfio_bitmap *bitmap,
		       unsigned long first, unsigned long last)
{
	struct space_extent extent;
	unsigned long at = first;
	int rc;

	while (at <= last && space_extent_next(space, at, last, &extent)) {
		/* One that came up meanwhile and does not fit in is not told */
		if (extent.first < first || extent.last > last)
			break;
		rc = report_extent(space, bitmap->data,
				   (extent.first - first) >> PAGE_SHIFT,
				   &extent);
		if (rc)
			return rc;
		if (extent.last == ULONG_MAX)
			break;
		at = extent.last + 1;
	}
	return 0;
}

static long get_bitmap(struct iommufd_ioas *ioas, size_t size,
		       void __user *uarg)
{
	struct vfio_iommu_type1_dirty_bitmap_get get;
	unsigned long last;
	int rc;

	if (size < sizeof(get))
		return refuse(-EINVAL, "%zu bytes of argument are less than %zu",
			      size, sizeof(get));
	if (copy_from_user(&get, uarg, sizeof(get)))
		return refuse(-EFAULT, NO_ARGUMENT);
	rc = vfio_compat_check_bitmap(&get.bitmap, get.size);
	if (rc)
		return rc;
	if (get.bitmap.pgsize != PAGE_SIZE || !get.size ||
	    !PAGE_ALIGNED(get.iova | get.size) ||
	    check_add_overflow((unsigned long)get.iova,
			       (unsigned long)get.size - 1, &last))
		return refuse(-EINVAL,
			      "IOVA 0x%llx and size 0x%llx are not whole pages of %llu bytes, which must be the kernel's",
			      get.iova, get.size, get.bitmap.pgsize);
	if (!ioas->space.tracking)
		return refuse(-EINVAL, "dirty pages are not tracked");
	if (space_extent_cut(&ioas->space, get.iova, last))
		return refuse(-EINVAL, "0x%llx to 0x%lx begins or ends inside a mapping",
			      get.iova, last);
	return vfio_compat_report(&ioas->space, &get.bitmap, get.iova, last);
}

/* No mapping may have more pages than a bitmap has bits */
static int start(struct space *space)
{
	struct space_extent extent;
	unsigned long at = 0;

	while (space_extent_next(space, at, ULONG_MAX, &extent)) {
		if ((extent.last - extent.first) >> PAGE_SHIFT >=
		    VFIO_COMPAT_BITS_MAX)
			return refuse(-EINVAL,
				      "the mapping from 0x%lx to 0x%lx has more pages than a bitmap",
				      extent.first, extent.last);
		if (extent.last == ULONG_MAX)
			break;
		at = extent.last + 1;
	}
	space_track(space);
	return 0;
}

/**
 * vfio_compat_dirty_pages - Begin, end, or ask for what may have been written to
 * @ictx: the file, with the lock of its container held for writing
 * @uarg: struct vfio_iommu_type1_dirty_bitmap
 */
long vfio_compat_dirty_pages(struct iommufd_ctx *ictx, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_dirty_bitmap,
					 flags);
	const struct vfio_compat *compat = &ictx->compat;
	struct vfio_iommu_type1_dirty_bitmap dirty;
	struct iommufd_ioas *ioas;
	int rc = 0;

	lockdep_assert_held_write(&compat->sem);

	if (compat->type == VFIO_TYPE1_IOMMU)
		return refuse(-EACCES, "version 1 of type 1 does not know it");
	if (copy_from_user(&dirty, uarg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (dirty.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, dirty.argsz, minsz);
	if (dirty.flags & ~DIRTY_FLAGS)
		return refuse(-EINVAL, UNKNOWN_FLAGS, dirty.flags);

	ioas = vfio_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	switch (dirty.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
		rc = start(&ioas->space);
		break;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		space_untrack(&ioas->space);
		break;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		rc = get_bitmap(ioas, dirty.argsz - minsz, uarg + minsz);
		break;
	default:
		rc = refuse(-EINVAL, "flags 0x%x ask for more than one thing, or for none",
			    dirty.flags);
		break;
	}
	iommufd_ioas_put(ioas);
	return rc;
}
