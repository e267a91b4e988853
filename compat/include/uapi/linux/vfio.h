/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The part of <linux/vfio.h> about device files that came after the kernel
 * that this is built for. The rest is that kernel's own header.
 */
#ifndef _UAPI_COMPAT_VFIO_H
#define _UAPI_COMPAT_VFIO_H

#ifdef __KERNEL__
#include_next <uapi/linux/vfio.h>
#else
#include_next <linux/vfio.h>
#endif

#ifndef VFIO_DEVICE_BIND_IOMMUFD

/**
 * struct vfio_device_bind_iommufd - argument of VFIO_DEVICE_BIND_IOMMUFD
 * @argsz: bytes that the caller provides, up to @out_devid at least
 * @flags: VFIO_DEVICE_BIND_FLAG_TOKEN or zero
 * @iommufd: a descriptor of /dev/iommu
 * @out_devid: set to the ID of the device there
 * @token_uuid_ptr: address of a UUID of 16 bytes, with the flag. It must be
 *	the one that the owner of the physical function has set by
 *	VFIO_DEVICE_FEATURE_PCI_VF_TOKEN; needed for a virtual function whose
 *	physical function user space drives, and for that one while virtual
 *	functions are in use.
 *
 * Makes a freshly opened device file usable; until then every other call on it
 * is -EINVAL, and so is binding again. Closing the file undoes it.
 */
struct vfio_device_bind_iommufd {
	__u32		argsz;
	__u32		flags;
#define VFIO_DEVICE_BIND_FLAG_TOKEN	0x1
	__s32		iommufd;
	__u32		out_devid;
	__aligned_u64	token_uuid_ptr;
};

#define VFIO_DEVICE_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)

/**
 * struct vfio_device_attach_iommufd_pt - argument of
 *	VFIO_DEVICE_ATTACH_IOMMUFD_PT
 * @argsz: bytes that the caller provides, up to @pt_id at least
 * @flags: VFIO_DEVICE_ATTACH_PASID or zero
 * @pt_id: an IOAS or an HWPT of the /dev/iommu file that the device is bound
 *	to; set to the HWPT that the device is attached to
 * @pasid: attach this PASID instead of the whole device, with the flag
 *
 * From here on the device reaches what is mapped there, and nothing else. A
 * device that is attached already moves to the new place.
 */
struct vfio_device_attach_iommufd_pt {
	__u32	argsz;
	__u32	flags;
#define VFIO_DEVICE_ATTACH_PASID	0x1
	__u32	pt_id;
	__u32	pasid;
};

#define VFIO_DEVICE_ATTACH_IOMMUFD_PT	_IO(VFIO_TYPE, VFIO_BASE + 19)

/**
 * struct vfio_device_detach_iommufd_pt - argument of
 *	VFIO_DEVICE_DETACH_IOMMUFD_PT
 * @argsz: bytes that the caller provides, up to @flags at least
 * @flags: VFIO_DEVICE_DETACH_PASID or zero
 * @pasid: detach this PASID instead of the whole device, with the flag
 *
 * From here on the device reaches nothing. Detaching what is not attached
 * succeeds.
 */
struct vfio_device_detach_iommufd_pt {
	__u32	argsz;
	__u32	flags;
#define VFIO_DEVICE_DETACH_PASID	0x1
	__u32	pasid;
};

#define VFIO_DEVICE_DETACH_IOMMUFD_PT	_IO(VFIO_TYPE, VFIO_BASE + 20)

#elif !defined(VFIO_DEVICE_BIND_FLAG_TOKEN)
#error "these VFIO headers know device files, but not the token of BIND_IOMMUFD"
#endif

#ifndef VFIO_PCI_HOT_RESET_FLAG_DEV_ID

/*
 * Flags of struct vfio_pci_hot_reset_info. DEV_ID: the list holds struct
 * vfio_pci_dependent_devid. DEV_ID_OWNED: every device in it is owned, so that
 * VFIO_DEVICE_PCI_HOT_RESET is allowed, without any group.
 */
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID		0x1
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED	0x2

/*
 * What stands in place of a device's ID: it has none in this /dev/iommu file,
 * but shares its group with one that has; or it belongs to somebody else.
 */
#define VFIO_PCI_DEVID_OWNED		0
#define VFIO_PCI_DEVID_NOT_OWNED	-1

#endif

/**
 * struct vfio_pci_dependent_devid - struct vfio_pci_dependent_device of a
 *	device file
 * @devid: the device's ID, or one of VFIO_PCI_DEVID_*
 * @segment: PCI segment
 * @bus: bus number
 * @devfn: device and function
 */
struct vfio_pci_dependent_devid {
	__u32	devid;
	__u16	segment;
	__u8	bus;
	__u8	devfn;
};

/* Numbers of VFIO_DEVICE_FEATURE. */
#ifndef VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
#define VFIO_DEVICE_FEATURE_MIG_DATA_SIZE	9
#endif
#ifndef VFIO_DEVICE_FEATURE_BUS_MASTER
#define VFIO_DEVICE_FEATURE_BUS_MASTER		10
#endif
#ifndef VFIO_DEVICE_FEATURE_DMA_BUF
#define VFIO_DEVICE_FEATURE_DMA_BUF		11
#endif
#ifndef VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2
#define VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2	12
#endif

#endif
