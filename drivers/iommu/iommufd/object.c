// SPDX-License-Identifier: GPL-2.0-only
/*
 * IDs, references and the death of objects.
 *
 * An ID is reserved first, the object set up, and then published, which cannot
 * fail. From then on any thread may look it up, use it for the time of
 * one ioctl by a reference, and make it something's dependency by a hold.
 *
 * It dies in two phases. To retire is to turn "no holds" into "dead" in one
 * atomic step and to take back the ID, after which nobody new can find it or depend
 * on it. To release is up to the last reference, so that whoever is
 * still at work with the object is not disturbed and nobody waits for anybody.
 */
#include <linux/slab.h>

#include "object.h"

static const struct iommufd_object_ops *const object_ops[IOMMUFD_OBJ_MAX] = {
	[IOMMUFD_OBJ_DEVICE] = &iommufd_device_object_ops,
	[IOMMUFD_OBJ_ACCESS] = &iommufd_access_object_ops,
	[IOMMUFD_OBJ_HWPT] = &iommufd_hwpt_object_ops,
	[IOMMUFD_OBJ_IOAS] = &iommufd_ioas_object_ops,
};

/**
 * iommufd_object_type_name - What a type is called
 * @type: of an object
 */
const char *iommufd_object_type_name(enum iommufd_object_type type)
{
	static const char *const names[IOMMUFD_OBJ_MAX] = {
		[IOMMUFD_OBJ_ANY] = "object",
		[IOMMUFD_OBJ_DEVICE] = "DEVICE",
		[IOMMUFD_OBJ_ACCESS] = "ACCESS",
		[IOMMUFD_OBJ_HWPT] = "HWPT",
		[IOMMUFD_OBJ_IOAS] = "IOAS",
	};

	return names[type];
}

/**
 * iommufd_object_alloc - Allocate an object and reserve its ID
 * @ictx: the file
 * @size: of the structure that begins with struct iommufd_object
 * @type: what it is
 *
 * Return: the zeroed structure, to be passed to iommufd_object_publish() or
 * iommufd_object_abort(); or an ERR_PTR.
 */
void *iommufd_object_alloc(struct iommufd_ctx *ictx, size_t size,
			   enum iommufd_object_type type)
{
	struct iommufd_object *obj = kzalloc(size, GFP_KERNEL_ACCOUNT);
	int rc;

	if (!obj)
		return ERR_PTR(refuse(-ENOMEM, NO_MEMORY_FOR "an object"));
	obj->ictx = ictx;
	obj->type = type;
	refcount_set(&obj->refs, 1);
	rc = xa_alloc(&ictx->objects, &obj->id, XA_ZERO_ENTRY, xa_limit_31b,
		      GFP_KERNEL_ACCOUNT);
	if (rc) {
		kfree(obj);
		return ERR_PTR(refuse(rc,
				      "no ID for an object: none is left, or no kernel memory"));
	}
	return obj;
}

/**
 * iommufd_object_publish - Let others find an object
 * @obj: set up completely
 *
 * The reference that the caller had becomes the table's.
 */
void iommufd_object_publish(struct iommufd_object *obj)
{
	/* The slot is there since xa_alloc(), so nothing is allocated */
	WARN_ON(xa_is_err(xa_store(&obj->ictx->objects, obj->id, obj,
				   GFP_KERNEL)));
}

/**
 * iommufd_object_abort - Give up an object that was not published
 * @obj: what its type set up is undone already
 */
void iommufd_object_abort(struct iommufd_object *obj)
{
	xa_erase(&obj->ictx->objects, obj->id);
	kfree(obj);
}

/**
 * iommufd_object_tryget - Take a reference unless it is being released
 * @obj: kept from being freed by RCU or by ctx->topology
 */
bool iommufd_object_tryget(struct iommufd_object *obj)
{
	return refcount_inc_not_zero(&obj->refs);
}

static struct iommufd_object *__cold
refuse_id(const struct iommufd_object *obj, u32 id,
	  enum iommufd_object_type type)
{
	int rc = -ENOENT;

	if (!obj)
		iommufd_refuse(rc, "no object has the ID %u", id);
	else if (type != IOMMUFD_OBJ_ANY && obj->type != type)
		iommufd_refuse(rc, "the ID %u is of type %s, not %s", id,
			       iommufd_object_type_name(obj->type),
			       iommufd_object_type_name(type));
	else
		iommufd_refuse(rc, "the object with the ID %u is being destroyed",
			       id);
	return ERR_PTR(rc);
}

/**
 * iommufd_object_get - Look up an object
 * @ictx: the file
 * @id: its ID
 * @type: what it must be
 *
 * Return: the object with a reference, or ERR_PTR(-ENOENT).
 */
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					  enum iommufd_object_type type)
{
	struct iommufd_object *obj;

	rcu_read_lock();
	obj = xa_load(&ictx->objects, id);
	if (!obj || (type != IOMMUFD_OBJ_ANY && obj->type != type) ||
	    !iommufd_object_tryget(obj))
		obj = refuse_id(obj, id, type);
	rcu_read_unlock();
	return obj;
}

/**
 * iommufd_object_put - Let go of a reference
 * @obj: the object
 *
 * The last one tears the object down, which may sleep and take ctx->topology.
 */
void iommufd_object_put(struct iommufd_object *obj)
{
	if (!refcount_dec_and_test(&obj->refs))
		return;
	object_ops[obj->type]->release(obj);
	kfree_rcu(obj, rcu);
}

/**
 * iommufd_object_hold - Depend on an object
 * @obj: the caller has a reference
 *
 * While it is held it is not retired, so it is also referenced by the table.
 *
 * Return: false when it is retired already.
 */
bool iommufd_object_hold(struct iommufd_object *obj)
{
	return atomic_inc_unless_negative(&obj->holds);
}

/**
 * iommufd_object_unhold - Depend on it no longer
 * @obj: held by the caller
 */
void iommufd_object_unhold(struct iommufd_object *obj)
{
	atomic_dec(&obj->holds);
}

/**
 * iommufd_object_retire - Begin the death of an object
 * @obj: referenced by the caller, who puts that reference as always
 *
 * Return: 0; -EBUSY when something depends on it; -ENOENT when it is retired.
 */
int iommufd_object_retire(struct iommufd_object *obj)
{
	int holds = atomic_cmpxchg(&obj->holds, 0, IOMMUFD_OBJ_DEAD);

	if (holds)
		return holds > 0 ? -EBUSY : -ENOENT;
	xa_erase(&obj->ictx->objects, obj->id);
	/* The table's reference. The caller's is left, so this is not the last */
	refcount_dec(&obj->refs);
	return 0;
}

/**
 * iommufd_object_refuse_retire - Tell why an object cannot be retired
 * @obj: referenced by the caller
 * @error: of iommufd_object_retire()
 */
void iommufd_object_refuse_retire(const struct iommufd_object *obj, int error)
{
	int holds = atomic_read(&obj->holds);

	if (error == -ENOENT)
		iommufd_refuse(error, "the object with the ID %u is being destroyed",
			       obj->id);
	else if (obj->type == IOMMUFD_OBJ_IOAS)
		iommufd_refuse(error, "IOAS %u is in use: %d HWPTs and accesses",
			       obj->id, holds);
	else if (obj->type == IOMMUFD_OBJ_HWPT)
		iommufd_refuse(error, "HWPT %u is in use: %d groups are attached",
			       obj->id, holds);
	else
		iommufd_refuse(error, "%s %u lasts as long as its device file is bound",
			       iommufd_object_type_name(obj->type), obj->id);
}

/**
 * iommufd_objects_release - Destroy what a file that is released still has
 * @ictx: no ioctl is running, no device or access exists
 */
void iommufd_objects_release(struct iommufd_ctx *ictx)
{
	enum iommufd_object_type type;
	struct iommufd_object *obj;
	unsigned long id;

	for (type = IOMMUFD_OBJ_ANY + 1; type < IOMMUFD_OBJ_MAX; type++) {
		xa_for_each(&ictx->objects, id, obj) {
			if (obj->type != type)
				continue;
			refcount_inc(&obj->refs);
			WARN_ON(iommufd_object_retire(obj));
			iommufd_object_put(obj);
		}
	}
	WARN_ON(!xa_empty(&ictx->objects));
	xa_destroy(&ictx->objects);
}
