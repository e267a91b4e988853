// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VFIO container of type 1 whose devices do no DMA themselves: nothing is pinned
 * but what a driver asks for, and only that counts as written. As in type1.c,
 * the stock modules meet the same expectations.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/sysfs.h"
#include "lib/type1.h"
#include "mock/iommufd_mock.h"

#define PAGE	4096UL
#define PAGES	128
#define SIZE	(PAGES * PAGE)
#define AT	0x10000000UL

/* An odd one opens without a virtual machine. */
#define NAME	"iommufd_mock_mdev.1"
#define SYSFS	"/sys/bus/platform/devices/" NAME

static const char *load_mock(void)
{
	int fd, rc;

	if (!access(SYSFS, F_OK))
		return NULL;
	fd = open("mock/iommufd_mock.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "mock/iommufd_mock.ko is not there";
	rc = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return rc || access(SYSFS, F_OK) ? "mock/iommufd_mock.ko does not load"
					 : NULL;
}

FIXTURE(mdev)
{
	int c;
	int group;
	int device;
	unsigned char *memory;
	long pins;
};

FIXTURE_SETUP(mdev)
{
	const char *missing = load_mock();

	self->group = -1;
	self->c = -1;
	self->device = -1;
	self->pins = census_pins();
	if (missing)
		SKIP(return, "%s", missing);
	self->c = container_open();
	ASSERT_GE(self->c, 0);
	self->group = sysfs_open_group(SYSFS);
	ASSERT_GE(self->group, 0);
	ASSERT_EQ(0, group_set_container(self->group, self->c));
	ASSERT_EQ(0, container_set_iommu(self->c, VFIO_TYPE1v2_IOMMU));
	self->device = group_device(self->group, NAME);
	ASSERT_GE(self->device, 0);
	self->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	memset(self->memory, 0, SIZE);
}

FIXTURE_TEARDOWN(mdev)
{
	close(self->device);
	close(self->group);
	close(self->c);
	EXPECT_TRUE(census_settles(self->pins));
}

static int pages(int device, unsigned long number, uint64_t iova, uint32_t n)
{
	struct mock_pages arg = {
		.iova = iova,
		.npage = n,
		.flags = MOCK_WRITE | MOCK_AT_ONCE,
	};
	int rc = ioctl(device, number, &arg);

	return rc < 0 ? -errno : rc;
}

static int copy(int device, uint64_t iova, void *data, uint32_t length,
		uint32_t flags)
{
	struct mock_copy arg = {
		.iova = iova,
		.data = (uintptr_t)data,
		.length = length,
		.flags = flags,
	};

	return ioctl(device, MOCK_RW, &arg) < 0 ? -errno : 0;
}

TEST_F(mdev, extensions)
{
	EXPECT_EQ(1, container_extension(self->c, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, container_extension(self->c, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(0, container_extension(self->c, VFIO_UPDATE_VADDR));
}

/* There is no IOMMU to say what may be mapped. */
TEST_F(mdev, info)
{
	struct {
		struct vfio_iommu_type1_info head;
		char capabilities[256];
	} info;
	uint64_t size = PAGE;

	ASSERT_EQ(0, container_info(self->c, &info.head, sizeof(info)));
	EXPECT_EQ(-PAGE, info.head.iova_pgsizes);
	EXPECT_NE(NULL, container_capability(&info.head,
				VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION));
	EXPECT_NE(NULL, container_capability(&info.head,
				VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL));
	EXPECT_EQ(NULL, container_capability(&info.head,
				VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE));
	EXPECT_EQ(0, container_map(self->c, DMA_RW, self->memory, PAGE,
				   0xfee00000));
	EXPECT_EQ(0, container_map(self->c, DMA_RW, self->memory, PAGE,
				   1UL << 60));
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(-EBUSY, container_unmap(self->c, VFIO_DMA_UNMAP_FLAG_VADDR,
					  1UL << 60, &size));
}

/* Memory need not be there as long as nobody uses it. */
TEST_F(mdev, no_memory)
{
	ASSERT_EQ(0, container_map(self->c, DMA_RW, NULL, PAGE, AT));
	EXPECT_EQ(-EFAULT, pages(self->device, MOCK_PIN, AT, 1));
	EXPECT_EQ(type1_is_stock() ? -EINVAL : -ENOENT,
		  pages(self->device, MOCK_PIN, AT + PAGE, 1));
}

/* A driver is told to let go before memory is unmapped. */
TEST_F(mdev, unmap_pinned)
{
	struct mock_state state;
	uint64_t size = SIZE;

	ASSERT_EQ(0, container_map(self->c, DMA_RW, self->memory, SIZE, AT));
	ASSERT_EQ(2, pages(self->device, MOCK_PIN, AT + 3 * PAGE, 2));
	EXPECT_TRUE(census_settles(self->pins + 2));
	ASSERT_EQ(0, container_unmap(self->c, 0, AT, &size));
	EXPECT_EQ(SIZE, size);
	EXPECT_TRUE(census_settles(self->pins));
	ASSERT_EQ(0, ioctl(self->device, MOCK_STATE, &state));
	EXPECT_EQ(0, state.pinned);
	EXPECT_EQ(1, state.unmap_calls);
}

static int bits_of(int container, uint64_t bits[2])
{
	bits[0] = 0;
	bits[1] = 0;
	return container_get_bitmap(container, AT, SIZE, PAGE, bits, 16);
}

/* Pinned is written as long as it lasts, and once more after that. */
TEST_F(mdev, dirty)
{
	unsigned char data[2 * PAGE] = {};
	uint64_t bits[2];
	int d = self->device;
	int c = self->c;

	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE, AT));
	ASSERT_EQ(1, pages(d, MOCK_PIN, AT + PAGE, 1));
	ASSERT_EQ(1, pages(d, MOCK_PIN, AT + 2 * PAGE, 1));
	ASSERT_EQ(0, copy(d, AT + 5 * PAGE, data, 1, MOCK_WRITE));
	/* From here on */
	ASSERT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	ASSERT_EQ(0, pages(d, MOCK_UNPIN, AT + 2 * PAGE, 1));
	ASSERT_EQ(1, pages(d, MOCK_PIN, AT + 70 * PAGE, 1));
	ASSERT_EQ(0, pages(d, MOCK_UNPIN, AT + 70 * PAGE, 1));
	ASSERT_EQ(0, copy(d, AT + 101 * PAGE - 1, data, 2, MOCK_WRITE));
	ASSERT_EQ(0, copy(d, AT + 110 * PAGE, data, PAGE, 0));
	ASSERT_EQ(0, bits_of(c, bits));
	EXPECT_EQ(0x6ULL, bits[0]);
	EXPECT_EQ(1ULL << 6 | 3ULL << 36, bits[1]);
	/* What is over is told once. */
	ASSERT_EQ(0, bits_of(c, bits));
	EXPECT_EQ(0x2ULL, bits[0]);
	EXPECT_EQ(0, bits[1]);
	ASSERT_EQ(0, pages(d, MOCK_UNPIN, AT + PAGE, 1));
	ASSERT_EQ(0, bits_of(c, bits));
	EXPECT_EQ(0x2ULL, bits[0]);
	ASSERT_EQ(0, bits_of(c, bits));
	EXPECT_EQ(0, bits[0]);
}

TEST_F(mdev, dirty_unmap)
{
	uint64_t bits[2] = {};
	uint64_t size = SIZE;
	char byte = 1;

	ASSERT_EQ(0, container_dirty(self->c,
				     VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	ASSERT_EQ(0, container_map(self->c, DMA_RW, self->memory, SIZE, AT));
	ASSERT_EQ(1, pages(self->device, MOCK_PIN, AT + 64 * PAGE, 1));
	ASSERT_EQ(0, copy(self->device, AT, &byte, 1, MOCK_WRITE));
	ASSERT_EQ(0, container_unmap_bitmap(self->c, AT, &size, PAGE, bits,
					    16));
	EXPECT_EQ(SIZE, size);
	EXPECT_EQ(1, bits[0]);
	EXPECT_EQ(1, bits[1]);
	EXPECT_EQ(1, self->memory[0]);
	EXPECT_TRUE(census_settles(self->pins));
}

TEST_HARNESS_MAIN
