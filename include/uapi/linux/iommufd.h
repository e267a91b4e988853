/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user interface of /dev/iommu.
 *
 * Numbers, structures and constants are those of the mainline kernel, so a
 * program built against either header runs on both.
 */
#ifndef _UAPI_IOMMUFD_H
#define _UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Vocabulary
 *
 * Everything that user space makes on an open /dev/iommu is an object with a
 * 32-bit ID. IDs belong to the open file: another file cannot name them, and
 * closing the last descriptor of the file destroys all of them.
 *
 * IOAS
 *     an I/O address space: a map from I/O virtual addresses to memory.
 * HWPT
 *     a hardware page table that holds the content of an IOAS (or, nested,
 *     the guest's) in the form that one IOMMU walks.
 * device
 *     made by binding a device file to this file; its ID is what the bind
 *     call gives back.
 *
 * An IOVA is an address as the device sees it, never one of memory. "last" is
 * the final byte of a range and belongs to it. Lengths and addresses are
 * counted in bytes, and every reserved field is zero.
 */

/**
 * DOC: Calling convention
 *
 * The argument of each ioctl points to a structure whose first member is its
 * size as the caller knows it. A caller that is older than the kernel passes
 * less, and what it left out counts as zero; a newer one passes more.
 *
 * What a failure means, unless the call says otherwise:
 *
 * ENOTTY
 *     no ioctl has this number.
 * EINVAL
 *     the size lacks members that the call always had, or a value is wrong.
 * E2BIG
 *     a member that this kernel does not know is not zero.
 * EOPNOTSUPP
 *     a reserved member is not zero, a flag or type is unknown, or what was
 *     asked for is known but not possible on this machine.
 * ENOENT
 *     no object of the right type has this ID, or nothing is at this IOVA.
 * EBUSY
 *     the object is in use.
 * EOVERFLOW
 *     a range goes past the end of its address space.
 * ENOMEM
 *     memory has run out, or the caller's RLIMIT_MEMLOCK.
 *
 * A call that fails has changed nothing, unless it says otherwise.
 */

#define IOMMUFD_TYPE (';')

enum {
	IOMMUFD_CMD_BASE			= 0x80,
	IOMMUFD_CMD_DESTROY			= IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC			= 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS		= 0x82,
	IOMMUFD_CMD_IOAS_COPY			= 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES		= 0x84,
	IOMMUFD_CMD_IOAS_MAP			= 0x85,
	IOMMUFD_CMD_IOAS_UNMAP			= 0x86,
	IOMMUFD_CMD_OPTION			= 0x87,
	IOMMUFD_CMD_VFIO_IOAS			= 0x88,
	IOMMUFD_CMD_HWPT_ALLOC			= 0x89,
	IOMMUFD_CMD_GET_HW_INFO			= 0x8a,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING	= 0x8b,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP	= 0x8c,
	IOMMUFD_CMD_HWPT_INVALIDATE		= 0x8d,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC		= 0x8e,
	IOMMUFD_CMD_IOAS_MAP_FILE		= 0x8f,
	IOMMUFD_CMD_VIOMMU_ALLOC		= 0x90,
	IOMMUFD_CMD_VDEVICE_ALLOC		= 0x91,
	IOMMUFD_CMD_IOAS_CHANGE_PROCESS		= 0x92,
	IOMMUFD_CMD_VEVENTQ_ALLOC		= 0x93,
	IOMMUFD_CMD_HW_QUEUE_ALLOC		= 0x94,
};

/* Objects */

/**
 * struct iommu_destroy - argument of IOMMU_DESTROY
 * @size: sizeof(struct iommu_destroy)
 * @id: the object to destroy
 *
 * Fails with -EBUSY while another object needs this one, as an HWPT needs its
 * IOAS and an attached device its HWPT. A device cannot be destroyed in this
 * way (-EBUSY): closing its file does it.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};

#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/**
 * struct iommu_ioas_alloc - argument of IOMMU_IOAS_ALLOC
 * @size: sizeof(struct iommu_ioas_alloc)
 * @flags: zero
 * @out_ioas_id: set to the ID of the new, empty address space
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/* Which IOVAs can be used */

/**
 * struct iommu_iova_range - a range of I/O virtual addresses
 * @start: the first byte
 * @last: the final byte, part of the range
 */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * struct iommu_ioas_iova_ranges - argument of IOMMU_IOAS_IOVA_RANGES
 * @size: sizeof(struct iommu_ioas_iova_ranges)
 * @ioas_id: the address space
 * @num_iovas: entries that fit at @allowed_iovas; set to how many there are
 * @__reserved: zero
 * @allowed_iovas: address of an array of struct iommu_iova_range to fill
 * @out_iova_alignment: set to the power of two that the start and the length
 *	of each mapping are multiples of, at most the size of a page
 *
 * Reads the ranges, in ascending order, in which mappings can be made now. A
 * new address space offers all addresses. A device that is attached takes
 * away what its IOMMU cannot reach and what its platform reserves (the window
 * of message-signalled interrupts, for one), and gives it back when detached;
 * read again after either.
 *
 * When the array is too short, as many entries as fit are written, @num_iovas
 * is set all the same and the result is -EMSGSIZE.
 */
struct iommu_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment;
};

#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

/**
 * struct iommu_ioas_allow_iovas - argument of IOMMU_IOAS_ALLOW_IOVAS
 * @size: sizeof(struct iommu_ioas_allow_iovas)
 * @ioas_id: the address space
 * @num_iovas: entries at @allowed_iovas; zero drops an earlier list
 * @__reserved: zero
 * @allowed_iovas: address of an array of struct iommu_iova_range
 *
 * Reserves these ranges for mappings: a device that would take any part of
 * them away cannot be attached, nor can a range be reserved that is not
 * available now (both -EADDRINUSE). From then on an IOVA chosen by the kernel lies in
 * one of them, while a fixed one may lie anywhere that is available. Each call
 * replaces the list before. Ranges that overlap, or whose last is not above
 * their start, are -EINVAL.
 */
struct iommu_ioas_allow_iovas {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
};

#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

/* Mappings */

/**
 * enum iommufd_ioas_map_flags - how a mapping is made
 * @IOMMU_IOAS_MAP_FIXED_IOVA: put it at the caller's IOVA, which must be free;
 *	without this flag the kernel chooses one
 * @IOMMU_IOAS_MAP_WRITEABLE: devices may write to it
 * @IOMMU_IOAS_MAP_READABLE: devices may read from it
 */
enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA	= 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE	= 1 << 1,
	IOMMU_IOAS_MAP_READABLE		= 1 << 2,
};

/**
 * struct iommu_ioas_map - argument of IOMMU_IOAS_MAP
 * @size: sizeof(struct iommu_ioas_map)
 * @flags: enum iommufd_ioas_map_flags; at least one of readable and writeable
 *	(-EINVAL)
 * @ioas_id: the address space
 * @__reserved: zero
 * @user_va: address of the memory in the calling process
 * @length: of the mapping; zero is -EINVAL
 * @iova: where to put it with IOMMU_IOAS_MAP_FIXED_IOVA, else set to where it
 *	was put
 *
 * The memory is pinned and charged to RLIMIT_MEMLOCK while a device or an
 * in-kernel user can reach it. It is the memory that is at @user_va now that
 * stays mapped, whatever the process puts there later.
 *
 * A mapping is a unit: it is unmapped whole, and a new one never replaces it.
 * Errors are -EEXIST where something is mapped already, -EINVAL for an IOVA
 * that is not aligned or not available, -ENOSPC when the kernel finds no room,
 * and -EFAULT when the caller lacks the memory or the right to write to it.
 */
struct iommu_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/**
 * struct iommu_ioas_map_file - argument of IOMMU_IOAS_MAP_FILE
 * @size: sizeof(struct iommu_ioas_map_file)
 * @flags: as in struct iommu_ioas_map
 * @ioas_id: the address space
 * @fd: a descriptor of the file that holds the memory, a memfd above all
 * @start: the first byte of the file to map
 * @length: as in struct iommu_ioas_map
 * @iova: as in struct iommu_ioas_map
 *
 * Like IOMMU_IOAS_MAP, for memory that the caller need not have mapped itself.
 * A number that is no descriptor is -EBADF, a file of another kind -EINVAL.
 */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)

/**
 * struct iommu_ioas_copy - argument of IOMMU_IOAS_COPY
 * @size: sizeof(struct iommu_ioas_copy)
 * @flags: enum iommufd_ioas_map_flags, for the new mapping
 * @dst_ioas_id: the address space that gets the new mapping
 * @src_ioas_id: the address space that has the old one; may be the same
 * @length: of the range
 * @dst_iova: like iova in struct iommu_ioas_map, for the new mapping
 * @src_iova: start of the range in the source, all of which must be mapped
 *	(-ENOENT); it may be a part of a mapping, or span adjoining ones
 *
 * Maps memory once more that is mapped already, without its address in a
 * process being known; it is pinned and charged only once. The copy is
 * independent of the original and outlives it. A mapping that is not
 * writeable cannot be copied to one that is (-EPERM).
 */
struct iommu_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};

#define IOMMU_IOAS_COPY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/**
 * struct iommu_ioas_unmap - argument of IOMMU_IOAS_UNMAP
 * @size: sizeof(struct iommu_ioas_unmap)
 * @ioas_id: the address space
 * @iova: start of the range
 * @length: of the range; set to the sum of what was unmapped
 *
 * Removes every mapping in the range; it may have gaps, but no mapping may
 * reach out of it, and at least one must be in it (-ENOENT). @iova zero with
 * a @length of U64_MAX means everything, which may be nothing.
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/**
 * struct iommu_ioas_change_process - argument of IOMMU_IOAS_CHANGE_PROCESS
 * @size: sizeof(struct iommu_ioas_change_process)
 * @__reserved: zero
 *
 * Moves the charge for all memory that is pinned through this file to the
 * calling process, as a monitor needs that hands its devices to a successor.
 * Only mappings made by IOMMU_IOAS_MAP_FILE can move: any other is -EINVAL.
 */
struct iommu_ioas_change_process {
	__u32 size;
	__u32 __reserved;
};

#define IOMMU_IOAS_CHANGE_PROCESS \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_CHANGE_PROCESS)

/* Options */

/**
 * enum iommufd_option - what IOMMU_OPTION reads and sets
 * @IOMMU_OPTION_RLIMIT_MODE: who is charged for pinned memory: 0 (at first)
 *	the user, over all its processes; 1 the process. Of the whole file, so
 *	object_id is zero. Needs CAP_SYS_RESOURCE to set (-EPERM), and a file
 *	without objects (-EBUSY).
 * @IOMMU_OPTION_HUGE_PAGES: whether runs of pages may become large entries of
 *	the page tables: 1 (at first) yes; 0 no, each is PAGE_SIZE. Of the IOAS
 *	in object_id; 0 cannot be set while a page table holds it.
 */
enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE	= 0,
	IOMMU_OPTION_HUGE_PAGES		= 1,
};

/**
 * enum iommufd_option_ops - what IOMMU_OPTION does
 * @IOMMU_OPTION_OP_SET: give the option a new value
 * @IOMMU_OPTION_OP_GET: read its value
 */
enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET	= 0,
	IOMMU_OPTION_OP_GET	= 1,
};

/**
 * struct iommu_option - argument of IOMMU_OPTION
 * @size: sizeof(struct iommu_option)
 * @option_id: enum iommufd_option
 * @op: enum iommufd_option_ops
 * @__reserved: zero
 * @object_id: the object, for an option that belongs to one; else zero
 * @val64: the value to set, or set to the present one
 */
struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};

#define IOMMU_OPTION _IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

/* Programs written for VFIO's container */

/**
 * enum iommufd_vfio_ioas_op - what IOMMU_VFIO_IOAS does
 * @IOMMU_VFIO_IOAS_GET: read which IOAS is chosen
 * @IOMMU_VFIO_IOAS_SET: choose one
 * @IOMMU_VFIO_IOAS_CLEAR: choose none
 */
enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET	= 0,
	IOMMU_VFIO_IOAS_SET	= 1,
	IOMMU_VFIO_IOAS_CLEAR	= 2,
};

/**
 * struct iommu_vfio_ioas - argument of IOMMU_VFIO_IOAS
 * @size: sizeof(struct iommu_vfio_ioas)
 * @ioas_id: the IOAS to choose, or set to the chosen one
 * @op: enum iommufd_vfio_ioas_op
 * @__reserved: zero
 *
 * The ioctls of a VFIO container work on this file too, but cannot name an
 * IOAS. They use the one that is chosen here; where none is, the group that
 * joins the file makes one and chooses it. Reading while none is chosen is
 * -ENODEV. The choice does not touch groups that have joined before, and
 * dropping it destroys nothing.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};

#define IOMMU_VFIO_IOAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/* Hardware page tables */

/**
 * enum iommufd_hwpt_alloc_flags - what an HWPT must be able to do
 * @IOMMU_HWPT_ALLOC_NEST_PARENT: be the outer stage of nested tables
 * @IOMMU_HWPT_ALLOC_DIRTY_TRACKING: record writes; a device whose IOMMU
 *	cannot is not attached
 * @IOMMU_HWPT_FAULT_ID_VALID: report page requests to the queue in fault_id
 * @IOMMU_HWPT_ALLOC_PASID: be attached to PASIDs; needed as well for the table
 *	that the device without PASID is attached to
 */
enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT	= 1 << 0,
	IOMMU_HWPT_ALLOC_DIRTY_TRACKING	= 1 << 1,
	IOMMU_HWPT_FAULT_ID_VALID	= 1 << 2,
	IOMMU_HWPT_ALLOC_PASID		= 1 << 3,
};

/**
 * enum iommu_hwpt_data_type - what describes a guest's own table
 * @IOMMU_HWPT_DATA_NONE: nothing; the kernel keeps the table
 * @IOMMU_HWPT_DATA_VTD_S1: struct iommu_hwpt_vtd_s1
 * @IOMMU_HWPT_DATA_ARM_SMMUV3: struct iommu_hwpt_arm_smmuv3
 * @IOMMU_HWPT_DATA_AMD_GUEST: struct iommu_hwpt_amd_guest
 */
enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE		= 0,
	IOMMU_HWPT_DATA_VTD_S1		= 1,
	IOMMU_HWPT_DATA_ARM_SMMUV3	= 2,
	IOMMU_HWPT_DATA_AMD_GUEST	= 3,
};

/**
 * struct iommu_hwpt_alloc - argument of IOMMU_HWPT_ALLOC
 * @size: sizeof(struct iommu_hwpt_alloc)
 * @flags: enum iommufd_hwpt_alloc_flags
 * @dev_id: a bound device; the table takes the form that its IOMMU walks
 * @pt_id: the IOAS whose content the table holds; for a nested table, the
 *	outer HWPT or the vIOMMU
 * @out_hwpt_id: set to the ID of the new table
 * @__reserved: zero
 * @data_type: enum iommu_hwpt_data_type
 * @data_len: bytes at @data_uptr
 * @data_uptr: address of the structure that @data_type names; with
 *	IOMMU_HWPT_DATA_NONE this and @data_len are zero
 * @fault_id: a fault queue, with IOMMU_HWPT_FAULT_ID_VALID
 * @__reserved2: zero
 *
 * Attaching a device to an IOAS finds or makes a table by itself. This call is
 * for callers that want to choose: devices that are attached to the HWPT share
 * it. What its IOMMU's driver cannot do is -EOPNOTSUPP.
 */
struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};

#define IOMMU_HWPT_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

/**
 * enum iommufd_hwpt_set_dirty_tracking_flags - recording of writes
 * @IOMMU_HWPT_DIRTY_TRACKING_ENABLE: on; without this flag, off
 */
enum iommufd_hwpt_set_dirty_tracking_flags {
	IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1,
};

/**
 * struct iommu_hwpt_set_dirty_tracking - argument of
 *	IOMMU_HWPT_SET_DIRTY_TRACKING
 * @size: sizeof(struct iommu_hwpt_set_dirty_tracking)
 * @flags: enum iommufd_hwpt_set_dirty_tracking_flags
 * @hwpt_id: the table
 * @__reserved: zero
 */
struct iommu_hwpt_set_dirty_tracking {
	__u32 size;
	__u32 flags;
	__u32 hwpt_id;
	__u32 __reserved;
};

#define IOMMU_HWPT_SET_DIRTY_TRACKING \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)

/**
 * enum iommufd_hwpt_get_dirty_bitmap_flags - how recorded writes are read
 * @IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: leave the record as it is; cheaper,
 *	and enough where the range is unmapped next
 */
enum iommufd_hwpt_get_dirty_bitmap_flags {
	IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1,
};

/**
 * struct iommu_hwpt_get_dirty_bitmap - argument of
 *	IOMMU_HWPT_GET_DIRTY_BITMAP
 * @size: sizeof(struct iommu_hwpt_get_dirty_bitmap)
 * @hwpt_id: the table
 * @flags: enum iommufd_hwpt_get_dirty_bitmap_flags
 * @__reserved: zero
 * @iova: start of the range
 * @length: of the range
 * @page_size: bytes that each bit stands for
 * @data: address of the bitmap, an array of 64-bit words
 *
 * Bit 0 of the first word stands for the page at @iova. Bits are set for the
 * pages that a device wrote to since the record was last read or begun.
 */
struct iommu_hwpt_get_dirty_bitmap {
	__u32 size;
	__u32 hwpt_id;
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 data;
};

#define IOMMU_HWPT_GET_DIRTY_BITMAP \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)

/* What the IOMMU before a device is */

/**
 * enum iommu_hw_info_type - which structure describes an IOMMU
 * @IOMMU_HW_INFO_TYPE_NONE: none; its driver tells nothing
 * @IOMMU_HW_INFO_TYPE_DEFAULT: as input: whatever the driver prefers
 * @IOMMU_HW_INFO_TYPE_INTEL_VTD: struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_TYPE_ARM_SMMUV3: struct iommu_hw_info_arm_smmuv3
 * @IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV: struct iommu_hw_info_tegra241_cmdqv
 * @IOMMU_HW_INFO_TYPE_AMD: struct iommu_hw_info_amd
 */
enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE			= 0,
	IOMMU_HW_INFO_TYPE_DEFAULT		= 0,
	IOMMU_HW_INFO_TYPE_INTEL_VTD		= 1,
	IOMMU_HW_INFO_TYPE_ARM_SMMUV3		= 2,
	IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV	= 3,
	IOMMU_HW_INFO_TYPE_AMD			= 4,
};

/**
 * enum iommufd_hw_capabilities - what a device and its IOMMU can do together
 * @IOMMU_HW_CAP_DIRTY_TRACKING: recording of writes
 * @IOMMU_HW_CAP_PCI_PASID_EXEC: PASID requests to execute; means nothing
 *	while out_max_pasid_log2 is zero
 * @IOMMU_HW_CAP_PCI_PASID_PRIV: privileged PASID requests, likewise
 * @IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED: the device never uses ATS; without
 *	this flag it may
 */
enum iommufd_hw_capabilities {
	IOMMU_HW_CAP_DIRTY_TRACKING		= 1 << 0,
	IOMMU_HW_CAP_PCI_PASID_EXEC		= 1 << 1,
	IOMMU_HW_CAP_PCI_PASID_PRIV		= 1 << 2,
	IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED	= 1 << 3,
};

/**
 * enum iommufd_hw_info_flags - flags of IOMMU_GET_HW_INFO
 * @IOMMU_HW_INFO_FLAG_INPUT_TYPE: the caller asks for in_data_type; without
 *	this flag that field is not looked at
 */
enum iommufd_hw_info_flags {
	IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1 << 0,
};

/**
 * struct iommu_hw_info - argument of IOMMU_GET_HW_INFO
 * @size: sizeof(struct iommu_hw_info)
 * @flags: enum iommufd_hw_info_flags
 * @dev_id: a bound device
 * @data_len: bytes at @data_uptr; set to how many the structure really has
 * @data_uptr: address of the buffer for the structure. It is filled as far as
 *	it goes, and what it has over is cleared. May be zero with @data_len.
 * @in_data_type: enum iommu_hw_info_type, the one asked for
 * @out_data_type: set to the one that was written
 * @out_max_pasid_log2: set to the bits of a PASID; zero is no PASID
 * @__reserved: zero
 * @out_capabilities: set to enum iommufd_hw_capabilities
 */
struct iommu_hw_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 data_len;
	__aligned_u64 data_uptr;
	union {
		__u32 in_data_type;
		__u32 out_data_type;
	};
	__u8 out_max_pasid_log2;
	__u8 __reserved[3];
	__aligned_u64 out_capabilities;
};

#define IOMMU_GET_HW_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

/**
 * enum iommu_hw_info_vtd_flags - flags of struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17: the outer stage of nested tables
 *	cannot hold read-only mappings (erratum SPR17, Intel document 772415)
 */
enum iommu_hw_info_vtd_flags {
	IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 = 1 << 0,
};

/**
 * struct iommu_hw_info_vtd - an Intel IOMMU (VT-d)
 * @flags: enum iommu_hw_info_vtd_flags
 * @__reserved: zero
 * @cap_reg: its Capability Register
 * @ecap_reg: its Extended Capability Register
 */
struct iommu_hw_info_vtd {
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 cap_reg;
	__aligned_u64 ecap_reg;
};

/**
 * struct iommu_hw_info_arm_smmuv3 - an Arm SMMUv3
 * @flags: zero
 * @__reserved: zero
 * @idr: registers SMMU_IDR0 to SMMU_IDR5
 * @iidr: register SMMU_IIDR, the implementation
 * @aidr: register SMMU_AIDR, the version of the architecture
 *
 * The registers are raw. A feature that the hardware names there is not
 * therefore one that the kernel lets a guest use.
 */
struct iommu_hw_info_arm_smmuv3 {
	__u32 flags;
	__u32 __reserved;
	__u32 idr[6];
	__u32 iidr;
	__u32 aidr;
};

/**
 * struct iommu_hw_info_tegra241_cmdqv - the Tegra241 extension to SMMUv3
 * @flags: zero
 * @version: of the extension (PARAM, bits 0 to 3)
 * @log2vcmdqs: log2 of the virtual command queues (PARAM, bits 4 to 7)
 * @log2vsids: log2 of the stream IDs that can be replaced (PARAM, bits 12
 *	to 15)
 * @__reserved: zero
 */
struct iommu_hw_info_tegra241_cmdqv {
	__u32 flags;
	__u8 version;
	__u8 log2vcmdqs;
	__u8 log2vsids;
	__u8 __reserved;
};

/**
 * struct iommu_hw_info_amd - an AMD IOMMU
 * @efr: its Extended Feature Register (offset 30h)
 * @efr2: its Extended Feature 2 Register (offset 1A0h)
 */
struct iommu_hw_info_amd {
	__aligned_u64 efr;
	__aligned_u64 efr2;
};

/* Tables of a guest, nested in one of ours */

/**
 * enum iommu_hwpt_vtd_s1_flags - attributes of a VT-d first-stage table
 * @IOMMU_VTD_S1_SRE: supervisor requests are allowed
 * @IOMMU_VTD_S1_EAFE: the extended-accessed bit is kept
 * @IOMMU_VTD_S1_WPE: supervisor writes honour write protection
 */
enum iommu_hwpt_vtd_s1_flags {
	IOMMU_VTD_S1_SRE	= 1 << 0,
	IOMMU_VTD_S1_EAFE	= 1 << 1,
	IOMMU_VTD_S1_WPE	= 1 << 2,
};

/**
 * struct iommu_hwpt_vtd_s1 - a guest's VT-d first-stage table
 * @flags: enum iommu_hwpt_vtd_s1_flags
 * @pgtbl_addr: guest-physical address of its root
 * @addr_width: bits of an input address
 * @__reserved: zero
 */
struct iommu_hwpt_vtd_s1 {
	__aligned_u64 flags;
	__aligned_u64 pgtbl_addr;
	__u32 addr_width;
	__u32 __reserved;
};

/**
 * struct iommu_hwpt_arm_smmuv3 - a guest's SMMUv3 Stream Table Entry
 * @ste: its first two double words, little endian; fields that a guest has no
 *	say in make the call fail with -EIO
 */
struct iommu_hwpt_arm_smmuv3 {
	__aligned_le64 ste[2];
};

/**
 * struct iommu_hwpt_amd_guest - a guest's AMD Device Table Entry
 * @dte: the entry
 */
struct iommu_hwpt_amd_guest {
	__aligned_u64 dte[4];
};

/**
 * enum iommu_hwpt_invalidate_data_type - which structure an invalidation has
 * @IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: struct iommu_hwpt_vtd_s1_invalidate
 * @IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3: struct
 *	iommu_viommu_arm_smmuv3_invalidate
 */
enum iommu_hwpt_invalidate_data_type {
	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1	= 0,
	IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3	= 1,
};

/**
 * enum iommu_hwpt_vtd_s1_invalidate_flags - how much VT-d forgets
 * @IOMMU_VTD_INV_FLAGS_LEAF: the leaf entries only; without this flag those
 *	of every level
 */
enum iommu_hwpt_vtd_s1_invalidate_flags {
	IOMMU_VTD_INV_FLAGS_LEAF = 1 << 0,
};

/**
 * struct iommu_hwpt_vtd_s1_invalidate - a VT-d first-stage invalidation
 * @addr: start of the range, a multiple of 4096
 * @npages: pages of 4096 bytes; U64_MAX from @addr zero means all
 * @flags: enum iommu_hwpt_vtd_s1_invalidate_flags
 * @__reserved: zero
 *
 * Reaches the device's own cache as well.
 */
struct iommu_hwpt_vtd_s1_invalidate {
	__aligned_u64 addr;
	__aligned_u64 npages;
	__u32 flags;
	__u32 __reserved;
};

/**
 * struct iommu_viommu_arm_smmuv3_invalidate - an SMMUv3 invalidation
 * @cmd: a command of the guest's queue, little endian: one that invalidates
 *	translations or configuration of the guest; any other is -EIO
 */
struct iommu_viommu_arm_smmuv3_invalidate {
	__aligned_le64 cmd[2];
};

/**
 * struct iommu_hwpt_invalidate - argument of IOMMU_HWPT_INVALIDATE
 * @size: sizeof(struct iommu_hwpt_invalidate)
 * @hwpt_id: a nested HWPT, or a vIOMMU
 * @data_uptr: address of an array of what @data_type names
 * @data_type: enum iommu_hwpt_invalidate_data_type
 * @entry_len: bytes of an entry
 * @entry_num: entries; set to how many were carried out, on failure too
 * @__reserved: zero
 *
 * Follows a guest's change of its own table. An array without entries only
 * asks whether @data_type is supported.
 */
struct iommu_hwpt_invalidate {
	__u32 size;
	__u32 hwpt_id;
	__aligned_u64 data_uptr;
	__u32 data_type;
	__u32 entry_len;
	__u32 entry_num;
	__u32 __reserved;
};

#define IOMMU_HWPT_INVALIDATE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_INVALIDATE)

/* Page requests */

/**
 * struct iommu_fault_alloc - argument of IOMMU_FAULT_QUEUE_ALLOC
 * @size: sizeof(struct iommu_fault_alloc)
 * @flags: zero
 * @out_fault_id: set to the ID of the queue
 * @out_fault_fd: set to its descriptor: requests (struct iommu_hwpt_pgfault)
 *	are read from it, answers (struct iommu_hwpt_page_response) written
 */
struct iommu_fault_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_fault_id;
	__u32 out_fault_fd;
};

#define IOMMU_FAULT_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_FAULT_QUEUE_ALLOC)

/**
 * enum iommu_hwpt_pgfault_flags - about a page request
 * @IOMMU_PGFAULT_FLAGS_PASID_VALID: it has a PASID
 * @IOMMU_PGFAULT_FLAGS_LAST_PAGE: it is the final one of its group, the one
 *	to answer
 */
enum iommu_hwpt_pgfault_flags {
	IOMMU_PGFAULT_FLAGS_PASID_VALID	= 1 << 0,
	IOMMU_PGFAULT_FLAGS_LAST_PAGE	= 1 << 1,
};

/**
 * enum iommu_hwpt_pgfault_perm - what a page request wants to do
 * @IOMMU_PGFAULT_PERM_READ: read
 * @IOMMU_PGFAULT_PERM_WRITE: write
 * @IOMMU_PGFAULT_PERM_EXEC: execute
 * @IOMMU_PGFAULT_PERM_PRIV: any of these in privileged mode
 */
enum iommu_hwpt_pgfault_perm {
	IOMMU_PGFAULT_PERM_READ		= 1 << 0,
	IOMMU_PGFAULT_PERM_WRITE	= 1 << 1,
	IOMMU_PGFAULT_PERM_EXEC		= 1 << 2,
	IOMMU_PGFAULT_PERM_PRIV		= 1 << 3,
};

/**
 * struct iommu_hwpt_pgfault - a page request
 * @flags: enum iommu_hwpt_pgfault_flags
 * @dev_id: the device that it came from
 * @pasid: its PASID
 * @grpid: index of its group
 * @perm: enum iommu_hwpt_pgfault_perm
 * @__reserved: zero
 * @addr: the address
 * @length: bytes that the device expects to need; zero when it does not tell
 * @cookie: names the group in the answer
 */
struct iommu_hwpt_pgfault {
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
	__u32 grpid;
	__u32 perm;
	__u32 __reserved;
	__aligned_u64 addr;
	__u32 length;
	__u32 cookie;
};

/**
 * enum iommufd_page_response_code - answer to a group of page requests
 * @IOMMUFD_PAGE_RESP_SUCCESS: the pages are there, try again
 * @IOMMUFD_PAGE_RESP_INVALID: there are none, give up
 */
enum iommufd_page_response_code {
	IOMMUFD_PAGE_RESP_SUCCESS	= 0,
	IOMMUFD_PAGE_RESP_INVALID	= 1,
};

/**
 * struct iommu_hwpt_page_response - an answer as it is written
 * @cookie: from the requests
 * @code: enum iommufd_page_response_code
 */
struct iommu_hwpt_page_response {
	__u32 cookie;
	__u32 code;
};

/* Virtual IOMMUs: the part of an IOMMU that one guest has to itself */

/**
 * enum iommu_viommu_type - kinds of virtual IOMMU
 * @IOMMU_VIOMMU_TYPE_DEFAULT: not used
 * @IOMMU_VIOMMU_TYPE_ARM_SMMUV3: an SMMUv3
 * @IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: an SMMUv3 with the Tegra241 extension;
 *	HYP_OWN reads as zero in the guest's VINTF_CONFIG
 */
enum iommu_viommu_type {
	IOMMU_VIOMMU_TYPE_DEFAULT		= 0,
	IOMMU_VIOMMU_TYPE_ARM_SMMUV3		= 1,
	IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV	= 2,
};

/**
 * struct iommu_viommu_tegra241_cmdqv - data of a Tegra241 vIOMMU
 * @out_vintf_mmap_offset: set to the offset at which mmap() of this file gives
 *	the first page of the guest's interface
 * @out_vintf_mmap_length: set to the bytes to map there
 */
struct iommu_viommu_tegra241_cmdqv {
	__aligned_u64 out_vintf_mmap_offset;
	__aligned_u64 out_vintf_mmap_length;
};

/**
 * struct iommu_viommu_alloc - argument of IOMMU_VIOMMU_ALLOC
 * @size: sizeof(struct iommu_viommu_alloc)
 * @flags: zero
 * @type: enum iommu_viommu_type
 * @dev_id: a bound device, which stands for its IOMMU
 * @hwpt_id: the outer table, made with IOMMU_HWPT_ALLOC_NEST_PARENT
 * @out_viommu_id: set to the ID of the vIOMMU
 * @data_len: bytes at @data_uptr
 * @__reserved: zero
 * @data_uptr: address of what @type needs beyond this
 */
struct iommu_viommu_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 dev_id;
	__u32 hwpt_id;
	__u32 out_viommu_id;
	__u32 data_len;
	__u32 __reserved;
	__aligned_u64 data_uptr;
};

#define IOMMU_VIOMMU_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VIOMMU_ALLOC)

/**
 * struct iommu_vdevice_alloc - argument of IOMMU_VDEVICE_ALLOC
 * @size: sizeof(struct iommu_vdevice_alloc)
 * @viommu_id: the vIOMMU
 * @dev_id: a bound device behind the same IOMMU
 * @out_vdevice_id: set to the ID of the virtual device
 * @virt_id: what the guest calls the device (stream ID, device ID or
 *	requester ID)
 *
 * Destroy the virtual device before the file of the device is closed: its ID
 * is lost otherwise until /dev/iommu is closed too.
 */
struct iommu_vdevice_alloc {
	__u32 size;
	__u32 viommu_id;
	__u32 dev_id;
	__u32 out_vdevice_id;
	__aligned_u64 virt_id;
};

#define IOMMU_VDEVICE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VDEVICE_ALLOC)

/**
 * enum iommu_veventq_type - kinds of event queue
 * @IOMMU_VEVENTQ_TYPE_DEFAULT: not used
 * @IOMMU_VEVENTQ_TYPE_ARM_SMMUV3: struct iommu_vevent_arm_smmuv3
 * @IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV: struct iommu_vevent_tegra241_cmdqv
 */
enum iommu_veventq_type {
	IOMMU_VEVENTQ_TYPE_DEFAULT		= 0,
	IOMMU_VEVENTQ_TYPE_ARM_SMMUV3		= 1,
	IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV	= 2,
};

/**
 * struct iommu_veventq_alloc - argument of IOMMU_VEVENTQ_ALLOC
 * @size: sizeof(struct iommu_veventq_alloc)
 * @flags: zero
 * @viommu_id: the vIOMMU, which has at most one queue of each type
 * @type: enum iommu_veventq_type
 * @veventq_depth: events that are kept; those beyond are lost
 * @out_veventq_id: set to the ID of the queue
 * @out_veventq_fd: set to the descriptor to read from, which the caller closes
 * @__reserved: zero
 *
 * Reading gives whole events, each a struct iommufd_vevent_header with the
 * structure of its type behind it.
 */
struct iommu_veventq_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 veventq_depth;
	__u32 out_veventq_id;
	__u32 out_veventq_fd;
	__u32 __reserved;
};

#define IOMMU_VEVENTQ_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VEVENTQ_ALLOC)

/**
 * enum iommu_veventq_flag - flags of struct iommufd_vevent_header
 * @IOMMU_VEVENTQ_FLAG_LOST_EVENTS: events were lost after the one before, and
 *	none has come since; no data follows this header
 */
enum iommu_veventq_flag {
	IOMMU_VEVENTQ_FLAG_LOST_EVENTS = 1U << 0,
};

/**
 * struct iommufd_vevent_header - stands before each event
 * @flags: enum iommu_veventq_flag
 * @sequence: one more than that of the event before, INT_MAX being followed by
 *	zero; each number that is left out is a lost event
 */
struct iommufd_vevent_header {
	__u32 flags;
	__u32 sequence;
};

/**
 * struct iommu_vevent_arm_smmuv3 - an event of an SMMUv3
 * @evt: the event record, little endian, its StreamID being the virt_id of the
 *	device
 */
struct iommu_vevent_arm_smmuv3 {
	__aligned_le64 evt[4];
};

/**
 * struct iommu_vevent_tegra241_cmdqv - an error interrupt of the extension
 * @lvcmdq_err_map: a bit for each command queue of the guest, little endian
 */
struct iommu_vevent_tegra241_cmdqv {
	__aligned_le64 lvcmdq_err_map[2];
};

/**
 * enum iommu_hw_queue_type - kinds of hardware queue
 * @IOMMU_HW_QUEUE_TYPE_DEFAULT: not used
 * @IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV: a virtual command queue. Indices are
 *	taken in ascending order from zero and given back in descending order.
 *	The length is a power of two from 32 to what the guest's IDR1.CMDQS
 *	allows, the base a multiple of it, the memory contiguous.
 */
enum iommu_hw_queue_type {
	IOMMU_HW_QUEUE_TYPE_DEFAULT		= 0,
	IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV	= 1,
};

/**
 * struct iommu_hw_queue_alloc - argument of IOMMU_HW_QUEUE_ALLOC
 * @size: sizeof(struct iommu_hw_queue_alloc)
 * @flags: zero
 * @viommu_id: the vIOMMU
 * @type: enum iommu_hw_queue_type
 * @index: which queue of this type
 * @out_hw_queue_id: set to the ID of the queue
 * @nesting_parent_iova: where its memory is in the outer table, that is, its
 *	guest-physical address
 * @length: of its memory
 */
struct iommu_hw_queue_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 index;
	__u32 out_hw_queue_id;
	__aligned_u64 nesting_parent_iova;
	__aligned_u64 length;
};

#define IOMMU_HW_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HW_QUEUE_ALLOC)

/*
 * Options of this implementation, beyond those of Linux. Their numbers have the
 * top bit set, which no number of Linux has. object_id is zero: they are of the
 * whole file.
 *
 * A device may do no-snoop DMA, which goes past the caches. Where the IOMMU does
 * not turn it into ordinary DMA, KVM must carry out its guest's cache flushes
 * (wbinvd on x86). The answer to "is there DMA here that is not coherent?" follows
 * what is attached; these options read it, and keep it from changing.
 */

/**
 * IOMMU_OPTION_COHERENCY_POLICY - what may become of the answer
 *
 * Set or get one of enum iommufd_coherency_policy. Setting
 * IOMMU_COHERENCY_REQUIRE while DMA is not coherent is -EBUSY; another value
 * is -EINVAL.
 */
#define IOMMU_OPTION_COHERENCY_POLICY	0x80000000U

/**
 * IOMMU_OPTION_COHERENCY_STATE - the answer
 *
 * Get 1 while a device translates through a page table that lets no-snoop DMA
 * pass, or is bound with the policy IOMMU_COHERENCY_ASSUME_NONE; else 0. Setting it is
 * -EOPNOTSUPP.
 */
#define IOMMU_OPTION_COHERENCY_STATE	0x80000001U

/**
 * enum iommufd_coherency_policy - values of IOMMU_OPTION_COHERENCY_POLICY
 * @IOMMU_COHERENCY_FOLLOW: the answer is what is attached (at first)
 * @IOMMU_COHERENCY_REQUIRE: an attach that would make DMA non-coherent is -EPERM
 * @IOMMU_COHERENCY_ASSUME_NONE: KVM carries out cache flushes while a device is
 *	bound, whatever is attached, so that a guest finds the same machine on unlike
 *	hosts
 */
enum iommufd_coherency_policy {
	IOMMU_COHERENCY_FOLLOW		= 0,
	IOMMU_COHERENCY_REQUIRE		= 1,
	IOMMU_COHERENCY_ASSUME_NONE	= 2,
};

#endif
