/* SPDX-License-Identifier: GPL-2.0-only */
/* coherency.c: is there DMA that goes past the caches? */
#ifndef __IOMMUFD_COHERENCY_H
#define __IOMMUFD_COHERENCY_H

#include "device.h"

/* Why the policy to require coherent DMA keeps a device from being attached */
#define NOT_COHERENT "its DMA would not be coherent, which the policy of the file requires"

void coherency_init(struct iommufd_coherency *coherency);
void coherency_destroy(struct iommufd_coherency *coherency);
bool coherency_permits(struct iommufd_ctx *ictx);
void coherency_update_group(struct iommufd_group *group, bool noncoherent,
			    const char *cause);
void coherency_bind(struct iommufd_device *idev);
void coherency_unbind(struct iommufd_device *idev);
int coherency_set_policy(struct iommufd_ctx *ictx, u64 policy);
unsigned int coherency_policy(struct iommufd_ctx *ictx);
bool coherency_state(struct iommufd_ctx *ictx);

#endif
