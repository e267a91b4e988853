/* SPDX-License-Identifier: GPL-2.0-only */
/* bar.c: device BARs as the memory of a mapping */
#ifndef __IOMMUFD_BAR_H
#define __IOMMUFD_BAR_H

#include <linux/types.h>

struct bar;
struct bar_tenant;
struct iommu_domain;
struct pages;

/**
 * enum bar_state - Can devices reach a BAR?
 * @BAR_WAITING: not now; it may come back
 * @BAR_IN_PLACE: its frames are known, and every view is in its domain
 * @BAR_LOST: never again
 */
enum bar_state {
	BAR_WAITING,
	BAR_IN_PLACE,
	BAR_LOST,
};

void bar_lock_domains(void);
void bar_unlock_domains(void);
int bar_create(struct pages *pages);
void bar_destroy(struct pages *pages);
int bar_move(struct pages *pages, unsigned long uaddr);
int bar_show(struct bar *bar, struct iommu_domain *domain, unsigned long iova,
	     unsigned long offset, unsigned long length, int prot, bool huge);
void bar_hide(struct bar *bar, struct iommu_domain *domain, unsigned long iova);

/* For bar_tenant.c */
void bar_get(struct bar *bar);
void bar_put(struct bar *bar);
bool bar_look_again(struct bar *bar, const struct bar_tenant *tenant,
		    bool patient);
void bar_lose(struct bar *bar, const struct bar_tenant *tenant);

#endif
