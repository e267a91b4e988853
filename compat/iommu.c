// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the IOMMU core of Linux 6.1 lacks.
 */
#include <linux/delay.h>
#include <linux/irqdomain.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/pci-ats.h>
#include <linux/pci.h>

#include <compat.h>

/* VT-d's driver counts the pages of a range in 32 bits */
#define FLUSH_MAX (1UL << 43)

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
/**
 * iommu_paging_domain_alloc - Allocate a domain for a device
 * @dev: its IOMMU decides about the kind
 *
 * Return: the domain, or an ERR_PTR.
 */
struct iommu_domain *iommu_paging_domain_alloc(struct device *dev)
{
	struct iommu_domain *domain = iommu_domain_alloc(dev->bus);

	return domain ?: ERR_PTR(-ENOMEM);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
/*
 * The largest entry that both addresses and the size allow, and how many of it
 * come before a larger one can be used.
 */
static size_t entry_size(unsigned long sizes, unsigned long iova,
			 phys_addr_t paddr, size_t size, size_t *count)
{
	unsigned long both = iova | paddr;
	unsigned long fit = sizes & GENMASK(__fls(size), 0);
	unsigned long larger;
	size_t entry;

	if (both)
		fit &= GENMASK(__ffs(both), 0);
	entry = 1UL << __fls(fit);

	larger = sizes & ~(entry | (entry - 1));
	if (larger) {
		size_t next = 1UL << __ffs(larger);
		size_t until = next - (iova & (next - 1));

		/* Only if the addresses reach such a boundary together */
		if (!((iova ^ paddr) & (next - 1)) && until < size &&
		    size - until >= next)
			size = until;
	}
	*count = size >> __ffs(entry);
	return entry;
}

/*
 * How much a call that failed has mapped in entries of a size. VT-d's driver of 6.1
 * does not tell, and leaves them.
 */
static size_t mapped_anyway(struct iommu_domain *domain, unsigned long iova,
			    phys_addr_t paddr, size_t size, size_t entry)
{
	size_t mapped = 0;

	while (mapped < size &&
	       iommu_iova_to_phys(domain, iova + mapped) == paddr + mapped) {
		mapped += entry;
		cond_resched();
	}
	return mapped;
}

/**
 * iommu_map_nosync - iommu_map() without telling the IOMMU
 * @domain: the domain
 * @iova: first IOVA
 * @paddr: physical address
 * @size: bytes
 * @prot: IOMMU_READ and so on
 * @gfp: for page tables
 *
 * iommu_sync_map() tells it, once for many calls.
 *
 * Return: 0, or an error with nothing mapped.
 */
int iommu_map_nosync(struct iommu_domain *domain, unsigned long iova,
		     phys_addr_t paddr, size_t size, int prot, gfp_t gfp)
{
	const struct iommu_domain_ops *ops = domain->ops;
	size_t smallest = 1UL << __ffs(domain->pgsize_bitmap);
	size_t entry = smallest;
	size_t done = 0;
	int rc = 0;

	if (!IS_ALIGNED(iova | paddr | size, smallest))
		return -EINVAL;

	while (done < size) {
		size_t count = 1;
		size_t mapped = 0;

		entry = smallest;
		if (size - done != smallest)
			entry = entry_size(domain->pgsize_bitmap, iova + done,
					   paddr + done, size - done, &count);
		rc = ops->map_pages(domain, iova + done, paddr + done, entry,
				    count, prot, gfp, &mapped);
		done += mapped;
		if (rc)
			break;
	}
	if (!rc)
		return 0;

	done += mapped_anyway(domain, iova + done, paddr + done, size - done,
			      entry);
	if (done)
		iommu_unmap_flush(domain, iova, done);
	return rc;
}

/**
 * iommu_sync_map - Tell the IOMMU what was mapped
 * @domain: the domain
 * @iova: first IOVA
 * @size: bytes
 *
 * Return: 0.
 */
int iommu_sync_map(struct iommu_domain *domain, unsigned long iova, size_t size)
{
	size_t step;

	if (!domain->ops->iotlb_sync_map)
		return 0;
	for (; size; size -= step, iova += step) {
		step = min(size, FLUSH_MAX);
		domain->ops->iotlb_sync_map(domain, iova, step);
	}
	return 0;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static int lacks_remapping(struct device *dev, void *unused)
{
	return !device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
}

/**
 * iommu_group_has_isolated_msi - Can a device only raise its own interrupts?
 * @group: the group
 *
 * Either all interrupt domains remap, or the IOMMU of each device does.
 */
bool iommu_group_has_isolated_msi(struct iommu_group *group)
{
	return irq_domain_check_msi_remap() ||
	       !iommu_group_for_each_dev(group, NULL, lacks_remapping);
}
#endif

/**
 * iommu_gather_start - Begin to unmap with one flush at the end
 * @gather: for iommu_unmap_fast()
 *
 * A plain gather of 6.1 is flushed whenever the next page is of another size or
 * not adjacent. A queued one is left alone, as the domain will be flushed whole.
 */
void iommu_gather_start(struct iommu_iotlb_gather *gather)
{
	iommu_iotlb_gather_init(gather);
	gather->queued = true;
}

/**
 * iommu_gather_flush - Flush, then free the tables that were taken out
 * @domain: the domain
 * @gather: set up by iommu_gather_start()
 */
void iommu_gather_flush(struct iommu_domain *domain,
			struct iommu_iotlb_gather *gather)
{
	iommu_flush_iotlb_all(domain);
	put_pages_list(&gather->freelist);
}

/**
 * iommu_drop_tables - Take out the tables under one larger entry that is to be
 * @domain: the domain
 * @iova: where the entry will begin; nothing is mapped under it
 * @span: of the entry
 * @gather: set up by iommu_gather_start(); the tables are freed when it is flushed
 *
 * VT-d's driver of 6.1 does so when the entry is made, and frees before it flushes. It
 * takes out, without harm, a table that a range covers in which something is
 * mapped: the page of zeros, to be read.
 *
 * Return: 0, or the IOMMU driver's error with nothing mapped.
 */
int iommu_drop_tables(struct iommu_domain *domain, unsigned long iova,
		      unsigned long span, struct iommu_iotlb_gather *gather)
{
	int rc = iommu_map_nosync(domain, iova, page_to_phys(ZERO_PAGE(0)),
				  PAGE_SIZE, IOMMU_READ, GFP_KERNEL_ACCOUNT);

	if (!rc)
		iommu_unmap_fast(domain, iova, span, gather);
	return rc;
}

static void flush_range(struct iommu_domain *domain,
			struct iommu_iotlb_gather *gather, unsigned long first,
			unsigned long last)
{
	gather->start = first;
	gather->end = last;
	if (domain->ops->iotlb_sync)
		domain->ops->iotlb_sync(domain, gather);
}

/**
 * iommu_gather_flush_devices - As iommu_gather_flush(), devices' own TLBs as well
 * @domain: the domain
 * @gather: set up by iommu_gather_start()
 * @first: first IOVA that was unmapped
 * @last: last IOVA, inclusive
 *
 * iommu_flush_iotlb_all() does so, but not that of VT-d's driver before 6.10 on an
 * IOMMU in caching mode, which knows the devices only when it flushes ranges. And
 * where the domain has first-level tables, it flushes all of a range only if that is
 * aligned to its size, a power of two.
 */
void iommu_gather_flush_devices(struct iommu_domain *domain,
				struct iommu_iotlb_gather *gather,
				unsigned long first, unsigned long last)
{
	unsigned long mask = GENMASK(__fls((first ^ last) | ~PAGE_MASK), 0);

	if (mask < FLUSH_MAX) {
		flush_range(domain, gather, first & ~mask, last | mask);
		put_pages_list(&gather->freelist);
		return;
	}

	iommu_gather_flush(domain, gather);
	/* Only AMD's may have so many bits, which does flush the devices */
	if (domain->geometry.aperture_end == ~0UL)
		return;
	for (first = ALIGN_DOWN(first, FLUSH_MAX); first <= last;
	     first += FLUSH_MAX) {
		flush_range(domain, gather, first, first + FLUSH_MAX - 1);
		cond_resched();
	}
}

/**
 * iommu_unmap_flush - Unmap, and have nobody translate by it any more
 * @domain: the domain
 * @iova: first IOVA
 * @size: bytes, not 0
 *
 * iommu_unmap() flushes ranges as they are, see iommu_gather_flush_devices().
 *
 * Return: how many bytes were mapped from @iova on.
 */
size_t iommu_unmap_flush(struct iommu_domain *domain, unsigned long iova,
			 size_t size)
{
	struct iommu_iotlb_gather gather;
	size_t unmapped;

	iommu_gather_start(&gather);
	unmapped = iommu_unmap_fast(domain, iova, size, &gather);
	iommu_gather_flush_devices(domain, &gather, iova, iova + size - 1);
	return unmapped;
}

static int has_device_tlb(struct device *dev, void *unused)
{
	return dev_is_pci(dev) && pci_ats_supported(to_pci_dev(dev));
}

/**
 * iommu_group_has_device_tlb - May a device keep translations (PCIe ATS)?
 * @group: the group
 */
bool iommu_group_has_device_tlb(struct iommu_group *group)
{
	return iommu_group_for_each_dev(group, NULL, has_device_tlb);
}

static int translates_by(struct device *dev, void *domain)
{
	return iommu_get_domain_for_dev(dev) == domain;
}

/* About a second in all, in which memory may become free */
#define BLOCK_TRIES 40

/*
 * Have the core attach what it attaches to a group that is nobody's, or blocks one that
 * has an owner, until that is true of no device any more.
 */
static bool detach_until_none(struct iommu_group *group,
			      struct iommu_domain *domain,
			      int (*is_left)(struct device *dev, void *domain))
{
	unsigned int tries;

	for (tries = 0; tries < BLOCK_TRIES; tries++) {
		if (tries)
			msleep(25);
		iommu_detach_group(domain, group);
		if (!iommu_group_for_each_dev(group, domain, is_left))
			return true;
	}
	return false;
}

/**
 * iommu_group_block - Detach a group from a domain and make sure that it is
 * @domain: what it is attached to
 * @group: its DMA is owned by the caller
 *
 * 6.1's core attaches a domain that blocks instead. Should the IOMMU driver lack the
 * memory to do so, then the hardware blocks the devices, but the core goes on
 * naming @domain as theirs and would use it after it was freed. Newer cores do
 * not let that fail.
 *
 * Return: true; false when @domain must not be freed, although no device uses it.
 */
bool iommu_group_block(struct iommu_domain *domain, struct iommu_group *group)
{
	return detach_until_none(group, domain, translates_by);
}

/* Held by whoever begins or ends to own a group's DMA, so that it is known who does */
static DEFINE_MUTEX(dma_owner_lock);

/* Has the core left a device in the domain that blocks, or in one of a user's? */
static int has_users_domain(struct device *dev, void *unused)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && (domain->type == IOMMU_DOMAIN_BLOCKED ||
			  domain->type == IOMMU_DOMAIN_UNMANAGED);
}

/**
 * iommu_group_take - iommu_group_claim_dma_owner(), to be undone by iommu_group_give_back()
 * @group: the group
 * @owner: the owner
 *
 * Return: as iommu_group_claim_dma_owner().
 */
int iommu_group_take(struct iommu_group *group, void *owner)
{
	int rc;

	mutex_lock(&dma_owner_lock);
	rc = iommu_group_claim_dma_owner(group, owner);
	mutex_unlock(&dma_owner_lock);
	return rc;
}

/**
 * iommu_group_give_back - Own the DMA of a group no longer
 * @group: owned by iommu_group_take()
 *
 * Should 6.1's IOMMU driver lack the memory to attach the default domain, the group
 * stays blocked, and its DMA could never be owned again. Newer cores do not let that
 * fail.
 */
void iommu_group_give_back(struct iommu_group *group)
{
	mutex_lock(&dma_owner_lock);
	iommu_group_release_dma_owner(group);
	if (iommu_group_for_each_dev(group, NULL, has_users_domain))
		detach_until_none(group, NULL, has_users_domain);
	mutex_unlock(&dma_owner_lock);
}

/**
 * iommu_group_get_traits - Find out what a domain of a group's own is like
 * @group: its DMA is owned by the caller and blocked
 * @dev: a device of it
 * @traits: set to that
 *
 * Newer kernels tell by the device, with IOMMU_CAP_ENFORCE_CACHE_COHERENCY, and make
 * domains that are complete at once. 6.1's are so after their first attach, and
 * its VT-d driver does not decline a device that is too narrow for a domain in use:
 * it makes the domain narrower. So an empty domain is asked beforehand.
 *
 * Return: 0, or the IOMMU driver's error.
 */
int iommu_group_get_traits(struct iommu_group *group, struct device *dev,
			   struct iommu_group_traits *traits)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(dev);
	int rc;

	if (IS_ERR(domain))
		return PTR_ERR(domain);
	rc = iommu_attach_group(domain, group);
	if (rc)
		goto out_free;
	traits->aperture_end = domain->geometry.aperture_end;
	traits->pgsize_bitmap = domain->pgsize_bitmap;
	traits->can_enforce = domain->ops->enforce_cache_coherency &&
			      domain->ops->enforce_cache_coherency(domain);
	/* Else the core goes on naming the domain */
	if (!iommu_group_block(domain, group))
		return -ENOMEM;
out_free:
	iommu_domain_free(domain);
	return rc;
}

static int has_other_driver(struct device *dev, void *domain_ops)
{
	return dev->iommu->iommu_dev->ops->default_domain_ops != domain_ops;
}

/**
 * iommu_domain_serves - Is the domain of the driver that the devices have?
 * @domain: a domain
 * @group: the devices
 *
 * Newer cores refuse any other. 6.1 passes a device on to the domain's driver,
 * which takes it for its own.
 */
bool iommu_domain_serves(const struct iommu_domain *domain,
			 struct iommu_group *group)
{
	return !iommu_group_for_each_dev(group, (void *)domain->ops,
					 has_other_driver);
}
