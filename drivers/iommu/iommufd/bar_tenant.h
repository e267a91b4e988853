/* SPDX-License-Identifier: GPL-2.0-only */
/* bar_tenant.c: the processes that have mapped BARs of a set of devices */
#ifndef __IOMMUFD_BAR_TENANT_H
#define __IOMMUFD_BAR_TENANT_H

#include <linux/types.h>

#include "bar.h"

struct bar_tenant;
struct mm_struct;

struct bar_tenant *bar_tenant_join(const void *set, struct mm_struct *mm,
				   struct bar *bar, u32 *id);
void bar_tenant_leave(struct bar_tenant *tenant, u32 id);
const void *bar_tenant_set(const struct bar_tenant *tenant);
bool bar_tenant_ended(const struct bar_tenant *tenant);
void bar_tenant_mark(struct bar_tenant *tenant, u32 id, enum bar_state state);

#endif
