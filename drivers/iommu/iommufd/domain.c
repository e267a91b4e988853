// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs into an IOMMU domain and out of it.
 *
 * Neither direction tells the IOMMU: the caller does, once for as many mappings
 * as one ioctl makes or takes away.
 */
#include <linux/iommufd_refusal.h>
#include <linux/sched.h>

#include <compat.h>
#include "bar.h"
#include "domain.h"
#include "pages.h"

/* Runs that are mapped before others may run */
#define RUNS_BATCH 1024

/* Frames of a device are mapped with a lock held that reclaim may wait for */
static gfp_t map_gfp(int prot)
{
	return prot & IOMMU_MMIO ? GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT :
				   GFP_KERNEL_ACCOUNT;
}

/* Map a stretch of memory, page by page if the user wants it so */
static int map_stretch(struct iommu_domain *domain, unsigned long iova,
		       phys_addr_t phys, unsigned long length, int prot,
		       bool huge)
{
	unsigned long done = 0;

	if (huge)
		return iommu_map_nosync(domain, iova, phys, length, prot,
					map_gfp(prot));

	while (done < length) {
		unsigned long step = min(length - done,
					 PAGE_SIZE - offset_in_page(phys + done));
		int rc = iommu_map_nosync(domain, iova + done, phys + done,
					  step, prot, map_gfp(prot));

		if (rc) {
			if (done)
				iommu_unmap_flush(domain, iova, done);
			return rc;
		}
		done += step;
	}
	return 0;
}

/**
 * domain_map_runs - Let a domain translate to page frames
 * @domain: the domain
 * @iova: first IOVA, aligned for @domain
 * @runs: the frames
 * @nr_pages: how many
 * @offset: bytes from the start of the first
 * @length: bytes
 * @prot: IOMMU_READ and so on
 * @huge: entries may be larger than a page
 *
 * The caller tells the IOMMU by iommu_sync_map() when all is mapped.
 *
 * Return: 0, or the IOMMU driver's error with nothing mapped.
 */
int domain_map_runs(struct iommu_domain *domain, unsigned long iova,
		    const struct runs *runs, unsigned long nr_pages,
		    unsigned long offset, unsigned long length, int prot,
		    bool huge)
{
	struct runs_iter iter __uninitialized;
	struct run run __uninitialized;
	unsigned long done = 0;
	unsigned int nr = 0;
	unsigned long skip;
	int rc;

	skip = runs_seek(&iter, runs, nr_pages, offset >> PAGE_SHIFT)
	       << PAGE_SHIFT;
	skip += offset_in_page(offset);
	while (done < length && runs_next(&iter, &run)) {
		unsigned long step = min((run.count << PAGE_SHIFT) - skip,
					 length - done);

		rc = map_stretch(domain, iova + done,
				 PFN_PHYS(run.pfn) + skip, step, prot, huge);
		if (rc) {
			iommufd_refuse(rc,
				       "the IOMMU driver cannot map 0x%lx bytes at IOVA 0x%lx: error %d",
				       step, iova + done, rc);
			goto err_unmap;
		}
		done += step;
		skip = 0;
		if (!(++nr % RUNS_BATCH))
			cond_resched();
	}
	return 0;

err_unmap:
	if (done)
		iommu_unmap_flush(domain, iova, done);
	return rc;
}

/**
 * domain_map - Let a domain translate to the memory of a mapping
 * @domain: the domain
 * @iova: first IOVA, aligned for @domain
 * @pages: the memory, pinned by the caller
 * @offset: bytes from the start of @pages' first page
 * @length: bytes
 * @prot: IOMMU_READ and so on
 * @huge: entries may be larger than a page
 *
 * As domain_map_runs().
 */
int domain_map(struct iommu_domain *domain, unsigned long iova,
	       const struct pages *pages, unsigned long offset,
	       unsigned long length, int prot, bool huge)
{
	if (pages->is_bar)
		return bar_show(pages->bar, domain, iova, offset, length, prot,
				huge);
	return domain_map_runs(domain, iova, &pages->runs, pages->nr_pages,
			       offset, length, prot, huge);
}

/**
 * domain_unmap - Take mappings of pinned memory out of a domain
 * @domain: the domain
 * @iova: first IOVA of mappings made by domain_map(), without a gap or a BAR
 * @length: their length
 * @gather: set up by iommu_gather_start(); the memory may be unpinned only after
 *          iommu_gather_flush()
 */
void domain_unmap(struct iommu_domain *domain, unsigned long iova,
		  unsigned long length, struct iommu_iotlb_gather *gather)
{
	size_t unmapped;

	/* There is no larger entry for the core to look for */
	if (length == PAGE_SIZE && PAGE_ALIGNED(iova) &&
	    domain->pgsize_bitmap & PAGE_SIZE)
		unmapped = domain->ops->unmap_pages(domain, iova, length, 1,
						    gather);
	else
		unmapped = iommu_unmap_fast(domain, iova, length, gather);
	WARN_ON(unmapped != length);
}
