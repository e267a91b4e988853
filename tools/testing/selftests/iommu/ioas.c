// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be mapped where, in address spaces that no device is attached to.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/memory.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define SIZE	(4 * HUGE)
#define AT	0x100000UL

FIXTURE(space)
{
	int fd;
	uint32_t id;
	/* SIZE bytes, aligned to HUGE. */
	char *memory;
	char *area;
};

FIXTURE_SETUP(space)
{
	self->fd = iommufd_open();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ioas_alloc(self->fd, &self->id));
	self->area = memory_anonymous(SIZE + HUGE);
	ASSERT_NE(NULL, self->area);
	self->memory = (char *)(((uintptr_t)self->area + HUGE - 1) &
				~(HUGE - 1));
}

FIXTURE_TEARDOWN(space)
{
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, 0, UINT64_MAX, NULL));
	EXPECT_EQ(0, iommufd_destroy(self->fd, self->id));
	EXPECT_EQ(0, close(self->fd));
	munmap(self->area, SIZE + HUGE);
}

/* A new address space offers every address, in one range. */
TEST_F(space, ranges)
{
	struct iommu_iova_range ranges[2] = {};
	uint64_t alignment = 0;
	uint32_t count = 2;

	EXPECT_EQ(0, ioas_ranges(self->fd, self->id, ranges, &count,
				 &alignment));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0, ranges[0].start);
	EXPECT_EQ(UINT64_MAX, ranges[0].last);
	EXPECT_EQ(1, alignment);

	/* QEMU asks for the count first. */
	count = 0;
	alignment = 0;
	EXPECT_EQ(-EMSGSIZE, ioas_ranges(self->fd, self->id, NULL, &count,
					 &alignment));
	EXPECT_EQ(1, count);
	EXPECT_EQ(1, alignment);

	count = 1;
	EXPECT_EQ(-EFAULT, ioas_ranges(self->fd, self->id, NULL, &count,
				       &alignment));
}

/* What ALLOW_IOVAS takes for a list. */
TEST_F(space, allow_rules)
{
	struct iommu_iova_range backwards = { 0x2000, 0x1000 };
	struct iommu_iova_range single = { 0x1000, 0x1000 };
	struct iommu_iova_range overlap[] = {
		{ 0x1000, 0x2fff },
		{ 0x2fff, 0x3fff },
	};
	struct iommu_iova_range adjoining[] = {
		{ 0x1000, 0x1fff },
		{ 0x2000, 0x2fff },
	};

	EXPECT_EQ(-EINVAL, ioas_allow(self->fd, self->id, &backwards, 1));
	EXPECT_EQ(-EINVAL, ioas_allow(self->fd, self->id, &single, 1));
	EXPECT_EQ(-EINVAL, ioas_allow(self->fd, self->id, overlap, 2));
	EXPECT_EQ(-EFAULT, ioas_allow(self->fd, self->id, NULL, 1));
	EXPECT_EQ(0, ioas_allow(self->fd, self->id, adjoining, 2));
	EXPECT_EQ(0, ioas_allow(self->fd, self->id, NULL, 0));
}

/* The kernel chooses from the list; the caller need not. */
TEST_F(space, allow_steers)
{
	struct iommu_iova_range range = { AT, AT + 4 * PAGE - 1 };
	struct iommu_iova_range backwards = { 0x2000, 0x1000 };
	uint64_t iova;
	int i;

	ASSERT_EQ(0, ioas_allow(self->fd, self->id, &range, 1));
	/* A list that is refused leaves the old one in place. */
	ASSERT_EQ(-EINVAL, ioas_allow(self->fd, self->id, &backwards, 1));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory,
				      PAGE, &iova));
		EXPECT_GE(iova, range.start);
		EXPECT_LE(iova + PAGE - 1, range.last);
	}
	EXPECT_EQ(-ENOSPC, ioas_map(self->fd, self->id, MAP_RW, self->memory,
				    PAGE, &iova));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 PAGE, AT + 16 * PAGE));
	ASSERT_EQ(0, ioas_allow(self->fd, self->id, NULL, 0));
	EXPECT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory, PAGE,
			      &iova));
}

/* A mapping at a given IOVA never replaces any part of another. */
TEST_F(space, map_overlap)
{
	static const struct {
		uint64_t iova;
		uint64_t length;
		int result;
	} cases[] = {
		{ AT + 4 * PAGE, 4 * PAGE, -EEXIST },
		{ AT + 4 * PAGE, PAGE, -EEXIST },
		{ AT + 7 * PAGE, PAGE, -EEXIST },
		{ AT + 5 * PAGE, PAGE, -EEXIST },
		{ AT + 3 * PAGE, 2 * PAGE, -EEXIST },
		{ AT + 7 * PAGE, 2 * PAGE, -EEXIST },
		{ AT, 16 * PAGE, -EEXIST },
		{ AT + 3 * PAGE, PAGE, 0 },
		{ AT + 8 * PAGE, PAGE, 0 },
	};
	uint64_t unmapped;
	size_t i;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 4 * PAGE, AT + 4 * PAGE));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].result,
			  ioas_map_at(self->fd, self->id, MAP_RW,
				      self->memory, cases[i].length,
				      cases[i].iova)) {
			TH_LOG("case %zu", i);
		}
	}
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, AT, 16 * PAGE, &unmapped));
	EXPECT_EQ(6 * PAGE, unmapped);
}

/* Addresses and lengths at the edges of what 64 bits hold. */
TEST_F(space, map_limits)
{
	const uint64_t top = UINT64_MAX - PAGE + 1;
	uint64_t iova = 0;

	EXPECT_EQ(-EINVAL, ioas_map_at(self->fd, self->id, MAP_RW,
				       self->memory, 0, AT));
	EXPECT_EQ(-EINVAL, ioas_map(self->fd, self->id, MAP_RW, self->memory,
				    0, &iova));
	EXPECT_EQ(-EINVAL, ioas_map_at(self->fd, self->id, 0, self->memory,
				       PAGE, AT));
	EXPECT_EQ(-EOVERFLOW, ioas_map_at(self->fd, self->id, MAP_RW,
					  self->memory, PAGE, UINT64_MAX));
	EXPECT_EQ(-EOVERFLOW, ioas_map_at(self->fd, self->id, MAP_RW,
					  self->memory, UINT64_MAX, AT));
	EXPECT_EQ(-EOVERFLOW, ioas_map_at(self->fd, self->id, MAP_RW,
					  self->memory, 2 * PAGE, top));
	EXPECT_EQ(-EOVERFLOW, ioas_map(self->fd, self->id, MAP_RW,
				       self->memory, 1UL << 63, &iova));
	/* Memory that wraps past zero. */
	EXPECT_EQ(-EOVERFLOW, ioas_map_at(self->fd, self->id, MAP_RW,
					  (void *)top, 2 * PAGE, AT));
	EXPECT_EQ(-EOVERFLOW, ioas_map(self->fd, self->id, MAP_RW, (void *)top,
				       UINT64_MAX - PAGE, &iova));

	/* The last page there is. */
	EXPECT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 PAGE, top));
	EXPECT_EQ(-EEXIST, ioas_map_at(self->fd, self->id, MAP_RW,
				       self->memory, PAGE, top));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, top, PAGE, NULL));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 PAGE, 0));
}

/* An IOVA that the kernel chooses is free, and never zero. */
TEST_F(space, map_automatic)
{
	enum { COUNT = 500 };
	uint64_t iovas[COUNT], unmapped;
	int i, j;

	for (i = 0; i < COUNT; i++) {
		iovas[i] = 0;
		ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW,
				      self->memory + i % 7 * PAGE,
				      (1 + i % 3) * PAGE, &iovas[i]));
		ASSERT_NE(0, iovas[i]);
		ASSERT_EQ(0, iovas[i] % PAGE);
		for (j = 0; j < i; j++)
			ASSERT_TRUE(iovas[i] + (1 + i % 3) * PAGE <= iovas[j] ||
				    iovas[j] + (1 + j % 3) * PAGE <= iovas[i]);
	}
	/* A hole is found again. */
	for (i = 0; i < COUNT; i += 2)
		ASSERT_EQ(0, ioas_unmap(self->fd, self->id, iovas[i],
					(1 + i % 3) * PAGE, NULL));
	for (i = 0; i < COUNT; i += 2)
		ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory,
				      (1 + i % 3) * PAGE, &iovas[i]));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, 0, UINT64_MAX, &unmapped));
	for (i = 0, j = 0; i < COUNT; i++)
		j += 1 + i % 3;
	EXPECT_EQ(j * PAGE, unmapped);
}

/* Memory that huge entries could map gets an IOVA that lets them. */
TEST_F(space, map_automatic_alignment)
{
	uint64_t iova;

	ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory, PAGE,
			      &iova));
	ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory, SIZE,
			      &iova));
	EXPECT_EQ(0, iova % HUGE);
}

/* An unmap takes whole mappings, or none. */
TEST_F(space, unmap_rules)
{
	static const struct {
		uint64_t iova;
		uint64_t length;
		int result;
	} refused[] = {
		{ AT, 0, -EINVAL },
		{ 0, 0, -EINVAL },
		{ AT + 64 * PAGE, PAGE, -ENOENT },
		{ 0, AT, -ENOENT },
		/* The front, the back and the middle of a mapping. */
		{ AT, PAGE, -ENOENT },
		{ AT + 3 * PAGE, PAGE, -ENOENT },
		{ AT + PAGE, 2 * PAGE, -ENOENT },
		{ AT - PAGE, 2 * PAGE, -ENOENT },
		{ AT + 3 * PAGE, 2 * PAGE, -ENOENT },
		/* One mapping and a part of the next, in either order. */
		{ AT, 9 * PAGE, -ENOENT },
		{ AT + 2 * PAGE, 16 * PAGE, -ENOENT },
		{ UINT64_MAX, PAGE, -EOVERFLOW },
		{ UINT64_MAX, 0, -EOVERFLOW },
		{ AT, UINT64_MAX, -EOVERFLOW },
		{ AT, UINT64_MAX - PAGE, -EOVERFLOW },
		{ UINT64_MAX - PAGE + 1, 2 * PAGE, -EOVERFLOW },
	};
	uint64_t unmapped;
	size_t i;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 4 * PAGE, AT));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 4 * PAGE, AT + 8 * PAGE));
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		EXPECT_EQ(refused[i].result,
			  ioas_unmap(self->fd, self->id, refused[i].iova,
				     refused[i].length, NULL)) {
			TH_LOG("case %zu", i);
		}
		/* Both are still there. */
		ASSERT_EQ(-EEXIST, ioas_map_at(self->fd, self->id, MAP_RW,
					       self->memory, PAGE, AT)) {
			TH_LOG("case %zu", i);
		}
		ASSERT_EQ(-EEXIST, ioas_map_at(self->fd, self->id, MAP_RW,
					       self->memory, PAGE,
					       AT + 11 * PAGE)) {
			TH_LOG("case %zu", i);
		}
	}

	/* A range with gaps. */
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, PAGE, SIZE, &unmapped));
	EXPECT_EQ(8 * PAGE, unmapped);
	EXPECT_EQ(-ENOENT, ioas_unmap(self->fd, self->id, PAGE, SIZE, NULL));
	/* Everything may be nothing. */
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, 0, UINT64_MAX, &unmapped));
	EXPECT_EQ(0, unmapped);
}

/* Ranges of the source that can be copied, and what the copy may do. */
TEST_F(space, copy_rules)
{
	uint32_t other;
	uint64_t iova;

	ASSERT_EQ(0, ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_READ, self->memory,
				 4 * PAGE, AT));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 4 * PAGE, AT + 4 * PAGE));

	iova = 0;
	EXPECT_EQ(-EINVAL, ioas_copy(self->fd, 0, other, &iova, self->id, AT,
				     PAGE));
	EXPECT_EQ(-EINVAL, ioas_copy(self->fd, MAP_READ, other, &iova,
				     self->id, AT, 0));
	EXPECT_EQ(-ENOENT, ioas_copy(self->fd, MAP_READ, other, &iova,
				     self->id, AT + 8 * PAGE, PAGE));
	EXPECT_EQ(-ENOENT, ioas_copy(self->fd, MAP_READ, other, &iova,
				     self->id, AT, 9 * PAGE));
	EXPECT_EQ(-ENOENT, ioas_copy(self->fd, MAP_READ, other, &iova,
				     self->id, AT - PAGE, 2 * PAGE));
	EXPECT_EQ(-EOVERFLOW, ioas_copy(self->fd, MAP_READ, other, &iova,
					self->id, AT, UINT64_MAX));
	EXPECT_EQ(-EOVERFLOW, ioas_copy(self->fd, MAP_READ, other, &iova,
					self->id, UINT64_MAX, PAGE));
	EXPECT_EQ(-EOVERFLOW, ioas_copy(self->fd, MAP_READ, other, &iova,
					self->id, UINT64_MAX - 1, PAGE));
	EXPECT_EQ(-EPERM, ioas_copy(self->fd, MAP_RW, other, &iova, self->id,
				    AT, 4 * PAGE));
	EXPECT_EQ(-EPERM, ioas_copy(self->fd, MAP_RW, other, &iova, self->id,
				    AT, 8 * PAGE));
	EXPECT_EQ(-ENOENT, ioas_unmap(self->fd, other, 1, UINT64_MAX - 1,
				      NULL));

	/* Whole, in part, and across two that adjoin. */
	iova = AT;
	EXPECT_EQ(0, ioas_copy(self->fd, MAP_READ | MAP_AT, other, &iova,
			       self->id, AT, 4 * PAGE));
	EXPECT_EQ(-EEXIST, ioas_copy(self->fd, MAP_READ | MAP_AT, other, &iova,
				     self->id, AT, 4 * PAGE));
	iova = 0;
	EXPECT_EQ(0, ioas_copy(self->fd, MAP_RW, other, &iova, self->id,
			       AT + 5 * PAGE, 2 * PAGE));
	EXPECT_NE(0, iova);
	EXPECT_EQ(0, ioas_unmap(self->fd, other, iova, 2 * PAGE, NULL));
	EXPECT_EQ(0, ioas_copy(self->fd, MAP_READ, other, &iova, self->id,
			       AT + 2 * PAGE, 4 * PAGE));
	EXPECT_EQ(0, ioas_unmap(self->fd, other, iova, 4 * PAGE, NULL));
	EXPECT_EQ(0, iommufd_destroy(self->fd, other));
}

/* A copy in the same address space, and one that outlives its source. */
TEST_F(space, copy_is_independent)
{
	uint64_t iova = 0, unmapped;
	uint32_t source;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 PAGE, AT));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW, self->id, &iova, self->id, AT,
			       PAGE));
	ASSERT_NE(AT, iova);
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, AT, PAGE, NULL));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, iova, PAGE, NULL));

	ASSERT_EQ(0, ioas_alloc(self->fd, &source));
	ASSERT_EQ(0, ioas_map_at(self->fd, source, MAP_RW, self->memory, SIZE,
				 AT));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW, self->id, &iova, source, AT,
			       SIZE));
	ASSERT_EQ(0, iommufd_destroy(self->fd, source));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, iova, SIZE, &unmapped));
	EXPECT_EQ(SIZE, unmapped);
}

/* Files that hold memory. */
TEST_F(space, map_file)
{
	uint64_t iova = 0;
	int memfd;

	memfd = memfd_create("ioas", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	EXPECT_EQ(0, ioas_map_file(self->fd, self->id, MAP_RW, memfd, 0, SIZE,
				   &iova));
	EXPECT_NE(0, iova);
	iova = AT;
	EXPECT_EQ(0, ioas_map_file(self->fd, self->id, MAP_RW | MAP_AT, memfd,
				   PAGE, PAGE, &iova));
	EXPECT_EQ(-EEXIST, ioas_map_file(self->fd, self->id, MAP_RW | MAP_AT,
					 memfd, 0, PAGE, &iova));
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->id, MAP_RW, memfd, 0,
					 0, &iova));
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->id, 0, memfd, 0, PAGE,
					 &iova));
	EXPECT_EQ(-EOVERFLOW, ioas_map_file(self->fd, self->id, MAP_RW, memfd,
					    UINT64_MAX - PAGE + 1, 2 * PAGE,
					    &iova));
	EXPECT_EQ(-EOVERFLOW, ioas_map_file(self->fd, self->id, MAP_RW, memfd,
					    0, UINT64_MAX, &iova));
	EXPECT_EQ(-EBADF, ioas_map_file(self->fd, self->id, MAP_RW, -1, 0,
					PAGE, &iova));
	EXPECT_EQ(-EBADF, ioas_map_file(self->fd, self->id, MAP_RW, 999, 0,
					PAGE, &iova));
	EXPECT_EQ(0, close(memfd));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, AT, PAGE, NULL));
}

/* What the caller may not write through the file, a device may not either. */
TEST_F(space, map_file_without_permission)
{
	int memfd, reader, sealed;
	uint64_t iova = 0;
	char path[64];

	memfd = memfd_create("ioas", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(reader, 0);
	EXPECT_EQ(-EACCES, ioas_map_file(self->fd, self->id, MAP_RW, reader, 0,
					 PAGE, &iova));
	EXPECT_EQ(-EACCES, ioas_map_file(self->fd, self->id, MAP_WRITE, reader,
					 0, PAGE, &iova));
	EXPECT_EQ(0, ioas_map_file(self->fd, self->id, MAP_READ, reader, 0,
				   PAGE, &iova));

	sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_GE(sealed, 0);
	ASSERT_EQ(0, ftruncate(sealed, SIZE));
	ASSERT_EQ(0, fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(-EPERM, ioas_map_file(self->fd, self->id, MAP_RW, sealed, 0,
					PAGE, &iova));
	EXPECT_EQ(0, ioas_map_file(self->fd, self->id, MAP_READ, sealed, 0,
				   PAGE, &iova));
	close(sealed);
	close(reader);
	close(memfd);
}

/* Only mappings of files can move to another process. */
TEST_F(space, change_process)
{
	uint64_t iova = 0;
	int memfd;

	EXPECT_EQ(0, ioas_change_process(self->fd));
	memfd = memfd_create("ioas", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	ASSERT_EQ(0, ioas_map_file(self->fd, self->id, MAP_RW, memfd, 0, SIZE,
				   &iova));
	EXPECT_EQ(0, ioas_change_process(self->fd));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 PAGE, AT));
	EXPECT_EQ(-EINVAL, ioas_change_process(self->fd));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->id, AT, PAGE, NULL));
	EXPECT_EQ(0, ioas_change_process(self->fd));
	close(memfd);
}

/* While no device can reach a mapping, none of its memory is pinned. */
TEST_F(space, nothing_pinned_without_device)
{
	long pins = census_pins(), pinned = census_pinned();
	uint64_t iova = 0;

	memset(self->memory, 1, SIZE);
	ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory, SIZE,
			      &iova));
	EXPECT_TRUE(census_settles(pins));
	EXPECT_EQ(pinned, census_pinned());
}

/* Many mappings, taken away one by one from both ends, then all at once. */
TEST_F(space, many)
{
	enum { COUNT = 20000 };
	uint64_t unmapped;
	int i;

	for (i = 0; i < COUNT; i++)
		ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW,
					 self->memory, PAGE,
					 AT + 2 * i * PAGE));
	for (i = 0; i < COUNT / 4; i++) {
		ASSERT_EQ(0, ioas_unmap(self->fd, self->id, AT + 2 * i * PAGE,
					PAGE, NULL));
		ASSERT_EQ(0, ioas_unmap(self->fd, self->id,
					AT + 2 * (COUNT - 1 - i) * PAGE, PAGE,
					NULL));
	}
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, 0, UINT64_MAX, &unmapped));
	EXPECT_EQ(COUNT / 2 * PAGE, unmapped);
}

/* The kernel finds the one hole in a space that is otherwise full. */
TEST_F(space, last_hole)
{
	struct iommu_iova_range range = { AT, AT + 1024 * PAGE - 1 };
	uint64_t iova;
	int i;

	ASSERT_EQ(0, ioas_allow(self->fd, self->id, &range, 1));
	for (i = 0; i < 1024; i++)
		ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory,
				      PAGE, &iova));
	ASSERT_EQ(-ENOSPC, ioas_map(self->fd, self->id, MAP_RW, self->memory,
				    PAGE, &iova));
	for (i = 0; i < 1024; i += 341) {
		ASSERT_EQ(0, ioas_unmap(self->fd, self->id, AT + i * PAGE,
					PAGE, NULL));
		ASSERT_EQ(-ENOSPC, ioas_map(self->fd, self->id, MAP_RW,
					    self->memory, 2 * PAGE, &iova));
		ASSERT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory,
				      PAGE, &iova));
		ASSERT_EQ(AT + i * PAGE, iova);
	}
}

/* Without a device there is no alignment to keep. */
TEST_F(space, any_alignment)
{
	uint64_t iova = 0, unmapped;

	EXPECT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory + 3,
				 5, AT + 3));
	EXPECT_EQ(-EEXIST, ioas_map_at(self->fd, self->id, MAP_RW,
				       self->memory, 1, AT + 7));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory, 1,
				 AT + 8));
	EXPECT_EQ(0, ioas_map(self->fd, self->id, MAP_RW, self->memory + 17, 9,
			      &iova));
	EXPECT_EQ(17, iova % PAGE);
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, 0, UINT64_MAX, &unmapped));
	EXPECT_EQ(15, unmapped);
}

/* A forked child that exits takes nothing away. */
TEST_F(space, fork)
{
	uint64_t unmapped;
	int status;
	pid_t pid;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				 PAGE, AT));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(ioas_map_at(self->fd, self->id, MAP_RW, self->memory,
				  PAGE, AT + PAGE) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(0, ioas_unmap(self->fd, self->id, AT, 2 * PAGE, &unmapped));
	EXPECT_EQ(2 * PAGE, unmapped);
}

TEST_HARNESS_MAIN
