/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver that hands devices to user space needs of /dev/iommu.
 *
 * A driver turns the file descriptor that its user passed into a context,
 * binds a device (one that does DMA through an IOMMU) or creates an access
 * (one whose DMA the CPU performs), and attaches it to an address space of that
 * context by ID. Everything here may sleep and none of it may be called with a
 * lock held that a map or unmap of the same address space could need.
 *
 * Lengths are in bytes. A range is given by its first address and its length;
 * an address named "last" is inclusive.
 */
#ifndef __LINUX_IOMMUFD_H
#define __LINUX_IOMMUFD_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/types.h>

struct device;
struct file;
struct iommu_group;
struct page;
struct vm_area_struct;

struct iommufd_access;
struct iommufd_ctx;
struct iommufd_device;

/**
 * iommufd_file_is - Is there a context behind a file?
 * @file: any open file
 */
bool iommufd_file_is(struct file *file);

/**
 * iommufd_ctx_from_file - Take a reference on the context behind a file
 * @file: any open file
 *
 * Return: the context, released with iommufd_ctx_put(), or
 * ERR_PTR(-EBADFD) when @file is not a /dev/iommu file.
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file);

/**
 * iommufd_ctx_from_fd - Take a reference on the context behind a descriptor
 * @fd: a file descriptor of the current process
 *
 * Return: as iommufd_ctx_from_file(), and ERR_PTR(-EBADF) when nothing is open
 * at @fd.
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd);

/**
 * iommufd_ctx_get - Take a further reference
 * @ictx: a context on which the caller holds a reference
 *
 * A reference keeps the file open: objects live on after the user has closed
 * the last descriptor, until the last driver has let go.
 */
void iommufd_ctx_get(struct iommufd_ctx *ictx);

/**
 * iommufd_ctx_put - Let go of a context
 * @ictx: the context
 */
void iommufd_ctx_put(struct iommufd_ctx *ictx);

/**
 * iommufd_device_bind - Give the DMA of a device to a context
 * @ictx: the context
 * @dev: a device behind an IOMMU; its driver must manage it for user space
 * @id: set to the ID of the DEVICE object
 *
 * Claims the DMA ownership of the device's whole IOMMU group, so that from
 * here on no device of it reaches memory until one is attached. The user
 * cannot destroy the object; only iommufd_device_unbind() does.
 *
 * Return: the device, or an ERR_PTR: -EINVAL when the device is not behind an
 * IOMMU or its DMA is not coherent with the caches, -EPERM when another owner
 * has the group, when a device of it is used by a kernel driver or when interrupts are
 * not isolated, -ENOMEM, or what the IOMMU driver says when it has no domain for
 * the group.
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx,
					   struct device *dev, u32 *id);

/**
 * iommufd_device_unbind - Take a device back from its context
 * @idev: a device that is not attached
 */
void iommufd_device_unbind(struct iommufd_device *idev);

/**
 * iommufd_device_attach - Let a device translate through an address space
 * @idev: a device that is not attached
 * @pasid: IOMMU_NO_PASID
 * @pt_id: ID of an IOAS (a domain is found or made) or of a HWPT (that one is
 *         used); set to the ID of the HWPT in use
 *
 * The devices of a group share one HWPT.
 *
 * Return: 0; -EINVAL when @idev is attached, when its group is attached to
 * another HWPT or when the HWPT cannot serve the device; -ENOENT when @pt_id
 * is neither; -EADDRINUSE when a mapping lies in what the device reserves;
 * -EOPNOTSUPP for a PASID; -EPERM; -EFAULT or -ENOMEM when memory could not be
 * pinned.
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 pasid, u32 *pt_id);

/**
 * iommufd_device_replace - Move an attached device to another address space
 * @idev: an attached device
 * @pasid: IOMMU_NO_PASID
 * @pt_id: as for iommufd_device_attach()
 *
 * All attached devices of the group move together. DMA is blocked, not
 * misdirected, while the IOMMU is switched. On failure the former attachment
 * is in place again.
 */
int iommufd_device_replace(struct iommufd_device *idev, u32 pasid, u32 *pt_id);

/**
 * iommufd_device_detach - Block the DMA of a device
 * @idev: an attached device
 * @pasid: IOMMU_NO_PASID
 */
void iommufd_device_detach(struct iommufd_device *idev, u32 pasid);

/**
 * iommufd_device_to_ictx - The context that a device is bound to
 * @idev: a bound device
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev);

/**
 * iommufd_device_to_id - The object ID of a bound device
 * @idev: a bound device
 */
u32 iommufd_device_to_id(struct iommufd_device *idev);

/**
 * struct iommufd_watch - Told whether DMA is coherent
 * @change: called with true before a device that is watched translates through a
 *          domain that lets no-snoop DMA pass, and with false after the last such
 *          device has stopped. Calls alternate. May sleep; must not call back
 * @ictx: the context
 * @idev: watched is this device, unless NULL
 * @group: watched are the devices of this IOMMU group, unless NULL
 * @nr: reasons why the last call was with true
 * @link: in the list of the context
 *
 * Without @idev and @group every device of the context is watched. The user sets
 * these fields and @change; the rest is private.
 */
struct iommufd_watch {
	void (*change)(struct iommufd_watch *watch, bool noncoherent);
	struct iommufd_ctx *ictx;
	struct iommufd_device *idev;
	struct iommu_group *group;
	unsigned int nr;
	struct list_head link;
};

/**
 * iommufd_watch_add - Begin to watch
 * @watch: its change() is called at once if the answer is "non-coherent"
 */
void iommufd_watch_add(struct iommufd_watch *watch);

/**
 * iommufd_watch_remove - Watch no longer
 * @watch: its change() is called with false before this returns if the last call
 *         was with true
 */
void iommufd_watch_remove(struct iommufd_watch *watch);

/* Flags of iommufd_access_pin_pages() and iommufd_access_rw() */
enum {
	IOMMUFD_ACCESS_RW_READ = 0,
	IOMMUFD_ACCESS_RW_WRITE = 1 << 0,
	/* The caller is a kernel thread: borrow the mapping owner's memory */
	IOMMUFD_ACCESS_RW_KTHREAD = 1 << 1,
};

/**
 * struct iommufd_access_ops - What an access is told
 * @needs_pin_pages: set when iommufd_access_pin_pages() will be used
 * @unmap: every page pinned in the range (@iova, @length bytes) must be
 *         unpinned before this returns. May be called for a range in which the
 *         access has pinned nothing, or no longer has. Called with locks held that
 *         pinning and unpinning do not need, and attach, replace, detach and
 *         destroy do; may be called until iommufd_access_destroy() returns.
 * @device: the device whose DMA the access stands for, which lasts until
 *          iommufd_access_destroy(), for those who watch; NULL if there is none
 */
struct iommufd_access_ops {
	u8 needs_pin_pages : 1;
	void (*unmap)(void *data, unsigned long iova, unsigned long length);
	struct device *(*device)(void *data);
};

/**
 * iommufd_access_create - Make an in-kernel user of address spaces
 * @ictx: the context
 * @ops: what to call back; must outlive the access
 * @data: passed to @ops
 * @id: set to the ID of the ACCESS object
 */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ictx,
		      const struct iommufd_access_ops *ops, void *data, u32 *id);

/**
 * iommufd_access_destroy - End an access; everything must be unpinned
 * @access: the access; detached if it is attached, without a call of @unmap for that
 */
void iommufd_access_destroy(struct iommufd_access *access);

/**
 * iommufd_access_attach - Choose the address space
 * @access: an access that is not attached
 * @ioas_id: ID of an IOAS
 *
 * Return: 0; -EINVAL when attached already; -ENOENT; -EADDRINUSE when mappings there
 * do not have the alignment that pins need.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id);

/**
 * iommufd_access_replace - Move to another address space
 * @access: an attached access
 * @ioas_id: ID of an IOAS
 *
 * The user of the access is told through @unmap to let go of all its pins, once
 * nothing can fail any more.
 *
 * Return: 0; -ENOENT when there is no such IOAS or it is not attached; -EADDRINUSE
 * when mappings there do not have the alignment that pins need. It is attached as
 * before on failure, with its pins.
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id);

/**
 * iommufd_access_detach - Leave the address space
 * @access: an attached access; told through @unmap to let go of its pins
 */
void iommufd_access_detach(struct iommufd_access *access);

/**
 * iommufd_access_pin_pages - Pin what is mapped at a range of IOVA
 * @access: an attached access with needs_pin_pages
 * @iova: first IOVA
 * @length: bytes; the range must be mapped without a gap
 * @out_pages: one entry for each page that the range touches
 * @flags: IOMMUFD_ACCESS_RW_WRITE if the pages will be written
 *
 * Pins are counted for each page: ranges may be pinned piecewise and unpinned
 * at once, or the other way round.
 *
 * Return: 0; -EINVAL when @length is 0 or the access was made without needs_pin_pages;
 * -EOVERFLOW when the range goes past the last IOVA; -ENOENT when not attached or not
 * all is mapped; -EPERM when the mapping does not allow @flags; -EFAULT; -ENOMEM.
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags);

/**
 * iommufd_access_unpin_pages - Undo iommufd_access_pin_pages()
 * @access: the access
 * @iova: first IOVA
 * @length: bytes; every page of the range must be pinned by @access
 */
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length);

/**
 * iommufd_access_rw - Copy to or from what is mapped at a range of IOVA
 * @access: an attached access
 * @iova: first IOVA
 * @data: kernel memory
 * @len: bytes
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * Return: 0, or an error as iommufd_access_pin_pages(), for any access; part of the
 * range may have been copied then.
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t len, unsigned int flags);

/**
 * iommufd_vfio_compat_ioas_get_id - The IOAS that the VFIO ioctls work on
 * @ictx: the context
 * @out_ioas_id: set to its ID
 *
 * Return: 0; -ENODEV when none is chosen; -EINVAL when @ictx was opened as
 * /dev/vfio/vfio and VFIO_SET_IOMMU was not called.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id);

/**
 * iommufd_vfio_compat_join - Let a context be the container of a group
 * @ictx: the context
 * @group: the group, in no container; it has a device until it has left
 * @emulated: its devices do no DMA themselves
 *
 * Makes sure that there is an IOAS for VFIO. The DMA of the group is owned by the
 * context from here on, and goes to that IOAS from VFIO_SET_IOMMU on.
 *
 * Return: 0; -EPERM when another owner has the group or interrupts are not
 * isolated; -EBUSY; -ENOMEM; after VFIO_SET_IOMMU also -EINVAL when a mapping lies
 * in what the group reserves, and -EFAULT when memory could not be pinned.
 */
int iommufd_vfio_compat_join(struct iommufd_ctx *ictx,
			     struct iommu_group *group, bool emulated);

/**
 * iommufd_vfio_compat_leave - Undo iommufd_vfio_compat_join()
 * @ictx: the context
 * @group: the group; none of its devices is attached
 */
void iommufd_vfio_compat_leave(struct iommufd_ctx *ictx,
			       struct iommu_group *group);

/**
 * struct iommufd_bar_source - Who maps BARs to user space
 * @device_set: the set of devices, reset together, of one of which a VM_PFNMAP
 *              mapping is a BAR; NULL for any other mapping. Called with mmap_lock
 *              held; must not sleep
 *
 * Whenever such a BAR can not be reached any more, its page table entries must have
 * been cleared before by a function that calls the MMU notifiers. A page fault
 * brings all of them back, or fails while it cannot be reached.
 */
struct iommufd_bar_source {
	const void *(*device_set)(const struct vm_area_struct *vma);
};

/**
 * iommufd_bar_source_set - Say who maps BARs
 * @source: NULL for nobody. The former one is not called any more on return
 */
void iommufd_bar_source_set(const struct iommufd_bar_source *source);

/**
 * struct iommufd_bar_guard - For the length of a call that may take BARs away
 * @link: private
 * @set: private
 */
struct iommufd_bar_guard {
	struct hlist_node link;
	const void *set;
};

/**
 * iommufd_bars_guard - Before a call that may take BARs away or bring them back
 * @guard: the caller's, until iommufd_bars_restored()
 * @set: devices whose BARs those are
 *
 * Clearing page table entries spares a process that is being torn down. On
 * return other devices cannot reach the BARs of such a one any more, and
 * no other process that has one of them gets into that state before the guard ends.
 */
void iommufd_bars_guard(struct iommufd_bar_guard *guard, const void *set);

/**
 * iommufd_bars_restored - Show BARs to devices again
 * @guard: of iommufd_bars_guard(); ends here
 *
 * What the calling process has mapped of BARs of the set, and can be reached again,
 * other devices can reach as well on return; what other processes have mapped, soon
 * after. No lock may be held that a page fault needs.
 */
void iommufd_bars_restored(struct iommufd_bar_guard *guard);

#endif
