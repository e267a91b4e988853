// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process does with memory that a device is using: the pages that were mapped
 * stay the device's. Either the process goes on sharing them with it, or it has other
 * pages now, which no device gets to see. memory_kernel.c has what the kernel does
 * with such memory.
 *
 * In each test the device has a transfer under way while the game is played.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/held.h"
#include "lib/memory.h"
#include "lib/sysfs.h"

FIXTURE(memory)
{
	struct held held;
	long hugepages;
};

FIXTURE_SETUP(memory)
{
	RIG_SETUP(held_start, &self->held);
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_EQ(0, held_close(&self->held));
}

/* Without a game: what the other tests rely on can tell pages apart. */
TEST_F(memory, control)
{
	unsigned char *other = held_anonymous(SIZE);

	HOLD(held_anonymous(SIZE), SIZE);
	EXPECT_SHARED(self->held.memory);
	EXPECT_EQ(-1, pattern_differs(other, 0, SIZE, 1));
	EXPECT_LE(0, held_device_differs(&self->held, 1));
}

/* Unmapped by the process, which puts other memory there. */
TEST_F(memory, munmap)
{
	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, munmap(self->held.memory, SIZE));
	ASSERT_EQ(self->held.memory,
		  mmap(self->held.memory, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_APART(self->held.memory, SIZE);
}

/* A hole in the middle, filled again. */
TEST_F(memory, munmap_middle)
{
	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, munmap(self->held.memory + PAGE, 8 * PAGE));
	ASSERT_NE(MAP_FAILED, mmap(self->held.memory + PAGE, 8 * PAGE,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   -1, 0));
	EXPECT_APART(self->held.memory + PAGE, 8 * PAGE);
}

/* Moved elsewhere, the pages are still shared, and the old place is another. */
TEST_F(memory, mremap)
{
	unsigned char *there = mmap(NULL, SIZE, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *here;

	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(there, mremap(self->held.memory, SIZE, SIZE,
				MREMAP_MAYMOVE | MREMAP_FIXED, there));
	here = mmap(self->held.memory, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->held.memory, here);
	memset(here, 0xee, SIZE);
	EXPECT_SHARED(there);
	EXPECT_EQ(0xee, here[0]);
	EXPECT_EQ(0xee, here[PAGE]);
}

TEST_F(memory, madvise_dontneed)
{
	unsigned long i;

	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, madvise(self->held.memory, SIZE, MADV_DONTNEED));
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(0, self->held.memory[i]);
	EXPECT_APART(self->held.memory, SIZE);
}

/* What may be freed any time is not, and writing takes the permission back. */
TEST_F(memory, madvise_free)
{
	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, madvise(self->held.memory, SIZE, MADV_FREE));
	sysfs_write("/proc/sys/vm/drop_caches", "3");
	EXPECT_SHARED(self->held.memory);
}

TEST_F(memory, mprotect)
{
	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, mprotect(self->held.memory, SIZE, PROT_NONE));
	ASSERT_LANDED();
	EXPECT_DEVICE_HAS(1);
	ASSERT_EQ(0, mprotect(self->held.memory, SIZE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, held_launch(&self->held));
	EXPECT_SHARED(self->held.memory);
}

/* A process with a copy of the memory */
struct child {
	pid_t pid;
	int told[2];
};

/* One that looks at its copy once told to, and then changes it. 0 or -errno. */
static int child_start(struct child *child, unsigned char *memory)
{
	char byte;

	if (pipe(child->told))
		return -errno;
	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	if (child->pid)
		return 0;
	if (read(child->told[0], &byte, 1) != 1)
		_exit(1);
	/* The last page may have been written to by the device */
	if (pattern_differs(memory, 0, SIZE - PAGE, 1) >= 0)
		_exit(2);
	memset(memory, 0xcc, SIZE);
	_exit(0);
}

/* Tells the child, and returns the status with which it ends. */
static int child_end(struct child *child)
{
	int status = -1;

	if (write(child->told[1], "", 1) != 1)
		return -errno;
	waitpid(child->pid, &status, 0);
	close(child->told[0]);
	close(child->told[1]);
	return status;
}

/* After a fork the parent keeps the device's pages, whoever writes first. */
TEST_F(memory, fork_child_writes)
{
	struct child child;

	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, child_start(&child, self->held.memory));
	EXPECT_EQ(0, child_end(&child));
	EXPECT_SHARED(self->held.memory);
}

TEST_F(memory, fork_parent_writes)
{
	struct child child;

	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, child_start(&child, self->held.memory));
	EXPECT_SHARED(self->held.memory);
	/* Only now the child looks: at what was there when it was born. */
	EXPECT_EQ(0, child_end(&child));
}

/* Mapped while parent and child share the pages: the parent gets its own. */
TEST_F(memory, fork_before_map)
{
	unsigned char *memory = held_anonymous(SIZE);
	struct child child;

	ASSERT_EQ(0, child_start(&child, memory));
	HOLD(memory, SIZE);
	EXPECT_SHARED(memory);
	EXPECT_EQ(0, child_end(&child));
}

/* The same mapped for reading only: what the parent writes, the device reads. */
TEST_F(memory, fork_before_map_for_reading)
{
	unsigned char *memory = held_anonymous(SIZE);
	struct child child;

	ASSERT_EQ(0, child_start(&child, memory));
	ASSERT_EQ(0, held_map(&self->held, MAP_READ, memory, SIZE));
	EXPECT_DEVICE_HAS(1);
	pattern_fill(memory, SIZE, 2);
	EXPECT_DEVICE_HAS(2);
	EXPECT_EQ(0, child_end(&child));
	pattern_fill(memory, SIZE, 3);
	EXPECT_DEVICE_HAS(3);
}

/* A memfd with pattern 1, and the process's view of it */
static unsigned char *memfd(unsigned long size, unsigned int flags, int *file)
{
	unsigned char *memory;

	*file = memfd_create("memory", MFD_CLOEXEC | flags);
	if (*file < 0 || ftruncate(*file, size))
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
	if (memory == MAP_FAILED)
		return NULL;
	pattern_fill(memory, size, 1);
	return memory;
}

/* As HOLD(), by MAP_FILE */
#define HOLD_FILE(_memory, _file, _size) do { \
	uint64_t _iova = HELD_AT; \
	self->held.memory = (_memory); \
	self->held.size = (_size); \
	ASSERT_EQ(0, ioas_map_file(self->held.rig.iommufd, \
				   self->held.rig.ioas, MAP_RW | MAP_AT, \
				   _file, 0, self->held.size, &_iova)); \
	ASSERT_EQ(0, held_launch(&self->held)); \
} while (0)

static int punch(int file, unsigned long from, unsigned long length)
{
	return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 from, length) ? -errno : 0;
}

/* The pages in the hole stay the device's; the file gets others there. */
#define EXPECT_PUNCHED() do { \
	ASSERT_EQ(0, punch(file, 0, SIZE)); \
	ASSERT_EQ(0, self->held.memory[0]); \
	ASSERT_EQ(0, self->held.memory[SIZE - 1]); \
	EXPECT_APART(self->held.memory, SIZE); \
} while (0)

/* So do those that the file was cut by, and they do not come back into it. */
#define EXPECT_TRUNCATED() do { \
	ASSERT_EQ(0, ftruncate(file, 0)); \
	ASSERT_EQ(0, ftruncate(file, SIZE)); \
	ASSERT_EQ(0, self->held.memory[0]); \
	ASSERT_EQ(0, self->held.memory[SIZE - 1]); \
	EXPECT_APART(self->held.memory, SIZE); \
} while (0)

TEST_F(memory, memfd_punch)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	HOLD(memory, SIZE);
	EXPECT_PUNCHED();
}

TEST_F(memory, memfd_punch_file)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	HOLD_FILE(memory, file, SIZE);
	EXPECT_PUNCHED();
}

TEST_F(memory, memfd_truncate)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	HOLD(memory, SIZE);
	EXPECT_TRUNCATED();
}

TEST_F(memory, memfd_truncate_file)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	HOLD_FILE(memory, file, SIZE);
	EXPECT_TRUNCATED();
}

/* Neither descriptor nor view is needed for the file's memory to stay. */
TEST_F(memory, memfd_closed)
{
	unsigned char *memory;
	int file, again;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	HOLD_FILE(memory, file, SIZE);
	again = dup(file);
	ASSERT_EQ(0, close(file));
	ASSERT_EQ(0, munmap(memory, SIZE));
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_SHARED(memory);
	pattern_fill(memory, SIZE, 4);
	ASSERT_EQ(0, munmap(memory, SIZE));
	ASSERT_EQ(0, close(again));
	EXPECT_DEVICE_HAS(4);
}

#define WANT_HUGEPAGES(_count) do { \
	if (!census_want_hugepages(_count)) \
		SKIP(return, "no free huge pages"); \
	self->hugepages = census_free_hugepages(); \
} while (0)

/*
 * A hugetlb page of which less than all is mapped is held whole: unmapped by the
 * process it is not free, and becomes so with the UNMAP.
 */
TEST_F(memory, hugetlb_partial_munmap)
{
	unsigned char *memory;
	int i;

	WANT_HUGEPAGES(3);
	memory = held_aligned(2 * HUGE, false);
	ASSERT_NE(NULL, memory);
	/* Two, as 6.1 asks for a lock that it does not have when it cuts one */
	for (i = 0; i < 2; i++)
		ASSERT_EQ(memory + i * HUGE,
			  mmap(memory + i * HUGE, HUGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
			       MAP_FIXED, -1, 0));
	/* From the middle of the first page to that of the second */
	pattern_fill(memory + HUGE / 2, HUGE, 1);
	HOLD(memory + HUGE / 2, HUGE);
	ASSERT_EQ(0, munmap(memory, HUGE));
	EXPECT_EQ(self->hugepages - 2, census_free_hugepages());
	ASSERT_EQ(memory, mmap(memory, HUGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
			       MAP_FIXED, -1, 0));
	EXPECT_APART(memory + HUGE / 2, HUGE / 2);
	EXPECT_EQ(self->hugepages - 3, census_free_hugepages());
	ASSERT_EQ(0, munmap(memory, 2 * HUGE));
	EXPECT_EQ(self->hugepages - 2, census_free_hugepages());
	ASSERT_EQ(0, held_unmap(&self->held));
	EXPECT_EQ(self->hugepages, census_free_hugepages());
}

TEST_F(memory, hugetlb_punch_file)
{
	unsigned char *memory;
	int file;

	WANT_HUGEPAGES(3);
	memory = memfd(2 * HUGE, MFD_HUGETLB, &file);
	ASSERT_NE(NULL, memory);
	HOLD_FILE(memory, file, 2 * HUGE);
	ASSERT_EQ(0, punch(file, 0, HUGE));
	ASSERT_EQ(0, memory[0]);
	ASSERT_EQ(0, memory[HUGE - 1]);
	EXPECT_APART(memory, HUGE);
	EXPECT_EQ(self->hugepages - 3, census_free_hugepages());
	ASSERT_EQ(0, held_unmap(&self->held));
	EXPECT_EQ(self->hugepages - 2, census_free_hugepages());
	ASSERT_EQ(0, munmap(memory, 2 * HUGE));
	ASSERT_EQ(0, close(file));
	EXPECT_EQ(self->hugepages, census_free_hugepages());
}

TEST_F(memory, hugetlb_fork)
{
	unsigned char *memory;
	struct child child;

	WANT_HUGEPAGES(2);
	memory = memory_hugetlb(HUGE);
	ASSERT_NE(NULL, memory);
	pattern_fill(memory, HUGE, 1);
	HOLD(memory, HUGE);
	ASSERT_EQ(0, child_start(&child, memory));
	EXPECT_SHARED(memory);
	EXPECT_EQ(0, child_end(&child));
}

/* A transparent huge page that the process has only a part of any more */
TEST_F(memory, thp_split)
{
	unsigned char *memory = held_aligned(HUGE, true);
	unsigned char *view = self->held.view;
	int access = self->held.access;

	HOLD(memory, HUGE);
	ASSERT_EQ(0, munmap(memory + HUGE / 2, HUGE / 4));
	ASSERT_LANDED();
	EXPECT_DEVICE_HAS(1);
	pattern_fill(memory, HUGE / 2, 2);
	ASSERT_LE(0, mock_rw(access, HELD_AT, view, HELD_VIEW, 0));
	EXPECT_EQ(-1, pattern_differs(view, 0, HELD_VIEW, 2));
	ASSERT_LE(0, mock_rw(access, HELD_AT + HUGE / 2, view, HELD_VIEW, 0));
	EXPECT_EQ(-1, pattern_differs(view, HUGE / 2, HELD_VIEW, 1));
}

/*
 * The process that mapped it dies; the device works on, in memory that is nobody
 * else's.
 */
TEST_F(memory, killed)
{
	int status;
	pid_t pid;

	self->held.size = SIZE;
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		unsigned char *memory = held_anonymous(SIZE);

		if (held_map(&self->held, MAP_RW, memory, SIZE))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, held_launch(&self->held));
	self->held.memory = held_anonymous(SIZE);
	EXPECT_APART(self->held.memory, SIZE);
}

TEST_HARNESS_MAIN
