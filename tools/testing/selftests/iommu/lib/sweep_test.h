/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program of sweeps: a line OP(name, stage, prepare or NULL, operation, more members of
 * struct operation) for each. Included once, after all operations, op_name().
 */
#include <stdio.h>

#include "kselftest_harness.h"
#include "fault.h"
#include "sweep.h"

FIXTURE(faults)
{
	struct world world;
};

FIXTURE_VARIANT(faults)
{
	struct operation op;
};

#define OP(_name, _stage, _prepare, ...)	\
FIXTURE_VARIANT_ADD(faults, _name)		\
{						\
	.op = {					\
		.stage = _stage,		\
		.prepare = _prepare,		\
		.act = op_##__VA_ARGS__		\
	}					\
}

FIXTURE_SETUP(faults)
{
	RIG_SETUP(rig_find, &self->world.rig);
	ASSERT_EQ(0, sweep_keep_enabled(self->world.rig.name, "1"));
}

FIXTURE_TEARDOWN(faults)
{
	EXPECT_EQ(0, sweep_keep_enabled(self->world.rig.name, "0"));
}

TEST_F_TIMEOUT(faults, each_in_turn, 600)
{
	struct sweep result;

	sweep(&self->world, &variant->op, &result);
	EXPECT_STREQ("", result.trouble);
	TH_LOG("%d faults, %d of them made it fail", result.faults - 1,
	       result.failed);
}

#define main run_tests
TEST_HARNESS_MAIN
#undef main

int main(int argc, char **argv)
{
	if (!fault_available()) {
		puts("TAP version 13");
		puts("1..0 # SKIP the kernel has no fault injection");
		return KSFT_SKIP;
	}
	return run_tests(argc, argv);
}
