// SPDX-License-Identifier: GPL-2.0-only
/*
 * The symbols that the stock vfio_main.c exports.
 *
 * A checksum depends on which types are visible here, so the includes are those
 * of the stock file, and KVM's and iommufd's types must stay out.
 */
#include <linux/cdev.h>
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/sched/signal.h>
#include <linux/pm_runtime.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#ifdef __GENKSYMS__
#include "stock_layouts.h"
#endif

EXPORT_SYMBOL_GPL(vfio_assign_device_set);
EXPORT_SYMBOL_GPL(vfio_device_set_open_count);
EXPORT_SYMBOL_GPL(_vfio_alloc_device);
EXPORT_SYMBOL_GPL(vfio_init_device);
EXPORT_SYMBOL_GPL(vfio_free_device);
EXPORT_SYMBOL_GPL(vfio_register_group_dev);
EXPORT_SYMBOL_GPL(vfio_register_emulated_iommu_dev);
EXPORT_SYMBOL_GPL(vfio_unregister_group_dev);
EXPORT_SYMBOL_GPL(vfio_mig_get_next_state);
EXPORT_SYMBOL_GPL(vfio_file_iommu_group);
EXPORT_SYMBOL_GPL(vfio_file_is_group);
EXPORT_SYMBOL_GPL(vfio_file_enforced_coherent);
EXPORT_SYMBOL_GPL(vfio_file_set_kvm);
EXPORT_SYMBOL_GPL(vfio_file_has_dev);
EXPORT_SYMBOL_GPL(vfio_info_cap_add);
EXPORT_SYMBOL(vfio_info_cap_shift);
EXPORT_SYMBOL(vfio_info_add_capability);
EXPORT_SYMBOL(vfio_set_irqs_validate_and_prepare);
