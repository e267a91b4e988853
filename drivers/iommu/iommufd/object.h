/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object.c: IDs, references and the death of objects
 *
 * The file that objects belong to is declared here, too.
 */
#ifndef __IOMMUFD_OBJECT_H
#define __IOMMUFD_OBJECT_H

#include <linux/atomic.h>
#include <linux/iommufd.h>
#include <linux/iommufd_refusal.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/xarray.h>

#include "owner.h"
#include "vfio_compat.h"

struct iommufd_ioas;

/**
 * struct iommufd_coherency - Whether the DMA of a file's devices is coherent
 * @lock: guards what follows, and iommufd_device.noncoherent. Inside
 *        ctx->topology, outside everything of memory
 * @policy: enum iommufd_coherency_policy; written with ctx->topology held, too
 * @nr: devices whose DMA is not
 * @nr_bound: devices of the file; written with ctx->topology held, too
 * @watches: struct iommufd_watch
 */
struct iommufd_coherency {
	struct mutex lock; /* guards the members below */
	unsigned int policy;
	unsigned int nr;
	unsigned int nr_bound;
	struct list_head watches;
};

/**
 * enum iommufd_object_type - What an ID stands for
 * @IOMMUFD_OBJ_ANY: for a look-up that takes every type
 * @IOMMUFD_OBJ_DEVICE: a bound device
 * @IOMMUFD_OBJ_ACCESS: an in-kernel user of an address space
 * @IOMMUFD_OBJ_HWPT: a domain, as the user sees it
 * @IOMMUFD_OBJ_IOAS: an address space
 * @IOMMUFD_OBJ_MAX: number of types
 *
 * In the order in which a file that is released destroys them: none depends on
 * one before it.
 */
enum iommufd_object_type {
	IOMMUFD_OBJ_ANY,
	IOMMUFD_OBJ_DEVICE,
	IOMMUFD_OBJ_ACCESS,
	IOMMUFD_OBJ_HWPT,
	IOMMUFD_OBJ_IOAS,
	IOMMUFD_OBJ_MAX,
};

/* Added to iommufd_object.holds when it dies */
#define IOMMUFD_OBJ_DEAD INT_MIN

/**
 * struct iommufd_object - What all objects have
 * @ictx: the file
 * @id: as the user knows it
 * @type: what it is
 * @refs: pointers to it; the last one released tears it down. One is the
 *        table's, until the object is retired
 * @holds: who depends on it; negative once it is retired
 * @rcu: readers of the table may still look at it
 */
struct iommufd_object {
	struct iommufd_ctx *ictx;
	u32 id;
	enum iommufd_object_type type;
	refcount_t refs;
	atomic_t holds;
	struct rcu_head rcu;
};

/**
 * struct iommufd_object_ops - What a type adds
 * @release: give back everything but the memory of the object. Called without
 *           locks, in a process
 */
struct iommufd_object_ops {
	void (*release)(struct iommufd_object *obj);
};

/**
 * struct iommufd_ctx - An open /dev/iommu
 * @file: the file; a context lives as long as that does
 * @objects: by ID. Read under RCU, changed under its own lock
 * @owners: who pays for what is pinned
 * @topology: guards what follows, and in each object what says so. Outside all
 *            locks of spaces and pages
 * @groups: struct iommufd_group
 * @coherency: has its own lock
 * @vfio_ioas: what the VFIO ioctls work on, or NULL. Not a reference: cleared
 *             when the IOAS is released. Once retired it counts as none
 * @compat: has its own lock, outside @topology
 * @refusal: the last call that was refused; see refusal.c
 */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
	struct owner_table owners;
	struct mutex topology; /* guards groups and vfio_ioas */
	struct list_head groups;
	struct iommufd_ioas *vfio_ioas;
	struct iommufd_coherency coherency;
	struct vfio_compat compat;
	struct iommufd_refusal refusal;
};

void *iommufd_object_alloc(struct iommufd_ctx *ictx, size_t size,
			   enum iommufd_object_type type);
void iommufd_object_publish(struct iommufd_object *obj);
void iommufd_object_abort(struct iommufd_object *obj);
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					  enum iommufd_object_type type);
bool iommufd_object_tryget(struct iommufd_object *obj);
void iommufd_object_put(struct iommufd_object *obj);
bool iommufd_object_hold(struct iommufd_object *obj);
void iommufd_object_unhold(struct iommufd_object *obj);
int iommufd_object_retire(struct iommufd_object *obj);

/* Is it dying or dead? If not, it may be by the time that the caller knows */
static inline bool iommufd_object_is_retired(const struct iommufd_object *obj)
{
	return atomic_read(&obj->holds) < 0;
}

void __cold iommufd_object_refuse_retire(const struct iommufd_object *obj,
					 int error);
const char *iommufd_object_type_name(enum iommufd_object_type type);
void iommufd_objects_release(struct iommufd_ctx *ictx);

/* In the file that each type is named after */
extern const struct iommufd_object_ops iommufd_device_object_ops;
extern const struct iommufd_object_ops iommufd_access_object_ops;
extern const struct iommufd_object_ops iommufd_hwpt_object_ops;
extern const struct iommufd_object_ops iommufd_ioas_object_ops;

void iommufd_access_show(struct seq_file *seq, struct iommufd_object *obj);

#endif
