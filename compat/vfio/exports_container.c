// SPDX-License-Identifier: GPL-2.0-only
/*
 * The symbols that the stock container.c exports, with that file's includes.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/fs.h>
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/vfio.h>
#include <uapi/linux/vfio.h>
#ifdef __GENKSYMS__
#include "stock_layouts.h"
#else
#include <linux/module.h>
#endif
#include "iommu_driver.h"

EXPORT_SYMBOL_GPL(vfio_register_iommu_driver);
EXPORT_SYMBOL_GPL(vfio_unregister_iommu_driver);
EXPORT_SYMBOL(vfio_pin_pages);
EXPORT_SYMBOL(vfio_unpin_pages);
EXPORT_SYMBOL(vfio_dma_rw);
