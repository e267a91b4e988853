/* SPDX-License-Identifier: GPL-2.0-only */
/* domain.c: runs into an IOMMU domain and out of it */
#ifndef __IOMMUFD_DOMAIN_H
#define __IOMMUFD_DOMAIN_H

#include <linux/iommu.h>

struct pages;
struct runs;

int domain_map_runs(struct iommu_domain *domain, unsigned long iova,
		    const struct runs *runs, unsigned long nr_pages,
		    unsigned long offset, unsigned long length, int prot,
		    bool huge);
int domain_map(struct iommu_domain *domain, unsigned long iova,
	       const struct pages *pages, unsigned long offset,
	       unsigned long length, int prot, bool huge);
void domain_unmap(struct iommu_domain *domain, unsigned long iova,
		  unsigned long length, struct iommu_iotlb_gather *gather);

#endif
