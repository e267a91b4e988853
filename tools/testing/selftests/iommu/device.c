// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device files: what works before BIND, the rules of BIND, ATTACH and DETACH,
 * and the objects that come with them. No DMA.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/pci.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define MSI	0xfee00000UL
#define NVME_VENDOR	0x1b36
#define NVME_DEVICE	0x0010

FIXTURE(opened)
{
	struct rig rig;
};

FIXTURE_SETUP(opened)
{
	RIG_SETUP(rig_open, &self->rig);
}

FIXTURE_TEARDOWN(opened)
{
	EXPECT_EQ(0, rig_close(&self->rig));
}

/* Before BIND a device file does nothing. */
TEST_F(opened, before_bind)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int device = self->rig.device;
	struct vfio_region_info region;
	uint32_t pt = 1;
	char byte;

	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(-EINVAL, vfio_region(device, 0, &region));
	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_RESET, NULL));
	EXPECT_EQ(-EINVAL, vfio_attach(device, &pt));
	EXPECT_EQ(-EINVAL, vfio_detach(device));
	EXPECT_EQ(-EINVAL, xioctl(device, _IO(VFIO_TYPE, VFIO_BASE + 90),
				  NULL));
	EXPECT_EQ(-1, pread(device, &byte, 1, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pwrite(device, &byte, 1, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device,
				   0));
	EXPECT_EQ(EINVAL, errno);
}

/* Arguments of BIND that are refused; the device stays unbound. */
TEST_F(opened, bind_bad_arguments)
{
	struct {
		struct vfio_device_bind_iommufd arg;
		uint64_t tail;
	} bind = {};
	struct vfio_device_bind_iommufd *arg = &bind.arg;
	int device = self->rig.device, other;

	arg->iommufd = self->rig.iommufd;
	arg->argsz = 15;
	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	arg->argsz = 0;
	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	EXPECT_EQ(-EFAULT, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, NULL));

	arg->argsz = sizeof(bind);
	bind.tail = 1;
	EXPECT_EQ(-E2BIG, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	bind.tail = 0;
	arg->flags = 2;
	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	arg->flags = 0;

	arg->iommufd = -1;
	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	arg->iommufd = 999;
	EXPECT_EQ(-EBADF, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	arg->iommufd = other;
	EXPECT_EQ(-EBADFD, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	arg->iommufd = device;
	EXPECT_EQ(-EBADFD, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));

	/* A token for a device that needs none. */
	arg->iommufd = self->rig.iommufd;
	arg->flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	arg->token_uuid_ptr = (uintptr_t)&bind;
	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	arg->token_uuid_ptr = 0;
	EXPECT_EQ(-EFAULT, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	arg->flags = 0;

	/* After all that, and with a zero tail, it can be bound. */
	EXPECT_EQ(0, xioctl(device, VFIO_DEVICE_BIND_IOMMUFD, arg));
	EXPECT_NE(0, arg->out_devid);
	close(other);
}

/* The argument as it was before it had a token. */
TEST_F(opened, bind_without_token_field)
{
	struct vfio_device_bind_iommufd arg = {
		.argsz = 16,
		.iommufd = self->rig.iommufd,
		.token_uuid_ptr = 0xdead,
	};

	EXPECT_EQ(0, xioctl(self->rig.device, VFIO_DEVICE_BIND_IOMMUFD, &arg));
}

/* A device is bound once, whoever tries. */
TEST_F(opened, bind_twice)
{
	int second, other;
	uint32_t id;

	ASSERT_EQ(0, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	EXPECT_EQ(-EINVAL, vfio_bind(self->rig.device, self->rig.iommufd,
				     &id));
	other = iommufd_open();
	ASSERT_GE(other, 0);
	EXPECT_EQ(-EINVAL, vfio_bind(self->rig.device, other, &id));
	second = pci_open_device_file(self->rig.name);
	ASSERT_GE(second, 0);
	EXPECT_EQ(-EINVAL, vfio_bind(second, self->rig.iommufd, &id));
	EXPECT_EQ(-EINVAL, vfio_bind(second, other, &id));

	/* Once the first is closed, the second can have it. */
	close(self->rig.device);
	self->rig.device = second;
	EXPECT_EQ(0, vfio_bind(second, other, &id));
	close(other);
}

/* The group file and the device file exclude each other. */
TEST_F(opened, bind_against_group)
{
	uint32_t id;
	int group;

	group = pci_open_group(self->rig.name);
	ASSERT_GE(group, 0);
	EXPECT_EQ(-EBUSY, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	close(group);
	ASSERT_EQ(0, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	EXPECT_EQ(-EBUSY, pci_open_group(self->rig.name));
	close(self->rig.device);
	self->rig.device = -1;
	group = pci_open_group(self->rig.name);
	EXPECT_GE(group, 0);
	close(group);
}

FIXTURE(bound)
{
	struct rig rig;
	char *memory;
};

FIXTURE_SETUP(bound)
{
	RIG_SETUP(rig_bind, &self->rig);
	self->memory = memory_anonymous(16 * PAGE);
	ASSERT_NE(NULL, self->memory);
}

FIXTURE_TEARDOWN(bound)
{
	EXPECT_EQ(0, rig_close(&self->rig));
}

/* The device is an object that only its file can take away. */
TEST_F(bound, device_id)
{
	EXPECT_NE(0, self->rig.device_id);
	EXPECT_NE(self->rig.ioas, self->rig.device_id);
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->rig.iommufd,
					  self->rig.device_id));
	close(self->rig.device);
	self->rig.device = -1;
	EXPECT_EQ(-ENOENT, iommufd_destroy(self->rig.iommufd,
					   self->rig.device_id));
}

/* A bound device file answers like one from a group. */
TEST_F(bound, device_ioctls)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info config;
	uint16_t ids[2];

	EXPECT_EQ(0, xioctl(self->rig.device, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_PCI);
	ASSERT_EQ(0, vfio_region(self->rig.device,
				 VFIO_PCI_CONFIG_REGION_INDEX, &config));
	ASSERT_EQ(sizeof(ids), pread(self->rig.device, ids, sizeof(ids),
				     config.offset));
	EXPECT_EQ(EDU_VENDOR, ids[0]);
	EXPECT_EQ(EDU_DEVICE, ids[1]);
	EXPECT_EQ(0, edu_init(&self->rig.edu, self->rig.device));
	EXPECT_EQ(-ENOTTY, xioctl(self->rig.device,
				  _IO(VFIO_TYPE, VFIO_BASE + 90), NULL));
}

/* Which devices a hot reset hits, and that the user of this one owns them. */
TEST_F(bound, hot_reset)
{
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_devid devices[32];
	} info = { .head.argsz = sizeof(info.head) };
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };
	const unsigned long get_info = VFIO_DEVICE_GET_PCI_HOT_RESET_INFO;
	int device = self->rig.device, rc;
	bool found = false;
	uint32_t i;

	rc = xioctl(device, get_info, &info);
	if (rc == -ENODEV)
		SKIP(return, "the device is on a bus without reset");
	EXPECT_EQ(-ENOSPC, rc);
	ASSERT_GE(info.head.count, 1);
	ASSERT_LE(info.head.count, 32);
	info.head.argsz = sizeof(info);
	ASSERT_EQ(0, xioctl(device, get_info, &info));
	EXPECT_EQ(VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
		  VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED, info.head.flags);
	for (i = 0; i < info.head.count; i++)
		found |= info.devices[i].devid == self->rig.device_id;
	EXPECT_TRUE(found);
	EXPECT_EQ(0, xioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &reset));
	reset.flags = 1;
	EXPECT_EQ(-EINVAL, xioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &reset));
}

/* Arguments of ATTACH that are refused; the device stays unattached. */
TEST_F(bound, attach_bad_arguments)
{
	struct vfio_device_attach_iommufd_pt arg = {
		.argsz = sizeof(arg),
		.pt_id = self->rig.ioas,
	};
	const uint32_t ids[] = { 0, 1000, 0xffffffff };
	const unsigned long attach = VFIO_DEVICE_ATTACH_IOMMUFD_PT;
	int device = self->rig.device;
	size_t i;

	arg.argsz = 11;
	EXPECT_EQ(-EINVAL, xioctl(device, attach, &arg));
	arg.argsz = sizeof(arg);
	EXPECT_EQ(-EFAULT, xioctl(device, attach, NULL));
	arg.flags = 2;
	EXPECT_EQ(-EINVAL, xioctl(device, attach, &arg));
	arg.flags = VFIO_DEVICE_ATTACH_PASID;
	EXPECT_EQ(-EOPNOTSUPP, xioctl(device, attach, &arg));
	arg.flags = 0;
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		arg.pt_id = ids[i];
		EXPECT_EQ(-ENOENT, xioctl(device, attach, &arg));
	}
	arg.pt_id = self->rig.device_id;
	EXPECT_EQ(-EINVAL, xioctl(device, attach, &arg));
	/* Nothing depends on the IOAS. */
	EXPECT_EQ(0, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
}

/* The argument as it was before it had a PASID, and DETACH likewise. */
TEST_F(bound, attach_without_pasid_field)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = 12,
		.pt_id = self->rig.ioas,
		.pasid = 0xdead,
	};
	struct vfio_device_detach_iommufd_pt detach = {
		.argsz = 8,
		.pasid = 0xdead,
	};

	EXPECT_EQ(0, xioctl(self->rig.device, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
			    &attach));
	EXPECT_EQ(0, xioctl(self->rig.device, VFIO_DEVICE_DETACH_IOMMUFD_PT,
			    &detach));
}

/* DETACH: its arguments, and that detaching twice is no error. */
TEST_F(bound, detach)
{
	struct vfio_device_detach_iommufd_pt arg = { .argsz = sizeof(arg) };
	const unsigned long detach = VFIO_DEVICE_DETACH_IOMMUFD_PT;
	uint32_t pt = self->rig.ioas;
	int device = self->rig.device;

	EXPECT_EQ(0, vfio_detach(device));
	ASSERT_EQ(0, vfio_attach(device, &pt));
	arg.argsz = 7;
	EXPECT_EQ(-EINVAL, xioctl(device, detach, &arg));
	arg.argsz = sizeof(arg);
	EXPECT_EQ(-EFAULT, xioctl(device, detach, NULL));
	arg.flags = 2;
	EXPECT_EQ(-EINVAL, xioctl(device, detach, &arg));
	arg.flags = VFIO_DEVICE_DETACH_PASID;
	EXPECT_EQ(-EOPNOTSUPP, xioctl(device, detach, &arg));
	/* Still attached after those. */
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
	EXPECT_EQ(0, vfio_detach(device));
	EXPECT_EQ(0, vfio_detach(device));
	EXPECT_EQ(0, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
}

/* Attaching to an IOAS makes an HWPT, which goes when the device leaves. */
TEST_F(bound, automatic_hwpt)
{
	uint32_t pt = self->rig.ioas, again = self->rig.ioas;

	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_NE(self->rig.ioas, pt);
	EXPECT_NE(self->rig.device_id, pt);
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->rig.iommufd, pt));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
	/* Attaching to where it is changes nothing. */
	EXPECT_EQ(0, vfio_attach(self->rig.device, &again));
	EXPECT_EQ(pt, again);
	EXPECT_EQ(0, vfio_attach(self->rig.device, &again));
	EXPECT_EQ(pt, again);

	ASSERT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_EQ(-ENOENT, iommufd_destroy(self->rig.iommufd, pt));
	EXPECT_EQ(0, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
}

/* Devices of two groups behind one IOMMU have one table between them. */
TEST_F(bound, shared_hwpt)
{
	uint32_t pt = self->rig.ioas, other = self->rig.ioas, id;
	char name[PCI_NAME_LEN];
	int device;

	if (pci_find(NVME_VENDOR, NVME_DEVICE, 0, name))
		SKIP(return, "no NVMe device");
	ASSERT_EQ(0, pci_bind_driver(name, "vfio-pci"));
	ASSERT_NE(pci_group(self->rig.name), pci_group(name));
	device = pci_open_device_file(name);
	ASSERT_GE(device, 0);
	ASSERT_EQ(0, vfio_bind(device, self->rig.iommufd, &id));
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, vfio_attach(device, &other));
	EXPECT_EQ(pt, other);
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->rig.iommufd, pt));
	EXPECT_EQ(0, close(device));
	EXPECT_EQ(-ENOENT, iommufd_destroy(self->rig.iommufd, pt));
	EXPECT_EQ(0, pci_unbind_driver(name));
}

/* An HWPT of the caller's own stays until destroyed. */
TEST_F(bound, explicit_hwpt)
{
	uint32_t hwpt, pt;

	ASSERT_EQ(0, hwpt_alloc(self->rig.iommufd, 0, self->rig.device_id,
				self->rig.ioas, &hwpt));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
	pt = hwpt;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_EQ(hwpt, pt);
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->rig.iommufd, hwpt));
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_EQ(0, iommufd_destroy(self->rig.iommufd, hwpt));
	EXPECT_EQ(-ENOENT, iommufd_destroy(self->rig.iommufd, hwpt));
	EXPECT_EQ(-ENOENT, vfio_attach(self->rig.device, &pt));
	EXPECT_EQ(0, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
}

/* Dirty pages are not tracked, which is found out after all that a caller does wrong. */
TEST_F(bound, dirty_rules)
{
	struct iommu_hwpt_set_dirty_tracking track = {
		.size = sizeof(track),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
	};
	const struct {
		uint64_t iova, length, page_size;
		int rc;
	} cases[] = {
		{ 0, 4096, 4096, -EOPNOTSUPP },
		{ 4096, 1 << 20, 4096, -EOPNOTSUPP },
		{ UINT64_MAX - 4095, 4096, 4096, -EOPNOTSUPP },
		{ UINT64_MAX - 4095, 4097, 4096, -EOVERFLOW },
		{ 4096, UINT64_MAX, 4096, -EOVERFLOW },
		{ 4096, 0, 4096, -EOVERFLOW },
		{ 4096, 4096, 0, -EINVAL },
		{ 2048, 4096, 4096, -EINVAL },
		{ 4096, 2048, 4096, -EINVAL },
		{ 4096, 4096, 8192, -EINVAL },
	};
	const uint32_t wrong[] = {
		0, 1000, self->rig.ioas, self->rig.device_id,
	};
	int fd = self->rig.iommufd;
	uint32_t hwpt;
	int i;

	ASSERT_EQ(0, hwpt_alloc(fd, 0, self->rig.device_id, self->rig.ioas,
				&hwpt));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct iommu_hwpt_get_dirty_bitmap get = {
			.size = sizeof(get),
			.hwpt_id = wrong[i],
		};

		track.hwpt_id = wrong[i];
		EXPECT_EQ(-ENOENT, xioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING,
					  &track));
		EXPECT_EQ(-ENOENT, xioctl(fd, IOMMU_HWPT_GET_DIRTY_BITMAP,
					  &get));
	}
	track.hwpt_id = hwpt;
	EXPECT_EQ(-EOPNOTSUPP, xioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING,
				      &track));
	track.flags = 0;
	EXPECT_EQ(-EOPNOTSUPP, xioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING,
				      &track));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iommu_hwpt_get_dirty_bitmap get = {
			.size = sizeof(get),
			.hwpt_id = hwpt,
			.iova = cases[i].iova,
			.length = cases[i].length,
			.page_size = cases[i].page_size,
		};

		EXPECT_EQ(cases[i].rc, xioctl(fd, IOMMU_HWPT_GET_DIRTY_BITMAP,
					      &get)) {
			TH_LOG("case %d", i);
		}
	}
}

/* What HWPT_ALLOC refuses. */
TEST_F(bound, hwpt_alloc_rules)
{
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg),
		.dev_id = self->rig.device_id,
		.pt_id = self->rig.ioas,
	};
	int fd = self->rig.iommufd;
	uint32_t hwpt;

	EXPECT_EQ(-EOPNOTSUPP,
		  hwpt_alloc(fd, IOMMU_HWPT_ALLOC_NEST_PARENT, arg.dev_id,
			     arg.pt_id, &hwpt));
	EXPECT_EQ(-EOPNOTSUPP,
		  hwpt_alloc(fd, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, arg.dev_id,
			     arg.pt_id, &hwpt));
	EXPECT_EQ(-EOPNOTSUPP,
		  hwpt_alloc(fd, IOMMU_HWPT_ALLOC_PASID, arg.dev_id, arg.pt_id,
			     &hwpt));
	EXPECT_EQ(-EOPNOTSUPP,
		  hwpt_alloc(fd, 1U << 31, arg.dev_id, arg.pt_id, &hwpt));
	EXPECT_EQ(-ENOENT, hwpt_alloc(fd, 0, 1000, arg.pt_id, &hwpt));
	EXPECT_EQ(-ENOENT, hwpt_alloc(fd, 0, arg.pt_id, arg.pt_id, &hwpt));
	EXPECT_EQ(-EINVAL, hwpt_alloc(fd, 0, arg.dev_id, 1000, &hwpt));
	EXPECT_EQ(-EINVAL, hwpt_alloc(fd, 0, arg.dev_id, arg.dev_id, &hwpt));

	/* Mainline never looked at this one, and programs may not clear it. */
	arg.__reserved2 = 1;
	EXPECT_EQ(0, xioctl(fd, IOMMU_HWPT_ALLOC, &arg));
	EXPECT_EQ(0, iommufd_destroy(fd, arg.out_hwpt_id));
	arg.__reserved2 = 0;

	/* Data without a type, and a type without data. */
	arg.data_len = 8;
	EXPECT_EQ(-EINVAL, xioctl(fd, IOMMU_HWPT_ALLOC, &arg));
	arg.data_len = 0;
	arg.data_type = IOMMU_HWPT_DATA_VTD_S1;
	EXPECT_EQ(-EINVAL, xioctl(fd, IOMMU_HWPT_ALLOC, &arg));
	arg.data_len = 24;
	arg.data_uptr = (uintptr_t)self->memory;
	EXPECT_EQ(-EOPNOTSUPP, xioctl(fd, IOMMU_HWPT_ALLOC, &arg));
	EXPECT_EQ(0, iommufd_destroy(fd, self->rig.ioas));
}

/* What QEMU asks about the IOMMU of each device. */
TEST_F(bound, hw_info)
{
	struct iommu_hw_info info;
	unsigned char data[64];
	size_t i;

	memset(data, 0xa5, sizeof(data));
	ASSERT_EQ(0, hw_info(self->rig.iommufd, self->rig.device_id, data, 48,
			     &info));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_NONE, info.out_data_type);
	EXPECT_EQ(0, info.data_len);
	EXPECT_EQ(0, info.out_max_pasid_log2);
	EXPECT_EQ(0, info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING);
	for (i = 0; i < sizeof(data); i++)
		ASSERT_EQ(i < 48 ? 0 : 0xa5, data[i]);

	EXPECT_EQ(0, hw_info(self->rig.iommufd, self->rig.device_id, NULL, 0,
			     &info));
	EXPECT_EQ(-EFAULT, hw_info(self->rig.iommufd, self->rig.device_id,
				   NULL, 8, &info));
	EXPECT_EQ(-ENOENT, hw_info(self->rig.iommufd, self->rig.ioas, NULL, 0,
				   &info));
}

/* An attached device takes the ranges that it cannot use, and gives them back. */
TEST_F(bound, ranges_narrow)
{
	struct iommu_iova_range ranges[16];
	uint32_t count = 16, pt = self->rig.ioas;
	int fd = self->rig.iommufd;
	uint64_t alignment, last, iova;
	uint32_t i;

	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, ioas_ranges(fd, self->rig.ioas, ranges, &count,
				 &alignment));
	ASSERT_GE(count, 2);
	ASSERT_LE(count, 16);
	EXPECT_EQ(PAGE, alignment);
	for (i = 0; i < count; i++) {
		EXPECT_LT(ranges[i].start, ranges[i].last);
		if (i)
			EXPECT_GT(ranges[i].start, ranges[i - 1].last);
		/* The window of message-signalled interrupts. */
		EXPECT_TRUE(ranges[i].last < MSI ||
			    ranges[i].start > MSI + 0xfffff);
	}
	EXPECT_EQ(MSI - 1, ranges[0].last);
	last = ranges[count - 1].last;

	EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW,
				       self->memory, PAGE, MSI));
	EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW,
				       self->memory, 2 * PAGE, MSI - PAGE));
	/* The end of what the IOMMU translates; an AMD one has none. */
	if (last != UINT64_MAX) {
		EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW,
					       self->memory, PAGE, last + 1));
		EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW,
					       self->memory, 2 * PAGE,
					       last + 1 - PAGE));
	}
	EXPECT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				 PAGE, last + 1 - PAGE));
	EXPECT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				 PAGE, MSI - PAGE));
	/* Alignment is now a page's. */
	EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW,
				       self->memory, PAGE, 0x10800));
	EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW,
				       self->memory, PAGE / 2, 0x10000));
	EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW,
				       self->memory + 1, PAGE, 0x10000));
	iova = 0;
	EXPECT_EQ(-EINVAL, ioas_map(fd, self->rig.ioas, MAP_RW,
				    self->memory + 1, PAGE, &iova));

	ASSERT_EQ(0, vfio_detach(self->rig.device));
	count = 16;
	ASSERT_EQ(0, ioas_ranges(fd, self->rig.ioas, ranges, &count,
				 &alignment));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0, ranges[0].start);
	EXPECT_EQ(UINT64_MAX, ranges[0].last);
}

/* What is mapped or reserved already keeps a device out that cannot have it. */
TEST_F(bound, attach_refused)
{
	struct iommu_iova_range around_msi = { MSI - PAGE, MSI + PAGE };
	int fd = self->rig.iommufd;
	uint32_t pt;

	ASSERT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				 PAGE, MSI));
	pt = self->rig.ioas;
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, ioas_unmap(fd, self->rig.ioas, MSI, PAGE, NULL));

	ASSERT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				 PAGE, UINT64_MAX - PAGE + 1));
	pt = self->rig.ioas;
	/* An AMD IOMMU translates every address. */
	EXPECT_EQ(machine_has_amd() ? 0 : -EADDRINUSE,
		  vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	ASSERT_EQ(0, ioas_unmap(fd, self->rig.ioas, UINT64_MAX - PAGE + 1,
				PAGE, NULL));

	ASSERT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory, 64,
				 0x10000));
	pt = self->rig.ioas;
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, ioas_unmap(fd, self->rig.ioas, 0x10000, 64, NULL));

	ASSERT_EQ(0, ioas_allow(fd, self->rig.ioas, &around_msi, 1));
	pt = self->rig.ioas;
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, ioas_allow(fd, self->rig.ioas, NULL, 0));

	/* None of the refusals left anything behind. */
	pt = self->rig.ioas;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_EQ(-EADDRINUSE, ioas_allow(fd, self->rig.ioas, &around_msi, 1));
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_EQ(0, ioas_allow(fd, self->rig.ioas, &around_msi, 1));
}

/* Memory that is not there keeps a device out, and nothing stays pinned. */
TEST_F(bound, attach_with_bad_memory)
{
	int fd = self->rig.iommufd;
	long pins = census_pins();
	uint32_t pt = self->rig.ioas;

	memset(self->memory, 1, 16 * PAGE);
	ASSERT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				 8 * PAGE, 0x10000));
	ASSERT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW,
				 self->memory + 8 * PAGE, 8 * PAGE, 0x40000));
	ASSERT_EQ(0, munmap(self->memory + 15 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, vfio_attach(self->rig.device, &pt));
	EXPECT_TRUE(census_settles(pins));
	ASSERT_EQ(0, ioas_unmap(fd, self->rig.ioas, 0x40000, 8 * PAGE, NULL));
	pt = self->rig.ioas;
	EXPECT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_TRUE(census_settles(pins + 8));
	EXPECT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_TRUE(census_settles(pins));
}

/* HUGE_PAGES cannot be switched off under mappings that a device reaches. */
TEST_F(bound, huge_pages_option)
{
	const uint32_t huge = IOMMU_OPTION_HUGE_PAGES;
	uint32_t ioas = self->rig.ioas, pt = ioas;
	int fd = self->rig.iommufd;
	uint64_t value;

	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, ioas_map_at(fd, ioas, MAP_RW, self->memory, PAGE,
				 0x10000));
	EXPECT_EQ(-EINVAL, iommufd_option_set(fd, huge, ioas, 0));
	EXPECT_EQ(0, iommufd_option_set(fd, huge, ioas, 1));
	EXPECT_EQ(0, iommufd_option_get(fd, huge, ioas, &value));
	EXPECT_EQ(1, value);
	ASSERT_EQ(0, ioas_unmap(fd, ioas, 0x10000, PAGE, NULL));
	EXPECT_EQ(0, iommufd_option_set(fd, huge, ioas, 0));
	EXPECT_EQ(0, ioas_map_at(fd, ioas, MAP_RW, self->memory, 16 * PAGE,
				 0x10000));
	EXPECT_EQ(0, iommufd_option_set(fd, huge, ioas, 0));
}

TEST_HARNESS_MAIN
