// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces.
 */
#include "ioas.h"

/**
 * iommufd_ioas_alloc - Make an address space
 * @ictx: the file
 *
 * Return: the IOAS, not yet published, or an ERR_PTR.
 */
struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;

	ioas = iommufd_object_alloc(ictx, sizeof(*ioas), IOMMUFD_OBJ_IOAS);
	if (IS_ERR(ioas))
		return ioas;
	space_init(&ioas->space);
	INIT_LIST_HEAD(&ioas->hwpts);
	return ioas;
}

/**
 * iommufd_ioas_get - Look up an address space
 * @ictx: the file
 * @id: its ID
 *
 * Return: the IOAS with a reference, or ERR_PTR(-ENOENT).
 */
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ictx, id, IOMMUFD_OBJ_IOAS);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	return container_of(obj, struct iommufd_ioas, obj);
}

static void ioas_release(struct iommufd_object *obj)
{
	struct iommufd_ioas *ioas = container_of(obj, struct iommufd_ioas, obj);
	struct iommufd_ctx *ictx = obj->ictx;

	mutex_lock(&ictx->topology);
	if (ictx->vfio_ioas == ioas)
		ictx->vfio_ioas = NULL;
	mutex_unlock(&ictx->topology);
	space_destroy(&ioas->space);
}

const struct iommufd_object_ops iommufd_ioas_object_ops = {
	.release = ioas_release,
};
