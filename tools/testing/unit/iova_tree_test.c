// SPDX-License-Identifier: GPL-2.0-only
/* iova_tree.c outside the kernel: chosen cases, then random ones. */
#include "kselftest_harness.h"

#include "shim.h"

#include "iova_tree.h"
#include "ops.h"

#define MIB	(1UL << 20)

FIXTURE(tree)
{
	struct iova_tree tree;
	struct iova_range range[32];
	unsigned int nr;
	unsigned long iova;
};

FIXTURE_SETUP(tree)
{
}

FIXTURE_TEARDOWN(tree)
{
}

#define INSERT(_first, _last) ({					\
	struct iova_range *_range = &self->range[self->nr++];		\
	_range->first = (_first);					\
	_range->last = (_last);						\
	iova_tree_insert(&self->tree, _range);				\
})

#define FIND(_first, _last, _length, _align, _phase) \
	iova_tree_find_gap(&self->tree, _first, _last, _length, _align, \
			   _phase, &self->iova)

TEST_F(tree, empty)
{
	EXPECT_TRUE(iova_tree_empty(&self->tree));
	EXPECT_EQ(NULL, iova_tree_first(&self->tree, 0, ULONG_MAX));
	EXPECT_TRUE(FIND(0, ULONG_MAX, ULONG_MAX, 1, 0));
	EXPECT_EQ(0, self->iova);
	EXPECT_TRUE(FIND(ULONG_MAX, ULONG_MAX, 1, 1, 0));
	EXPECT_EQ(ULONG_MAX, self->iova);
	EXPECT_FALSE(FIND(ULONG_MAX, ULONG_MAX, 2, 1, 0));
	EXPECT_FALSE(FIND(1, ULONG_MAX, ULONG_MAX, 2, 0));
}

/* Aligning up must not come round at zero. */
TEST_F(tree, align_past_the_top)
{
	EXPECT_FALSE(FIND(ULONG_MAX - 4095, ULONG_MAX, 1, MIB, 0));
	EXPECT_FALSE(FIND(ULONG_MAX - 4095, ULONG_MAX, 4096, 1UL << 63, 0));
	EXPECT_TRUE(FIND(ULONG_MAX - 4095, ULONG_MAX, 4096, MIB, MIB - 4096));
	EXPECT_EQ(ULONG_MAX - 4095, self->iova);
	EXPECT_TRUE(FIND(1, ULONG_MAX, 1UL << 63, 1UL << 63, 0));
	EXPECT_EQ(1UL << 63, self->iova);
	EXPECT_FALSE(FIND(1, ULONG_MAX, (1UL << 63) + 1, 1UL << 63, 0));
}

TEST_F(tree, the_whole_space)
{
	ASSERT_EQ(0, INSERT(0, ULONG_MAX));
	EXPECT_EQ(-EEXIST, INSERT(0, 0));
	EXPECT_EQ(-EEXIST, INSERT(ULONG_MAX, ULONG_MAX));
	EXPECT_FALSE(FIND(0, ULONG_MAX, 1, 1, 0));
	iova_tree_remove(&self->tree, &self->range[0]);
	EXPECT_TRUE(iova_tree_empty(&self->tree));
}

TEST_F(tree, neighbours_at_both_ends)
{
	ASSERT_EQ(0, INSERT(0, 4095));
	ASSERT_EQ(0, INSERT(ULONG_MAX - 4095, ULONG_MAX));
	ASSERT_EQ(0, INSERT(8192, ULONG_MAX - 4096));
	EXPECT_EQ(-EEXIST, INSERT(4095, 4096));
	EXPECT_EQ(-EEXIST, INSERT(8191, 8192));
	EXPECT_TRUE(FIND(0, ULONG_MAX, 4096, 4096, 0));
	EXPECT_EQ(4096, self->iova);
	EXPECT_FALSE(FIND(0, ULONG_MAX, 4097, 1, 0));
	EXPECT_FALSE(FIND(0, ULONG_MAX, 4096, 4096, 1));
	ASSERT_EQ(0, INSERT(4096, 8191));
	EXPECT_FALSE(FIND(0, ULONG_MAX, 1, 1, 0));
}

/* A gap that the window cuts is not longer than what is left of it. */
TEST_F(tree, window)
{
	ASSERT_EQ(0, INSERT(0x1000, 0x1fff));
	ASSERT_EQ(0, INSERT(0x5000, 0x5fff));
	EXPECT_TRUE(FIND(0x3000, 0x4fff, 0x2000, 1, 0));
	EXPECT_EQ(0x3000, self->iova);
	EXPECT_FALSE(FIND(0x3001, 0x4fff, 0x2000, 1, 0));
	EXPECT_FALSE(FIND(0x3000, 0x4ffe, 0x2000, 1, 0));
	EXPECT_FALSE(FIND(0x1000, 0x1fff, 1, 1, 0));
	EXPECT_FALSE(FIND(0x3000, 0x7fff, 0x2001, 1, 0));
	EXPECT_TRUE(FIND(0x3000, 0x8000, 0x2001, 1, 0));
	EXPECT_EQ(0x6000, self->iova);
}

TEST_F(tree, phase)
{
	ASSERT_EQ(0, INSERT(0, MIB));
	EXPECT_TRUE(FIND(0, ULONG_MAX, 4096, 2 * MIB, 0x3000));
	EXPECT_EQ(2 * MIB + 0x3000, self->iova);
	/* Of the phase only what is below the alignment counts */
	EXPECT_TRUE(FIND(0, ULONG_MAX, 4096, 2 * MIB, 7 * MIB + 0x3000));
	EXPECT_EQ(MIB + 0x3000, self->iova);
}

TEST_F(tree, search)
{
	ASSERT_EQ(0, INSERT(10, 19));
	ASSERT_EQ(0, INSERT(30, 39));
	EXPECT_EQ(NULL, iova_tree_first(&self->tree, 0, 9));
	EXPECT_EQ(NULL, iova_tree_first(&self->tree, 20, 29));
	EXPECT_EQ(NULL, iova_tree_first(&self->tree, 40, ULONG_MAX));
	EXPECT_EQ(&self->range[0], iova_tree_first(&self->tree, 19, 30));
	EXPECT_EQ(&self->range[1], iova_tree_first(&self->tree, 20, 30));
	EXPECT_EQ(NULL, iova_tree_next(&self->range[0], 29));
	EXPECT_EQ(&self->range[1], iova_tree_next(&self->range[0], 30));
	EXPECT_EQ(NULL, iova_tree_next(&self->range[1], ULONG_MAX));
}

/* Against the model, with millions of operations. */
TEST(random_operations)
{
	ops_random(1, 24 << 20);
	EXPECT_LT(4000000UL, ops_done);
}

TEST_HARNESS_MAIN
