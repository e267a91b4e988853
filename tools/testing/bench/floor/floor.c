// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor under what any implementation of I/O address spaces can cost: pin
 * the memory, make a scatter list, map that in one call; unmap in one call and
 * unpin. No checks, no accounting, no tree: what is pinned is in a flat array
 * that is indexed by IOVA. For benchmarks only.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "floor.h"

#define FLOOR_PROT	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

struct floor_domain {
	struct iommu_group *group;
	struct iommu_domain *domain;
};

struct floor {
	struct floor_domain domain[FLOOR_DOMAINS];
	struct page **pages;
	unsigned long nr_pages;
	struct sg_table list;
	bool listed;
};

static int floor_attach(struct floor *floor, const struct floor_attach *arg)
{
	struct floor_domain *to = &floor->domain[arg->domain];
	unsigned int domain, bus, slot, fn;
	struct pci_dev *pdev;
	int rc;

	if (sscanf(arg->device, "%x:%x:%x.%x", &domain, &bus, &slot, &fn) != 4)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, fn));
	if (!pdev)
		return -ENODEV;
	to->group = iommu_group_get(&pdev->dev);
	if (!to->group) {
		rc = -ENODEV;
		goto out_put;
	}
	rc = iommu_group_claim_dma_owner(to->group, floor);
	if (rc)
		goto err_group;
	to->domain = iommu_domain_alloc(pdev->dev.bus);
	if (!to->domain) {
		rc = -ENOMEM;
		goto err_release;
	}
	rc = iommu_attach_group(to->domain, to->group);
	if (rc)
		goto err_domain;
	/* Mapped memory is snooped as in the real implementations */
	if (to->domain->ops->enforce_cache_coherency)
		to->domain->ops->enforce_cache_coherency(to->domain);
	goto out_put;

err_domain:
	iommu_domain_free(to->domain);
	to->domain = NULL;
err_release:
	iommu_group_release_dma_owner(to->group);
err_group:
	iommu_group_put(to->group);
	to->group = NULL;
out_put:
	pci_dev_put(pdev);
	return rc;
}

static void floor_drop_list(struct floor *floor)
{
	if (floor->listed)
		sg_free_table(&floor->list);
	floor->listed = false;
}

/* Pin the first page of each 2 MiB, and list them whole */
static int floor_pin_huge(struct floor *floor, const struct floor_range *arg,
			  unsigned long index)
{
	unsigned long nr = arg->length / PMD_SIZE;
	struct scatterlist *sg;
	unsigned int i;
	int rc;

	rc = sg_alloc_table(&floor->list, nr, GFP_KERNEL);
	if (rc)
		return rc;
	for_each_sg(floor->list.sgl, sg, nr, i) {
		struct page **page = floor->pages + index + i * PTRS_PER_PMD;

		if (pin_user_pages_fast(arg->addr + i * PMD_SIZE, 1,
					FOLL_WRITE | FOLL_LONGTERM, page) != 1) {
			sg_free_table(&floor->list);
			return -EFAULT;
		}
		sg_set_page(sg, *page, PMD_SIZE, 0);
	}
	return 0;
}

static int floor_pin(struct floor *floor, const struct floor_range *arg,
		     unsigned long index)
{
	unsigned long nr = arg->length >> PAGE_SHIFT;
	struct page **pages = floor->pages + index;
	unsigned long got = 0;

	while (got < nr) {
		int n = pin_user_pages_fast(arg->addr + (got << PAGE_SHIFT),
					    nr - got,
					    FOLL_WRITE | FOLL_LONGTERM,
					    pages + got);

		if (n <= 0)
			return -EFAULT;
		got += n;
	}
	return sg_alloc_table_from_pages(&floor->list, pages, nr, 0,
					 arg->length, GFP_KERNEL);
}

static int floor_show(struct floor *floor, const struct floor_range *arg)
{
	ssize_t mapped;

	mapped = iommu_map_sg(floor->domain[arg->domain].domain,
			      FLOOR_BASE + arg->offset, floor->list.sgl,
			      floor->list.orig_nents, FLOOR_PROT);
	return mapped == arg->length ? 0 : -EIO;
}

static int floor_map(struct floor *floor, const struct floor_range *arg)
{
	unsigned long index = arg->offset >> PAGE_SHIFT;
	int rc;

	floor_drop_list(floor);
	if (arg->flags & FLOOR_HUGE)
		rc = floor_pin_huge(floor, arg, index);
	else
		rc = floor_pin(floor, arg, index);
	if (rc)
		return rc;
	floor->listed = true;
	return floor_show(floor, arg);
}

static int floor_hide(struct floor *floor, const struct floor_range *arg)
{
	size_t unmapped;

	unmapped = iommu_unmap(floor->domain[arg->domain].domain,
			       FLOOR_BASE + arg->offset, arg->length);
	return unmapped == arg->length ? 0 : -EIO;
}

static int floor_unmap(struct floor *floor, const struct floor_range *arg)
{
	struct page **pages = floor->pages + (arg->offset >> PAGE_SHIFT);
	unsigned long i;
	int rc;

	rc = floor_hide(floor, arg);
	if (rc)
		return rc;
	if (arg->flags & FLOOR_HUGE)
		for (i = 0; i < arg->length / PMD_SIZE; i++)
			unpin_user_pages_dirty_lock(pages + i * PTRS_PER_PMD, 1,
						    true);
	else
		unpin_user_pages_dirty_lock(pages, arg->length >> PAGE_SHIFT,
					    true);
	return 0;
}

static bool range_valid(const struct floor *floor, const struct floor_range *arg)
{
	u64 space = (u64)floor->nr_pages << PAGE_SHIFT;
	u64 unit = arg->flags & FLOOR_HUGE ? PMD_SIZE : PAGE_SIZE;

	return arg->domain < FLOOR_DOMAINS &&
	       floor->domain[arg->domain].domain &&
	       arg->length && IS_ALIGNED(arg->offset | arg->length, unit) &&
	       arg->length <= space && arg->offset <= space - arg->length;
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	struct floor *floor = file->private_data;
	void __user *user = (void __user *)uarg;
	struct floor_attach attach;
	struct floor_range range;
	u64 nr;

	switch (cmd) {
	case FLOOR_ATTACH:
		if (copy_from_user(&attach, user, sizeof(attach)))
			return -EFAULT;
		attach.device[sizeof(attach.device) - 1] = 0;
		if (attach.domain >= FLOOR_DOMAINS ||
		    floor->domain[attach.domain].group)
			return -EINVAL;
		return floor_attach(floor, &attach);
	case FLOOR_RESERVE:
		if (copy_from_user(&nr, user, sizeof(nr)))
			return -EFAULT;
		if (floor->pages)
			return -EBUSY;
		floor->pages = vcalloc(nr, sizeof(*floor->pages));
		if (!floor->pages)
			return -ENOMEM;
		floor->nr_pages = nr;
		return 0;
	}

	if (copy_from_user(&range, user, sizeof(range)))
		return -EFAULT;
	if (!range_valid(floor, &range))
		return -EINVAL;
	switch (cmd) {
	case FLOOR_MAP:
		return floor_map(floor, &range);
	case FLOOR_UNMAP:
		return floor_unmap(floor, &range);
	case FLOOR_COPY:
		return floor->listed ? floor_show(floor, &range) : -EINVAL;
	case FLOOR_UNCOPY:
		return floor_hide(floor, &range);
	}
	return -ENOTTY;
}

static int floor_open(struct inode *inode, struct file *file)
{
	struct floor *floor = kzalloc(sizeof(*floor), GFP_KERNEL);

	file->private_data = floor;
	return floor ? 0 : -ENOMEM;
}

/* What is still mapped stays pinned: the program that uses it unmaps all */
static int floor_release(struct inode *inode, struct file *file)
{
	struct floor *floor = file->private_data;
	int i;

	floor_drop_list(floor);
	for (i = 0; i < FLOOR_DOMAINS; i++) {
		struct floor_domain *from = &floor->domain[i];

		if (!from->group)
			continue;
		iommu_detach_group(from->domain, from->group);
		iommu_domain_free(from->domain);
		iommu_group_release_dma_owner(from->group);
		iommu_group_put(from->group);
	}
	vfree(floor->pages);
	kfree(floor);
	return 0;
}

static const struct file_operations floor_fops = {
	.owner = THIS_MODULE,
	.open = floor_open,
	.release = floor_release,
	.unlocked_ioctl = floor_ioctl,
};

static struct miscdevice floor_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "floor",
	.fops = &floor_fops,
	.mode = 0600,
};
module_misc_device(floor_misc);

MODULE_DESCRIPTION("The least that mapping memory for a device can cost");
MODULE_LICENSE("GPL");
