/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vfio.ko share.
 *
 * A user gets at a device in one of two ways. Through its *group*: one user
 * opens /dev/vfio/N, gives the group an I/O address space and gets device files
 * from it, as many as it likes of one device. Or through its *device file*
 * /dev/vfio/devices/vfioN, which one user binds to a /dev/iommu file. The ways
 * exclude each other for all devices of a group.
 *
 * Locks, outermost first:
 *
 *   group->lock		who uses the group, and how
 *   vfio_state::lock		opening, closing and attaching a device. Held while
 *				memory is pinned, so the users of other devices
 *				never need it
 *   vfio_kvm_slot::lock	which virtual machines a file belongs to; with the
 *				locks around it, see virt/kvm/vfio.c
 *   dev_set->lock		who has which devices of a set open. Beside the
 *				former, neither inside the other
 *   groups_lock		group.c: list of groups, their nodes. Not inside the
 *				locks above, but none of them is taken inside it
 *   group->devices_lock	the devices of a group
 *   nodes_lock			cdev.c: device files by number
 *   group->owner_lock		spinlock: whose the DMA of a group is
 *
 * dev_set->lock is held around the driver's open_device and close_device, and
 * by drivers themselves for hot reset, where locks that a page fault needs are
 * held as well. The devices of a set may have different users, any of whom can let
 * his memory keep us waiting. So nothing is done under it that touches such memory,
 * or takes a lock under which it is touched, such as those of iommufd. The caller's
 * mmap_lock is held around one ioctl of drivers, with none of the locks above; see
 * ioeventfd.c.
 */
#ifndef __VFIO_VFIO_H
#define __VFIO_VFIO_H

#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/vfio.h>

struct iommu_group;
struct iommufd_access;
struct iommufd_bar_guard;
struct iommufd_ctx;
struct iommufd_device;

/**
 * struct vfio_kvm_slot - The virtual machines that a file was added to
 * @lock: guards the rest. Taken inside kvm->lock and vfio_state::lock
 * @links: one for each machine
 * @nr_links: how many
 * @nr_removed: how many of them end as soon as it is clear which
 * @ictx: where the DMA of the file's devices goes; NULL while nowhere
 * @idev: the one device, or NULL
 * @group: the IOMMU group that all of them are of, or NULL
 */
struct vfio_kvm_slot {
	struct mutex lock; /* guards the other members */
	struct list_head links;
	unsigned int nr_links;
	unsigned int nr_removed;
	struct iommufd_ctx *ictx;
	struct iommufd_device *idev;
	struct iommu_group *group;
};

/**
 * struct vfio_group - An IOMMU group with a device that a VFIO driver manages
 * @dev: /dev/vfio/N; counts the references on this structure
 * @node: place in the list of groups
 * @drivers: devices in @devices or about to be; under groups_lock
 * @emulated: @iommu_group is a stand-in, made for one device without DMA
 * @iommu_group: cleared under @lock once the last device is gone, when the group
 *	is in no list any more; read under @lock, or under groups_lock by way of
 *	the list
 * @lock: guards the members from here to @device_binds
 * @opened_file: the one open file of /dev/vfio/N
 * @ictx: where devices of @opened_file go, with a reference
 * @open_devices: device files got from @opened_file, each with a reference on it
 * @device_binds: bound device files of devices of the group
 * @kvm: machines that @opened_file was added to
 * @devices_lock: guards @devices
 * @devices: registered devices
 * @owner_lock: guards @owner and @owned
 * @owner: what the devices of the group that do DMA are bound to; it can only
 *	be one, and they hold it
 * @owned: how many are
 * @refusal: the last call on @opened_file that was refused
 */
struct vfio_group {
	struct device dev;
	struct list_head node;
	unsigned int drivers;
	bool emulated;
	struct iommu_group *iommu_group;

	struct mutex lock; /* guards the members down to device_binds */
	struct file *opened_file;
	struct iommufd_ctx *ictx;
	unsigned int open_devices;
	unsigned int device_binds;

	struct vfio_kvm_slot kvm;

	struct mutex devices_lock; /* guards devices */
	struct list_head devices;

	spinlock_t owner_lock; /* guards owner and owned */
	struct iommufd_ctx *owner;
	unsigned int owned;

	struct iommufd_refusal refusal;
};

/**
 * struct vfio_state - What the core knows of a device, beyond struct vfio_device
 * @lock: guards the members from here to @kvm
 * @idev: the bound device, if it does DMA by itself; written with dev_set->lock
 *	held, too, so stable under either
 * @access: the bound access, if its DMA is emulated
 * @attached: @idev or @access is attached
 * @kvm: the machine that the driver was opened for, with a reference, or NULL
 * @driver_vm_ops: operations of the driver's first mapping of a BAR
 * @bar_vm_ops: what BARs are mapped with instead, see bar.c
 *
 * struct vfio_device is embedded in every driver's structure and cannot grow;
 * this hangs off its struct device. The last two members are set once for all;
 * @idev and @access stay while the device is open. vdev->open_count is as @idev is.
 * vdev->group is under dev_set->lock, and set while the device is registered.
 */
struct vfio_state {
	struct mutex lock; /* guards the members down to kvm */
	struct iommufd_device *idev;
	struct iommufd_access *access;
	bool attached;
	struct kvm *kvm;
	const struct vm_operations_struct *driver_vm_ops;
	struct vm_operations_struct bar_vm_ops;
};

static inline struct vfio_state *vfio_state(struct vfio_device *vdev)
{
	return dev_get_drvdata(&vdev->device);
}

/**
 * struct vfio_device_file - An open file of a device
 * @vdev: the device; the file counts as a user of its registration
 * @group: the group that the file was got from, NULL for a device file
 * @usable: the device is open. Set once, by a store-release that pairs with the
 *	load-acquire in vfio_device_file_usable(); cleared by nobody.
 * @kvm: machines that a device file was added to
 * @refusal: the last call on it that was refused
 */
struct vfio_device_file {
	struct vfio_device *vdev;
	struct vfio_group *group;
	bool usable;
	struct vfio_kvm_slot kvm;
	struct iommufd_refusal refusal;
};

static inline bool vfio_device_file_usable(struct vfio_device_file *df)
{
	/* Pairs with vfio_device_file_set_usable() */
	return smp_load_acquire(&df->usable);
}

static inline void vfio_device_file_set_usable(struct vfio_device_file *df)
{
	/* Pairs with vfio_device_file_usable(): the device is open by now */
	smp_store_release(&df->usable, true);
}

/* group.c: groups and their devices */
int __init vfio_group_init(void);
void vfio_group_exit(void);
struct vfio_group *vfio_group_get_by_minor(unsigned int minor);
int vfio_group_join(struct vfio_device *vdev, bool emulated);
void vfio_group_leave(struct vfio_device *vdev);
void vfio_group_publish(struct vfio_device *vdev);
void vfio_group_withdraw(struct vfio_device *vdev);
struct vfio_device *vfio_group_get_device(struct vfio_group *group, char *name);

/* group_open.c: the file /dev/vfio/N and what it does */
extern const struct file_operations vfio_group_fops;
int vfio_group_block(struct vfio_group *group);
void vfio_group_unblock(struct vfio_group *group);
void vfio_group_close_device(struct vfio_device_file *df);
struct iommufd_ctx *vfio_group_leave_container(struct vfio_group *group);

/* device_set.c: devices that are opened and reset together */
void vfio_release_device_set(struct vfio_device *vdev);
void vfio_device_set_exit(void);

/* device.c: life of a device */
int __init vfio_device_init(void);
void vfio_device_exit(void);
bool vfio_device_get(struct vfio_device *vdev);
void vfio_device_put(struct vfio_device *vdev);

/* device_open.c: opening and closing a device, by whichever file */
int vfio_device_open(struct vfio_device *vdev, struct iommufd_ctx *ictx,
		     struct vfio_kvm_slot *kvm, u32 *devid);
void vfio_device_close(struct vfio_device *vdev);
bool vfio_device_is_open(struct vfio_device *vdev);

/* device_file.c: an open file of a device */
extern const struct file_operations vfio_device_fops;
struct vfio_device_file *vfio_device_file_alloc(struct vfio_device *vdev);
void vfio_device_file_free(struct vfio_device_file *df);
long vfio_driver_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long arg);

/* ioeventfd.c: VFIO_DEVICE_IOEVENTFD, whose argument must not change under the driver */
long vfio_ioeventfd(struct vfio_device *vdev, void __user *uarg);

/* cdev.c: /dev/vfio/devices/vfioN */
int __init vfio_cdev_init(void);
void vfio_cdev_exit(void);
int vfio_cdev_add(struct vfio_device *vdev);
void vfio_cdev_del(struct vfio_device *vdev);
int vfio_cdev_open(struct inode *inode, struct file *file);
void vfio_cdev_release(struct vfio_device_file *df);
long vfio_cdev_bind(struct vfio_device_file *df, void __user *uarg);
long vfio_cdev_attach(struct vfio_device_file *df, void __user *uarg);
long vfio_cdev_detach(struct vfio_device_file *df, void __user *uarg);

/* iommufd.c: a device as /dev/iommu sees it */
int vfio_iommufd_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx,
		      u32 *devid);
void vfio_iommufd_unbind(struct vfio_device *vdev);
int vfio_iommufd_attach(struct vfio_device *vdev, u32 *pt_id);
void vfio_iommufd_detach(struct vfio_device *vdev);
struct iommufd_ctx *vfio_iommufd_ctx(struct vfio_device *vdev);
u32 vfio_iommufd_devid(struct vfio_device *vdev, struct iommufd_ctx *ictx);

/* bar.c: BARs that user space has mapped */
void __init vfio_bar_init(void);
void vfio_bar_exit(void);
void vfio_bar_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
void vfio_bars_guard(struct vfio_device *vdev, struct iommufd_bar_guard *guard);
void vfio_bars_restored(struct vfio_device *vdev,
			struct iommufd_bar_guard *guard);

/* virt/kvm/vfio.c: what a virtual machine needs to know of its devices */
void vfio_kvm_slot_init(struct vfio_kvm_slot *slot);
void vfio_kvm_slot_destroy(struct vfio_kvm_slot *slot);
void vfio_kvm_slot_bind(struct vfio_kvm_slot *slot, struct iommufd_ctx *ictx,
			struct iommufd_device *idev, struct iommu_group *group);
void vfio_kvm_slot_unbind(struct vfio_kvm_slot *slot);
void vfio_kvm_slot_set(struct vfio_kvm_slot *slot, struct kvm *kvm);
void vfio_kvm_iommu_file_set(struct iommufd_ctx *ictx, struct kvm *kvm);
struct kvm *vfio_kvm_get(struct vfio_kvm_slot *slot, struct iommufd_ctx *ictx);
void vfio_kvm_put(struct kvm *kvm);

/* virtio.c: virtio devices that do not obey the IOMMU */
int vfio_virtio_check(struct vfio_device *vdev);

/* hot_reset.c: resetting a PCI bus or slot by device file */
bool vfio_is_pci(struct vfio_device *vdev);
bool vfio_hot_reset_is_proof(struct file *file);
bool vfio_hot_reset_proof_covers(struct file *file, struct vfio_device *vdev);
long vfio_hot_reset_info(struct vfio_device *vdev, void __user *uarg);
long vfio_hot_reset(struct vfio_device *vdev, void __user *uarg);

/* refusal.c: the calls by name, for the reasons why they fail */
void __cold vfio_device_refused(struct vfio_device_file *df, unsigned int cmd,
				int error);
void __cold vfio_group_refused(struct vfio_group *group, unsigned int cmd,
			       int error);

/* feature.c: VFIO_DEVICE_FEATURE */
long vfio_device_feature(struct vfio_device *vdev, void __user *uarg);

/* migration.c: the features about migration */
int vfio_feature_migration(struct vfio_device *vdev, u32 ops,
			   void __user *data);
int vfio_feature_mig_state(struct vfio_device *vdev, u32 ops,
			   void __user *data);

/* logging.c: the features about what a device has written to */
int vfio_feature_log_start(struct vfio_device *vdev, u32 ops,
			   void __user *data);
int vfio_feature_log_stop(struct vfio_device *vdev, u32 ops,
			  void __user *data);
int vfio_feature_log_report(struct vfio_device *vdev, u32 ops,
			    void __user *data);

#endif
