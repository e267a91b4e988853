// SPDX-License-Identifier: GPL-2.0-only
/* runs.c outside the kernel: chosen cases, then random ones. */
#include "kselftest_harness.h"

#include "shim.h"

#include "ops.h"
#include "runs.h"

FIXTURE(runs)
{
	struct runs runs;
	struct runs_builder builder;
	struct runs_iter iter;
	struct run run;
};

FIXTURE_SETUP(runs)
{
	runs_begin(&self->builder, &self->runs, 1 << 20);
}

FIXTURE_TEARDOWN(runs)
{
	runs_free(&self->runs);
	EXPECT_EQ(0, shim_allocated);
}

#define APPEND(_pfn, _count, _by_folio) \
	runs_append(&self->builder, _pfn, _count, _by_folio)

#define EXPECT_RUN(_pfn, _count, _by_folio) do {	\
	ASSERT_TRUE(runs_next(&self->iter, &self->run));	\
	EXPECT_EQ(_pfn, self->run.pfn);			\
	EXPECT_EQ(_count, self->run.count);		\
	EXPECT_EQ(_by_folio, self->run.by_folio);	\
} while (0)

TEST_F(runs, none)
{
	EXPECT_TRUE(runs_empty(&self->runs));
	runs_finish(&self->builder);
	runs_start(&self->iter, &self->runs);
	EXPECT_FALSE(runs_next(&self->iter, &self->run));
}

/* Contiguous memory costs no memory. */
TEST_F(runs, contiguous)
{
	unsigned long i;

	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, APPEND(100 + i, 1, false));
	EXPECT_EQ(0, shim_allocated);
	runs_finish(&self->builder);
	runs_start(&self->iter, &self->runs);
	EXPECT_RUN(100, 1000, false);
	EXPECT_FALSE(runs_next(&self->iter, &self->run));
}

/* Pinned in another way is another run, and so is what would be too long. */
TEST_F(runs, borders)
{
	ASSERT_EQ(0, APPEND(512, 512, true));
	ASSERT_EQ(0, APPEND(1024, 1, false));
	ASSERT_EQ(0, APPEND(1025, RUN_MAX_PAGES - 1, false));
	ASSERT_EQ(0, APPEND(1024 + RUN_MAX_PAGES, 1, false));
	ASSERT_EQ(0, APPEND(1024, 1, false));
	runs_finish(&self->builder);
	runs_start(&self->iter, &self->runs);
	EXPECT_RUN(512, 512, true);
	EXPECT_RUN(1024, RUN_MAX_PAGES, false);
	EXPECT_RUN(1024 + RUN_MAX_PAGES, 1, false);
	EXPECT_RUN(1024, 1, false);
	EXPECT_FALSE(runs_next(&self->iter, &self->run));
}

/* The batches of 4 KiB stay in the order in which they came. */
TEST_F(runs, order_across_chunks)
{
	unsigned long nr = 5 * RUN_CHUNK_MAX;
	unsigned long i;

	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, APPEND(2 * (nr - i), 1, false));
	runs_finish(&self->builder);
	EXPECT_EQ(5, shim_allocated);
	runs_start(&self->iter, &self->runs);
	for (i = 0; i < nr; i++)
		EXPECT_RUN(2 * (nr - i), 1, false);
	EXPECT_FALSE(runs_next(&self->iter, &self->run));
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, runs_seek(&self->iter, &self->runs, nr, i));
		EXPECT_RUN(2 * (nr - i), 1, false);
	}
}

TEST_F(runs, no_memory)
{
	ASSERT_EQ(0, APPEND(1, 1, false));
	shim_fail = 1;
	EXPECT_EQ(-ENOMEM, APPEND(3, 1, false));
	EXPECT_EQ(1, self->builder.nr_pages);
	EXPECT_EQ(0, APPEND(3, 1, false));
	runs_start(&self->iter, &self->runs);
	EXPECT_RUN(1, 1, false);
	EXPECT_RUN(3, 1, false);
	EXPECT_FALSE(runs_next(&self->iter, &self->run));
}

/* Against the model, with millions of operations. */
TEST(random_operations)
{
	ops_random(1, 8 << 20);
	EXPECT_LT(2000000UL, ops_done);
}

TEST_HARNESS_MAIN
