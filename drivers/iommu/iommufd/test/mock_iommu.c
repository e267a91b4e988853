// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU that records what it is told. Its pages are half as large as memory's,
 * so that IOVA and memory can be out of step.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../ioas.h"
#include "test.h"

#define MOCK_PAGE_SHIFT	(PAGE_SHIFT - 1)
#define MOCK_PAGE_SIZE	BIT(MOCK_PAGE_SHIFT)
#define MOCK_PAGE_MASK	(MOCK_PAGE_SIZE - 1)

/**
 * struct mock_domain - A domain
 * @domain: to the core
 * @entries: IOVA in mock pages -> physical address in mock pages
 */
struct mock_domain {
	struct iommu_domain domain;
	struct xarray entries;
};

static struct mock_domain *to_mock(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

static int mock_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	return 0;
}

static void mock_detach_dev(struct iommu_domain *domain, struct device *dev)
{
}

static int mock_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t paddr, size_t pgsize, size_t pgcount,
			  int prot, gfp_t gfp, size_t *mapped)
{
	unsigned long index = iova >> MOCK_PAGE_SHIFT;
	unsigned long frame = paddr >> MOCK_PAGE_SHIFT;
	int rc;

	if (WARN_ON(pgsize != MOCK_PAGE_SIZE ||
		    (iova | paddr) & MOCK_PAGE_MASK ||
		    iova < MOCK_APERTURE_START ||
		    iova + pgsize * pgcount - 1 > MOCK_APERTURE_LAST))
		return -EINVAL;

	for (; pgcount; pgcount--) {
		rc = xa_insert(&to_mock(domain)->entries, index,
			       xa_mk_value(frame), gfp);
		/* What is mapped must be unmapped first */
		WARN_ON(rc == -EBUSY);
		if (rc)
			return rc;
		*mapped += MOCK_PAGE_SIZE;
		index++;
		frame++;
	}
	return 0;
}

static size_t mock_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t pgsize, size_t pgcount,
			       struct iommu_iotlb_gather *gather)
{
	unsigned long index = iova >> MOCK_PAGE_SHIFT;
	size_t unmapped = 0;

	WARN_ON(pgsize != MOCK_PAGE_SIZE || iova & MOCK_PAGE_MASK);
	for (; pgcount; pgcount--) {
		if (!xa_erase(&to_mock(domain)->entries, index))
			break;
		unmapped += MOCK_PAGE_SIZE;
		index++;
	}
	return unmapped;
}

static phys_addr_t mock_iova_to_phys(struct iommu_domain *domain,
				     dma_addr_t iova)
{
	void *entry = xa_load(&to_mock(domain)->entries,
			      iova >> MOCK_PAGE_SHIFT);

	if (!entry)
		return 0;
	return ((phys_addr_t)xa_to_value(entry) << MOCK_PAGE_SHIFT) +
	       (iova & MOCK_PAGE_MASK);
}

static void mock_free(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_mock(domain);

	xa_destroy(&mock->entries);
	kfree(mock);
}

static struct iommu_domain *mock_domain_alloc(unsigned int type)
{
	struct mock_domain *mock;

	if (type != IOMMU_DOMAIN_UNMANAGED)
		return NULL;
	mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	if (!mock)
		return NULL;
	xa_init(&mock->entries);
	mock->domain.geometry.aperture_start = MOCK_APERTURE_START;
	mock->domain.geometry.aperture_end = MOCK_APERTURE_LAST;
	mock->domain.geometry.force_aperture = true;
	return &mock->domain;
}

static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY || cap == IOMMU_CAP_INTR_REMAP;
}

static const struct iommu_domain_ops mock_domain_ops = {
	.attach_dev	= mock_attach_dev,
	.detach_dev	= mock_detach_dev,
	.map_pages	= mock_map_pages,
	.unmap_pages	= mock_unmap_pages,
	.iova_to_phys	= mock_iova_to_phys,
	.free		= mock_free,
};

const struct iommu_ops mock_iommu_ops = {
	.capable		= mock_capable,
	.domain_alloc		= mock_domain_alloc,
	.default_domain_ops	= &mock_domain_ops,
	.pgsize_bitmap		= MOCK_PAGE_SIZE,
	.owner			= THIS_MODULE,
};

struct iommu_device mock_iommu = { .ops = &mock_iommu_ops };

/* Where the memory at a user address is now */
static int user_to_page(unsigned long address, struct page **page)
{
	int nr = get_user_pages_fast(address & PAGE_MASK, 1, 0, page);

	if (nr < 0)
		return nr;
	return nr == 1 ? 0 : -EFAULT;
}

static int check_entries(struct iommu_domain *domain,
			 const struct iommu_test_cmd *cmd)
{
	u64 done;

	if (domain->ops != &mock_domain_ops)
		return -EINVAL;

	for (done = 0; done < cmd->check_map.length; done += MOCK_PAGE_SIZE) {
		unsigned long address = cmd->check_map.uptr + done;
		phys_addr_t phys;
		struct page *page;
		int rc;

		rc = user_to_page(address, &page);
		if (rc)
			return rc;
		phys = page_to_phys(page) + offset_in_page(address);
		put_page(page);
		if (mock_iova_to_phys(domain, cmd->check_map.iova + done) !=
		    phys)
			return -EINVAL;
	}
	return 0;
}

/**
 * mock_check_map - Does a HWPT translate IOVA to memory of the caller?
 * @ictx: the file
 * @cmd: check_map
 *
 * Return: 0; -EINVAL when it translates one of them to something else.
 */
int mock_check_map(struct iommufd_ctx *ictx, const struct iommu_test_cmd *cmd)
{
	struct iommufd_object *obj;
	struct iommu_domain *domain;
	int rc = -EINVAL;

	if ((cmd->check_map.iova | cmd->check_map.length |
	     cmd->check_map.uptr) & MOCK_PAGE_MASK)
		return -EINVAL;
	obj = iommufd_object_get(ictx, cmd->id, IOMMUFD_OBJ_HWPT);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	mutex_lock(&ictx->topology);
	domain = container_of(obj, struct iommufd_hwpt, obj)->member.domain;
	if (domain)
		rc = check_entries(domain, cmd);
	mutex_unlock(&ictx->topology);
	iommufd_object_put(obj);
	return rc;
}

/**
 * mock_check_refs - Is memory of the caller pinned as often as it says?
 * @cmd: check_refs
 *
 * A compound page is pinned once for all of its pages or more often; whether it is
 * at all can be told.
 *
 * Return: 0; -EIO when a page is not.
 */
int mock_check_refs(const struct iommu_test_cmd *cmd)
{
	unsigned int refs = cmd->check_refs.refs;
	u64 done;

	if ((cmd->check_refs.uptr | cmd->check_refs.length) & ~PAGE_MASK)
		return -EINVAL;
	for (done = 0; done < cmd->check_refs.length; done += PAGE_SIZE) {
		struct page *page;
		bool as_said;
		int rc;

		rc = user_to_page(cmd->check_refs.uptr + done, &page);
		if (rc)
			return rc;
		if (PageCompound(page))
			as_said = page_maybe_dma_pinned(page) == !!refs;
		else
			as_said = page_ref_count(page) / GUP_PIN_COUNTING_BIAS ==
				  refs;
		put_page(page);
		if (!as_said)
			return -EIO;
	}
	return 0;
}
