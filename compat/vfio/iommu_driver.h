/* SPDX-License-Identifier: GPL-2.0-only */
/* drivers/vfio/iommu_driver.c: what stock IOMMU back ends link against */
#ifndef __COMPAT_VFIO_IOMMU_DRIVER_H
#define __COMPAT_VFIO_IOMMU_DRIVER_H

struct vfio_iommu_driver_ops;

int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops);
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops);

#endif
