/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * group.c: the devices of an IOMMU group, which attach as one
 * device.c: bound devices
 */
#ifndef __IOMMUFD_DEVICE_H
#define __IOMMUFD_DEVICE_H

#include <compat.h>

#include "ioas.h"

/**
 * struct iommufd_group - An IOMMU group whose DMA belongs to a file
 * @ictx: the file
 * @group: the IOMMU group; a reference
 * @link: in ctx->groups
 * @devices: bound devices, struct iommufd_device
 * @holds: users of the whole group; it goes with the last of them and of @devices
 * @hwpt: what the group is attached to, or NULL; held
 * @nr_attached: devices of it that are attached, and attached holds
 * @traits: of a domain of its own; fixed
 *
 * Guarded by ctx->topology.
 */
struct iommufd_group {
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	struct list_head link;
	struct list_head devices;
	unsigned int holds;
	struct iommufd_hwpt *hwpt;
	unsigned int nr_attached;
	struct iommu_group_traits traits;
};

/**
 * struct iommufd_device - A device that is bound to a file
 * @obj: the object; held by the driver that bound the device
 * @dev: the device, or NULL once it is unbound
 * @group: its group; valid while @dev is
 * @link: in group->devices
 * @attached: it is one of group->nr_attached
 * @noncoherent: it may do DMA past the caches; guarded by coherency.lock
 *
 * The rest is guarded by ctx->topology.
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct device *dev;
	struct iommufd_group *group;
	struct list_head link;
	bool attached;
	bool noncoherent;
};

struct device *iommufd_group_get_device(struct iommu_group *group);
struct iommufd_group *iommufd_group_claim(struct iommufd_ctx *ictx,
					  struct iommu_group *group);
struct iommufd_group *iommufd_group_hold(struct iommufd_ctx *ictx,
					 struct iommu_group *group);
void iommufd_group_unhold(struct iommufd_group *group);
void iommufd_group_release_if_empty(struct iommufd_group *group);
int iommufd_group_reserve(struct iommufd_group *group, struct space *space);
void iommufd_group_unreserve(struct iommufd_group *group, struct space *space);

int iommufd_group_attach(struct iommufd_group *group,
			 struct iommufd_ioas *ioas);
struct iommufd_hwpt *iommufd_group_detach(struct iommufd_group *group);

#endif
