// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel does with memory, on its own account or on request: sends it to
 * another node, makes one huge page of it, merges pages, swaps them out. What a
 * device is using stays where it is, and remains the process's too.
 *
 * In each test the device has a transfer under way while the game is played, and
 * pages that nobody has pinned show that it is one.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/mempolicy.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/held.h"
#include "lib/sysfs.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

FIXTURE(kernel)
{
	struct held held;
};

FIXTURE_SETUP(kernel)
{
	RIG_SETUP(held_start, &self->held);
}

FIXTURE_TEARDOWN(kernel)
{
	EXPECT_EQ(0, held_close(&self->held));
}

/* Pages that are to become one huge page stay where they are. */
TEST_F(kernel, thp_collapse)
{
	unsigned char *memory = held_aligned(2 * HUGE, false);
	unsigned char *other = held_aligned(HUGE, false);

	ASSERT_EQ(0, madvise(other, HUGE, MADV_HUGEPAGE));
	if (madvise(other, HUGE, MADV_COLLAPSE) && errno == EINVAL)
		SKIP(return, "the kernel does not collapse on request");
	HOLD(memory, 2 * HUGE);
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
TEST_F(kernel, numa)
{
	unsigned long here, there;
	unsigned char *other = held_anonymous(SIZE);
	int home, status, node;
	void *page;

	HOLD(held_anonymous(SIZE), SIZE);
	home = node_of(self->held.memory);
	ASSERT_GE(home, 0);
	node = !home;
	here = 1UL << home;
	there = 1UL << node;
	page = other;
	if (syscall(SYS_move_pages, 0, 1UL, &page, &node, &status,
		    MPOL_MF_MOVE) || status != node)
		SKIP(return, "the machine has one node");
	EXPECT_EQ(node, node_of(other));

	page = self->held.memory;
	syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, MPOL_MF_MOVE);
	EXPECT_EQ(home, node_of(page));
	EXPECT_EQ(-1, syscall(SYS_mbind, self->held.memory, SIZE, MPOL_BIND, &there,
			      64UL, MPOL_MF_MOVE | MPOL_MF_STRICT));
	EXPECT_EQ(home, node_of(page));
	EXPECT_LT(0, syscall(SYS_migrate_pages, 0, 64UL, &here, &there));
	EXPECT_EQ(home, node_of(page));
	EXPECT_EQ(node, node_of(other + PAGE));
	EXPECT_SHARED(self->held.memory);
}

TEST_F(kernel, compaction)
{
	unsigned char *holes = held_anonymous(64 * HUGE);
	unsigned long i;

	/* Free memory in pieces, so that there is something to do */
	ASSERT_NE(NULL, holes);
	for (i = 0; i < 64 * HUGE; i += 2 * PAGE)
		madvise(holes + i, PAGE, MADV_DONTNEED);
	HOLD(held_anonymous(SIZE), SIZE);
	if (sysfs_write("/proc/sys/vm/compact_memory", "1"))
		SKIP(return, "the kernel does not compact memory");
	EXPECT_SHARED(self->held.memory);
}

#define KSM "/sys/kernel/mm/ksm/"

static long ksm(const char *attribute)
{
	char path[64];
	long value;

	snprintf(path, sizeof(path), KSM "%s", attribute);
	return sysfs_scan(path, "%ld", &value) == 1 ? value : -1;
}

/* Pages of the same content are merged where nobody has them pinned. */
TEST_F(kernel, ksm)
{
	unsigned char *other = held_anonymous(SIZE);
	long scans;
	int tries;

	memset(other, 0x11, SIZE);
	ASSERT_EQ(0, madvise(other, SIZE, MADV_MERGEABLE));
	if (sysfs_write(KSM "pages_to_scan", "100000") ||
	    sysfs_write(KSM "sleep_millisecs", "10"))
		SKIP(return, "the kernel does not merge pages");
	HOLD(held_anonymous(SIZE), SIZE);
	ASSERT_EQ(0, madvise(self->held.memory, SIZE, MADV_MERGEABLE));
	ASSERT_LANDED();
	/* Not the others' content, with which they could not be merged either */
	memset(self->held.memory, 0x22, SIZE);
	ASSERT_EQ(0, sysfs_write(KSM "run", "1"));
	scans = ksm("full_scans");
	for (tries = 0; tries < 500; tries++) {
		if (ksm("full_scans") > scans + 3)
			break;
		usleep(20000);
	}
	EXPECT_LT(tries, 500);
	/* It works: the pages that are only the process's are one now. */
	EXPECT_GE(ksm("pages_sharing"), PAGES - 1);
	EXPECT_LE(ksm("pages_sharing"), PAGES);
	pattern_fill(self->held.memory, SIZE, 1);
	ASSERT_EQ(0, held_launch(&self->held));
	EXPECT_SHARED(self->held.memory);
	sysfs_write(KSM "run", "2");
}

/* Swap on a compressed disk in memory, or why not */
static const char *swap_missing(void)
{
	if (system("modprobe -q zram num_devices=1"))
		return "the kernel has no zram";
	if (sysfs_write("/sys/block/zram0/disksize", "67108864") ||
	    system("mkswap /dev/zram0 >/dev/null 2>&1"))
		return "no swap can be made";
	if (swapon("/dev/zram0", 0))
		return "no swap can be used";
	return NULL;
}

/* Sent to swap, what is not pinned goes, and what is stays. */
TEST_F(kernel, swap)
{
	const char *reason = swap_missing();
	unsigned char *other;
	long before;

	if (reason)
		SKIP(return, "%s", reason);
	other = held_anonymous(SIZE);
	HOLD(held_anonymous(SIZE), SIZE);
	before = census_swapped();
	ASSERT_EQ(0, madvise(other, SIZE, MADV_PAGEOUT));
	EXPECT_EQ(before + (long)SIZE / 1024, census_swapped());
	madvise(self->held.memory, SIZE, MADV_PAGEOUT);
	EXPECT_EQ(before + (long)SIZE / 1024, census_swapped());
	EXPECT_SHARED(self->held.memory);
	EXPECT_EQ(-1, pattern_differs(other, 0, SIZE, 1));
	EXPECT_EQ(0, swapoff("/dev/zram0"));
	sysfs_write("/sys/block/zram0/reset", "1");
}

TEST_HARNESS_MAIN
