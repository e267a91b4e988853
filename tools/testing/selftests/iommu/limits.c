// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel memory that a process without privileges can take by mapping: what
 * it pays for with its memory cgroup, and where it ends.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/cgroup.h"
#include "lib/iommufd.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/sysfs.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define MIB	(1UL << 20)
#define TABLE	(2 * MIB)	/* of IOVA: what the smallest table spans */
#define GIB	(1UL << 30)
#define AT	0x100000UL
#define FAR	(4 * GIB)
#define NOBODY	65534
#define STEP	4096		/* tables between one count and the next */
#define ALLOWED	64		/* MiB, as the module has it at first */
#define PARAM	"/sys/module/iommufd/parameters/table_memory"

FIXTURE(limits)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	unsigned char *page;
};

FIXTURE_SETUP(limits)
{
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	self->page = memory_anonymous(16 * PAGE);
	ASSERT_NE(NULL, self->page);
	memset(self->page, 0, 16 * PAGE);
	/* A test that gave up its rights could not put it back */
	ASSERT_EQ(0, sysfs_write_number(PARAM, ALLOWED));
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, rig_close(&self->rig));
}

static int as_nobody(unsigned long limit)
{
	struct rlimit memlock = { limit, limit };

	if (setrlimit(RLIMIT_MEMLOCK, &memlock))
		return -errno;
	return setresuid(NOBODY, NOBODY, NOBODY) ? -errno : 0;
}

/* Maps one page at many places by turns; 0 or -errno */
static int churn(FIXTURE_DATA(limits) *self, unsigned long from, long times)
{
	long i;
	int rc;

	for (i = 0; i < times; i++) {
		unsigned long iova = from + i * TABLE;

		rc = ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, iova);
		if (!rc)
			rc = ioas_unmap(self->fd, self->ioas, iova, PAGE, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * Tables that have become empty are given back: one page that wanders through the
 * address space takes no more memory than the step at which that is done.
 */
TEST_F(limits, wandering_page)
{
	const long times = 4 * STEP;
	long before, taken;

	if (!machine_has_vtd())
		SKIP(return, "AMD's driver keeps tables, and charges them: see cgroup_pays");
	ASSERT_EQ(0, as_nobody(PAGE));
	before = census_free();
	ASSERT_EQ(0, churn(self, FAR, times));
	taken = before - census_free();
	/* All of them would be four times that and more */
	EXPECT_LT(taken, 2 * STEP * (long)PAGE / 1024);
}

/*
 * Giving back leaves every live mapping alone, wherever it lies in its tables:
 * the device still writes to each of them, and beside them finds nothing.
 */
TEST_F(limits, neighbours_stay)
{
	static const unsigned long places[] = {
		PAGE,			/* at the start */
		TABLE - PAGE,		/* last page of a table */
		2 * TABLE,		/* first page of the next but one */
		GIB - PAGE,		/* last page of a table of tables */
		2 * GIB,
		3 * GIB + 5 * TABLE + 7 * PAGE,
		100 * GIB + 511 * TABLE,
		101 * GIB,
		511 * GIB + 511 * TABLE + 511 * PAGE,
	};
	const int nr = sizeof(places) / sizeof(places[0]);
	struct iommu_iova_range ranges[16];
	uint32_t count = 16;
	uint64_t alignment;
	int i, round;

	ASSERT_EQ(0, ioas_ranges(self->fd, self->ioas, ranges, &count,
				 &alignment));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
					 self->page + (i + 1) * PAGE, PAGE,
					 places[i]));
	/* Where the IOMMU goes so far, nothing is behind this one */
	if (ranges[count - 1].last == UINT64_MAX)
		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
					 self->page, PAGE,
					 UINT64_MAX - PAGE + 1));
	/*
	 * Different tables between them in each round, and pages in them that
	 * are neither at one of the places nor where interrupts are signalled
	 */
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, churn(self, (round ? 0 : 10 * GIB) + 0x109000,
				   STEP + 2));
		ASSERT_EQ(0, churn(self, (round ? 99 : 200) * GIB + 0x109000,
				   STEP + 2));
		for (i = 0; i < nr; i++) {
			unsigned char *there = self->page + (i + 1) * PAGE;
			unsigned char byte = 0x40 + round * 16 + i;

			memset(there, byte, PAGE);
			ASSERT_EQ(0, edu_read_memory(&self->rig.edu, places[i],
						     512));
			memset(there, 0, PAGE);
			ASSERT_EQ(0, edu_write_memory(&self->rig.edu,
						      places[i] + 1024, 512));
			EXPECT_EQ(0, there[1023]);
			EXPECT_EQ(byte, there[1024]);
			EXPECT_EQ(byte, there[1535]);
			EXPECT_EQ(0, there[1536]);
		}
	}
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, places[i], PAGE,
					NULL));
}

/* Copies of what is mapped at @from, @apart from each other: how many there can be */
static long copies_of(FIXTURE_DATA(limits) *self, unsigned long from,
		      unsigned long length, unsigned long apart, long max,
		      int *rc)
{
	uint64_t iova;
	long i;

	*rc = 0;
	for (i = 0; i < max && !*rc; i++) {
		iova = FAR + i * apart;
		*rc = ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas, &iova,
				self->ioas, from, length);
	}
	return *rc ? i - 1 : i;
}

static long copies(FIXTURE_DATA(limits) *self, long max, int *rc)
{
	return copies_of(self, AT, PAGE, TABLE, max, rc);
}

/*
 * One page of RLIMIT_MEMLOCK can be copied until the tables are more than the
 * parameter says, and again once some have gone.
 */
TEST_F(limits, copies_of_one_page)
{
	long tables = 8 * MIB / PAGE;
	long nr, again;
	int rc;

	ASSERT_EQ(0, sysfs_write_number(PARAM, 8));
	ASSERT_EQ(0, as_nobody(PAGE));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, AT));
	nr = copies(self, 4 * STEP, &rc);
	EXPECT_EQ(-ENOMEM, rc);
	/* Looked at in steps; some tables are tables of tables */
	EXPECT_GE(nr, tables - tables / 64);
	EXPECT_LE(nr, tables + STEP);
	/* It stays refused */
	for (again = 0; again < 10; again++) {
		uint64_t iova = 2 * FAR + (nr + again) * TABLE;

		EXPECT_EQ(-ENOMEM, ioas_copy(self->fd, MAP_RW | MAP_AT,
					     self->ioas, &iova, self->ioas, AT,
					     PAGE));
	}
	/* So is the charge: one page, however often it is shown. */
	EXPECT_EQ((long)PAGE / 1024, census_pinned());

	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, FAR,
				nr * TABLE, NULL));
	again = copies(self, 4 * STEP, &rc);
	EXPECT_EQ(-ENOMEM, rc);
	EXPECT_GE(again, tables - tables / 64);
	EXPECT_LE(again, tables + STEP);
	/* A refusal leaves everything else working. */
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, 0, UINT64_MAX, NULL));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, AT));
}

/*
 * Tables that only one mapping needs count as long as it is there, however often
 * others came and went, in one call or in several.
 */
TEST_F(limits, copies_of_many_pages)
{
	const unsigned long size = 16 * TABLE;
	const long each = size / TABLE;
	/* What it may pin pays for tables, too */
	const long tables = (size + MIB) / PAGE;
	unsigned char *huge;
	int round;

	if (!census_want_hugepages(each))
		SKIP(return, "no free huge pages");
	huge = memory_hugetlb(size);
	ASSERT_NE(NULL, huge);
	ASSERT_EQ(0, sysfs_write_number(PARAM, 1));
	ASSERT_EQ(0, as_nobody(size));
	for (round = 0; round < 4; round++) {
		long nr;
		int rc;

		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, huge,
					 size, TABLE));
		nr = copies_of(self, TABLE, size, size, 4 * STEP, &rc);
		EXPECT_EQ(-ENOMEM, rc);
		/* Some tables are tables of tables */
		EXPECT_GE(nr, tables / each - tables / each / 64 - 1);
		EXPECT_LE(nr, (tables + STEP) / each);
		if (round % 2)
			EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, FAR,
						nr / 2 * size, NULL));
		EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, 0, UINT64_MAX,
					NULL));
	}
	munmap(huge, size);
}

/*
 * What no device sees takes no tables, and is not refused for them; a device is, if
 * it would take more than there may be.
 */
TEST_F(limits, before_a_device)
{
	const unsigned long size = 64 * GIB;
	uint32_t pt = self->ioas;
	void *room;
	int rc;

	room = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, room);
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	ASSERT_EQ(0, sysfs_write_number(PARAM, 8));
	ASSERT_EQ(0, as_nobody(PAGE));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, room, size,
				 FAR));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, FAR, size, NULL));

	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, AT));
	EXPECT_EQ(2 * STEP, copies(self, 2 * STEP, &rc));
	EXPECT_EQ(0, rc);
	EXPECT_EQ(-ENOMEM, vfio_attach(self->rig.device, &pt));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, FAR, STEP * 2 * TABLE - GIB,
				NULL));
	EXPECT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, 0, UINT64_MAX, NULL));
	munmap(room, size);
}

/* One with CAP_IPC_LOCK is trusted with what he does. */
TEST_F(limits, privileged)
{
	int rc;

	ASSERT_EQ(0, sysfs_write_number(PARAM, 1));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, AT));
	EXPECT_EQ(2 * STEP, copies(self, 2 * STEP, &rc));
	EXPECT_EQ(0, rc);
}

/*
 * Whoever maps, and does not copy, never meets this limit: a page that he may pin
 * pays for a table too. As many mappings as DPDK makes, as far apart as they can be.
 */
TEST_F(limits, mappings_pay_for_themselves)
{
	/* A kernel that looks for faults takes its time */
	bool slow = !access("/sys/kernel/debug/kmemleak", F_OK);
	const long nr = slow ? 3000 : 66000;
	long i;

	if (slow)
		ASSERT_EQ(0, sysfs_write_number(PARAM, 1));
	ASSERT_EQ(0, as_nobody(nr * PAGE));
	for (i = 0; i < nr; i++)
		if (ioas_map_at(self->fd, self->ioas, MAP_RW, self->page, PAGE,
				FAR + i * TABLE))
			break;
	EXPECT_EQ(nr, i);
	EXPECT_EQ(-ENOMEM, ioas_map_at(self->fd, self->ioas, MAP_RW,
				       self->page, PAGE, AT));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, 0, UINT64_MAX, NULL));
}

#define GROUP "iommufd-limits"

/* What the group is charged for in the kernel */
static long kernel_bytes(void)
{
	return cgroup_read(GROUP, "memory.stat", "kernel");
}

static bool settles_below(long bytes)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (kernel_bytes() < bytes)
			return true;
		usleep(50000);
	}
	return false;
}

/*
 * The bookkeeping of mappings is charged to the memory cgroup of who maps, and so
 * are AMD's page tables. All of it comes back.
 */
TEST_F(limits, cgroup_pays)
{
	const long nr = 20000;
	const long tables = 2000;
	long base, bytes;
	uint64_t iova;
	long i;
	int rc;

	if (cgroup_missing())
		SKIP(return, "%s", cgroup_missing());
	ASSERT_EQ(0, cgroup_create(GROUP, 0));
	ASSERT_EQ(0, cgroup_join(GROUP));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, AT));
	base = kernel_bytes();
	ASSERT_GE(base, 0);
	/* Dense, so that it is not about tables */
	for (i = 0; i < nr; i++) {
		iova = FAR + i * PAGE;
		ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas,
				       &iova, self->ioas, AT, PAGE));
	}
	bytes = kernel_bytes() - base;
	/* A tree node alone has 24 bytes, and two ends */
	EXPECT_GE(bytes, nr * 64);
	EXPECT_LE(bytes, nr * 256);
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, FAR, nr * PAGE, NULL));
	EXPECT_TRUE(settles_below(base + nr * 64));

	if (machine_has_amd()) {
		base = kernel_bytes();
		EXPECT_EQ(tables, copies(self, tables, &rc));
		EXPECT_GE(kernel_bytes() - base, tables * (long)PAGE);
	}
	ASSERT_EQ(0, cgroup_join(""));
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(settles_below(MIB));
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/*
 * Beyond memory.max of the cgroup: the call fails or the process is killed, no
 * other one is, and what it had is given back.
 */
TEST_F(limits, cgroup_ends)
{
	long pins = census_pins();
	int status;
	pid_t pid;

	if (cgroup_missing())
		SKIP(return, "%s", cgroup_missing());
	ASSERT_EQ(0, cgroup_create(GROUP, 8 * MIB));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct rig rig = { .device = -1, .iommufd = -1 };
		uint64_t iova;
		uint32_t ioas;
		long i;

		if (cgroup_join(GROUP))
			_exit(10);
		rig.iommufd = iommufd_open();
		if (ioas_alloc(rig.iommufd, &ioas) ||
		    ioas_map_at(rig.iommufd, ioas, MAP_RW, self->page, PAGE,
				AT))
			_exit(11);
		/* 96 MiB at the least, if nobody stopped it */
		for (i = 0; i < 1000000; i++) {
			iova = FAR + i * PAGE;
			if (ioas_copy(rig.iommufd, MAP_RW | MAP_AT, ioas,
				      &iova, ioas, AT, PAGE) == -ENOMEM)
				_exit(12);
		}
		_exit(13);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		    (WIFEXITED(status) && WEXITSTATUS(status) == 12));
	/* The device's file and this process are as before. */
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, AT));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, PAGE, NULL));
	EXPECT_TRUE(census_settles(pins));
	EXPECT_TRUE(settles_below(MIB));
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/* The same for memory that the device is to reach: its pages are the group's. */
TEST_F(limits, cgroup_of_pinned_memory)
{
	const unsigned long size = 32 * MIB;
	long pins = census_pins();
	int status;
	pid_t pid;

	if (cgroup_missing())
		SKIP(return, "%s", cgroup_missing());
	ASSERT_EQ(0, cgroup_create(GROUP, 8 * MIB));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		unsigned char *memory;

		if (cgroup_join(GROUP))
			_exit(10);
		memory = memory_anonymous(size);
		switch (ioas_map_at(self->fd, self->ioas, MAP_RW, memory, size,
				    AT)) {
		case -ENOMEM:
		case -EINTR:
		case -EFAULT:
			_exit(12);
		}
		_exit(13);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		    (WIFEXITED(status) && WEXITSTATUS(status) == 12));
	EXPECT_TRUE(census_settles(pins));
	EXPECT_EQ(-ENOENT, ioas_unmap(self->fd, self->ioas, AT, size, NULL));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->page,
				 PAGE, AT));
	EXPECT_TRUE(settles_below(MIB));
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

TEST_HARNESS_MAIN
