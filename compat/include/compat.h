/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running kernel lacks of the newest kernel's API.
 *
 * The other directories are written against that API and include this header;
 * kernel versions are looked at here and nowhere else. Served: Linux 6.1.
 */
#ifndef __IOMMUFD_COMPAT_H
#define __IOMMUFD_COMPAT_H

#include <linux/device/class.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/version.h>

#ifndef IOMMU_NO_PASID
#define IOMMU_NO_PASID 0
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#undef class_create
#define class_create(name)						\
({									\
	static struct lock_class_key __key;				\
	__class_create(THIS_MODULE, name, &__key);			\
})
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* Under mmap_lock for writing, as everywhere */
static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set,
				unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
/* pin_user_pages_remote() lost its array of VMAs */
static inline long compat_pin_user_pages_remote(struct mm_struct *mm,
						unsigned long start,
						unsigned long nr,
						unsigned int flags,
						struct page **pages,
						int *locked)
{
	return pin_user_pages_remote(mm, start, nr, flags, pages, NULL, locked);
}

#define pin_user_pages_remote compat_pin_user_pages_remote
#endif

/* Stable updates brought it to 6.1 */
#ifndef struct_size_t
#define struct_size_t(type, member, count) \
	struct_size((type *)NULL, member, count)
#endif

/* Does the calling thread hold a mutex? A waiter may set the low bits */
static inline bool compat_mutex_is_mine(struct mutex *lock)
{
	return (atomic_long_read(&lock->owner) & ~7UL) ==
	       (unsigned long)current;
}

/* The page cache of hugetlbfs counted in huge pages before 6.7 */
static inline unsigned int hugetlb_index_shift(const struct address_space *mapping)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return mapping->host->i_blkbits;
#else
	return PAGE_SHIFT;
#endif
}

/*
 * Make the caller's reference on a hugetlb page of a page cache a pin, as FOLL_PIN with
 * FOLL_LONGTERM does; memfd_pin_folios() of later kernels is for that. Returns false when
 * the page must not be pinned, or only after it was moved.
 */
static inline bool folio_pin_hugetlb(struct folio *folio)
{
#ifdef CONFIG_CMA
	/* Whether it is in such an area is not told to modules */
	return false;
#else
	if (!folio_test_uptodate(folio) || folio_test_hwpoison(folio) ||
	    !folio_is_longterm_pinnable(folio))
		return false;
	atomic_inc(folio_pincount_ptr(folio));
	node_stat_mod_folio(folio, NR_FOLL_PIN_ACQUIRED, 1);
	return true;
#endif
}

/* compat/iommu.c */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
struct iommu_domain *iommu_paging_domain_alloc(struct device *dev);
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
int iommu_map_nosync(struct iommu_domain *domain, unsigned long iova,
		     phys_addr_t paddr, size_t size, int prot, gfp_t gfp);
int iommu_sync_map(struct iommu_domain *domain, unsigned long iova,
		   size_t size);
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
bool iommu_group_has_isolated_msi(struct iommu_group *group);
#endif

int iommu_drop_tables(struct iommu_domain *domain, unsigned long iova,
		      unsigned long span, struct iommu_iotlb_gather *gather);
void iommu_gather_start(struct iommu_iotlb_gather *gather);
void iommu_gather_flush(struct iommu_domain *domain,
			struct iommu_iotlb_gather *gather);
void iommu_gather_flush_devices(struct iommu_domain *domain,
				struct iommu_iotlb_gather *gather,
				unsigned long first, unsigned long last);
size_t iommu_unmap_flush(struct iommu_domain *domain, unsigned long iova,
			 size_t size);
bool iommu_group_has_device_tlb(struct iommu_group *group);
int iommu_group_take(struct iommu_group *group, void *owner);
void iommu_group_give_back(struct iommu_group *group);
bool iommu_group_block(struct iommu_domain *domain, struct iommu_group *group);

/**
 * struct iommu_group_traits - What a domain with one group is like
 * @aperture_end: the last IOVA
 * @pgsize_bitmap: sizes of its entries
 * @can_enforce: it can be told to block no-snoop DMA
 */
struct iommu_group_traits {
	dma_addr_t aperture_end;
	unsigned long pgsize_bitmap;
	bool can_enforce;
};

int iommu_group_get_traits(struct iommu_group *group, struct device *dev,
			   struct iommu_group_traits *traits);
bool iommu_domain_serves(const struct iommu_domain *domain,
			 struct iommu_group *group);

#endif
