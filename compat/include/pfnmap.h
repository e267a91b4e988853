/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the frames of a VM_PFNMAP mapping, as Linux 6.12 and newer offer it.
 */
#ifndef __IOMMUFD_PFNMAP_H
#define __IOMMUFD_PFNMAP_H

#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
/**
 * struct follow_pfnmap_args - What is looked up, and what was found
 * @vma: set by the caller, who holds mmap_lock
 * @address: set by the caller, in @vma
 * @pfn: the frame at @address
 * @addr_mask: of the entry that it was found in
 * @writable: the entry allows writing
 * @pte: private
 * @ptl: private
 */
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long address;
	unsigned long pfn;
	unsigned long addr_mask;
	bool writable;
	pte_t *pte;
	spinlock_t *ptl;
};

/* 0, or an error when nothing is present. The entry stays until the end */
static inline int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	int rc = follow_pte(args->vma->vm_mm, args->address, &args->pte,
			    &args->ptl);

	if (rc)
		return rc;
	__acquire(args->ptl);
	args->pfn = pte_pfn(*args->pte);
	args->addr_mask = PAGE_MASK;
	args->writable = pte_write(*args->pte);
	return 0;
}

static inline void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
	pte_unmap_unlock(args->pte, args->ptl);
}
#endif

#endif
