// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins and who is charged for them: every pin is given back, on every way out,
 * and no process has more pinned than its limit allows.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/exec.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define MIB	(1UL << 20)
#define SIZE	(16 * MIB)
#define AT	0x10000000UL
#define SCRATCH	0x8000UL
#define DMA	1024UL
#define NOBODY	65534

FIXTURE(pins)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	char *memory;
	/* Before anything was mapped. */
	long base;
};

FIXTURE_SETUP(pins)
{
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	self->memory = memory_of_pages(SIZE);
	ASSERT_NE(NULL, self->memory);
	self->base = census_pins();
}

FIXTURE_TEARDOWN(pins)
{
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->base));
}

/* A mapping pins its pages and charges the process, until it is unmapped. */
TEST_F(pins, map_and_unmap)
{
	long pinned = census_pinned();

	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	EXPECT_TRUE(census_settles(self->base + SIZE / PAGE));
	EXPECT_EQ(pinned + SIZE / 1024, census_pinned());
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
	EXPECT_TRUE(census_settles(self->base));
	EXPECT_EQ(pinned, census_pinned());
}

/* Detaching the device gives the pins back, attaching takes them again. */
TEST_F(pins, detach_and_attach)
{
	uint32_t pt = self->ioas;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_TRUE(census_settles(self->base));
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_TRUE(census_settles(self->base + SIZE / PAGE));
}

/* A copy pins nothing more, and keeps what the original pinned. */
TEST_F(pins, copy)
{
	long pinned = census_pinned();
	uint64_t iova = 0;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE, AT));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW, self->ioas, &iova, self->ioas,
			       AT, SIZE));
	EXPECT_TRUE(census_settles(self->base + SIZE / PAGE));
	EXPECT_EQ(pinned + SIZE / 1024, census_pinned());
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
	EXPECT_TRUE(census_settles(self->base + SIZE / PAGE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, iova, SIZE, NULL));
	EXPECT_TRUE(census_settles(self->base));
	EXPECT_EQ(pinned, census_pinned());
}

/* A MAP that fails in its middle gives back what it had pinned. */
TEST_F(pins, map_bad_memory)
{
	long pinned = census_pinned();
	char *hole = self->memory + SIZE - PAGE;
	uint64_t iova = 0;

	ASSERT_EQ(0, munmap(hole, PAGE));
	EXPECT_EQ(-EFAULT, ioas_map_at(self->fd, self->ioas, MAP_RW,
				       self->memory, SIZE, AT));
	EXPECT_EQ(-EFAULT, ioas_map(self->fd, self->ioas, MAP_READ, hole, PAGE,
				    &iova));
	EXPECT_EQ(-EFAULT, ioas_map(self->fd, self->ioas, MAP_RW, NULL, PAGE,
				    &iova));
	EXPECT_TRUE(census_settles(self->base));
	EXPECT_EQ(pinned, census_pinned());
	/* The IOVA is free again. */
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 SIZE - PAGE, AT));
}

/* Memory that the caller may not write to is not for a device to write to. */
TEST_F(pins, map_unwritable_memory)
{
	uint64_t iova = 0;
	char *text;
	int file;

	ASSERT_EQ(0, mprotect(self->memory, SIZE, PROT_READ));
	EXPECT_EQ(-EFAULT, ioas_map(self->fd, self->ioas, MAP_RW, self->memory,
				    PAGE, &iova));
	EXPECT_EQ(-EFAULT, ioas_map(self->fd, self->ioas, MAP_WRITE,
				    self->memory, PAGE, &iova));
	EXPECT_EQ(0, ioas_map(self->fd, self->ioas, MAP_READ, self->memory,
			      PAGE, &iova));

	/* A shared view of a file that was opened for reading. */
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(file, 0);
	text = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, text);
	EXPECT_EQ(-EFAULT, ioas_map(self->fd, self->ioas, MAP_RW, text, PAGE,
				    &iova));
	EXPECT_EQ(0, ioas_map(self->fd, self->ioas, MAP_READ, text, PAGE,
			      &iova));
	close(file);

	ASSERT_EQ(0, mprotect(self->memory, SIZE, PROT_NONE));
	EXPECT_EQ(-EFAULT, ioas_map(self->fd, self->ioas, MAP_READ,
				    self->memory + PAGE, PAGE, &iova));
}

/* Behind memory that has no other copy comes some that the process has yet to touch. */
TEST_F(pins, map_behind_unwritable)
{
	char *memory, *seen = self->memory;
	int file;

	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(file, 0);
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(memory, mmap(memory, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
			       file, 0));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_READ, memory,
				 2 * PAGE, AT));
	memset(memory + PAGE, 0x42, PAGE);

	ASSERT_EQ(0, edu_read_memory(&self->rig.edu, AT + PAGE, DMA));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, seen, PAGE,
				 SCRATCH));
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, SCRATCH, DMA));
	EXPECT_EQ(0, memcmp(seen, memory + PAGE, DMA));
	close(file);
	ASSERT_EQ(0, munmap(memory, 2 * PAGE));
}

/* Files that hold no memory of the right kind, and ranges outside of them. */
TEST_F(pins, map_file_refused)
{
	uint64_t iova = 0;
	int memfd, other;
	int ends[2];

	memfd = memfd_create("pins", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, 4 * PAGE));
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW, memfd,
					 4 * PAGE, PAGE, &iova));
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW, memfd,
					 2 * PAGE, 4 * PAGE, &iova));
	EXPECT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW, memfd,
				   2 * PAGE, 2 * PAGE, &iova));
	close(memfd);

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW, ends[1],
					 0, PAGE, &iova));
	close(ends[0]);
	close(ends[1]);
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW, other,
					 0, PAGE, &iova));
	close(other);
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW,
					 self->fd, 0, PAGE, &iova));
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW,
					 self->rig.device, 0, PAGE, &iova));
}

/* In a process that is not root and may lock @limit bytes. */
static int as_nobody(unsigned long limit)
{
	struct rlimit memlock = { limit, limit };

	if (setrlimit(RLIMIT_MEMLOCK, &memlock))
		return -errno;
	return setresuid(NOBODY, NOBODY, NOBODY) ? -errno : 0;
}

/* RLIMIT_MEMLOCK of a user: the sum counts, a refusal charges nothing. */
TEST_F(pins, limit)
{
	long pinned;

	memset(self->memory, 1, SIZE);
	ASSERT_EQ(0, as_nobody(4 * MIB));
	pinned = census_pinned();
	EXPECT_EQ(-ENOMEM, ioas_map_at(self->fd, self->ioas, MAP_RW,
				       self->memory, 4 * MIB + PAGE, AT));
	EXPECT_EQ(pinned, census_pinned());
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 3 * MIB, AT));
	EXPECT_EQ(-ENOMEM, ioas_map_at(self->fd, self->ioas, MAP_RW,
				       self->memory + 3 * MIB, MIB + PAGE,
				       AT + SIZE));
	EXPECT_EQ(pinned + 3 * MIB / 1024, census_pinned());
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 self->memory + 3 * MIB, MIB, AT + SIZE));
	EXPECT_EQ(-ENOMEM, ioas_map_at(self->fd, self->ioas, MAP_RW,
				       self->memory, PAGE, AT + 2 * SIZE));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 3 * MIB, NULL));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT + 2 * SIZE));
	EXPECT_EQ(pinned + (MIB + PAGE) / 1024, census_pinned());
}

/* The limit holds for MAP_FILE as well. */
TEST_F(pins, limit_of_file)
{
	uint64_t iova = 0;
	int memfd;

	memfd = memfd_create("pins", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	ASSERT_EQ(0, as_nobody(4 * MIB));
	EXPECT_EQ(-ENOMEM, ioas_map_file(self->fd, self->ioas, MAP_RW, memfd,
					 0, 4 * MIB + PAGE, &iova));
	EXPECT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW, memfd, 0,
				   4 * MIB, &iova));
	EXPECT_EQ(-ENOMEM, ioas_map_file(self->fd, self->ioas, MAP_RW, memfd,
					 0, PAGE, &iova));
	close(memfd);
}

/* By user, two processes share the limit; unmapping by either frees it. */
TEST_F(pins, limit_is_of_the_user)
{
	int status;
	pid_t pid;

	memset(self->memory, 1, SIZE);
	ASSERT_EQ(0, as_nobody(4 * MIB));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 3 * MIB, AT));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int rc = ioas_map_at(self->fd, self->ioas, MAP_RW,
				     self->memory + 4 * MIB, 2 * MIB,
				     AT + SIZE);

		if (rc != -ENOMEM)
			_exit(1);
		rc = ioas_map_at(self->fd, self->ioas, MAP_RW,
				 self->memory + 4 * MIB, MIB, AT + SIZE);
		_exit(rc ? 2 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ENOMEM, ioas_map_at(self->fd, self->ioas, MAP_RW,
				       self->memory, PAGE, AT + 2 * SIZE));
	/* The mapping of the process that is gone. */
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT + SIZE, MIB, NULL));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT + 2 * SIZE));
}

/* An exec between MAP and UNMAP leaves nothing charged to the new program. */
TEST_F(pins, exec)
{
	int status;
	pid_t pid;

	memset(self->memory, 1, SIZE);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				SIZE, AT))
			_exit(10);
		_exit(exec_and_unmap(self->fd, self->ioas, AT, SIZE));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(census_settles(self->base));
}

/* Hugetlb memory: given back whole, also when a mapping held only a part. */
TEST_F(pins, hugetlb)
{
	char *huge;
	long free;

	if (!census_want_hugepages(2))
		SKIP(return, "no free huge pages");
	free = census_free_hugepages();
	huge = memory_hugetlb(2 * HUGE);
	ASSERT_NE(NULL, huge);
	memset(huge, 1, 2 * HUGE);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, huge, 2 * HUGE,
				 AT));
	EXPECT_GT(census_pins(), self->base);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 huge + HUGE - PAGE, 2 * PAGE, AT + SIZE));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, huge + PAGE,
				 HUGE, AT + 2 * SIZE));
	ASSERT_EQ(0, munmap(huge, 2 * HUGE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 2 * HUGE, NULL));
	EXPECT_GT(census_pins(), self->base);
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT + SIZE, 2 * PAGE,
				NULL));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT + 2 * SIZE, HUGE,
				NULL));
	EXPECT_TRUE(census_settles(self->base));
	EXPECT_EQ(free, census_free_hugepages());
}

/* The device reads at @iova what the process has at @memory */
static bool device_reads(FIXTURE_DATA(pins) *self, unsigned long iova,
			 const char *memory)
{
	memset(self->memory, 0, DMA);
	return !edu_read_memory(&self->rig.edu, iova, DMA) &&
	       !edu_write_memory(&self->rig.edu, SCRATCH, DMA) &&
	       !memcmp(memory, self->memory, DMA);
}

/*
 * Huge pages of a file, of which the middle ones are there and the others not yet:
 * each is the file's, and has one pin. While it is there for writing nobody can
 * seal the file, and behind a seal there is none.
 */
TEST_F(pins, hugetlb_file)
{
	uint32_t pt = self->ioas;
	uint64_t iova = AT;
	char *memory;
	long free;
	int file;
	int i;

	if (!census_want_hugepages(4))
		SKIP(return, "no free huge pages");
	file = memfd_create("pins", MFD_CLOEXEC | MFD_HUGETLB |
				    MFD_ALLOW_SEALING);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, ftruncate(file, 4 * HUGE));
	memory = mmap(NULL, 4 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		      0);
	ASSERT_NE(MAP_FAILED, memory);
	memset(memory + HUGE, 1, 2 * HUGE);
	free = census_free_hugepages();
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, SCRATCH));

	/* From the middle of the first page to that of the last */
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT, file,
				   HUGE / 2, 3 * HUGE, &iova));
	EXPECT_TRUE(census_settles(self->base + 1 + 4));
	EXPECT_EQ(free - 2, census_free_hugepages());
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_TRUE(census_settles(self->base));
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_TRUE(census_settles(self->base + 1 + 4));
	for (i = 0; i < 7; i++) {
		char *at = memory + HUGE / 2 + i * HUGE / 2 - (i == 6) * DMA;

		memset(at, 0x20 + i, DMA);
		EXPECT_TRUE(device_reads(self, AT + (at - memory) - HUGE / 2,
					 at));
	}
	ASSERT_EQ(0, munmap(memory, 4 * HUGE));
	EXPECT_EQ(-1, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 3 * HUGE, NULL));
	EXPECT_TRUE(census_settles(self->base + 1));

	ASSERT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(-EPERM, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT,
					file, 0, HUGE, &iova));
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_READ | MAP_AT,
				   file, 0, 4 * HUGE, &iova));
	EXPECT_TRUE(census_settles(self->base + 1 + 4));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 4 * HUGE, NULL));
	ASSERT_EQ(0, close(file));
	EXPECT_TRUE(census_settles(self->base + 1));
	EXPECT_EQ(free + 2, census_free_hugepages());
}

/* The memory of another process stays pinned until it is unmapped. */
TEST_F(pins, owner_exits)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		memset(self->memory, 1, SIZE);
		_exit(ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				  SIZE, AT) ? 1 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_TRUE(census_settles(self->base + SIZE / PAGE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL));
	EXPECT_TRUE(census_settles(self->base));
}

/* CHANGE_PROCESS moves the charge, to a process that can bear it. */
TEST_F(pins, change_process)
{
	uint64_t iova = AT;
	int memfd, status;
	pid_t pid;

	/* One who may lock memory without a limit is not charged. */
	ASSERT_EQ(0, as_nobody(2 * SIZE));
	memfd = memfd_create("pins", MFD_CLOEXEC);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT,
				   memfd, 0, SIZE, &iova));
	ASSERT_EQ(SIZE / 1024, census_pinned());
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (as_nobody(SIZE - PAGE))
			_exit(1);
		_exit(ioas_change_process(self->fd) == -ENOMEM ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(SIZE / 1024, census_pinned());

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (ioas_change_process(self->fd) ||
		    census_pinned() != SIZE / 1024)
			_exit(1);
		if (ioas_unmap(self->fd, self->ioas, AT, SIZE, NULL) ||
		    census_pinned() != 0)
			_exit(2);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, census_pinned());
	close(memfd);
}

/* RLIMIT_MODE 1 charges locked memory of the process, as VFIO does. */
TEST(process_mode)
{
	long base, locked = census_locked();
	struct rig rig;
	char *memory;
	uint32_t pt;

	RIG_SETUP(rig_open, &rig);
	ASSERT_EQ(0, iommufd_option_set(rig.iommufd, IOMMU_OPTION_RLIMIT_MODE,
					0, 1));
	base = census_pins();
	ASSERT_EQ(0, vfio_bind(rig.device, rig.iommufd, &rig.device_id));
	ASSERT_EQ(0, ioas_alloc(rig.iommufd, &rig.ioas));
	pt = rig.ioas;
	ASSERT_EQ(0, vfio_attach(rig.device, &pt));
	memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, as_nobody(SIZE - PAGE));
	EXPECT_EQ(-ENOMEM, ioas_map_at(rig.iommufd, rig.ioas, MAP_RW, memory,
				       SIZE, AT));
	EXPECT_EQ(locked, census_locked());
	ASSERT_EQ(0, ioas_map_at(rig.iommufd, rig.ioas, MAP_RW, memory,
				 SIZE - PAGE, AT));
	EXPECT_EQ(locked + (SIZE - PAGE) / 1024, census_locked());
	ASSERT_EQ(0, ioas_unmap(rig.iommufd, rig.ioas, AT, SIZE, NULL));
	EXPECT_EQ(locked, census_locked());
	EXPECT_EQ(0, rig_close(&rig));
	EXPECT_TRUE(census_settles(base));
}

/* A process of its own with a rig of its own, killed @us after it began. */
static int run_and_kill(long us)
{
	int status, ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		struct rig rig;
		char *memory;
		int i;

		if (rig_start(&rig))
			_exit(1);
		memory = memory_anonymous(SIZE);
		edu_start_write(&rig.edu, AT, 64);
		if (write(ready[1], "", 1) != 1)
			_exit(2);
		for (i = 0; ; i++) {
			uint64_t iova = 0;
			uint32_t pt = rig.ioas;

			if (ioas_map_at(rig.iommufd, rig.ioas, MAP_RW, memory,
					SIZE, AT) ||
			    ioas_copy(rig.iommufd, MAP_RW, rig.ioas, &iova,
				      rig.ioas, AT, SIZE) ||
			    (i % 4 == 3 && (vfio_detach(rig.device) ||
					    vfio_attach(rig.device, &pt))) ||
			    ioas_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX,
				       NULL))
				_exit(3);
		}
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		usleep(us);
		kill(pid, SIGKILL);
	}
	close(ready[0]);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : status;
}

FIXTURE(machine)
{
	struct rig rig;
};

FIXTURE_SETUP(machine)
{
	RIG_SETUP(rig_find, &self->rig);
}

FIXTURE_TEARDOWN(machine)
{
	EXPECT_EQ(0, rig_close(&self->rig));
}

/* kill -9 at any point gives everything back. */
TEST_F_TIMEOUT(machine, kill, 120)
{
	long base = census_pins();
	int i;

	for (i = 0; i < 12; i++) {
		ASSERT_EQ(0, run_and_kill(i * 7919 % 40000));
		ASSERT_TRUE(census_settles(base));
	}
	/* The device is free for the next. */
	ASSERT_EQ(0, rig_start(&self->rig));
}

TEST_HARNESS_MAIN
