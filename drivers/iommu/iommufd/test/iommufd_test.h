/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctl by which mainline's own test programs reach a mock IOMMU: numbers and
 * layouts as in Linux 6.12.
 */
#ifndef __IOMMUFD_TEST_ABI_H
#define __IOMMUFD_TEST_ABI_H

#include <linux/bits.h>
#include <linux/types.h>
#include <uapi/linux/iommufd.h>

#define IOMMU_TEST_CMD _IO(IOMMUFD_TYPE, 0xa0)

/* iommu_test_cmd.op; what is left out is of nesting, dirty tracking or faults */
enum {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN = 2,
	IOMMU_TEST_OP_MD_CHECK_MAP = 3,
	IOMMU_TEST_OP_MD_CHECK_REFS = 4,
	IOMMU_TEST_OP_CREATE_ACCESS = 5,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES = 6,
	IOMMU_TEST_OP_ACCESS_PAGES = 7,
	IOMMU_TEST_OP_ACCESS_RW = 8,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT = 9,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE = 10,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS = 11,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS = 12,
};

/* The only addresses that the mock IOMMU translates */
#define MOCK_APERTURE_START	BIT(24)
#define MOCK_APERTURE_LAST	(BIT(31) - 1)

/* mock_domain.dev_flags; of a later version, whose programs 6.12 has in parts */
#define MOCK_FLAGS_DEVICE_PASID	BIT(2)

/* create_access.flags, access_pages.flags, access_rw.flags */
#define MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES	BIT(0)
#define MOCK_FLAGS_ACCESS_WRITE				BIT(0)
#define MOCK_ACCESS_RW_WRITE				BIT(0)
#define MOCK_ACCESS_RW_SLOW_PATH			BIT(2)

/**
 * struct iommu_test_cmd - The argument
 * @size: of this structure
 * @op: IOMMU_TEST_OP_*
 * @id: the object that @op is about, or an access' descriptor
 * @__reserved: not looked at
 * @add_reserved: an IOVA range that the IOAS @id excludes
 * @mock_domain: a new device, attached to @id, with its IDs; @dev_flags is of
 *               MOCK_DOMAIN_FLAGS alone
 * @mock_domain_replace: where the device @id goes; set to its HWPT
 * @check_map: what the HWPT @id must translate a range to
 * @check_refs: how often memory must be pinned
 * @create_access: a new access to the IOAS @id, as a descriptor
 * @destroy_access_pages: pins of the access @id to be given up
 * @access_pages: pins by the access @id, of the memory at @uptr
 * @access_rw: a copy by the access @id
 * @memory_limit: bytes that one step of pinning may work with
 * @access_replace_ioas: where the access @id goes
 * @largest: makes the union as long as it is in mainline
 * @last: not looked at
 */
struct iommu_test_cmd {
	__u32 size;
	__u32 op;
	__u32 id;
	__u32 __reserved;
	union {
		struct {
			__aligned_u64 start;
			__aligned_u64 length;
		} add_reserved;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
			__u32 dev_flags;
		} mock_domain;
		struct {
			__u32 pt_id;
		} mock_domain_replace;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} check_map;
		struct {
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 refs;
		} check_refs;
		struct {
			__u32 out_access_fd;
			__u32 flags;
		} create_access;
		struct {
			__u32 access_pages_id;
		} destroy_access_pages;
		struct {
			__u32 flags;
			__u32 out_access_pages_id;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} access_pages;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 flags;
		} access_rw;
		struct {
			__u32 limit;
		} memory_limit;
		struct {
			__u32 ioas_id;
		} access_replace_ioas;
		__aligned_u64 largest[6];
	};
	__u32 last;
};

#endif
