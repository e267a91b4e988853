// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device really reaches: exactly what is mapped, in the way it was
 * mapped. Whatever else it tries leaves memory untouched and is an IOMMU fault
 * in the kernel log.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define PAGES	64
#define SIZE	(PAGES * PAGE)
#define AT	0x100000UL
#define CHUNK	1024UL

FIXTURE(dma)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	/* SIZE bytes, every one of them UNTOUCHED. */
	unsigned char *memory;
};

#define UNTOUCHED 0x5a

FIXTURE_SETUP(dma)
{
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	self->memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, self->memory);
	memset(self->memory, UNTOUCHED, SIZE);
}

FIXTURE_TEARDOWN(dma)
{
	EXPECT_EQ(0, rig_close(&self->rig));
}

/* Bytes that tell where they come from. */
static void pattern(unsigned char *memory, size_t length, unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		memory[i] = (i * 7 + (i >> 8) * 13 + seed) & 0xff;
}

static bool has_pattern(const unsigned char *memory, size_t length,
			unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (memory[i] != ((i * 7 + (i >> 8) * 13 + seed) & 0xff))
			return false;
	return true;
}

static bool untouched(const unsigned char *memory, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (memory[i] != UNTOUCHED)
			return false;
	return true;
}

/*
 * Fills the device's buffer with a pattern, through a page of @self->memory
 * that is mapped for the purpose and left as it was.
 */
static int load_device(FIXTURE_DATA(dma) *self, unsigned int seed)
{
	unsigned char *page = memory_anonymous(PAGE);
	uint64_t iova = 0;
	int rc;

	pattern(page, CHUNK, seed);
	rc = ioas_map(self->fd, self->ioas, MAP_READ, page, PAGE, &iova);
	if (!rc)
		rc = edu_read_memory(&self->rig.edu, iova, CHUNK);
	if (!rc)
		rc = ioas_unmap(self->fd, self->ioas, iova, PAGE, NULL);
	munmap(page, PAGE);
	return rc;
}

/*
 * The device writes at @iova: a fault there, and no byte of memory changes.
 * Where faults are not logged, fault_log is the test that says so.
 */
#define EXPECT_BLOCKED_WRITE(_iova) do { \
	int _log = klog_mark(); \
	ASSERT_GE(_log, 0); \
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, _iova, CHUNK)); \
	if (!machine_hides_faults()) \
		EXPECT_TRUE(klog_has_fault(_log, _iova)); \
	EXPECT_TRUE(untouched(self->memory, SIZE)); \
	close(_log); \
} while (0)

/* A blocked write and a blocked read are in the kernel log, with the address. */
TEST_F(dma, fault_log)
{
	int log;

	if (machine_hides_faults())
		SKIP(return, "%s", machine_hides_faults());
	log = klog_mark();
	ASSERT_GE(log, 0);
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	EXPECT_TRUE(klog_has_fault(log, AT));
	EXPECT_EQ(0, edu_read_memory(&self->rig.edu, AT + SIZE, CHUNK));
	EXPECT_TRUE(klog_has_fault(log, AT + SIZE));
	close(log);
	EXPECT_TRUE(untouched(self->memory, SIZE));
}

/* What the device writes lands there, and nowhere else. */
TEST_F(dma, write_reaches_mapping)
{
	const size_t offset = 5 * PAGE + 512;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	ASSERT_EQ(0, load_device(self, 1));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + offset, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory + offset, CHUNK, 1));
	EXPECT_TRUE(untouched(self->memory, offset));
	EXPECT_TRUE(untouched(self->memory + offset + CHUNK,
			      SIZE - offset - CHUNK));
}

/* A transfer across pages that lie apart in memory stays in one piece. */
TEST_F(dma, page_boundaries)
{
	unsigned char *backwards;
	uint64_t iova = AT;
	int i;

	/* IOVA ascends while the memory behind it descends. */
	backwards = self->memory + SIZE - PAGE;
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
					 backwards - i * PAGE, PAGE,
					 iova + i * PAGE));
	ASSERT_EQ(0, load_device(self, 2));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE - 256, CHUNK));
	EXPECT_TRUE(untouched(backwards, PAGE - 256));
	memcpy(self->memory, backwards + PAGE - 256, 256);
	memcpy(self->memory + 256, backwards - PAGE, CHUNK - 256);
	EXPECT_TRUE(has_pattern(self->memory, CHUNK, 2));
	EXPECT_TRUE(untouched(backwards - PAGE + CHUNK - 256,
			      PAGE - CHUNK + 256));
}

/* Addresses above 4 GiB, in IOVA. */
TEST_F(dma, high_iova)
{
	const uint64_t high = 0x7f12345000;
	struct iommu_iova_range ranges[16];
	uint64_t alignment;
	uint32_t count = 16;

	ASSERT_EQ(0, ioas_ranges(self->fd, self->ioas, ranges, &count,
				 &alignment));
	if (ranges[count - 1].last < high + PAGE)
		SKIP(return, "the IOMMU ends at %#llx",
		     (unsigned long long)ranges[count - 1].last);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, high));
	ASSERT_EQ(0, load_device(self, 3));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, high, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory, CHUNK, 3));
}

/* Beside a mapping there is nothing. */
TEST_F(dma, unmapped)
{
	ASSERT_EQ(0, load_device(self, 4));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 self->memory + PAGE, PAGE, AT));
	EXPECT_BLOCKED_WRITE(AT + PAGE);
	EXPECT_BLOCKED_WRITE(AT - PAGE);
}

/* UNMAP takes the memory away before it returns. */
TEST_F(dma, after_unmap)
{
	ASSERT_EQ(0, load_device(self, 5));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	/* Whatever caches translations has this one now. */
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	ASSERT_TRUE(has_pattern(self->memory, CHUNK, 5));
	memset(self->memory, UNTOUCHED, SIZE);
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
	EXPECT_BLOCKED_WRITE(AT);
}

/* The same IOVA mapped to other memory. */
TEST_F(dma, remap)
{
	ASSERT_EQ(0, load_device(self, 6));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	memset(self->memory, UNTOUCHED, SIZE);
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, PAGE, NULL));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 self->memory + 9 * PAGE, PAGE, AT));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	EXPECT_TRUE(untouched(self->memory, 9 * PAGE));
	EXPECT_TRUE(has_pattern(self->memory + 9 * PAGE, CHUNK, 6));
}

/* A detached device reaches nothing; attached again, what is there then. */
TEST_F(dma, after_detach)
{
	uint32_t pt = self->ioas;

	ASSERT_EQ(0, load_device(self, 7));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_BLOCKED_WRITE(AT);
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory + PAGE, CHUNK, 7));
}

/* What may only be read can not be written. */
TEST_F(dma, read_only)
{
	ASSERT_EQ(0, load_device(self, 8));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_READ, self->memory,
				 SIZE, AT));
	EXPECT_BLOCKED_WRITE(AT + PAGE);
	/* Reading works: the device brings it to a page that it may write. */
	pattern(self->memory, CHUNK, 9);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_WRITE,
				 self->memory + 2 * PAGE, PAGE, AT + SIZE));
	ASSERT_EQ(0, edu_read_memory(&self->rig.edu, AT, CHUNK));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + SIZE, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory + 2 * PAGE, CHUNK, 9));
}

/* What may only be written can not be read. */
TEST_F(dma, write_only)
{
	int log;

	if (machine_lacks_write_only())
		SKIP(return, "%s", machine_lacks_write_only());
	ASSERT_EQ(0, load_device(self, 10));
	pattern(self->memory, CHUNK, 11);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_WRITE, self->memory,
				 2 * PAGE, AT));
	log = klog_mark();
	ASSERT_GE(log, 0);
	EXPECT_EQ(0, edu_read_memory(&self->rig.edu, AT, CHUNK));
	if (!machine_hides_faults())
		EXPECT_TRUE(klog_has_fault(log, AT));
	close(log);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, CHUNK));
	EXPECT_FALSE(has_pattern(self->memory + PAGE, CHUNK, 11));
}

/* A device sees the address space that it is in, and no other of the file. */
TEST_F(dma, other_ioas)
{
	uint32_t other, pt;

	ASSERT_EQ(0, load_device(self, 12));
	ASSERT_EQ(0, ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT));
	ASSERT_EQ(0, ioas_map_at(self->fd, other, MAP_RW,
				 self->memory + PAGE, PAGE, AT + PAGE));
	EXPECT_BLOCKED_WRITE(AT + PAGE);

	/* Moved there without a detach, it sees the other way round. */
	pt = other;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_BLOCKED_WRITE(AT);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, CHUNK));
	EXPECT_TRUE(untouched(self->memory, PAGE));
	EXPECT_TRUE(has_pattern(self->memory + PAGE, CHUNK, 12));
	/* The IOAS that it left is free of it. */
	EXPECT_EQ(0, iommufd_destroy(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->fd, other));
}

/* A move that cannot be made leaves the device where it was. */
TEST_F(dma, failed_move)
{
	uint32_t other, pt;

	ASSERT_EQ(0, load_device(self, 13));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT));
	ASSERT_EQ(0, ioas_alloc(self->fd, &other));
	/* In the window of message-signalled interrupts. */
	ASSERT_EQ(0, ioas_map_at(self->fd, other, MAP_RW, self->memory, PAGE,
				 0xfee00000));
	pt = other;
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->rig.device, &pt));
	pt = 1000;
	EXPECT_EQ(-ENOENT, vfio_attach(self->rig.device, &pt));
	EXPECT_EQ(0, iommufd_destroy(self->fd, other));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory, CHUNK, 13));
}

/* What was mapped before the device came, and through an explicit HWPT. */
TEST_F(dma, mapped_before_attach)
{
	uint32_t other, hwpt, pt;

	ASSERT_EQ(0, load_device(self, 14));
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	ASSERT_EQ(0, ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, ioas_map_at(self->fd, other, MAP_RW, self->memory, SIZE,
				 AT));
	ASSERT_EQ(0, hwpt_alloc(self->fd, 0, self->rig.device_id, other,
				&hwpt));
	pt = hwpt;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + SIZE - CHUNK,
				      CHUNK));
	EXPECT_TRUE(has_pattern(self->memory + SIZE - CHUNK, CHUNK, 14));

	/* From one HWPT of the IOAS to the automatic one. */
	pt = other;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory, CHUNK, 14));
	EXPECT_TRUE(untouched(self->memory + CHUNK, SIZE - 2 * CHUNK));
}

/* A copy reaches the memory after the original is gone. */
TEST_F(dma, copy)
{
	uint64_t iova = AT;
	uint32_t source;

	ASSERT_EQ(0, load_device(self, 15));
	ASSERT_EQ(0, ioas_alloc(self->fd, &source));
	ASSERT_EQ(0, ioas_map_at(self->fd, source, MAP_RW, self->memory, SIZE,
				 0x40000000));
	/* Of the middle of the mapping. */
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas, &iova,
			       source, 0x40000000 + 8 * PAGE, 4 * PAGE));
	ASSERT_EQ(0, iommufd_destroy(self->fd, source));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + 3 * PAGE, CHUNK));
	EXPECT_TRUE(untouched(self->memory, 11 * PAGE));
	EXPECT_TRUE(has_pattern(self->memory + 11 * PAGE, CHUNK, 15));
	memset(self->memory, UNTOUCHED, SIZE);
	EXPECT_BLOCKED_WRITE(AT + 4 * PAGE);
}

/* Both copies of memory that one device sees at two addresses. */
TEST_F(dma, copy_in_one_space)
{
	uint64_t iova = 0;

	ASSERT_EQ(0, load_device(self, 16));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW, self->ioas, &iova, self->ioas,
			       AT, SIZE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, iova + PAGE, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory + PAGE, CHUNK, 16));
	memset(self->memory, UNTOUCHED, SIZE);
	EXPECT_BLOCKED_WRITE(AT + PAGE);
}

/* Memory of a file, which nobody has mapped. */
TEST_F(dma, map_file)
{
	uint64_t iova = AT;
	unsigned char *view;
	int memfd;

	memfd = memfd_create("dma", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	ASSERT_EQ(0, load_device(self, 17));
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT,
				   memfd, 4 * PAGE, 8 * PAGE, &iova));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, CHUNK));
	view = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, view);
	EXPECT_TRUE(has_pattern(view + 5 * PAGE, CHUNK, 17));
	EXPECT_EQ(0, view[4 * PAGE]);
	EXPECT_EQ(0, view[6 * PAGE]);

	EXPECT_EQ(0, ioas_change_process(self->fd));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 8 * PAGE, NULL));
	close(memfd);
}

/* Huge pages: the middle of one, and the seam between two. */
TEST_F(dma, hugetlb)
{
	unsigned char *huge;

	if (!census_want_hugepages(2))
		SKIP(return, "no free huge pages");
	huge = memory_hugetlb(2 * HUGE);
	ASSERT_NE(NULL, huge);
	memset(huge, UNTOUCHED, 2 * HUGE);
	ASSERT_EQ(0, load_device(self, 18));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, huge, 2 * HUGE,
				 HUGE));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, 2 * HUGE - 512, CHUNK));
	EXPECT_TRUE(untouched(huge, HUGE - 512));
	EXPECT_TRUE(has_pattern(huge + HUGE - 512, CHUNK, 18));
	EXPECT_TRUE(untouched(huge + HUGE - 512 + CHUNK, HUGE + 512 - CHUNK));

	/* A part of one, at an IOVA that allows no huge entry. */
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, HUGE, 2 * HUGE, NULL));
	memset(huge, UNTOUCHED, 2 * HUGE);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 huge + HUGE - PAGE, 2 * PAGE, AT));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE - 512, CHUNK));
	EXPECT_TRUE(has_pattern(huge + HUGE - 512, CHUNK, 18));
	EXPECT_BLOCKED_WRITE(AT + 2 * PAGE);
	munmap(huge, 2 * HUGE);
}

/* What the process puts in place of mapped memory, the device does not see. */
TEST_F(dma, memory_replaced)
{
	unsigned char *fresh;

	ASSERT_EQ(0, load_device(self, 19));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	fresh = mmap(self->memory, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->memory, fresh);
	memset(self->memory, UNTOUCHED, PAGE);
	ASSERT_EQ(0, madvise(self->memory + PAGE, PAGE, MADV_DONTNEED));
	memset(self->memory + PAGE, UNTOUCHED, PAGE);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE - 512, CHUNK));
	EXPECT_TRUE(untouched(self->memory, SIZE));

	/* Moved memory is still the mapped memory. */
	fresh = mremap(self->memory + 2 * PAGE, PAGE, PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, self->memory);
	ASSERT_EQ(self->memory, fresh);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + 2 * PAGE, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory, CHUNK, 19));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
}

/* Truncated or punched, a file no longer has the pages of the device. */
TEST_F(dma, file_truncated)
{
	uint64_t iova = AT;
	unsigned char *view;
	int memfd;

	memfd = memfd_create("dma", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	ASSERT_EQ(0, load_device(self, 20));
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT,
				   memfd, 0, SIZE, &iova));
	ASSERT_EQ(0, fallocate(memfd, FALLOC_FL_PUNCH_HOLE |
			       FALLOC_FL_KEEP_SIZE, 0, PAGE));
	ASSERT_EQ(0, ftruncate(memfd, 8 * PAGE));
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + 9 * PAGE, CHUNK));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, CHUNK));
	view = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, view);
	EXPECT_EQ(0, view[0]);
	EXPECT_EQ(0, view[9 * PAGE]);
	EXPECT_TRUE(has_pattern(view + PAGE, CHUNK, 20));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
	close(memfd);
}

/* After a fork it is the parent's memory that the device reaches. */
TEST_F(dma, fork_and_copy_on_write)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, load_device(self, 21));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		memset(self->memory, 1, SIZE);
		_exit(0);
	}
	/* The first write after a fork must not move the parent's page. */
	self->memory[PAGE] = UNTOUCHED;
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_TRUE(untouched(self->memory, SIZE));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory + PAGE, CHUNK, 21));
}

/* Read-only mapped memory that was never written: the device sees later writes. */
TEST_F(dma, read_only_of_zero_page)
{
	unsigned char *zero = memory_anonymous(PAGE);

	ASSERT_NE(NULL, zero);
	ASSERT_EQ(0, zero[0]);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_READ, zero, PAGE,
				 AT));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_WRITE, self->memory,
				 PAGE, AT + PAGE));
	pattern(zero, CHUNK, 22);
	ASSERT_EQ(0, edu_read_memory(&self->rig.edu, AT, CHUNK));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, CHUNK));
	EXPECT_TRUE(has_pattern(self->memory, CHUNK, 22));
}

/* Unmapped while the device is writing: the old memory or none, no crash. */
TEST_F(dma, unmap_in_flight)
{
	unsigned char *victim;
	int i;

	ASSERT_EQ(0, load_device(self, 23));
	for (i = 0; i < 3; i++) {
		victim = memory_anonymous(PAGE);
		ASSERT_NE(NULL, victim);
		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, victim,
					 PAGE, AT));
		edu_start_write(&self->rig.edu, AT, CHUNK);
		if (i == 1)
			usleep(100000);
		ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, PAGE, NULL));
		munmap(victim, PAGE);
		/* Most likely the same page frame as the victim's. */
		victim = memory_anonymous(PAGE);
		ASSERT_NE(NULL, victim);
		memset(victim, UNTOUCHED, PAGE);
		ASSERT_EQ(0, edu_wait(&self->rig.edu));
		EXPECT_TRUE(untouched(victim, PAGE));
		munmap(victim, PAGE);
	}
	EXPECT_TRUE(untouched(self->memory, SIZE));
}

TEST_HARNESS_MAIN
