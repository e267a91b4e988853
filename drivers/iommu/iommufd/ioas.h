/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioas.c: address spaces
 * hwpt.c: the domains that show them to devices
 */
#ifndef __IOMMUFD_IOAS_H
#define __IOMMUFD_IOAS_H

#include "object.h"
#include "space.h"

struct iommufd_group;

/**
 * struct iommufd_ioas - An address space with an ID
 * @obj: the object
 * @space: what it is about
 * @hwpts: its HWPTs; guarded by ctx->topology
 */
struct iommufd_ioas {
	struct iommufd_object obj;
	struct space space;
	struct list_head hwpts;
};

/**
 * struct iommufd_hwpt - A domain, as the user sees it
 * @obj: the object
 * @ioas: what the domain shows; held
 * @automatic: made by an attach to the IOAS; dies with its last device
 * @link: in ioas->hwpts
 * @member: the domain in the space; its domain is NULL while no group is attached
 * @enforces: the domain blocks no-snoop DMA
 * @stuck: the IOMMU core goes on naming the domain, so it must not be freed
 * @nr_groups: groups attached
 *
 * What follows @automatic is guarded by ctx->topology.
 */
struct iommufd_hwpt {
	struct iommufd_object obj;
	struct iommufd_ioas *ioas;
	bool automatic;
	struct list_head link;
	struct space_domain member;
	bool enforces;
	bool stuck;
	unsigned int nr_groups;
};

struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx);
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ictx, u32 id);

static inline void iommufd_ioas_put(struct iommufd_ioas *ioas)
{
	iommufd_object_put(&ioas->obj);
}

struct iommufd_hwpt *iommufd_hwpt_alloc(struct iommufd_ioas *ioas,
					bool automatic);
void iommufd_hwpt_abort(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_publish(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_learn_device_tlbs(struct iommufd_hwpt *hwpt,
				    struct iommufd_group *group);
int iommufd_hwpt_attach(struct iommufd_hwpt *hwpt, struct iommufd_group *group);
bool iommufd_hwpt_block(struct iommufd_hwpt *hwpt, struct iommufd_group *group);
void iommufd_hwpt_return(struct iommufd_hwpt *hwpt, struct iommufd_group *group);
void iommufd_hwpt_leave(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_detach(struct iommufd_hwpt *hwpt,
			 struct iommufd_group *group);
void iommufd_hwpt_put(struct iommufd_hwpt *hwpt);

#endif
