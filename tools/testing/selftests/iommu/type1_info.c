// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VFIO container of type 1 tells: its address ranges, what may have been
 * written to, and what becomes of mappings whose process is replaced. As in
 * type1.c, the stock modules meet the same expectations.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/type1.h"

#define PAGE	4096UL
#define PAGES	256
#define SIZE	(PAGES * PAGE)
#define AT	0x10000000UL
#define LENGTH	1024
#define WORDS	16
#define RANGES	32

/* A bitmap may describe this much memory. */
#define BITMAP_MAX	(1UL << 28)

struct information {
	struct vfio_iommu_type1_info head;
	char capabilities[2048];
};

FIXTURE(info)
{
	struct type1 t;
	int c;
	unsigned char *memory;
	long pins;
};

static unsigned char *map_memory(int flags)
{
	unsigned char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				     flags | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, SIZE, MADV_NOHUGEPAGE);
	memset(memory, 0, SIZE);
	return memory;
}

FIXTURE_SETUP(info)
{
	EDU_SETUP(type1_set(&self->t, VFIO_TYPE1v2_IOMMU));
	self->c = self->t.container;
	self->memory = map_memory(MAP_PRIVATE);
	ASSERT_NE(NULL, self->memory);
	self->pins = census_pins();
}

FIXTURE_TEARDOWN(info)
{
	type1_close(&self->t);
	EXPECT_TRUE(census_settles(self->pins));
}

static int64_t unmap(int container, uint32_t flags, uint64_t iova,
		     uint64_t size)
{
	int rc = container_unmap(container, flags, iova, &size);

	return rc ? rc : (int64_t)size;
}

/* The argument may be of the size before there were capabilities. */
TEST_F(info, sizes)
{
	struct information info;
	uint32_t needed;

	EXPECT_EQ(-1, ioctl(self->c, VFIO_IOMMU_GET_INFO, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-EINVAL, container_info(self->c, &info.head, 15));

	ASSERT_EQ(0, container_info(self->c, &info.head, 16));
	EXPECT_EQ(VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
		  info.head.flags);
	needed = info.head.argsz;
	EXPECT_LT(16, needed);
	EXPECT_NE(0, info.head.iova_pgsizes & PAGE);
	EXPECT_EQ(0, info.head.iova_pgsizes & (PAGE - 1));

	ASSERT_EQ(0, container_info(self->c, &info.head, needed - 1));
	EXPECT_EQ(needed, info.head.argsz);
	EXPECT_EQ(0, info.head.cap_offset);
	ASSERT_EQ(0, container_info(self->c, &info.head, needed));
	EXPECT_EQ(needed, info.head.argsz);
	EXPECT_EQ(sizeof(info.head), info.head.cap_offset);
	/* Room to spare is left alone. */
	ASSERT_EQ(0, container_info(self->c, &info.head, sizeof(info)));
	EXPECT_EQ(sizeof(info), info.head.argsz);
	EXPECT_EQ(0, info.capabilities[needed - sizeof(info.head)]);
}

TEST_F(info, capabilities)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct vfio_iommu_type1_info_cap_migration *mig;
	struct vfio_iommu_type1_info_dma_avail *avail;
	struct information info;
	uint32_t at = sizeof(info.head);

	ASSERT_EQ(0, container_info(self->c, &info.head, sizeof(info)));
	/* Their order and places, packed as they have always been */
	mig = (void *)((char *)&info + at);
	EXPECT_EQ(VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, mig->header.id);
	EXPECT_EQ(1, mig->header.version);
	EXPECT_EQ(0, mig->flags);
	EXPECT_EQ(PAGE, mig->pgsize_bitmap);
	EXPECT_EQ(BITMAP_MAX, mig->max_dirty_bitmap_size);
	at += sizeof(*mig);
	ASSERT_EQ(at, mig->header.next);
	avail = (void *)((char *)&info + at);
	EXPECT_EQ(VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, avail->header.id);
	EXPECT_EQ(1, avail->header.version);
	EXPECT_EQ(type1_is_stock() ? 65535 : UINT32_MAX, avail->avail);
	at += sizeof(*avail);
	ASSERT_EQ(at, avail->header.next);
	ranges = (void *)((char *)&info + at);
	EXPECT_EQ(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, ranges->header.id);
	EXPECT_EQ(1, ranges->header.version);
	EXPECT_EQ(0, ranges->header.next);
	at += sizeof(*ranges) + ranges->nr_iovas * sizeof(ranges->iova_ranges[0]);
	ASSERT_EQ(0, container_info(self->c, &info.head, 16));
	EXPECT_EQ(at, info.head.argsz);

	ASSERT_EQ(0, container_map(self->c, DMA_RW, self->memory, SIZE, AT));
	ASSERT_EQ(0, container_info(self->c, &info.head, sizeof(info)));
	avail = container_capability(&info.head,
				     VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	ASSERT_NE(NULL, avail);
	EXPECT_EQ(type1_is_stock() ? 65534 : UINT32_MAX, avail->avail);
}

/* What the device's IOMMU group reserves, in the order of addresses. */
static int reserved_regions(const char *name, struct vfio_iova_range *regions)
{
	char path[64], type[32];
	long long start, end;
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path),
		 "/sys/kernel/iommu_groups/%d/reserved_regions",
		 pci_group(name));
	file = fopen(path, "r");
	if (!file)
		return -errno;
	while (n < RANGES &&
	       fscanf(file, "%lli %lli %31s", &start, &end, type) == 3) {
		if (!strcmp(type, "direct-relaxable"))
			continue;
		regions[n].start = start;
		regions[n++].end = end;
	}
	fclose(file);
	return n;
}

/* What may be mapped is the aperture without what is reserved. */
TEST_F(info, ranges)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	struct vfio_iova_range regions[RANGES];
	struct information info;
	uint64_t from = 0, last;
	int count, i, n = 0;

	count = reserved_regions(self->t.name, regions);
	ASSERT_GT(count, 0);
	ASSERT_EQ(0, container_info(self->c, &info.head, sizeof(info)));
	cap = container_capability(&info.head,
				   VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, cap);
	last = cap->iova_ranges[cap->nr_iovas - 1].end;
	/* The aperture is of whole bits, unless it ends in what is reserved. */
	for (i = 0; i < count && regions[i].start <= last; i++) {
		if (regions[i].start > from) {
			ASSERT_LT(n, cap->nr_iovas);
			EXPECT_EQ(from, cap->iova_ranges[n].start);
			EXPECT_EQ(regions[i].start - 1,
				  cap->iova_ranges[n].end);
			n++;
		}
		from = regions[i].end + 1;
	}
	if (n < cap->nr_iovas) {
		EXPECT_EQ(from, cap->iova_ranges[n].start);
		EXPECT_EQ(0, last & (last + 1));
		n++;
	}
	EXPECT_EQ(n, cap->nr_iovas);

	/* And it is true. */
	for (i = 0; i < cap->nr_iovas; i++) {
		struct vfio_iova_range *range = &cap->iova_ranges[i];

		EXPECT_EQ(0, container_map(self->c, DMA_RW, self->memory, PAGE,
					   range->start));
		if (range->end == UINT64_MAX)
			continue;
		EXPECT_EQ(0, container_map(self->c, DMA_RW, self->memory, PAGE,
					   range->end - PAGE + 1));
		EXPECT_EQ(-EINVAL, container_map(self->c, DMA_RW, self->memory,
						 PAGE, range->end + 1));
	}
}

/* Without a request nothing is told. */
TEST_F(info, dirty_arguments)
{
	struct vfio_iommu_type1_dirty_bitmap arg = { .argsz = sizeof(arg) };
	uint64_t bits[WORDS] = {};
	uint64_t size = SIZE;
	int c = self->c;

	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE, AT));
	EXPECT_EQ(-1, ioctl(c, VFIO_IOMMU_DIRTY_PAGES, NULL));
	EXPECT_EQ(EFAULT, errno);
	arg.argsz = 7;
	EXPECT_EQ(-1, ioctl(c, VFIO_IOMMU_DIRTY_PAGES, &arg));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EINVAL, container_dirty(c, 8));
	EXPECT_EQ(-EINVAL, container_dirty(c,
			VFIO_IOMMU_DIRTY_PAGES_FLAG_START |
			VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
	EXPECT_EQ(-EINVAL, container_dirty(c,
			VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP));
	EXPECT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));

	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE, PAGE, bits,
						sizeof(bits)));
	EXPECT_EQ(-EINVAL, container_unmap_bitmap(c, AT, &size, PAGE, bits,
						  sizeof(bits)));
	ASSERT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	EXPECT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));

	/* The page size, the bitmap's size, the range */
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE, 2 * PAGE, bits,
						sizeof(bits)));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE, PAGE, bits, 0));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE, PAGE, bits,
						PAGES / 8 - 1));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE, PAGE, bits,
						BITMAP_MAX + 8));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, 0, PAGE, bits,
						sizeof(bits)));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT + 1, SIZE, PAGE, bits,
						sizeof(bits)));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE + 1, PAGE, bits,
						sizeof(bits)));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, -PAGE, 2 * PAGE, PAGE, bits,
						sizeof(bits)));
	/* A mapping is told of whole. */
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT + PAGE, SIZE, PAGE, bits,
						sizeof(bits)));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE - PAGE, PAGE, bits,
						sizeof(bits)));
	EXPECT_EQ(-EFAULT, container_get_bitmap(c, AT, SIZE, PAGE, NULL,
						sizeof(bits)));
	EXPECT_EQ(0, container_get_bitmap(c, AT, SIZE, PAGE, bits,
					  PAGES / 8));
	EXPECT_EQ(~0ULL, bits[0]);
	EXPECT_EQ(~0ULL, bits[3]);
	EXPECT_EQ(0, bits[4]);
	EXPECT_EQ(0, container_get_bitmap(c, AT + SIZE, SIZE, PAGE, bits,
					  sizeof(bits)));
	ASSERT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
	EXPECT_EQ(-EINVAL, container_get_bitmap(c, AT, SIZE, PAGE, bits,
						sizeof(bits)));
}

/*
 * Mappings that do not begin at a multiple of 64 pages. The device could have
 * written to all of it; a word in which a mapping begins keeps its other bits, and
 * words without a mapping are left alone.
 */
TEST_F(info, dirty_bits)
{
	uint64_t bits[WORDS];
	int c = self->c;

	memset(bits, 0xaa, sizeof(bits));
	ASSERT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	/* Pages 3 to 5, 62 to 65, 68 and 320 to 383 of the range */
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, 3 * PAGE,
				   AT + 3 * PAGE));
	ASSERT_EQ(0, container_map(c, DMA_READ, self->memory, 4 * PAGE,
				   AT + 62 * PAGE));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, PAGE,
				   AT + 68 * PAGE));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, 64 * PAGE,
				   AT + 320 * PAGE));
	ASSERT_EQ(0, container_get_bitmap(c, AT, WORDS * 64 * PAGE, PAGE, bits,
					  sizeof(bits)));
	EXPECT_EQ(0xeaaaaaaaaaaaaabaULL, bits[0]);
	EXPECT_EQ(0x13ULL, bits[1]);
	EXPECT_EQ(0xaaaaaaaaaaaaaaaaULL, bits[2]);
	EXPECT_EQ(0xaaaaaaaaaaaaaaaaULL, bits[4]);
	EXPECT_EQ(~0ULL, bits[5]);
	EXPECT_EQ(0xaaaaaaaaaaaaaaaaULL, bits[6]);
	/* As long as it is mapped it counts. */
	memset(bits, 0, sizeof(bits));
	ASSERT_EQ(0, container_get_bitmap(c, AT + 64 * PAGE - 2 * PAGE,
					  4 * PAGE, PAGE, bits, 8));
	/* The stock one has remembered what is behind it from the last time. */
	EXPECT_EQ(0xfULL, bits[0] & (type1_is_stock() ? 0xf : ~0ULL));
}

TEST_F(info, dirty_unmap)
{
	uint64_t bits[WORDS] = {};
	uint64_t size = 64 * PAGE;
	int c = self->c;

	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, 3 * PAGE,
				   AT + 3 * PAGE));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, PAGE,
				   AT + 60 * PAGE));
	ASSERT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	/* One that is refused changes nothing */
	EXPECT_EQ(-EINVAL, container_unmap_bitmap(c, AT, &size, 2 * PAGE, bits,
						  sizeof(bits)));
	size = 64 * PAGE;
	EXPECT_EQ(-EINVAL, container_unmap_bitmap(c, AT, &size, PAGE, bits, 7));
	size = 4 * PAGE;
	EXPECT_EQ(-EINVAL, container_unmap_bitmap(c, AT, &size, PAGE, bits, 8));
	/* The stock one would tell of pages that are not mapped next time. */
	size = 64 * PAGE;
	if (!type1_is_stock())
		EXPECT_EQ(-EFAULT, container_unmap_bitmap(c, AT, &size, PAGE,
							  NULL, 8));
	EXPECT_TRUE(census_settles(self->pins + 4));

	size = 64 * PAGE;
	ASSERT_EQ(0, container_unmap_bitmap(c, AT, &size, PAGE, bits, 8));
	EXPECT_EQ(4 * PAGE, size);
	EXPECT_EQ(0x1000000000000038ULL, bits[0]);
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(-EINVAL, unmap(c, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP |
				 VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
	EXPECT_EQ(-EINVAL, unmap(c, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, AT,
				 PAGE));
}

/* Version 1 has never had it. */
TEST_F(info, dirty_v1)
{
	struct type1 *t = &self->t;

	type1_close(t);
	ASSERT_EQ(0, type1_set(t, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-EACCES, container_dirty(t->container,
					   VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	EXPECT_EQ(-EACCES, container_dirty(t->container, 8));
}

/* Addresses are declared void and given anew. */
TEST_F(info, vaddr)
{
	const uint32_t void_vaddr = VFIO_DMA_UNMAP_FLAG_VADDR;
	const uint32_t set_vaddr = VFIO_DMA_MAP_FLAG_VADDR;
	unsigned char *m = self->memory;
	int c = self->c;
	void *moved;

	ASSERT_EQ(0, container_map(c, DMA_RW, m, 8 * PAGE, AT));
	ASSERT_EQ(0, container_map(c, DMA_RW, m + 8 * PAGE, 8 * PAGE,
				   AT + 16 * PAGE));
	EXPECT_EQ(-ENOENT, container_map(c, set_vaddr, m, PAGE, AT + SIZE));
	EXPECT_EQ(-EINVAL, container_map(c, set_vaddr, m, 8 * PAGE, AT));
	EXPECT_EQ(-EINVAL, unmap(c, void_vaddr, AT, PAGE));
	EXPECT_EQ(0, unmap(c, void_vaddr, AT + SIZE, PAGE));
	EXPECT_EQ(8 * PAGE, unmap(c, void_vaddr, AT, 8 * PAGE));
	EXPECT_EQ(-EINVAL, unmap(c, void_vaddr, AT, 8 * PAGE));
	/* All or none */
	EXPECT_EQ(-EINVAL, unmap(c, void_vaddr | VFIO_DMA_UNMAP_FLAG_ALL, 0,
				 0));
	EXPECT_EQ(8 * PAGE, unmap(c, void_vaddr, AT + 16 * PAGE, 8 * PAGE));
	EXPECT_TRUE(census_settles(self->pins + 16));

	/* The device goes on meanwhile. */
	ASSERT_EQ(0, type1_start(&self->t));
	memset(m, 0xee, PAGE);
	ASSERT_EQ(0, edu_read_memory(&self->t.edu, AT, LENGTH));
	moved = mremap(m, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       map_memory(MAP_PRIVATE));
	ASSERT_NE(MAP_FAILED, moved);
	m = moved;
	self->memory = m;
	ASSERT_EQ(0, edu_write_memory(&self->t.edu, AT + PAGE, LENGTH));
	EXPECT_EQ(0xee, m[PAGE + LENGTH - 1]);

	EXPECT_EQ(-EINVAL, container_map(c, set_vaddr, m, 4 * PAGE, AT));
	EXPECT_EQ(-EINVAL, container_map(c, set_vaddr, m, 8 * PAGE,
					 AT - PAGE));
	EXPECT_EQ(-EINVAL, container_map(c, set_vaddr | DMA_RW, m, 8 * PAGE,
					 AT));
	EXPECT_EQ(0, container_map(c, set_vaddr, m, 8 * PAGE, AT));
	EXPECT_EQ(-EINVAL, container_map(c, set_vaddr, m, 8 * PAGE, AT));
	/* One without an address can be unmapped, too. */
	EXPECT_EQ(16 * PAGE, unmap(c, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
	EXPECT_TRUE(census_settles(self->pins));
}

/* Another process takes over, and pays. */
TEST_F(info, vaddr_of_another_process)
{
	unsigned char *m = map_memory(MAP_SHARED);
	int c = self->c;
	int status;
	pid_t child;

	ASSERT_NE(NULL, m);
	ASSERT_EQ(0, container_map(c, DMA_RW, m, SIZE, AT));
	ASSERT_EQ(SIZE, unmap(c, VFIO_DMA_UNMAP_FLAG_VADDR |
			      VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		if (container_map(c, VFIO_DMA_MAP_FLAG_VADDR, m, SIZE, AT))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(census_settles(self->pins + SIZE / PAGE));
	EXPECT_EQ(0, census_locked());
	/* The memory is still there for the device. */
	ASSERT_EQ(0, type1_start(&self->t));
	memset(m, 0xee, PAGE);
	ASSERT_EQ(0, edu_read_memory(&self->t.edu, AT, LENGTH));
	ASSERT_EQ(0, edu_write_memory(&self->t.edu, AT + PAGE, LENGTH));
	EXPECT_EQ(0xee, m[PAGE + LENGTH - 1]);
	EXPECT_EQ(SIZE, unmap(c, 0, AT, SIZE));
	EXPECT_TRUE(census_settles(self->pins));
}

/* A group cannot join while memory could not be pinned for it. */
TEST_F(info, vaddr_and_groups)
{
	char name[PCI_NAME_LEN];
	int c = self->c;
	int other;

	if (pci_find(0x1b36, 0x0010, 0, name))
		SKIP(return, "no second device in this machine");
	ASSERT_EQ(0, pci_bind_driver(name, "vfio-pci"));
	other = pci_open_group(name);
	ASSERT_GE(other, 0);
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE, AT));
	ASSERT_EQ(SIZE, unmap(c, VFIO_DMA_UNMAP_FLAG_VADDR, AT, SIZE));
	EXPECT_EQ(-EBUSY, group_set_container(other, c));
	ASSERT_EQ(0, container_map(c, VFIO_DMA_MAP_FLAG_VADDR, self->memory,
				   SIZE, AT));
	EXPECT_EQ(0, group_set_container(other, c));
	close(other);
	EXPECT_EQ(0, pci_unbind_driver(name));
}

TEST_HARNESS_MAIN
