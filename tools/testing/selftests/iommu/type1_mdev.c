// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VFIO container of type 1 whose devices do no DMA themselves: nothing is pinned
 * but what a driver asks for, and only that counts as written. As in type1.c,
 * the stock modules meet the same expectations.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/mock.h"
#include "lib/skip.h"
#include "lib/type1.h"
#include "lib/way.h"

#define PAGE	4096UL
#define PAGES	128
#define SIZE	(PAGES * PAGE)
#define AT	0x10000000UL

/* An odd one opens without a virtual machine. */
#define NR	1
#define PIN	(MOCK_WRITE | MOCK_AT_ONCE)

FIXTURE(mdev)
{
	struct way way;
	int c;
	int device;
	unsigned char *memory;
	long pins;
};

FIXTURE_SETUP(mdev)
{
	const char *missing = mock_missing();

	if (missing)
		SKIP(return, "%s", missing);
	self->pins = census_pins();
	ASSERT_EQ(0, way_open_mdev(&self->way, WAY_GROUP, NR));
	self->c = self->way.space;
	self->device = self->way.device;
	self->memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, self->memory);
	memset(self->memory, 0, SIZE);
}

FIXTURE_TEARDOWN(mdev)
{
	STOP_IF_SKIPPED();
	way_close(&self->way);
	EXPECT_TRUE(census_settles(self->pins));
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
	EXPECT_EQ(-EFAULT, mock_pin(self->device, AT, 1, PIN));
	EXPECT_EQ(type1_is_stock() ? -EINVAL : -ENOENT,
		  mock_pin(self->device, AT + PAGE, 1, PIN));
}

/* A driver is told to let go before memory is unmapped. */
TEST_F(mdev, unmap_pinned)
{
	struct mock_state state;
	uint64_t size = SIZE;

	ASSERT_EQ(0, container_map(self->c, DMA_RW, self->memory, SIZE, AT));
	ASSERT_EQ(2, mock_pin(self->device, AT + 3 * PAGE, 2, PIN));
	EXPECT_TRUE(census_settles(self->pins + 2));
	ASSERT_EQ(0, container_unmap(self->c, 0, AT, &size));
	EXPECT_EQ(SIZE, size);
	EXPECT_TRUE(census_settles(self->pins));
	ASSERT_EQ(0, mock_state(self->device, &state));
	EXPECT_EQ(0, state.pinned);
	EXPECT_EQ(1, state.unmap_calls);
}

/* Nor can such a group join while a driver could not pin what is mapped. */
TEST(joins_with_addresses)
{
	const char *missing = mock_missing();
	struct type1 t;
	uint64_t size = SIZE;
	void *memory;
	int group;

	if (missing)
		SKIP(return, "%s", missing);
	EDU_SETUP(type1_set(&t, VFIO_TYPE1v2_IOMMU));
	memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, memory);
	group = mock_open_group(MOCK_MDEV, NR);
	ASSERT_GE(group, 0);
	ASSERT_EQ(0, container_map(t.container, DMA_RW, memory, SIZE, AT));
	ASSERT_EQ(0, container_unmap(t.container, VFIO_DMA_UNMAP_FLAG_VADDR, AT,
				     &size));
	EXPECT_EQ(SIZE, size);
	EXPECT_EQ(-EBUSY, group_set_container(group, t.container));
	ASSERT_EQ(0, container_map(t.container, VFIO_DMA_MAP_FLAG_VADDR, memory,
				   SIZE, AT));
	EXPECT_EQ(0, group_set_container(group, t.container));
	close(group);
	type1_close(&t);
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
	ASSERT_EQ(1, mock_pin(d, AT + PAGE, 1, PIN));
	ASSERT_EQ(1, mock_pin(d, AT + 2 * PAGE, 1, PIN));
	ASSERT_EQ(0, mock_rw(d, AT + 5 * PAGE, data, 1, MOCK_WRITE));
	/* From here on */
	ASSERT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	ASSERT_EQ(0, mock_unpin(d, AT + 2 * PAGE, 1));
	ASSERT_EQ(1, mock_pin(d, AT + 70 * PAGE, 1, PIN));
	ASSERT_EQ(0, mock_unpin(d, AT + 70 * PAGE, 1));
	ASSERT_EQ(0, mock_rw(d, AT + 101 * PAGE - 1, data, 2, MOCK_WRITE));
	ASSERT_EQ(0, mock_rw(d, AT + 110 * PAGE, data, PAGE, 0));
	ASSERT_EQ(0, bits_of(c, bits));
	EXPECT_EQ(0x6ULL, bits[0]);
	EXPECT_EQ(1ULL << 6 | 3ULL << 36, bits[1]);
	/* What is over is told once. */
	ASSERT_EQ(0, bits_of(c, bits));
	EXPECT_EQ(0x2ULL, bits[0]);
	EXPECT_EQ(0, bits[1]);
	ASSERT_EQ(0, mock_unpin(d, AT + PAGE, 1));
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
	ASSERT_EQ(1, mock_pin(self->device, AT + 64 * PAGE, 1, PIN));
	ASSERT_EQ(0, mock_rw(self->device, AT, &byte, 1, MOCK_WRITE));
	ASSERT_EQ(0, container_unmap_bitmap(self->c, AT, &size, PAGE, bits,
					    16));
	EXPECT_EQ(SIZE, size);
	EXPECT_EQ(1, bits[0]);
	EXPECT_EQ(1, bits[1]);
	EXPECT_EQ(1, self->memory[0]);
	EXPECT_TRUE(census_settles(self->pins));
}

/* Pages 0 to 191 are mapped, then only 100 to 128 are */
#define BEFORE	192
#define FIRST	100
#define AFTER	29

struct swap {
	FIXTURE_DATA(mdev) *self;
	uint32_t ioas;
	void *memory;
	int faults;
	int rc;
};

/* Answers the fault of the kernel at a word of the bitmap, after the change */
static void *swap_mappings(void *arg)
{
	struct uffdio_zeropage zero = { };
	struct swap *swap = arg;
	int c = swap->self->c;
	struct uffd_msg msg;

	if (read(swap->faults, &msg, sizeof(msg)) != sizeof(msg)) {
		swap->rc = -errno;
		return NULL;
	}
	swap->rc = ioas_unmap(c, swap->ioas, AT, BEFORE * PAGE, NULL);
	if (!swap->rc)
		swap->rc = ioas_map_at(c, swap->ioas, MAP_RW, swap->memory,
				       AFTER * PAGE, AT + FIRST * PAGE);
	if (!swap->rc)
		swap->rc = mock_pin(swap->self->device, AT + FIRST * PAGE, 1,
				    PIN) == 1 ? 0 : -EIO;
	zero.range.start = msg.arg.pagefault.address & -PAGE;
	zero.range.len = PAGE;
	if (ioctl(swap->faults, UFFDIO_ZEROPAGE, &zero) && !swap->rc)
		swap->rc = -errno;
	return NULL;
}

/*
 * While the bitmap of a mapping is written, a shorter one takes its place: what lies
 * behind the bits of that is neither told nor cleared.
 */
TEST_F(mdev, dirty_of_another)
{
	struct uffdio_register missing = {
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	struct swap swap = { .self = self };
	pthread_t thread;
	uint64_t *bits;
	char *bitmap;

	if (type1_is_stock())
		SKIP(return, "the stock modules do not let mappings change meanwhile");
	swap.memory = memory_anonymous(BEFORE * PAGE);
	ASSERT_NE(NULL, swap.memory);
	/* The first word on a page that is there, the others on one that is not */
	bitmap = memory_of_pages(2 * PAGE);
	ASSERT_NE(NULL, bitmap);
	memset(bitmap, 0, PAGE);
	bits = (uint64_t *)(bitmap + PAGE) - 1;
	swap.faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	ASSERT_GE(swap.faults, 0);
	ASSERT_EQ(0, ioctl(swap.faults, UFFDIO_API, &api));
	missing.range.start = (unsigned long)bitmap + PAGE;
	missing.range.len = PAGE;
	ASSERT_EQ(0, ioctl(swap.faults, UFFDIO_REGISTER, &missing));

	ASSERT_EQ(0, container_map(self->c, DMA_RW, swap.memory, BEFORE * PAGE,
				   AT));
	ASSERT_EQ(0, vfio_ioas(self->c, IOMMU_VFIO_IOAS_GET, &swap.ioas));
	ASSERT_EQ(0, container_dirty(self->c,
				     VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	ASSERT_EQ(1, mock_pin(self->device, AT, 1, PIN));
	ASSERT_EQ(0, pthread_create(&thread, NULL, swap_mappings, &swap));
	EXPECT_EQ(0, container_get_bitmap(self->c, AT, BEFORE * PAGE, PAGE,
					  bits, 24));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, swap.rc);
	EXPECT_EQ(1, bits[0]);
	EXPECT_EQ(0, bits[1]);
	EXPECT_EQ(0, bits[2]);
	close(swap.faults);
}

TEST_HARNESS_MAIN
