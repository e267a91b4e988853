// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU back ends: the stock vfio_iommu_type1 and its like.
 *
 * Everything about address spaces is done by /dev/iommu. The back ends are let
 * register so that they still load, and are never asked for anything.
 */
#include "../../compat/vfio/iommu_driver.h"

int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	return 0;
}

void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
}
