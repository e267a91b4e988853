// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test for each class of fault that other implementations of this interface had,
 * named after it: those about memory. classes_life.c has those about the life
 * of objects and files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/exec.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/mock.h"
#include "lib/rig.h"
#include "lib/type1.h"
#include "lib/vfio.h"
#include "lib/way.h"

#define PAGE	4096UL
#define PAGES	64
#define SIZE	(PAGES * PAGE)
#define HUGE	(2UL << 20)
#define AT	0x10000000UL
#define THERE	0x20000000UL
#define VIEW	(64UL * 1024)
#define NOBODY	65534

/* The edu device and a device whose DMA the CPU does, in one address space */
FIXTURE(memory)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	int access;
	unsigned char *memory;
	unsigned char *view;
	long pins;
};

FIXTURE_SETUP(memory)
{
	self->access = -1;
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	ASSERT_EQ(NULL, mock_missing());
	self->access = mock_attach(MOCK_MDEV, 1, self->fd, self->ioas);
	ASSERT_GE(self->access, 0);
	self->pins = census_pins();
	self->memory = memory_of_pages(SIZE);
	self->view = malloc(VIEW);
	ASSERT_NE(NULL, self->memory);
	ASSERT_NE(NULL, self->view);
}

FIXTURE_TEARDOWN(memory)
{
	if (self->access >= 0)
		close(self->access);
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->pins));
}

/* Each page says where it is, at both ends */
static void tag(unsigned char *memory, unsigned long pages)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		*(uint32_t *)(memory + i * PAGE) = i * 2654435761u;
		*(uint32_t *)(memory + i * PAGE + PAGE - 4) = ~i;
	}
}

static bool has_tag(const unsigned char *page, unsigned long i)
{
	return *(const uint32_t *)page == (uint32_t)(i * 2654435761u) &&
	       *(const uint32_t *)(page + PAGE - 4) == (uint32_t)~i;
}

/* The first of @pages pages from @iova on that does not have its tag; -1 for none */
static long wrong_tag(FIXTURE_DATA(memory) *self, uint64_t iova,
		      unsigned long first, unsigned long pages)
{
	unsigned long per_view = VIEW / PAGE;
	unsigned long done, i;

	for (done = 0; done < pages; done += per_view) {
		unsigned long nr = pages - done < per_view ? pages - done :
							     per_view;

		if (mock_rw(self->access, iova + done * PAGE, self->view,
			    nr * PAGE, 0) < 0)
			return done;
		for (i = 0; i < nr; i++)
			if (!has_tag(self->view + i * PAGE, first + done + i))
				return done + i;
	}
	return -1;
}

static int park(FIXTURE_DATA(memory) *self, bool attached)
{
	uint32_t pt = self->ioas;

	return attached ? vfio_attach(self->rig.device, &pt) :
			  vfio_detach(self->rig.device);
}

/* User address, file offset, IOVA: whatever is added up, nothing wraps past zero. */
TEST_F(memory, class01_address_wraps)
{
	static const uint64_t lengths[] = {
		PAGE, 2 * PAGE, HUGE, 1ULL << 63, UINT64_MAX - PAGE,
		UINT64_MAX - 1, UINT64_MAX
	};
	int memfd = memfd_create("classes", MFD_CLOEXEC);
	uint64_t iova;
	int i;

	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint64_t length = lengths[i];
		void *end = (void *)-length;

		EXPECT_EQ(-EOVERFLOW, ioas_map(self->fd, self->ioas, MAP_RW,
					       end, length, &iova));
		/* A page further the shortest begins at 0, where nothing is */
		EXPECT_EQ(length == PAGE ? -EFAULT : -EOVERFLOW,
			  ioas_map(self->fd, self->ioas, MAP_RW, end + PAGE,
				   length, &iova));
		EXPECT_EQ(-EOVERFLOW, ioas_map_file(self->fd, self->ioas,
						    MAP_RW, memfd, -length,
						    length, &iova));
		/* An IOVA may end at the very end, but go no further. */
		if (length == PAGE)
			continue;
		EXPECT_EQ(-EOVERFLOW,
			  ioas_map_at(self->fd, self->ioas, MAP_RW,
				      self->memory, length, PAGE - length));
		iova = THERE;
		EXPECT_EQ(-EOVERFLOW,
			  ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas,
				    &iova, self->ioas, PAGE - length, length));
		EXPECT_EQ(-EOVERFLOW,
			  ioas_unmap(self->fd, self->ioas, PAGE - length,
				     length, NULL));
	}
	/* Nothing of it is there. */
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, 0, UINT64_MAX, &iova));
	EXPECT_EQ(0, iova);
	close(memfd);
}

/* Pins of an access in a slice that does not begin where the memory does. */
TEST_F(memory, class02_unpin_with_access_present)
{
	uint64_t iova = THERE;
	int attached;

	tag(self->memory, 16);
	for (attached = 1; attached >= 0; attached--) {
		long whole = attached ? 16 : 0;
		struct mock_state state;

		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
					 self->memory, 16 * PAGE, AT));
		ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas,
				       &iova, self->ioas, AT + 4 * PAGE,
				       8 * PAGE));
		/* Pages 6, 7 and 8 of the memory */
		ASSERT_EQ(3, mock_pin(self->access, THERE + 2 * PAGE, 3,
				      MOCK_WRITE | MOCK_AT_ONCE));
		ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 16 * PAGE,
					NULL));
		EXPECT_EQ(-1, wrong_tag(self, THERE, 4, 8));
		ASSERT_LE(0, mock_touch(self->access, THERE + 3 * PAGE,
					self->view, PAGE, 0));
		EXPECT_TRUE(has_tag(self->view, 7));
		if (!attached)
			EXPECT_TRUE(census_settles(self->pins + 3));
		/* The device goes or comes while the access holds on. */
		ASSERT_EQ(0, park(self, !attached));
		ASSERT_LE(0, mock_touch(self->access, THERE + 4 * PAGE,
					self->view, PAGE, 0));
		EXPECT_TRUE(has_tag(self->view, 8));
		ASSERT_EQ(0, park(self, attached));
		EXPECT_GE(census_pins(), self->pins + whole);
		ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, THERE, 8 * PAGE,
					NULL));
		ASSERT_EQ(0, mock_state(self->access, &state));
		EXPECT_EQ(0, state.pinned);
		EXPECT_TRUE(census_settles(self->pins));
		if (attached)
			ASSERT_EQ(0, park(self, false));
	}
}

/*
 * Page frames come in batches, and a batch may end in a run, in a huge page, or at
 * neither. Every page of the mapping is where it belongs.
 */
TEST_F(memory, class03_batch_order)
{
	const unsigned long pages = 1000 + 512 + 4000 + 512 + 4100;
	const unsigned long huge_at[] = { 1000, 1000 + 512 + 4000 };
	unsigned char *memory;
	unsigned long i;
	int file;

	if (!census_want_hugepages(2))
		SKIP(return, "no free huge pages");
	/* The first huge page falls on a multiple of 2 MiB only if so begun */
	memory = mmap(NULL, pages * PAGE + 2 * HUGE, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	memory += -((unsigned long)memory + 1000 * PAGE) & (HUGE - 1);
	file = memfd_create("classes", MFD_CLOEXEC);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, ftruncate(file, pages * PAGE));
	ASSERT_EQ(memory, mmap(memory, pages * PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED, file, 0));
	/* In steps, so that physical neighbours are not neighbours here */
	for (i = 0; i < pages; i++)
		memory[i * 4099 % pages * PAGE] = 1;
	for (i = 0; i < 2; i++) {
		unsigned char *at = memory + huge_at[i] * PAGE;

		if ((unsigned long)at & (HUGE - 1))
			continue;
		ASSERT_EQ(at, mmap(at, HUGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
				   MAP_FIXED, -1, 0));
	}
	tag(memory, pages);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, memory,
				 pages * PAGE, AT));
	EXPECT_EQ(-1, wrong_tag(self, AT, 0, pages));
	/* And so the IOMMU has it, at the end of the first batch too */
	for (i = 4094; i < 4098; i++) {
		uint32_t word[2] = { 0, i * 2654435761u };

		ASSERT_EQ(0, edu_read_memory(&self->rig.edu, AT + i * PAGE, 4));
		ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + 4, 4));
		word[0] = *(uint32_t *)(memory + 4);
		EXPECT_EQ(word[1], word[0]);
	}
	close(file);
}

/* What is left of memory whose other parts were unmapped is what a device gets. */
TEST_F(memory, class05_stale_after_split)
{
	uint64_t iova = THERE;

	tag(self->memory, PAGES);
	ASSERT_EQ(0, park(self, false));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas, &iova,
			       self->ioas, AT + 20 * PAGE, 3 * PAGE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
	ASSERT_EQ(0, park(self, true));
	EXPECT_EQ(-1, wrong_tag(self, THERE, 20, 3));
	memset(self->memory + 21 * PAGE, 0x3c, 64);
	ASSERT_EQ(0, edu_read_memory(&self->rig.edu, THERE + PAGE, 64));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, THERE + 2 * PAGE, 64));
	EXPECT_EQ(0, memcmp(self->memory + 21 * PAGE,
			    self->memory + 22 * PAGE, 64));
	/* Beside it there is nothing, and nothing of the former place. */
	tag(self->memory, PAGES);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, THERE + 3 * PAGE, 64));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + 20 * PAGE, 64));
	EXPECT_EQ(-1, wrong_tag(self, THERE, 20, 3));
	EXPECT_TRUE(has_tag(self->memory + 23 * PAGE, 23));
	EXPECT_TRUE(has_tag(self->memory + 20 * PAGE, 20));
}

/* A copy across two mappings takes of each what it should, to the byte. */
TEST_F(memory, class05_copy_across_mappings)
{
	uint64_t iova = THERE;

	tag(self->memory, PAGES);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 3 * PAGE, AT));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 self->memory + 5 * PAGE, 3 * PAGE,
				 AT + 3 * PAGE));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas, &iova,
			       self->ioas, AT + PAGE, 4 * PAGE));
	EXPECT_EQ(-1, wrong_tag(self, THERE, 1, 2));
	EXPECT_EQ(-1, wrong_tag(self, THERE + 2 * PAGE, 5, 2));
}

/* An automatic IOVA that is aligned up does not leave its range, at any top. */
TEST_F(memory, class08_aligned_up_past_the_end)
{
	unsigned char *huge = memory_anonymous(2 * HUGE);
	static const uint64_t tops[] = {
		UINT64_MAX - 1, UINT64_MAX - PAGE, (1ULL << 39) - 1,
		(1ULL << 32) - 1, 0xffffffffffdfffff
	};
	uint64_t iova;
	int i;

	ASSERT_NE(NULL, huge);
	huge += -(unsigned long)huge & (HUGE - 1);
	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		struct iommu_iova_range range = {
			/* Begins behind a multiple of 2 MiB, shorter than 4 */
			.start = (tops[i] & ~(HUGE - 1)) - HUGE + PAGE,
			.last = tops[i],
		};
		uint32_t ioas;
		int rc;

		ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
		ASSERT_EQ(0, ioas_allow(self->fd, ioas, &range, 1));
		/* If not to be placed, refused; never elsewhere. */
		iova = 0;
		rc = ioas_map(self->fd, ioas, MAP_RW, huge, HUGE, &iova);
		if (rc) {
			EXPECT_EQ(-ENOSPC, rc);
		} else {
			EXPECT_GE(iova, range.start);
			EXPECT_LE(iova, range.last - (HUGE - 1));
		}
		rc = ioas_map(self->fd, ioas, MAP_RW, huge, 3 * HUGE / 2,
			      &iova);
		EXPECT_TRUE(rc == -ENOSPC ||
			    (!rc && iova >= range.start &&
			     iova <= range.last - (3 * HUGE / 2 - 1)));
		ASSERT_EQ(0, iommufd_destroy(self->fd, ioas));
	}
}

/* The bit of a page is where its distance from the start of the question says. */
TEST(class09_bitmap_that_starts_anywhere)
{
	unsigned char *memory = memory_anonymous(200 * PAGE);
	uint64_t bits[4];
	int container, device, start, i;
	struct way way;
	char byte = 1;

	ASSERT_EQ(NULL, mock_missing());
	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, way_open_mdev(&way, WAY_GROUP, 1));
	container = way.space;
	device = way.device;
	/* Five mappings, as a question may not cut one */
	for (start = 0; start < 200; start += 40)
		ASSERT_EQ(0, container_map(container, DMA_RW,
					   memory + start * PAGE, 40 * PAGE,
					   AT + start * PAGE));
	for (start = 0; start < 200; start += 40) {
		int pages = 200 - start;

		ASSERT_EQ(0, container_dirty(container,
					     VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
		ASSERT_LE(0, mock_rw(device, AT + 41 * PAGE, &byte, 1,
				     MOCK_WRITE));
		ASSERT_LE(0, mock_rw(device, AT + 199 * PAGE, &byte, 1,
				     MOCK_WRITE));
		memset(bits, 0, sizeof(bits));
		ASSERT_EQ(0, container_get_bitmap(container, AT + start * PAGE,
						  pages * PAGE, PAGE, bits,
						  32));
		for (i = 0; i < 256; i++)
			EXPECT_EQ(i == 41 - start || i == 199 - start,
				  bits[i / 64] >> (i % 64) & 1);
		ASSERT_EQ(0, container_dirty(container,
					     VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
	}
	way_close(&way);
}

/* What a call does not set it does not write, and what it sets it sets all of. */
TEST_F(memory, class13_uninitialised_fields)
{
	struct iommu_iova_range ranges[16];
	unsigned char data[64];
	struct iommu_hw_info info;
	uint64_t alignment;
	uint32_t count = 16;
	unsigned char *p;
	int i, pass;

	for (pass = 0; pass < 2; pass++) {
		int filler = pass ? 0xa5 : 0x5a;

		memset(ranges, filler, sizeof(ranges));
		ASSERT_EQ(0, ioas_ranges(self->fd, self->ioas, ranges, &count,
					 &alignment));
		ASSERT_LT(count, 16);
		for (p = (void *)&ranges[count];
		     p < (unsigned char *)&ranges[16]; p++)
			ASSERT_EQ(filler, *p);
		count = 16;

		memset(data, filler, sizeof(data));
		memset(&info, filler, sizeof(info));
		ASSERT_EQ(0, hw_info(self->fd, self->rig.device_id, data, 48,
				     &info));
		EXPECT_EQ(0, info.out_data_type);
		EXPECT_EQ(0, info.out_capabilities);
		/* The buffer that was offered is zeroed, and not more. */
		for (i = 0; i < 48; i++)
			ASSERT_EQ(0, data[i]);
		for (; i < sizeof(data); i++)
			ASSERT_EQ(filler, data[i]);
	}
}

/* An exec between MAP and UNMAP, charged by process: never below zero. */
TEST(class14_locked_vm_and_exec)
{
	char *memory = memory_anonymous(SIZE);
	long pins = census_pins();
	struct rig rig;
	uint32_t pt;
	int status;
	pid_t pid;

	RIG_SETUP(rig_open, &rig);
	ASSERT_EQ(0, iommufd_option_set(rig.iommufd, IOMMU_OPTION_RLIMIT_MODE,
					0, 1));
	ASSERT_EQ(0, vfio_bind(rig.device, rig.iommufd, &rig.device_id));
	ASSERT_EQ(0, ioas_alloc(rig.iommufd, &rig.ioas));
	pt = rig.ioas;
	ASSERT_EQ(0, vfio_attach(rig.device, &pt));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (setresuid(NOBODY, NOBODY, NOBODY) ||
		    ioas_map_at(rig.iommufd, rig.ioas, MAP_RW, memory,
				4 * PAGE, AT) ||
		    census_locked() != 16)
			_exit(10);
		_exit(exec_and_unmap(rig.iommufd, rig.ioas, AT, 4 * PAGE));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, rig_close(&rig));
	EXPECT_TRUE(census_settles(pins));
}

#define TABLE_MEMORY "/sys/module/iommufd/parameters/table_memory"

/* Copies are charged nothing; yet there is an end to them. limits.c has more. */
TEST_F(memory, class17_unlimited_mappings)
{
	struct rlimit memlock = { PAGE, PAGE };
	int param = open(TABLE_MEMORY, O_RDWR | O_CLOEXEC);
	uint64_t iova;
	long i;
	int rc = 0;

	ASSERT_GE(param, 0);
	ASSERT_EQ(1, write(param, "1", 1));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &memlock));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT));
	for (i = 0; i < 10000 && !rc; i++) {
		iova = (4UL << 30) + i * HUGE;
		rc = ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas, &iova,
			       self->ioas, AT, PAGE);
	}
	EXPECT_EQ(-ENOMEM, rc);
	EXPECT_EQ(2, pwrite(param, "64", 2, 0));
	close(param);
}

/* The parent's pages are the device's, whoever writes. memory.c has more. */
TEST_F(memory, class21_fork_and_copy_on_write)
{
	int status;
	pid_t pid;

	tag(self->memory, PAGES);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		memset(self->memory, 0, SIZE);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(-1, wrong_tag(self, AT, 0, PAGES));
	memset(self->memory + PAGE, 0x5e, 64);
	ASSERT_EQ(0, edu_read_memory(&self->rig.edu, AT + PAGE, 64));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + 2 * PAGE, 64));
	EXPECT_EQ(0, memcmp(self->memory + PAGE, self->memory + 2 * PAGE, 64));
}

/* Memory that the file or the process does not have any more. memory.c has more. */
TEST_F(memory, class22_truncated_and_punched)
{
	unsigned char *memory;
	uint64_t iova = AT;
	int file;

	file = memfd_create("classes", MFD_CLOEXEC);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, ftruncate(file, SIZE));
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, memory);
	tag(memory, PAGES);
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT, file,
				   0, SIZE, &iova));
	ASSERT_EQ(0, fallocate(file, FALLOC_FL_PUNCH_HOLE |
			       FALLOC_FL_KEEP_SIZE, 0, SIZE / 2));
	ASSERT_EQ(0, ftruncate(file, SIZE / 2));
	ASSERT_EQ(0, ftruncate(file, SIZE));
	memset(memory, 0x11, SIZE);
	EXPECT_EQ(-1, wrong_tag(self, AT, 0, PAGES));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, 512));
	ASSERT_EQ(0x11, memory[PAGE]);
	ASSERT_EQ(0, madvise(memory, SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, munmap(memory, SIZE));
	EXPECT_EQ(-1, wrong_tag(self, AT + 2 * PAGE, 2, PAGES - 2));
	close(file);
}

/* A huge page that two mappings hold parts of goes with the second. */
TEST_F(memory, class23_hugetlb_partly_unmapped)
{
	unsigned char *memory;
	long free;

	if (!census_want_hugepages(1))
		SKIP(return, "no free huge pages");
	free = census_free_hugepages();
	memory = memory_hugetlb(HUGE);
	ASSERT_NE(NULL, memory);
	tag(memory, HUGE / PAGE);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, memory, HUGE,
				 AT));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 memory + 100 * PAGE, 3 * PAGE, THERE));
	ASSERT_EQ(0, munmap(memory, HUGE));
	EXPECT_EQ(-1, wrong_tag(self, AT, 0, HUGE / PAGE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, HUGE, NULL));
	EXPECT_EQ(free - 1, census_free_hugepages());
	EXPECT_EQ(-1, wrong_tag(self, THERE, 100, 3));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, THERE, 3 * PAGE, NULL));
	EXPECT_EQ(free, census_free_hugepages());
}

TEST_HARNESS_MAIN
