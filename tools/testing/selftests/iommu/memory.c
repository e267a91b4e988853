// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process, or the kernel on its own account, does with memory that a device
 * is using: the pages that were mapped stay the device's. Either the process goes on
 * sharing them with it, or it has other pages now, which no device gets to see.
 *
 * In each test the device has a transfer under way while the game is played. What
 * it sees is compared byte by byte through an in-kernel access, which has the pages
 * that are pinned, and in samples by DMA.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/mempolicy.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/mock.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define PAGE	4096UL
#define PAGES	64
#define SIZE	(PAGES * PAGE)
#define HUGE	(2UL << 20)
#define AT	0x10000000UL
#define SCRATCH	0x8000UL
#define VIEW	(64UL * 1024)	/* what one call of the access copies */
#define DMA	1024UL
#define IN_FLIGHT 0xd5

FIXTURE(memory)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	int access;
	/* For the device's own content to come and go */
	unsigned char *scratch;
	unsigned char *view;
	/* What is mapped at AT, and how it was filled */
	unsigned char *memory;
	unsigned long size;
	long pins;
	long hugepages;
};

FIXTURE_SETUP(memory)
{
	uint32_t id, pt;

	self->access = -1;
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	ASSERT_EQ(NULL, mock_missing());
	self->access = mock_open(MOCK_MDEV, 1);
	ASSERT_GE(self->access, 0);
	ASSERT_EQ(0, vfio_bind(self->access, self->fd, &id));
	pt = self->ioas;
	ASSERT_EQ(0, vfio_attach(self->access, &pt));
	self->pins = census_pins();
	self->hugepages = census_free_hugepages();
	self->scratch = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	self->view = malloc(VIEW);
	ASSERT_NE(MAP_FAILED, self->scratch);
	ASSERT_NE(NULL, self->view);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->scratch,
				 PAGE, SCRATCH));
}

FIXTURE_TEARDOWN(memory)
{
	if (self->access >= 0)
		close(self->access);
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->pins));
}

static unsigned char byte_at(unsigned long offset, unsigned int seed)
{
	return offset * 7 + (offset >> 12) * 31 + seed;
}

static void fill(unsigned char *memory, unsigned long size, unsigned int seed)
{
	unsigned long i;

	for (i = 0; i < size; i++)
		memory[i] = byte_at(i, seed);
}

/* Where bytes at @offset of a pattern are not as they should be; -1 for nowhere */
static long differs(const unsigned char *memory, unsigned long offset,
		    unsigned long size, unsigned int seed)
{
	unsigned long i;

	for (i = 0; i < size; i++)
		if (memory[i] != byte_at(offset + i, seed))
			return offset + i;
	return -1;
}

/* The transfer that is under way goes to the last page */
static unsigned long flight_page(FIXTURE_DATA(memory) *self)
{
	return self->size - PAGE;
}

/* @device: bytes come from its buffer, else go to it. 0 or -errno */
static int transfer(FIXTURE_DATA(memory) *self, unsigned long offset,
		    bool device)
{
	return device ?
	       edu_write_memory(&self->rig.edu, AT + offset, DMA) :
	       edu_read_memory(&self->rig.edu, AT + offset, DMA);
}

static int device_load(FIXTURE_DATA(memory) *self, unsigned char byte)
{
	memset(self->scratch, byte, DMA);
	return edu_read_memory(&self->rig.edu, SCRATCH, DMA);
}

/*
 * Whether the device has the pattern, everywhere but on the page of the transfer:
 * -1, or where it has not, or -1000 less an error.
 */
static long device_differs(FIXTURE_DATA(memory) *self, unsigned int seed)
{
	const unsigned long samples[] = { 0, self->size - 2 * PAGE };
	unsigned long done, length;
	long where;
	int i, rc;

	for (done = 0; done < flight_page(self); done += length) {
		length = flight_page(self) - done;
		if (length > VIEW)
			length = VIEW;
		rc = mock_rw(self->access, AT + done, self->view, length, 0);
		if (rc < 0)
			return rc - 1000;
		where = differs(self->view, done, length, seed);
		if (where >= 0)
			return where;
	}
	for (i = 0; i < 2; i++) {
		rc = transfer(self, samples[i], false);
		if (!rc)
			rc = edu_write_memory(&self->rig.edu, SCRATCH, DMA);
		if (rc)
			return rc - 1000;
		where = differs(self->scratch, samples[i], DMA, seed);
		if (where >= 0)
			return where;
	}
	return -1;
}

#define EXPECT_DEVICE_HAS(_seed) EXPECT_EQ(-1, device_differs(self, _seed))

/* Map @_memory, which is filled with pattern 1, and start a transfer to it */
#define BEGIN(_memory, _size) do { \
	self->memory = (_memory); \
	self->size = (_size); \
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory, \
				 self->size, AT)); \
	ASSERT_EQ(0, device_load(self, IN_FLIGHT)); \
	edu_start_write(&self->rig.edu, AT + flight_page(self), DMA); \
} while (0)

/* The transfer has arrived where it was to go */
#define LANDED() do { \
	unsigned long _i; \
	ASSERT_EQ(0, edu_wait(&self->rig.edu)); \
	ASSERT_LE(0, mock_rw(self->access, AT + flight_page(self), self->view, \
			     DMA, 0)); \
	for (_i = 0; _i < DMA; _i++) \
		ASSERT_EQ(IN_FLIGHT, self->view[_i]); \
} while (0)

/* The process and the device have the same pages; the process has them at @_at */
#define EXPECT_SHARED(_at) do { \
	unsigned char *_here = (_at); \
	LANDED(); \
	for (unsigned long _j = 0; _j < DMA; _j++) \
		ASSERT_EQ(IN_FLIGHT, _here[flight_page(self) + _j]); \
	EXPECT_DEVICE_HAS(1); \
	fill(_here, self->size, 2); \
	EXPECT_DEVICE_HAS(2); \
	ASSERT_EQ(0, device_load(self, 0x77)); \
	ASSERT_EQ(0, transfer(self, PAGE, true)); \
	for (unsigned long _j = 0; _j < DMA; _j++) \
		ASSERT_EQ(0x77, _here[PAGE + _j]); \
	EXPECT_EQ(-1, differs(_here, 0, PAGE, 2)); \
	EXPECT_EQ(-1, differs(_here + PAGE + DMA, PAGE + DMA, \
			      self->size - PAGE - DMA, 2)); \
} while (0)

/*
 * The device has what it had; at @_at the process has other pages, and neither
 * sees what the other writes.
 */
#define EXPECT_APART(_at, _length) do { \
	unsigned char *_here = (_at); \
	LANDED(); \
	EXPECT_DEVICE_HAS(1); \
	fill(_here, _length, 3); \
	EXPECT_DEVICE_HAS(1); \
	ASSERT_EQ(0, device_load(self, 0x66)); \
	ASSERT_EQ(0, transfer(self, PAGE, true)); \
	EXPECT_EQ(-1, differs(_here, 0, _length, 3)); \
} while (0)

/* Pages of 4 KiB, with pattern 1 */
static unsigned char *anonymous(unsigned long size)
{
	unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_NOHUGEPAGE);
	fill(memory, size, 1);
	return memory;
}

/* The same at a multiple of 2 MiB, as one huge page if @huge and there is one */
static unsigned char *aligned(unsigned long size, bool huge)
{
	unsigned char *memory = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	memory += -(unsigned long)memory & (HUGE - 1);
	madvise(memory, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	fill(memory, size, 1);
	return memory;
}

static bool set(const char *path, const char *value)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (file < 0)
		return false;
	done = write(file, value, strlen(value)) == (ssize_t)strlen(value);
	close(file);
	return done;
}

static long get(const char *path)
{
	FILE *file = fopen(path, "r");
	long value = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

/* Without a game: what the other tests rely on can tell pages apart. */
TEST_F(memory, control)
{
	unsigned char *other = anonymous(SIZE);

	BEGIN(anonymous(SIZE), SIZE);
	EXPECT_SHARED(self->memory);
	EXPECT_EQ(-1, differs(other, 0, SIZE, 1));
	EXPECT_LE(0, device_differs(self, 1));
}

/* Unmapped by the process, which puts other memory there. */
TEST_F(memory, munmap)
{
	BEGIN(anonymous(SIZE), SIZE);
	ASSERT_EQ(0, munmap(self->memory, SIZE));
	ASSERT_EQ(self->memory, mmap(self->memory, SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				     -1, 0));
	EXPECT_APART(self->memory, SIZE);
}

/* A hole in the middle, filled again. */
TEST_F(memory, munmap_middle)
{
	BEGIN(anonymous(SIZE), SIZE);
	ASSERT_EQ(0, munmap(self->memory + PAGE, 8 * PAGE));
	ASSERT_NE(MAP_FAILED, mmap(self->memory + PAGE, 8 * PAGE,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   -1, 0));
	EXPECT_APART(self->memory + PAGE, 8 * PAGE);
}

/* Moved elsewhere, the pages are still shared, and the old place is another. */
TEST_F(memory, mremap)
{
	unsigned char *there = mmap(NULL, SIZE, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *here;

	BEGIN(anonymous(SIZE), SIZE);
	ASSERT_EQ(there, mremap(self->memory, SIZE, SIZE,
				MREMAP_MAYMOVE | MREMAP_FIXED, there));
	here = mmap(self->memory, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->memory, here);
	memset(here, 0xee, SIZE);
	EXPECT_SHARED(there);
	EXPECT_EQ(0xee, here[0]);
	EXPECT_EQ(0xee, here[PAGE]);
}

TEST_F(memory, madvise_dontneed)
{
	unsigned long i;

	BEGIN(anonymous(SIZE), SIZE);
	ASSERT_EQ(0, madvise(self->memory, SIZE, MADV_DONTNEED));
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(0, self->memory[i]);
	EXPECT_APART(self->memory, SIZE);
}

/* What may be freed any time is not, and writing takes the permission back. */
TEST_F(memory, madvise_free)
{
	BEGIN(anonymous(SIZE), SIZE);
	ASSERT_EQ(0, madvise(self->memory, SIZE, MADV_FREE));
	set("/proc/sys/vm/drop_caches", "3");
	EXPECT_SHARED(self->memory);
}

TEST_F(memory, mprotect)
{
	BEGIN(anonymous(SIZE), SIZE);
	ASSERT_EQ(0, mprotect(self->memory, SIZE, PROT_NONE));
	LANDED();
	EXPECT_DEVICE_HAS(1);
	ASSERT_EQ(0, mprotect(self->memory, SIZE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, device_load(self, IN_FLIGHT));
	edu_start_write(&self->rig.edu, AT + flight_page(self), DMA);
	EXPECT_SHARED(self->memory);
}

/* A child that looks at its copy once told to, and then changes it */
static pid_t child_with_copy(unsigned char *memory, int told)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	if (told >= 0 && read(told, &byte, 1) != 1)
		_exit(1);
	/* The last page may have been written to by the device */
	if (differs(memory, 0, SIZE - PAGE, 1) >= 0)
		_exit(2);
	memset(memory, 0xcc, SIZE);
	_exit(0);
}

/* After a fork the parent keeps the device's pages, whoever writes first. */
TEST_F(memory, fork_child_writes)
{
	int status;
	pid_t pid;

	BEGIN(anonymous(SIZE), SIZE);
	pid = child_with_copy(self->memory, -1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_SHARED(self->memory);
}

TEST_F(memory, fork_parent_writes)
{
	int status, told[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(told));
	BEGIN(anonymous(SIZE), SIZE);
	pid = child_with_copy(self->memory, told[0]);
	ASSERT_GT(pid, 0);
	EXPECT_SHARED(self->memory);
	/* Only now the child looks: at what was there when it was born. */
	ASSERT_EQ(1, write(told[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Mapped while parent and child share the pages: the parent gets its own. */
TEST_F(memory, fork_before_map)
{
	unsigned char *memory = anonymous(SIZE);
	int status, told[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(told));
	pid = child_with_copy(memory, told[0]);
	ASSERT_GT(pid, 0);
	BEGIN(memory, SIZE);
	EXPECT_SHARED(self->memory);
	ASSERT_EQ(1, write(told[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* The same mapped for reading only: what the parent writes, the device reads. */
TEST_F(memory, fork_before_map_for_reading)
{
	unsigned char *memory = anonymous(SIZE);
	int status, told[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(told));
	pid = child_with_copy(memory, told[0]);
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_READ, memory, SIZE,
				 AT));
	self->size = SIZE;
	EXPECT_DEVICE_HAS(1);
	fill(memory, SIZE, 2);
	EXPECT_DEVICE_HAS(2);
	ASSERT_EQ(1, write(told[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	fill(memory, SIZE, 3);
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
	fill(memory, size, 1);
	return memory;
}

/* As BEGIN(), by MAP_FILE */
#define BEGIN_FILE(_memory, _file, _size) do { \
	uint64_t _iova = AT; \
	self->memory = (_memory); \
	self->size = (_size); \
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT, \
				   _file, 0, self->size, &_iova)); \
	ASSERT_EQ(0, device_load(self, IN_FLIGHT)); \
	edu_start_write(&self->rig.edu, AT + flight_page(self), DMA); \
} while (0)

static int punch(int file, unsigned long from, unsigned long length)
{
	return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 from, length) ? -errno : 0;
}

/* The pages in the hole stay the device's; the file gets others there. */
#define EXPECT_PUNCHED() do { \
	ASSERT_EQ(0, punch(file, 0, SIZE)); \
	ASSERT_EQ(0, self->memory[0]); \
	ASSERT_EQ(0, self->memory[SIZE - 1]); \
	EXPECT_APART(self->memory, SIZE); \
} while (0)

/* So do those that the file was cut by, and they do not come back into it. */
#define EXPECT_TRUNCATED() do { \
	ASSERT_EQ(0, ftruncate(file, 0)); \
	ASSERT_EQ(0, ftruncate(file, SIZE)); \
	ASSERT_EQ(0, self->memory[0]); \
	ASSERT_EQ(0, self->memory[SIZE - 1]); \
	EXPECT_APART(self->memory, SIZE); \
} while (0)

TEST_F(memory, memfd_punch)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	BEGIN(memory, SIZE);
	EXPECT_PUNCHED();
}

TEST_F(memory, memfd_punch_file)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	BEGIN_FILE(memory, file, SIZE);
	EXPECT_PUNCHED();
}

TEST_F(memory, memfd_truncate)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	BEGIN(memory, SIZE);
	EXPECT_TRUNCATED();
}

TEST_F(memory, memfd_truncate_file)
{
	unsigned char *memory;
	int file;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	BEGIN_FILE(memory, file, SIZE);
	EXPECT_TRUNCATED();
}

/* Neither descriptor nor view is needed for the file's memory to stay. */
TEST_F(memory, memfd_closed)
{
	unsigned char *memory;
	int file, again;

	memory = memfd(SIZE, 0, &file);
	ASSERT_NE(NULL, memory);
	BEGIN_FILE(memory, file, SIZE);
	again = dup(file);
	ASSERT_EQ(0, close(file));
	ASSERT_EQ(0, munmap(memory, SIZE));
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_SHARED(memory);
	fill(memory, SIZE, 4);
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
	memory = aligned(2 * HUGE, false);
	ASSERT_NE(NULL, memory);
	/* Two, as 6.1 asks for a lock that it does not have when it cuts one */
	for (i = 0; i < 2; i++)
		ASSERT_EQ(memory + i * HUGE,
			  mmap(memory + i * HUGE, HUGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
			       MAP_FIXED, -1, 0));
	/* From the middle of the first page to that of the second */
	fill(memory + HUGE / 2, HUGE, 1);
	BEGIN(memory + HUGE / 2, HUGE);
	ASSERT_EQ(0, munmap(memory, HUGE));
	EXPECT_EQ(self->hugepages - 2, census_free_hugepages());
	ASSERT_EQ(memory, mmap(memory, HUGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
			       MAP_FIXED, -1, 0));
	EXPECT_APART(memory + HUGE / 2, HUGE / 2);
	EXPECT_EQ(self->hugepages - 3, census_free_hugepages());
	ASSERT_EQ(0, munmap(memory, 2 * HUGE));
	EXPECT_EQ(self->hugepages - 2, census_free_hugepages());
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, HUGE, NULL));
	EXPECT_EQ(self->hugepages, census_free_hugepages());
}

TEST_F(memory, hugetlb_punch_file)
{
	unsigned char *memory;
	int file;

	WANT_HUGEPAGES(3);
	memory = memfd(2 * HUGE, MFD_HUGETLB, &file);
	ASSERT_NE(NULL, memory);
	BEGIN_FILE(memory, file, 2 * HUGE);
	ASSERT_EQ(0, punch(file, 0, HUGE));
	ASSERT_EQ(0, memory[0]);
	ASSERT_EQ(0, memory[HUGE - 1]);
	EXPECT_APART(memory, HUGE);
	EXPECT_EQ(self->hugepages - 3, census_free_hugepages());
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 2 * HUGE, NULL));
	EXPECT_EQ(self->hugepages - 2, census_free_hugepages());
	ASSERT_EQ(0, munmap(memory, 2 * HUGE));
	ASSERT_EQ(0, close(file));
	EXPECT_EQ(self->hugepages, census_free_hugepages());
}

TEST_F(memory, hugetlb_fork)
{
	int status, told[2];
	unsigned char *memory;
	pid_t pid;

	WANT_HUGEPAGES(2);
	memory = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	fill(memory, HUGE, 1);
	ASSERT_EQ(0, pipe(told));
	BEGIN(memory, HUGE);
	pid = child_with_copy(memory, told[0]);
	ASSERT_GT(pid, 0);
	EXPECT_SHARED(memory);
	ASSERT_EQ(1, write(told[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* A transparent huge page that the process has only a part of any more */
TEST_F(memory, thp_split)
{
	unsigned char *memory = aligned(HUGE, true);

	BEGIN(memory, HUGE);
	ASSERT_EQ(0, munmap(memory + HUGE / 2, HUGE / 4));
	LANDED();
	EXPECT_DEVICE_HAS(1);
	fill(memory, HUGE / 2, 2);
	ASSERT_LE(0, mock_rw(self->access, AT, self->view, VIEW, 0));
	EXPECT_EQ(-1, differs(self->view, 0, VIEW, 2));
	ASSERT_LE(0, mock_rw(self->access, AT + HUGE / 2, self->view, VIEW, 0));
	EXPECT_EQ(-1, differs(self->view, HUGE / 2, VIEW, 1));
}

/* Pages that are to become one huge page stay where they are. */
TEST_F(memory, thp_collapse)
{
	unsigned char *memory = aligned(2 * HUGE, false);
	unsigned char *other = aligned(HUGE, false);

	ASSERT_EQ(0, madvise(other, HUGE, MADV_HUGEPAGE));
	if (madvise(other, HUGE, MADV_COLLAPSE) && errno == EINVAL)
		SKIP(return, "the kernel does not collapse on request");
	BEGIN(memory, 2 * HUGE);
	ASSERT_EQ(0, madvise(memory, 2 * HUGE, MADV_HUGEPAGE));
	EXPECT_EQ(-1, madvise(memory, 2 * HUGE, MADV_COLLAPSE));
	EXPECT_SHARED(memory);
}

static int node_of(void *page)
{
	int status = -1;

	syscall(SYS_move_pages, 0, 1UL, &page, NULL, &status, 0);
	return status;
}

/* Each way to send memory to another node moves others' pages, and not these. */
TEST_F(memory, numa)
{
	unsigned long here, there;
	unsigned char *other = anonymous(SIZE);
	int home, status, node;
	void *page;

	BEGIN(anonymous(SIZE), SIZE);
	home = node_of(self->memory);
	ASSERT_GE(home, 0);
	node = !home;
	here = 1UL << home;
	there = 1UL << node;
	page = other;
	if (syscall(SYS_move_pages, 0, 1UL, &page, &node, &status,
		    MPOL_MF_MOVE) || status != node)
		SKIP(return, "the machine has one node");
	EXPECT_EQ(node, node_of(other));

	page = self->memory;
	syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, MPOL_MF_MOVE);
	EXPECT_EQ(home, node_of(page));
	EXPECT_EQ(-1, syscall(SYS_mbind, self->memory, SIZE, MPOL_BIND, &there,
			      64UL, MPOL_MF_MOVE | MPOL_MF_STRICT));
	EXPECT_EQ(home, node_of(page));
	EXPECT_LT(0, syscall(SYS_migrate_pages, 0, 64UL, &here, &there));
	EXPECT_EQ(home, node_of(page));
	EXPECT_EQ(node, node_of(other + PAGE));
	EXPECT_SHARED(self->memory);
}

TEST_F(memory, compaction)
{
	unsigned char *holes = anonymous(64 * HUGE);
	unsigned long i;

	/* Free memory in pieces, so that there is something to do */
	ASSERT_NE(NULL, holes);
	for (i = 0; i < 64 * HUGE; i += 2 * PAGE)
		madvise(holes + i, PAGE, MADV_DONTNEED);
	BEGIN(anonymous(SIZE), SIZE);
	if (!set("/proc/sys/vm/compact_memory", "1"))
		SKIP(return, "the kernel does not compact memory");
	EXPECT_SHARED(self->memory);
}

#define KSM "/sys/kernel/mm/ksm/"

/* Pages of the same content are merged where nobody has them pinned. */
TEST_F(memory, ksm)
{
	unsigned char *other = anonymous(SIZE);
	long scans;
	int tries;

	memset(other, 0x11, SIZE);
	ASSERT_EQ(0, madvise(other, SIZE, MADV_MERGEABLE));
	if (!set(KSM "pages_to_scan", "100000") ||
	    !set(KSM "sleep_millisecs", "10"))
		SKIP(return, "the kernel does not merge pages");
	BEGIN(anonymous(SIZE), SIZE);
	ASSERT_EQ(0, madvise(self->memory, SIZE, MADV_MERGEABLE));
	LANDED();
	/* Not the others' content, with which they could not be merged either */
	memset(self->memory, 0x22, SIZE);
	ASSERT_TRUE(set(KSM "run", "1"));
	scans = get(KSM "full_scans");
	for (tries = 0; tries < 500; tries++) {
		if (get(KSM "full_scans") > scans + 3)
			break;
		usleep(20000);
	}
	EXPECT_LT(tries, 500);
	/* It works: the pages that are only the process's are one now. */
	EXPECT_GE(get(KSM "pages_sharing"), PAGES - 1);
	EXPECT_LE(get(KSM "pages_sharing"), PAGES);
	fill(self->memory, SIZE, 1);
	ASSERT_EQ(0, device_load(self, IN_FLIGHT));
	edu_start_write(&self->rig.edu, AT + flight_page(self), DMA);
	EXPECT_SHARED(self->memory);
	set(KSM "run", "2");
}

static long swapped_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long value = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmSwap: %ld", &value) == 1)
			break;
	fclose(file);
	return value;
}

/* Swap on a compressed disk in memory, or why not */
static const char *swap_missing(void)
{
	if (system("modprobe -q zram num_devices=1"))
		return "the kernel has no zram";
	if (!set("/sys/block/zram0/disksize", "67108864") ||
	    system("mkswap /dev/zram0 >/dev/null 2>&1"))
		return "no swap can be made";
	if (swapon("/dev/zram0", 0))
		return "no swap can be used";
	return NULL;
}

/* Sent to swap, what is not pinned goes, and what is stays. */
TEST_F(memory, swap)
{
	const char *reason = swap_missing();
	unsigned char *other;
	long before;

	if (reason)
		SKIP(return, "%s", reason);
	other = anonymous(SIZE);
	BEGIN(anonymous(SIZE), SIZE);
	before = swapped_kib();
	ASSERT_EQ(0, madvise(other, SIZE, MADV_PAGEOUT));
	EXPECT_EQ(before + (long)SIZE / 1024, swapped_kib());
	madvise(self->memory, SIZE, MADV_PAGEOUT);
	EXPECT_EQ(before + (long)SIZE / 1024, swapped_kib());
	EXPECT_SHARED(self->memory);
	EXPECT_EQ(-1, differs(other, 0, SIZE, 1));
	EXPECT_EQ(0, swapoff("/dev/zram0"));
	set("/sys/block/zram0/reset", "1");
}

/* The process that mapped it dies; the device works on, in memory that is nobody else's. */
TEST_F(memory, killed)
{
	int status;
	pid_t pid;

	self->size = SIZE;
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		unsigned char *memory = anonymous(SIZE);

		if (ioas_map_at(self->fd, self->ioas, MAP_RW, memory, SIZE, AT))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, device_load(self, IN_FLIGHT));
	edu_start_write(&self->rig.edu, AT + flight_page(self), DMA);
	self->memory = anonymous(SIZE);
	EXPECT_APART(self->memory, SIZE);
}

TEST_HARNESS_MAIN
