/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layouts that the stock vfio.ko keeps to itself, for genksyms.
 *
 * With CONFIG_MODVERSIONS the checksum of an exported symbol is taken over the
 * expansion of every type that is visible where it is exported, the stock
 * core's private ones too. The stock drivers carry those checksums, so genksyms
 * has to see those types, member for member. The compiler never does: our own
 * structures have other members, and no driver looks into either.
 */
#ifndef __COMPAT_VFIO_STOCK_LAYOUTS_H
#define __COMPAT_VFIO_STOCK_LAYOUTS_H

#ifndef __GENKSYMS__
#error "nothing but genksyms may see the stock layouts"
#endif

#include <linux/device.h>
#include <linux/cdev.h>
#include <linux/module.h>

struct iommu_group;
struct vfio_device;
struct vfio_container;

enum vfio_group_type {
	VFIO_IOMMU,
	VFIO_EMULATED_IOMMU,
	VFIO_NO_IOMMU,
};

struct vfio_group {
	struct device dev;
	struct cdev cdev;
	refcount_t drivers;
	unsigned int container_users;
	struct iommu_group *iommu_group;
	struct vfio_container *container;
	struct list_head device_list;
	struct mutex device_lock; /* never taken */
	struct list_head vfio_next;
	struct list_head container_next;
	enum vfio_group_type type;
	struct mutex group_lock; /* never taken */
	struct kvm *kvm;
	struct file *opened_file;
	struct blocking_notifier_head notifier;
};

enum vfio_iommu_notify_type {
	VFIO_IOMMU_CONTAINER_CLOSE = 0,
};

struct vfio_iommu_driver_ops {
	char *name;
	struct module *owner;
	void *(*open)(unsigned long arg);
	void (*release)(void *iommu_data);
	long (*ioctl)(void *iommu_data, unsigned int cmd, unsigned long arg);
	int (*attach_group)(void *iommu_data, struct iommu_group *group,
			    enum vfio_group_type);
	void (*detach_group)(void *iommu_data, struct iommu_group *group);
	int (*pin_pages)(void *iommu_data, struct iommu_group *group,
			 dma_addr_t user_iova, int npage, int prot,
			 struct page **pages);
	void (*unpin_pages)(void *iommu_data, dma_addr_t user_iova, int npage);
	void (*register_device)(void *iommu_data, struct vfio_device *vdev);
	void (*unregister_device)(void *iommu_data, struct vfio_device *vdev);
	int (*dma_rw)(void *iommu_data, dma_addr_t user_iova, void *data,
		      size_t count, bool write);
	struct iommu_domain *(*group_iommu_domain)(void *iommu_data,
						   struct iommu_group *group);
	void (*notify)(void *iommu_data, enum vfio_iommu_notify_type event);
};

#endif
