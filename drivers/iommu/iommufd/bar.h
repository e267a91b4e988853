/* SPDX-License-Identifier: GPL-2.0-only */
/* bar.c: device BARs as the memory of a mapping */
#ifndef __IOMMUFD_BAR_H
#define __IOMMUFD_BAR_H

#include <linux/types.h>

struct bar;
struct iommu_domain;
struct pages;

void bar_lock_domains(void);
void bar_unlock_domains(void);
int bar_create(struct pages *pages);
void bar_destroy(struct pages *pages);
int bar_move(struct pages *pages, unsigned long uaddr);
int bar_show(struct bar *bar, struct iommu_domain *domain, unsigned long iova,
	     unsigned long offset, unsigned long length, int prot, bool huge);
unsigned long bar_bytes(const struct iommu_domain *domain);
void bar_hide(struct bar *bar, struct iommu_domain *domain, unsigned long iova);

#endif
