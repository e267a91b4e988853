// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls and their arguments: everything that user space can ask of iommufd.ko
 * and vfio.ko, and what it can do meanwhile to its files and its memory.
 */
#include <linux/iommufd.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <sys/mman.h>
#include <fcntl.h>

#include "calls.h"
#include "mock/iommufd_mock.h"

#define SIZEOF(_struct, _member)	sizeof(((struct _struct *)0)->_member)
#define FIELD(_struct, _member)		.name = #_member,		\
					.offset = offsetof(struct _struct, _member), \
					.size = SIZEOF(_struct, _member)
#define CHOICE(...)			.values = (const uint64_t[]){ __VA_ARGS__ }, \
					.nr_values = sizeof((uint64_t[]){ __VA_ARGS__ }) / 8

/* An argument of the call itself */
#define FD(_accepts)			{ .name = "fd", .accepts = _accepts, .usual = -1 }
#define VALUE(_name, _usual, ...)	{ .name = #_name, .usual = _usual, CHOICE(__VA_ARGS__) }
#define BITS(_name, _usual, _mask)	{ .name = #_name, .sort = FLAGS, .usual = _usual, \
					  .mask = _mask }
#define WHERE				{ .name = "at", .sort = AT, .accepts = 1 << ADDRESS, \
					  .usual = WINDOW_AT }
#define LONG(_usual)			{ .name = "length", .sort = LENGTH, .usual = _usual }
#define SLOT				{ .name = "slot", CHOICE(0, 1, 2, 3, 0, 1, 3, 4, 5) }

/* A member of the structure */
#define F_SIZE(_struct, _member)	{ FIELD(_struct, _member), .sort = STRUCT_SIZE, \
					  .usual = sizeof(struct _struct) }
#define F_ARGSZ(_struct, _bytes)	{ FIELD(_struct, argsz), .sort = STRUCT_SIZE, \
					  .usual = _bytes }
#define F_FLAGS(_struct, _member, _usual, _mask) \
					{ FIELD(_struct, _member), .sort = FLAGS, \
					  .usual = _usual, .mask = _mask }
#define F_VALUE(_struct, _member, _usual, ...) \
					{ FIELD(_struct, _member), .usual = _usual, \
					  CHOICE(__VA_ARGS__) }
#define F_SPARE(_struct, _member)	F_VALUE(_struct, _member, 0, 0)
#define F_REF(_struct, _member, _accepts) \
					{ FIELD(_struct, _member), .accepts = _accepts }
#define F_FD(_struct, _member, _accepts) \
					{ FIELD(_struct, _member), .accepts = _accepts, \
					  .usual = -1 }
#define F_AT(_struct, _member)		{ FIELD(_struct, _member), .sort = AT, \
					  .accepts = 1 << ADDRESS, .usual = WINDOW_AT }
#define F_IOVA(_struct, _member, _accepts) \
					{ FIELD(_struct, _member), .sort = AT_IOVA, \
					  .accepts = _accepts, .usual = 0x10000000 }
#define F_LENGTH(_struct, _member)	{ FIELD(_struct, _member), .sort = LENGTH, \
					  .usual = PAGE }
#define F_INNER(_struct, _member, _offset) \
					{ FIELD(_struct, _member), .sort = INNER, \
					  .mask = _offset }

/* What F_INNER points to, and what stands behind the structure */
#define I_IOVA(_name, _offset)		{ .name = #_name, .sort = AT_IOVA, .size = 8, \
					  .offset = _offset }
#define I_LENGTH(_name, _offset)	{ .name = #_name, .sort = LENGTH, .size = 8, \
					  .offset = _offset, .usual = 0x1000 }
#define I_FD(_name, _offset, _accepts)	{ .name = #_name, .size = 4, .offset = _offset, \
					  .accepts = _accepts, .usual = -1 }
#define I_VALUE(_name, _offset, _size, _usual, ...) \
					{ .name = #_name, .size = _size, .offset = _offset, \
					  .usual = _usual, CHOICE(__VA_ARGS__) }
#define I_INNER(_name, _offset, _to)	{ .name = #_name, .sort = INNER, .size = 8, \
					  .offset = _offset, .mask = _to }

#define MADE(_struct, _member)		.made_offset = offsetof(struct _struct, _member), \
					.made_size = SIZEOF(_struct, _member)

#define IOMMU	FD(1 << IOMMU_FD)
#define DEVICE	FD(1 << DEVICE_FD)
#define GROUP	FD(1 << GROUP_FD)
#define IOAS	(1 << IOAS_ID)

/* An ioctl of /dev/iommu that no IOMMU driver of 6.1 can serve */
#define UNSUPPORTED(_name, _struct, _request)				\
{									\
	.name = _name, .weight = 1, .makes = NO_KIND, .request = _request, \
	.args = { IOMMU, F_SIZE(_struct, size),				\
		I_VALUE(first, 4, 4, 0, 0, 1), I_VALUE(second, 8, 4, 0, 0, 1) } \
}

const struct call_type call_types[] = {
	/* Files */
	{ .name = "open", .weight = 4, .makes = IOMMU_FD, .run = call_open,
	  .args = { VALUE(container, 0, 0, 0, 1) } },
	{ .name = "open_device", .weight = 6, .makes = DEVICE_FD,
	  .run = call_open_device, .args = { SLOT } },
	{ .name = "open_group", .weight = 4, .makes = GROUP_FD,
	  .run = call_open_group, .args = { SLOT } },
	{ .name = "close", .weight = 10, .makes = NO_KIND, .run = call_close,
	  .args = { FD(ANY_FD) } },
	{ .name = "dup", .weight = 2, .makes = AS_GIVEN, .run = call_dup,
	  .args = { FD(ANY_FD) } },
	{ .name = "pass", .weight = 2, .makes = AS_GIVEN, .run = call_pass,
	  .args = { FD(ANY_FD), VALUE(receive, 1, 0, 1) } },
	{ .name = "fdinfo", .weight = 3, .makes = NO_KIND, .run = call_fdinfo,
	  .args = { FD(ANY_FD) } },
	{ .name = "eventfd", .weight = 1, .makes = EVENT_FD, .run = call_eventfd },
	{ .name = "any_ioctl", .weight = 2, .makes = NO_KIND, .run = call_any_ioctl,
	  .args = { FD(ANY_FD), VALUE(number, 0x3b80, 0x3b63, 0x3b64, 0x3b69, 0x3b6a,
				      0x3b6c, 0x3b6d, 0x3b6e, 0x3b72, 0x3b73, 0x3b74,
				      0x3b75, 0x3b76, 0x3b77, 0x3b78, 0x3b79, 0x3b90,
				      0x3b91, 0x3b95, 0x3ba0, 0x3bff),
		    VALUE(argsz, 0, 0, 8, 12, 16, 24, 32, 48, 64, 4096),
		    { .name = "a", .accepts = ANY_ID | ANY_FD }, VALUE(b, 0, 0, 1, 2),
		    { .name = "c", .accepts = ANY_ID }, VALUE(d, 0, 0, 1, PAGE) } },

	/* /dev/iommu */
	{ .name = "destroy", .weight = 8, .makes = NO_KIND, .request = IOMMU_DESTROY,
	  .args = { IOMMU, F_SIZE(iommu_destroy, size),
		    F_REF(iommu_destroy, id, ANY_ID) } },
	{ .name = "ioas_alloc", .weight = 4, .makes = IOAS_ID,
	  .request = IOMMU_IOAS_ALLOC, MADE(iommu_ioas_alloc, out_ioas_id),
	  .args = { IOMMU, F_SIZE(iommu_ioas_alloc, size),
		    F_SPARE(iommu_ioas_alloc, flags) } },
	{ .name = "iova_ranges", .weight = 3, .makes = NO_KIND,
	  .request = IOMMU_IOAS_IOVA_RANGES,
	  .args = { IOMMU, F_SIZE(iommu_ioas_iova_ranges, size),
		    F_REF(iommu_ioas_iova_ranges, ioas_id, IOAS),
		    F_VALUE(iommu_ioas_iova_ranges, num_iovas, 8, 0, 1, 8, ~0),
		    F_SPARE(iommu_ioas_iova_ranges, __reserved),
		    F_INNER(iommu_ioas_iova_ranges, allowed_iovas, 64) } },
	{ .name = "allow_iovas", .weight = 5, .makes = NO_KIND,
	  .request = IOMMU_IOAS_ALLOW_IOVAS,
	  .args = { IOMMU, F_SIZE(iommu_ioas_allow_iovas, size),
		    F_REF(iommu_ioas_allow_iovas, ioas_id, IOAS),
		    F_VALUE(iommu_ioas_allow_iovas, num_iovas, 1, 0, 1, 2, 3, ~0),
		    F_SPARE(iommu_ioas_allow_iovas, __reserved),
		    F_INNER(iommu_ioas_allow_iovas, allowed_iovas, 64),
		    I_IOVA(start0, 64), I_IOVA(last0, 72),
		    I_IOVA(start1, 80), I_IOVA(last1, 88),
		    I_IOVA(start2, 96), I_IOVA(last2, 104) } },
	{ .name = "ioas_map", .weight = 24, .makes = IOVA, .request = IOMMU_IOAS_MAP,
	  MADE(iommu_ioas_map, iova),
	  .args = { IOMMU, F_SIZE(iommu_ioas_map, size),
		    F_FLAGS(iommu_ioas_map, flags, 7, 7),
		    F_REF(iommu_ioas_map, ioas_id, IOAS),
		    F_SPARE(iommu_ioas_map, __reserved),
		    F_AT(iommu_ioas_map, user_va), F_LENGTH(iommu_ioas_map, length),
		    F_IOVA(iommu_ioas_map, iova, 0) } },
	{ .name = "ioas_map_file", .weight = 9, .makes = IOVA,
	  .request = IOMMU_IOAS_MAP_FILE, MADE(iommu_ioas_map_file, iova),
	  .args = { IOMMU, F_SIZE(iommu_ioas_map_file, size),
		    F_FLAGS(iommu_ioas_map_file, flags, 7, 7),
		    F_REF(iommu_ioas_map_file, ioas_id, IOAS),
		    F_FD(iommu_ioas_map_file, fd, 1 << FILE_FD | 1 << FILE_FD),
		    { FIELD(iommu_ioas_map_file, start), .sort = LENGTH },
		    F_LENGTH(iommu_ioas_map_file, length),
		    F_IOVA(iommu_ioas_map_file, iova, 0) } },
	{ .name = "ioas_copy", .weight = 12, .makes = IOVA, .request = IOMMU_IOAS_COPY,
	  MADE(iommu_ioas_copy, dst_iova),
	  .args = { IOMMU, F_SIZE(iommu_ioas_copy, size),
		    F_FLAGS(iommu_ioas_copy, flags, 6, 7),
		    F_REF(iommu_ioas_copy, dst_ioas_id, IOAS),
		    F_REF(iommu_ioas_copy, src_ioas_id, IOAS),
		    F_LENGTH(iommu_ioas_copy, length),
		    F_IOVA(iommu_ioas_copy, dst_iova, 0),
		    F_IOVA(iommu_ioas_copy, src_iova, 1 << IOVA) } },
	{ .name = "ioas_unmap", .weight = 14, .makes = NO_KIND,
	  .request = IOMMU_IOAS_UNMAP,
	  .args = { IOMMU, F_SIZE(iommu_ioas_unmap, size),
		    F_REF(iommu_ioas_unmap, ioas_id, IOAS),
		    F_IOVA(iommu_ioas_unmap, iova, 1 << IOVA),
		    F_LENGTH(iommu_ioas_unmap, length) } },
	{ .name = "change_process", .weight = 4, .makes = NO_KIND,
	  .request = IOMMU_IOAS_CHANGE_PROCESS,
	  .args = { IOMMU, F_SIZE(iommu_ioas_change_process, size),
		    F_SPARE(iommu_ioas_change_process, __reserved) } },
	{ .name = "option", .weight = 6, .makes = NO_KIND, .request = IOMMU_OPTION,
	  .args = { IOMMU, F_SIZE(iommu_option, size),
		    F_VALUE(iommu_option, option_id, 0, 0, 1,
			    IOMMU_OPTION_COHERENCY_POLICY,
			    IOMMU_OPTION_COHERENCY_STATE),
		    F_VALUE(iommu_option, op, 0, 0, 0, 1),
		    F_SPARE(iommu_option, __reserved),
		    F_REF(iommu_option, object_id, ANY_ID),
		    F_VALUE(iommu_option, val64, 0, 0, 1, 2) } },
	{ .name = "vfio_ioas", .weight = 5, .makes = IOAS_ID, .request = IOMMU_VFIO_IOAS,
	  MADE(iommu_vfio_ioas, ioas_id),
	  .args = { IOMMU, F_SIZE(iommu_vfio_ioas, size),
		    F_REF(iommu_vfio_ioas, ioas_id, IOAS),
		    F_VALUE(iommu_vfio_ioas, op, 1, 0, 1, 2),
		    F_SPARE(iommu_vfio_ioas, __reserved) } },
	{ .name = "hwpt_alloc", .weight = 6, .makes = HWPT_ID,
	  .request = IOMMU_HWPT_ALLOC, MADE(iommu_hwpt_alloc, out_hwpt_id),
	  .args = { IOMMU, F_SIZE(iommu_hwpt_alloc, size),
		    F_FLAGS(iommu_hwpt_alloc, flags, 0, 15),
		    F_REF(iommu_hwpt_alloc, dev_id, 1 << DEVICE_ID),
		    F_REF(iommu_hwpt_alloc, pt_id, IOAS | 1 << HWPT_ID),
		    F_SPARE(iommu_hwpt_alloc, __reserved),
		    F_VALUE(iommu_hwpt_alloc, data_type, 0, 0, 0, 1, 3),
		    F_VALUE(iommu_hwpt_alloc, data_len, 0, 0, 0, 24),
		    F_VALUE(iommu_hwpt_alloc, data_uptr, 0, 0, 0, WINDOW_AT),
		    F_VALUE(iommu_hwpt_alloc, fault_id, 0, 0, 1) } },
	{ .name = "hw_info", .weight = 3, .makes = NO_KIND, .request = IOMMU_GET_HW_INFO,
	  .args = { IOMMU, F_SIZE(iommu_hw_info, size),
		    F_FLAGS(iommu_hw_info, flags, 0, 1),
		    F_REF(iommu_hw_info, dev_id, 1 << DEVICE_ID),
		    F_VALUE(iommu_hw_info, data_len, 24, 0, 8, 24, 64, 4096, ~0),
		    F_INNER(iommu_hw_info, data_uptr, 64),
		    F_VALUE(iommu_hw_info, out_capabilities, 0, 0) } },
	UNSUPPORTED("set_dirty", iommu_hwpt_set_dirty_tracking,
		    IOMMU_HWPT_SET_DIRTY_TRACKING),
	UNSUPPORTED("get_dirty", iommu_hwpt_get_dirty_bitmap,
		    IOMMU_HWPT_GET_DIRTY_BITMAP),
	UNSUPPORTED("invalidate", iommu_hwpt_invalidate, IOMMU_HWPT_INVALIDATE),
	UNSUPPORTED("fault_alloc", iommu_fault_alloc, IOMMU_FAULT_QUEUE_ALLOC),
	UNSUPPORTED("viommu_alloc", iommu_viommu_alloc, IOMMU_VIOMMU_ALLOC),
	UNSUPPORTED("vdevice_alloc", iommu_vdevice_alloc, IOMMU_VDEVICE_ALLOC),
	UNSUPPORTED("veventq_alloc", iommu_veventq_alloc, IOMMU_VEVENTQ_ALLOC),
	UNSUPPORTED("hw_queue_alloc", iommu_hw_queue_alloc, IOMMU_HW_QUEUE_ALLOC),

	/* Device files */
	{ .name = "bind", .weight = 8, .makes = DEVICE_ID,
	  .request = VFIO_DEVICE_BIND_IOMMUFD,
	  MADE(vfio_device_bind_iommufd, out_devid),
	  .args = { DEVICE, F_SIZE(vfio_device_bind_iommufd, argsz),
		    F_FLAGS(vfio_device_bind_iommufd, flags, 0, 1),
		    F_FD(vfio_device_bind_iommufd, iommufd, 1 << IOMMU_FD),
		    F_INNER(vfio_device_bind_iommufd, token_uuid_ptr, 64) } },
	{ .name = "attach", .weight = 12, .makes = HWPT_ID,
	  .request = VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	  MADE(vfio_device_attach_iommufd_pt, pt_id),
	  .args = { DEVICE, F_SIZE(vfio_device_attach_iommufd_pt, argsz),
		    F_FLAGS(vfio_device_attach_iommufd_pt, flags, 0, 1),
		    F_REF(vfio_device_attach_iommufd_pt, pt_id, IOAS | 1 << HWPT_ID),
		    F_SPARE(vfio_device_attach_iommufd_pt, pasid) } },
	{ .name = "detach", .weight = 7, .makes = NO_KIND,
	  .request = VFIO_DEVICE_DETACH_IOMMUFD_PT,
	  .args = { DEVICE, F_SIZE(vfio_device_detach_iommufd_pt, argsz),
		    F_FLAGS(vfio_device_detach_iommufd_pt, flags, 0, 1) } },
	{ .name = "device_info", .weight = 2, .makes = NO_KIND,
	  .request = VFIO_DEVICE_GET_INFO,
	  .args = { DEVICE, F_SIZE(vfio_device_info, argsz) } },
	{ .name = "region_info", .weight = 3, .makes = NO_KIND,
	  .request = VFIO_DEVICE_GET_REGION_INFO,
	  .args = { DEVICE, F_ARGSZ(vfio_region_info, 256),
		    F_VALUE(vfio_region_info, index, 0, 0, 1, 2, 3, 6, 7, 8, 9) } },
	{ .name = "irq_info", .weight = 2, .makes = NO_KIND,
	  .request = VFIO_DEVICE_GET_IRQ_INFO,
	  .args = { DEVICE, F_SIZE(vfio_irq_info, argsz),
		    F_VALUE(vfio_irq_info, index, 0, 0, 1, 2, 3, 4, 5) } },
	{ .name = "set_irqs", .weight = 6, .makes = NO_KIND,
	  .request = VFIO_DEVICE_SET_IRQS,
	  .args = { DEVICE, F_ARGSZ(vfio_irq_set, 28),
		    F_VALUE(vfio_irq_set, flags, 0x24, 0x24, 0x21, 0x22, 0x0c, 0x14,
			    0x09, 0x11, 0x0a, 0x12),
		    F_VALUE(vfio_irq_set, index, 0, 0, 1, 2, 3, 4, 5),
		    F_VALUE(vfio_irq_set, start, 0, 0, 0, 1, 4, ~0),
		    F_VALUE(vfio_irq_set, count, 1, 0, 1, 2, ~0),
		    I_FD(fd0, 20, 1 << EVENT_FD), I_FD(fd1, 24, 1 << EVENT_FD) } },
	{ .name = "reset", .weight = 2, .makes = NO_KIND, .run = call_value_ioctl,
	  .request = VFIO_DEVICE_RESET, .args = { DEVICE, VALUE(arg, 0, 0) } },
	{ .name = "hot_reset_info", .weight = 2, .makes = NO_KIND,
	  .request = VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
	  .args = { DEVICE, F_ARGSZ(vfio_pci_hot_reset_info, 256) } },
	{ .name = "hot_reset", .weight = 3, .makes = NO_KIND,
	  .request = VFIO_DEVICE_PCI_HOT_RESET,
	  .args = { DEVICE, F_ARGSZ(vfio_pci_hot_reset, 24),
		    F_SPARE(vfio_pci_hot_reset, flags),
		    F_VALUE(vfio_pci_hot_reset, count, 0, 0, 1, 2, 3, ~0),
		    I_FD(fd0, 12, 1 << GROUP_FD | 1 << DEVICE_FD),
		    I_FD(fd1, 16, 1 << GROUP_FD), I_FD(fd2, 20, 1 << GROUP_FD) } },
	{ .name = "ioeventfd", .weight = 2, .makes = NO_KIND,
	  .request = VFIO_DEVICE_IOEVENTFD,
	  .args = { DEVICE, F_SIZE(vfio_device_ioeventfd, argsz),
		    F_VALUE(vfio_device_ioeventfd, flags, 4, 1, 2, 4, 8),
		    F_VALUE(vfio_device_ioeventfd, offset, 0x80, 0, 4, 0x80),
		    F_VALUE(vfio_device_ioeventfd, data, 0, 0, 1),
		    F_FD(vfio_device_ioeventfd, fd, 1 << EVENT_FD) } },
	{ .name = "feature", .weight = 5, .makes = NO_KIND,
	  .request = VFIO_DEVICE_FEATURE,
	  .args = { DEVICE, F_ARGSZ(vfio_device_feature, 64),
		    F_VALUE(vfio_device_feature, flags, 0x10000,
			    0x20000, 0x70000, 0x10001, 0x20002, 0x10002, 0x20003,
			    0x20004, 0x20005, 0x20006, 0x20007, 0x20008, 0x50009,
			    0x1000b),
		    I_VALUE(word0, 8, 8, 0, 0, 1, WINDOW_AT),
		    I_VALUE(word1, 16, 8, 0, 0, PAGE),
		    I_VALUE(word2, 24, 8, 0, 0, PAGE),
		    I_INNER(ranges, 32, 128),
		    I_IOVA(iova, 128), I_LENGTH(length, 136) } },
	{ .name = "pread", .weight = 3, .makes = NO_KIND, .run = call_pread,
	  .args = { FD(ANY_FD), VALUE(region, 7, 0, 1, 2, 6, 7, 8, 9),
		    VALUE(offset, 0, 0, 4, 0x34, 0x80, 0x100, 0xffe),
		    VALUE(bytes, 4, 0, 1, 2, 4, 8, 64, 256) } },
	{ .name = "pwrite", .weight = 5, .makes = NO_KIND, .run = call_pwrite,
	  .args = { FD(ANY_FD), VALUE(region, 7, 0, 1, 2, 7, 7, 7),
		    VALUE(offset, 4, 0, 4, 4, 4, 0x10, 0x14, 0x3c),
		    VALUE(value, 0, 0, 2, 4, 6, 7, 0x400, ~0),
		    VALUE(bytes, 2, 1, 2, 4, 8) } },
	{ .name = "dma", .weight = 2, .makes = NO_KIND, .run = call_dma,
	  .args = { DEVICE, { .name = "iova", .sort = AT_IOVA, .accepts = 1 << IOVA,
			      .usual = 0x10000000 },
		    VALUE(from_memory, 0, 0, 1) } },
	{ .name = "unplug", .weight = 1, .makes = NO_KIND, .run = call_unplug,
	  .args = { VALUE(slot, 4, 4, 5) } },

	/* Emulated devices, whose driver is a mock */
	{ .name = "mock_pin", .weight = 7, .makes = NO_KIND, .request = MOCK_PIN,
	  .args = { DEVICE, F_IOVA(mock_pages, iova, 1 << IOVA),
		    F_VALUE(mock_pages, npage, 1, 0, 1, 2, 5, 16, 64, 512, 513),
		    F_FLAGS(mock_pages, flags, 1, 3) } },
	{ .name = "mock_unpin", .weight = 3, .makes = NO_KIND, .request = MOCK_UNPIN,
	  .args = { DEVICE, F_IOVA(mock_pages, iova, 1 << IOVA),
		    F_VALUE(mock_pages, npage, 1, 0, 1, 2, 5, 16, 64) } },
	{ .name = "mock_rw", .weight = 6, .makes = NO_KIND, .request = MOCK_RW,
	  .args = { DEVICE, F_IOVA(mock_copy, iova, 1 << IOVA),
		    F_INNER(mock_copy, data, 64),
		    F_VALUE(mock_copy, length, 8, 0, 1, 8, PAGE, PAGE + 1, 1 << 20),
		    F_FLAGS(mock_copy, flags, 1, 5) } },
	{ .name = "mock_touch", .weight = 2, .makes = NO_KIND, .request = MOCK_TOUCH,
	  .args = { DEVICE, F_IOVA(mock_copy, iova, 1 << IOVA),
		    F_INNER(mock_copy, data, 64),
		    F_VALUE(mock_copy, length, 8, 1, 8, PAGE),
		    F_FLAGS(mock_copy, flags, 1, 1) } },

	/* Groups and containers */
	{ .name = "group_status", .weight = 1, .makes = NO_KIND,
	  .request = VFIO_GROUP_GET_STATUS,
	  .args = { GROUP, F_SIZE(vfio_group_status, argsz) } },
	{ .name = "set_container", .weight = 7, .makes = NO_KIND,
	  .request = VFIO_GROUP_SET_CONTAINER,
	  .args = { GROUP, I_FD(container, 0, 1 << IOMMU_FD) } },
	{ .name = "unset_container", .weight = 3, .makes = NO_KIND,
	  .run = call_value_ioctl, .request = VFIO_GROUP_UNSET_CONTAINER,
	  .args = { GROUP, VALUE(arg, 0, 0) } },
	{ .name = "group_device", .weight = 6, .makes = DEVICE_FD,
	  .run = call_group_device, .args = { GROUP, SLOT } },
	{ .name = "api_version", .weight = 1, .makes = NO_KIND,
	  .run = call_value_ioctl, .request = VFIO_GET_API_VERSION,
	  .args = { IOMMU, VALUE(arg, 0, 0) } },
	{ .name = "extension", .weight = 2, .makes = NO_KIND,
	  .run = call_value_ioctl, .request = VFIO_CHECK_EXTENSION,
	  .args = { IOMMU, VALUE(arg, 1, 0, 1, 3, 4, 6, 8, 9, 10, 11) } },
	{ .name = "set_iommu", .weight = 6, .makes = NO_KIND,
	  .run = call_value_ioctl, .request = VFIO_SET_IOMMU,
	  .args = { IOMMU, VALUE(arg, 3, 1, 3, 3, 6, 8, 9) } },
	{ .name = "iommu_info", .weight = 3, .makes = NO_KIND,
	  .request = VFIO_IOMMU_GET_INFO,
	  .args = { IOMMU, F_ARGSZ(vfio_iommu_type1_info, 256) } },
	{ .name = "map_dma", .weight = 10, .makes = NO_KIND,
	  .request = VFIO_IOMMU_MAP_DMA,
	  .args = { IOMMU, F_SIZE(vfio_iommu_type1_dma_map, argsz),
		    F_VALUE(vfio_iommu_type1_dma_map, flags, 3, 0, 1, 2, 3, 4, 7),
		    F_AT(vfio_iommu_type1_dma_map, vaddr),
		    F_IOVA(vfio_iommu_type1_dma_map, iova, 1 << IOVA),
		    F_LENGTH(vfio_iommu_type1_dma_map, size) } },
	{ .name = "unmap_dma", .weight = 8, .makes = NO_KIND,
	  .request = VFIO_IOMMU_UNMAP_DMA,
	  .args = { IOMMU, F_ARGSZ(vfio_iommu_type1_dma_unmap, 48),
		    F_VALUE(vfio_iommu_type1_dma_unmap, flags, 0, 0, 1, 2, 4, 6, 7),
		    F_IOVA(vfio_iommu_type1_dma_unmap, iova, 1 << IOVA),
		    F_LENGTH(vfio_iommu_type1_dma_unmap, size),
		    I_VALUE(pgsize, 24, 8, PAGE, 0, PAGE, 1 << 21),
		    I_VALUE(bytes, 32, 8, 8, 0, 8, 16, ~0), I_INNER(bitmap, 40, 64) } },
	{ .name = "dirty_pages", .weight = 5, .makes = NO_KIND,
	  .request = VFIO_IOMMU_DIRTY_PAGES,
	  .args = { IOMMU, F_ARGSZ(vfio_iommu_type1_dirty_bitmap, 48),
		    F_VALUE(vfio_iommu_type1_dirty_bitmap, flags, 1, 0, 1, 2, 4, 4, 7),
		    I_IOVA(iova, 8), I_LENGTH(size, 16),
		    I_VALUE(pgsize, 24, 8, PAGE, 0, PAGE, 1 << 21),
		    I_VALUE(bytes, 32, 8, 8, 0, 8, 16, ~0), I_INNER(bitmap, 40, 64) } },

	/* KVM's VFIO device */
	{ .name = "vm", .weight = 2, .makes = VM_FD, .run = call_vm },
	{ .name = "kvm_vfio", .weight = 3, .makes = KVM_VFIO_FD,
	  .request = KVM_CREATE_DEVICE, MADE(kvm_create_device, fd),
	  .args = { FD(1 << VM_FD), F_VALUE(kvm_create_device, type,
					    KVM_DEV_TYPE_VFIO, KVM_DEV_TYPE_VFIO),
		    F_FLAGS(kvm_create_device, flags, 0, 1) } },
	{ .name = "kvm_file", .weight = 7, .makes = NO_KIND,
	  .request = KVM_SET_DEVICE_ATTR,
	  .args = { FD(1 << KVM_VFIO_FD), F_SPARE(kvm_device_attr, flags),
		    F_VALUE(kvm_device_attr, group, 1, 1, 1, 0, 2),
		    F_VALUE(kvm_device_attr, attr, 1, 1, 1, 2, 3),
		    F_INNER(kvm_device_attr, addr, 64),
		    I_FD(file, 64, 1 << IOMMU_FD | 1 << DEVICE_FD | 1 << GROUP_FD) } },

	/* Memory */
	{ .name = "mmap", .weight = 8, .makes = ADDRESS, .run = call_mmap,
	  .args = { WHERE, LONG(16 * PAGE),
		    VALUE(prot, PROT_READ | PROT_WRITE, PROT_NONE, PROT_READ,
			  PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE),
		    VALUE(flags, MAP_SHARED, MAP_SHARED, MAP_PRIVATE,
			  MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB),
		    FD(1 << FILE_FD | 1 << DEVICE_FD),
		    VALUE(region, 0, 0, 0, 0, 1, 2), { .name = "offset", .sort = LENGTH } } },
	{ .name = "munmap", .weight = 4, .makes = NO_KIND, .run = call_munmap,
	  .args = { WHERE, LONG(PAGE) } },
	{ .name = "mremap", .weight = 3, .makes = ADDRESS, .run = call_mremap,
	  .args = { WHERE, LONG(PAGE),
		    { .name = "new_length", .sort = LENGTH, .usual = PAGE },
		    { .name = "to", .sort = AT, .usual = WINDOW_AT + 128 * PAGE },
		    VALUE(flags, 0, 0, 0, MREMAP_DONTUNMAP) } },
	{ .name = "madvise", .weight = 5, .makes = NO_KIND, .run = call_madvise,
	  .args = { WHERE, LONG(PAGE),
		    VALUE(advice, MADV_DONTNEED, MADV_DONTNEED, MADV_FREE,
			  MADV_REMOVE, MADV_DONTFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
			  MADV_MERGEABLE, MADV_COLD, MADV_PAGEOUT, 22, 23) } },
	{ .name = "mprotect", .weight = 2, .makes = NO_KIND, .run = call_mprotect,
	  .args = { WHERE, LONG(PAGE), VALUE(prot, PROT_READ, 0, 1, 3) } },
	{ .name = "touch", .weight = 4, .makes = NO_KIND, .run = call_touch,
	  .args = { WHERE, LONG(PAGE), VALUE(write, 1, 0, 1) } },
	{ .name = "memfd", .weight = 3, .makes = FILE_FD, .run = call_memfd,
	  .args = { VALUE(flags, 0, 0, MFD_ALLOW_SEALING, MFD_HUGETLB),
		    VALUE(length, 16 * PAGE, 0, 16 * PAGE, 1 << 21, 1 << 22) } },
	{ .name = "truncate", .weight = 3, .makes = NO_KIND, .run = call_truncate,
	  .args = { FD(1 << FILE_FD), LONG(0) } },
	{ .name = "fallocate", .weight = 3, .makes = NO_KIND, .run = call_fallocate,
	  .args = { FD(1 << FILE_FD), VALUE(mode, 3, 0, 1, 3, 3),
		    { .name = "offset", .sort = LENGTH }, LONG(PAGE) } },
	{ .name = "seal", .weight = 1, .makes = NO_KIND, .run = call_seal,
	  .args = { FD(1 << FILE_FD), BITS(seals, 8, 31) } },

	/* Processes */
	{ .name = "fork", .weight = 5, .makes = NO_KIND, .run = call_fork,
	  .args = { VALUE(calls, 1, 0, 1, 2, 3, 5), BITS(how, 0, 3) } },
	{ .name = "exec", .weight = 2, .makes = NO_KIND, .run = call_exec },
	{ .name = "user", .weight = 2, .makes = NO_KIND, .run = call_user,
	  .args = { VALUE(memlock, 1 << 16, 0, 1 << 14, 1 << 16, 1 << 20) } },
};

const unsigned int nr_call_types = sizeof(call_types) / sizeof(call_types[0]);
