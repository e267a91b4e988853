// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the core does for a driver whose device can be migrated: the features 1, 2
 * and 6 to 8 of VFIO_DEVICE_FEATURE, the ways between the states of a device, and the
 * bitmap of pages that it has written to. The stock modules are asked the same by group.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/mock.h"
#include "lib/reason.h"
#include "lib/skip.h"
#include "lib/type1.h"
#include "lib/vfio.h"
#include "lib/way.h"

#define PAGE		4096UL
#define GET		VFIO_DEVICE_FEATURE_GET
#define SET		VFIO_DEVICE_FEATURE_SET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE
#define MIGRATION	VFIO_DEVICE_FEATURE_MIGRATION
#define STATE		VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
#define LOG_START	VFIO_DEVICE_FEATURE_DMA_LOGGING_START
#define LOG_STOP	VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP
#define LOG_REPORT	VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT

#define ERROR		VFIO_DEVICE_STATE_ERROR
#define STOP		VFIO_DEVICE_STATE_STOP
#define RUNNING		VFIO_DEVICE_STATE_RUNNING
#define STOP_COPY	VFIO_DEVICE_STATE_STOP_COPY
#define RESUMING	VFIO_DEVICE_STATE_RESUMING
#define P2P		VFIO_DEVICE_STATE_RUNNING_P2P

/* The mock devices that can be migrated, and that cannot */
#define MIGRATABLE	3
#define OTHER		1

/* Where memory is mapped for the device */
#define AT		0x10000000UL

FIXTURE(migration)
{
	struct way way;
	uint32_t ioas;
	uint8_t *memory;
	long pins;
	int files;
};

FIXTURE_VARIANT(migration)
{
	enum way_kind kind;
};

FIXTURE_VARIANT_ADD(migration, group)
{
	.kind = WAY_GROUP,
};

FIXTURE_VARIANT_ADD(migration, device_file)
{
	.kind = WAY_DEVICE_FILE,
};

FIXTURE_SETUP(migration)
{
	self->way = (struct way){ .space = -1, .group = -1, .device = -1 };
	if (way_missing(variant->kind))
		SKIP(return, "%s", way_missing(variant->kind));
	if (mock_missing())
		SKIP(return, "%s", mock_missing());
	self->pins = census_pins();
	self->files = census_open_files();
	self->memory = memory_anonymous(PAGE);
	ASSERT_NE(NULL, self->memory);
	ASSERT_EQ(0, way_open_mdev(&self->way, variant->kind, MIGRATABLE));
	if (variant->kind == WAY_DEVICE_FILE) {
		ASSERT_EQ(0, ioas_alloc(self->way.space, &self->ioas));
		ASSERT_EQ(0, vfio_attach(self->way.device, &self->ioas));
	}
}

FIXTURE_TEARDOWN(migration)
{
	STOP_IF_SKIPPED();
	way_close(&self->way);
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(self->files, census_open_files());
}

#define FEATURE(_flags, _data, _size) \
	way_feature(&self->way, _flags, _data, _size)

TEST_F(migration, features)
{
	static const struct {
		uint32_t feature;
		uint32_t does;
		size_t size;
	} features[] = {
		{ MIGRATION, GET, 8 },
		{ STATE, GET, 8 },
		{ STATE, SET, 8 },
		{ LOG_START, SET, 24 },
		{ LOG_STOP, SET, 0 },
		{ LOG_REPORT, GET, 32 },
	};
	uint64_t data[4] = {}, flags = 0;
	struct way other;
	unsigned int i;

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, way_open_mdev(&other, variant->kind, OTHER));
	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		uint32_t feature = features[i].feature;
		uint32_t does = features[i].does;

		EXPECT_EQ(0, FEATURE(feature | PROBE | does, NULL, 0));
		EXPECT_EQ(0, FEATURE(feature | PROBE, NULL, 0));
		EXPECT_EQ(feature == STATE ? 0 : -EINVAL,
			  FEATURE(feature | PROBE | (does ^ GET ^ SET), NULL, 0));
		EXPECT_EQ(feature == STATE ? 0 : -EINVAL,
			  FEATURE(feature | PROBE | GET | SET, NULL, 0));
		EXPECT_EQ(-EINVAL, FEATURE(feature, data, sizeof(data)));
		if (features[i].size)
			EXPECT_EQ(-EINVAL, FEATURE(feature | does, data,
						   features[i].size - 1));
		EXPECT_EQ(-ENOTTY, way_feature(&other, feature | PROBE, NULL, 0));
		EXPECT_EQ(-ENOTTY, way_feature(&other, feature | does, data,
					       sizeof(data)));
	}
	way_close(&other);
	EXPECT_EQ(0, FEATURE(MIGRATION | GET, &flags, sizeof(flags)));
	EXPECT_EQ(VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P, flags);
}

/* The feature, with an argument that the kernel can read and not write. */
static int feature_unanswered(const struct way *way, uint32_t flags,
			      const void *data, size_t size)
{
	struct vfio_device_feature *arg = memory_anonymous(PAGE);
	int rc;

	if (!arg)
		return -ENOMEM;
	arg->argsz = sizeof(*arg) + size;
	arg->flags = flags;
	memcpy(arg->data, data, size);
	rc = mprotect(arg, PAGE, PROT_READ) ? -errno :
		xioctl(way->device, VFIO_DEVICE_FEATURE, arg);
	munmap(arg, PAGE);
	return rc;
}

/* -errno, or 0 with the state and -1 for no file. */
static int get_state(const struct way *way, uint32_t *state, int *file)
{
	struct vfio_device_feature_mig_state arg = { .data_fd = 77 };
	int rc = way_feature(way, STATE | GET, &arg, sizeof(arg));

	*state = arg.device_state;
	*file = arg.data_fd;
	return rc;
}

static int set_state(const struct way *way, uint32_t state, int *file)
{
	struct vfio_device_feature_mig_state arg = {
		.device_state = state,
		.data_fd = 77,
	};
	int rc = way_feature(way, STATE | SET, &arg, sizeof(arg));

	*file = arg.data_fd;
	return rc;
}

/* What a way is made of, from the second state on. */
struct steps {
	uint32_t from;
	uint32_t to;
	const char *steps;
};

static const struct steps ways[] = {
	{ STOP, RUNNING,	"\5\2" },
	{ STOP, STOP_COPY,	"\3" },
	{ STOP, RESUMING,	"\4" },
	{ STOP, P2P,		"\5" },
	{ RUNNING, STOP,	"\5\1" },
	{ RUNNING, STOP_COPY,	"\5\1\3" },
	{ RUNNING, RESUMING,	"\5\1\4" },
	{ RUNNING, P2P,		"\5" },
	{ STOP_COPY, STOP,	"\1" },
	{ STOP_COPY, RUNNING,	"\1\5\2" },
	{ STOP_COPY, RESUMING,	"\1\4" },
	{ STOP_COPY, P2P,	"\1\5" },
	{ RESUMING, STOP,	"\1" },
	{ RESUMING, RUNNING,	"\1\5\2" },
	{ RESUMING, STOP_COPY,	"\1\3" },
	{ RESUMING, P2P,	"\1\5" },
	{ P2P, STOP,		"\1" },
	{ P2P, RUNNING,		"\2" },
	{ P2P, STOP_COPY,	"\1\3" },
	{ P2P, RESUMING,	"\1\4" },
};

static void add_way(char *steps, uint32_t from, uint32_t to)
{
	unsigned int i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].from == from && ways[i].to == to)
			strcat(steps, ways[i].steps);
}

/* Goes to a state; the file that it gives replaces @stream. */
static int go_to(const struct way *way, uint32_t state, int *stream)
{
	int file, rc = set_state(way, state, &file);

	if (file >= 0) {
		if (*stream >= 0)
			close(*stream);
		*stream = file;
	}
	return rc;
}

/* The device keeps a list of its steps, which it saves as its state. */
TEST_F(migration, ways)
{
	unsigned int i;

	STOP_IF_SKIPPED();
	way_close(&self->way);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char expected[16] = "", steps[16] = "";
		uint32_t state = ERROR;
		int stream = -1, file;

		ASSERT_EQ(0, way_open_mdev(&self->way, variant->kind,
					   MIGRATABLE));
		add_way(expected, RUNNING, ways[i].from);
		add_way(expected, ways[i].from, ways[i].to);
		add_way(expected, ways[i].to, STOP_COPY);
		ASSERT_EQ(0, go_to(&self->way, ways[i].from, &stream));
		ASSERT_EQ(0, go_to(&self->way, ways[i].to, &stream));
		EXPECT_EQ(0, get_state(&self->way, &state, &file));
		EXPECT_EQ(ways[i].to, state);
		EXPECT_EQ(-1, file);
		ASSERT_EQ(0, go_to(&self->way, STOP_COPY, &stream));
		EXPECT_EQ(strlen(expected),
			  read(stream, steps, sizeof(steps)));
		EXPECT_STREQ(expected, steps);
		close(stream);
		way_close(&self->way);
	}
}

/* From one device to another, which goes on where the first one stopped. */
TEST_F(migration, moves)
{
	char saved[16] = "";
	int stream = -1;

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, go_to(&self->way, STOP_COPY, &stream));
	EXPECT_EQ(3, read(stream, saved, sizeof(saved)));
	EXPECT_EQ(-1, write(stream, saved, 3));
	EXPECT_EQ(EBADF, errno);
	ASSERT_EQ(0, go_to(&self->way, RESUMING, &stream));
	EXPECT_EQ(3, write(stream, "abc", 3));
	ASSERT_EQ(0, go_to(&self->way, RUNNING, &stream));
	EXPECT_EQ(-1, write(stream, "d", 1));
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(0, go_to(&self->way, STOP_COPY, &stream));
	memset(saved, 0, sizeof(saved));
	EXPECT_EQ(9, read(stream, saved, sizeof(saved)));
	EXPECT_STREQ("abc\1\5\2\5\1\3", saved);
	close(stream);
}

TEST_F(migration, bad_states)
{
	static const uint32_t bad[] = { ERROR, P2P + 1, 99, UINT32_MAX };
	const struct vfio_device_feature_mig_state stop_copy = {
		.device_state = STOP_COPY,
	};
	uint32_t state;
	unsigned int i;
	int file;

	STOP_IF_SKIPPED();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, set_state(&self->way, bad[i], &file));
		EXPECT_EQ(-1, file);
		EXPECT_EQ(0, get_state(&self->way, &state, &file));
		EXPECT_EQ(RUNNING, state);
	}

	/* An answer that cannot be written gives no file. */
	EXPECT_EQ(-EFAULT, feature_unanswered(&self->way, STATE | SET,
					      &stop_copy, sizeof(stop_copy)));
	EXPECT_EQ(0, get_state(&self->way, &state, &file));
	EXPECT_EQ(STOP_COPY, state);
}

static int map(const struct way *way, uint32_t ioas, void *memory,
	       uint64_t iova)
{
	return way->group >= 0 ?
		container_map(way->space, DMA_RW, memory, PAGE, iova) :
		ioas_map_at(way->space, ioas, MAP_RW, memory, PAGE, iova);
}

typedef struct vfio_device_feature_dma_logging_range log_range;

static int log_start(const struct way *way, const log_range *ranges,
		     uint32_t nr, uint64_t *page_size)
{
	struct vfio_device_feature_dma_logging_control arg = {
		.page_size = *page_size,
		.num_ranges = nr,
		.ranges = (uintptr_t)ranges,
	};
	int rc = way_feature(way, LOG_START | SET, &arg, sizeof(arg));

	*page_size = arg.page_size;
	return rc;
}

static int log_report(const struct way *way, uint64_t iova, uint64_t length,
		      uint64_t page_size, void *bitmap)
{
	struct vfio_device_feature_dma_logging_report arg = {
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.bitmap = (uintptr_t)bitmap,
	};

	return way_feature(way, LOG_REPORT | GET, &arg, sizeof(arg));
}

#define START(_ranges, _nr) ({					\
	uint64_t __size = PAGE;					\
	log_start(&self->way, _ranges, _nr, &__size);		\
})
#define REPORT(_iova, _length, _size, _bitmap) \
	log_report(&self->way, _iova, _length, _size, _bitmap)

TEST_F(migration, log_bad)
{
	static const struct {
		int error;
		log_range ranges[2];
	} bad[] = {
		{ -EINVAL, { { AT + 1, PAGE }, { AT, PAGE } } },
		{ -EINVAL, { { AT, PAGE + 1 }, { 0, PAGE } } },
		{ -EINVAL, { { AT, 2 * PAGE }, { AT + PAGE, PAGE } } },
		{ -EINVAL, { { AT, PAGE }, { AT, PAGE } } },
		{ -EOVERFLOW, { { AT, PAGE }, { -PAGE, 2 * PAGE } } },
	};
	static log_range many[257];
	const log_range good = { AT, PAGE };
	const struct vfio_device_feature_dma_logging_control control = {
		.page_size = PAGE,
		.num_ranges = 1,
		.ranges = (uintptr_t)&good,
	};
	uint64_t bits = 0, size;
	unsigned int i;

	STOP_IF_SKIPPED();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(bad[i].error, START(bad[i].ranges, 2)) {
			TH_LOG("%u", i);
		}
	for (i = 0; i < 257; i++)
		many[i] = (log_range){ AT + i * PAGE, PAGE };
	EXPECT_EQ(-E2BIG, START(many, 257));
	/* As many as the core takes, which are too many for the driver */
	EXPECT_EQ(-EOPNOTSUPP, START(many, 256));
	EXPECT_EQ(-EINVAL, START(&good, 0));
	EXPECT_EQ(-EFAULT, START((void *)1, 1));
	size = 0;
	EXPECT_EQ(-EINVAL, log_start(&self->way, &good, 1, &size));
	EXPECT_EQ(-EINVAL, REPORT(AT, PAGE, PAGE, &bits));

	/* The answer cannot be written: nothing is logged. */
	EXPECT_EQ(-EFAULT, feature_unanswered(&self->way, LOG_START | SET,
					      &control, sizeof(control)));
	EXPECT_EQ(-EINVAL, REPORT(AT, PAGE, PAGE, &bits));

	EXPECT_EQ(0, START(&good, 1));
	EXPECT_EQ(-EALREADY, START(&good, 1));
	EXPECT_EQ(-EINVAL, REPORT(AT, PAGE, PAGE / 2, &bits));
	EXPECT_EQ(-EINVAL, REPORT(AT, PAGE, 3 * PAGE, &bits));
	EXPECT_EQ(-EOVERFLOW, REPORT(-PAGE, 2 * PAGE, PAGE, &bits));
	EXPECT_EQ(-EFAULT, REPORT(AT, PAGE, PAGE, (void *)PAGE));
	EXPECT_EQ(0, REPORT(AT, PAGE, PAGE, &bits));
	EXPECT_EQ(0, FEATURE(LOG_STOP | SET, NULL, 0));
	EXPECT_EQ(0, FEATURE(LOG_STOP | SET, NULL, 0));
	EXPECT_EQ(-EINVAL, REPORT(AT, PAGE, PAGE, &bits));
}

/* What the stock core hands to the driver, which has to make sense of it */
TEST_F(migration, log_senseless)
{
	const log_range empty = { AT, 0 }, good = { AT, PAGE };
	uint64_t bits = 0, size = 3 * PAGE;

	STOP_IF_SKIPPED();
	if (type1_is_stock())
		SKIP(return, "the stock core does not look at these");
	EXPECT_EQ(-EINVAL, START(&empty, 1));
	EXPECT_EQ(-EINVAL, log_start(&self->way, &good, 1, &size));
	EXPECT_EQ(0, START(&good, 1));
	EXPECT_EQ(-EINVAL, REPORT(AT, 0, PAGE, &bits));
}

/* The line that a refusal of the feature leaves */
#define EXPECT_REFUSED(_error, _call, ...) do { \
	EXPECT_EQ(-E##_error, _call); \
	EXPECT_REASON(self->way.device, "VFIO_DEVICE_FEATURE", \
		      "-E" #_error, __VA_ARGS__); \
} while (0)

TEST_F(migration, reasons_of_states)
{
	const struct vfio_device_feature_mig_state stop_copy = {
		.device_state = STOP_COPY,
	};
	struct rlimit files, none;
	uint64_t data[4] = {};
	struct way other;
	int file, rc, stream = -1;
	unsigned int i;

	STOP_IF_SKIPPED();
	if (type1_is_stock())
		SKIP(return, "the stock core gives no reasons");
	EXPECT_REFUSED(INVAL, FEATURE(MIGRATION | SET, data, 8),
		       "feature 1 has no SET");
	EXPECT_REFUSED(INVAL, FEATURE(LOG_START | PROBE | GET, NULL, 0),
		       "feature 6 has no GET");
	EXPECT_REFUSED(INVAL, FEATURE(STATE, data, 8),
		       "neither GET, SET nor PROBE of feature 2 is asked for");
	EXPECT_REFUSED(INVAL, FEATURE(LOG_REPORT | GET, data, 31),
		       "the data of feature 8 has 31 bytes, and needs 32");
	EXPECT_REFUSED(INVAL, set_state(&self->way, ERROR, &file),
		       "the device has no state 0 to be brought to");
	EXPECT_REFUSED(INVAL, set_state(&self->way, 99, &file),
		       "the device has no state 99 to be brought to");
	EXPECT_REFUSED(FAULT, feature_unanswered(&self->way, STATE | GET,
						 &stop_copy, 8),
		       "the answer cannot be written");

	/* A state that is reached, and whose file the process has no room for */
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &files));
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = files.rlim_max };
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	rc = set_state(&self->way, STOP_COPY, &file);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	EXPECT_REFUSED(MFILE, rc, "the process may open no more files");

	/* The device has room for so many steps, and then none. */
	for (i = 0, rc = 0; i < 100 && !rc; i++)
		rc = go_to(&self->way, i % 2 ? STOP : RESUMING, &stream);
	close(stream);
	EXPECT_REFUSED(IO, rc,
		       "the device cannot go to RESUMING: it is in ERROR, which only a reset ends");

	ASSERT_EQ(0, way_open_mdev(&other, variant->kind, OTHER));
	EXPECT_EQ(-ENOTTY, way_feature(&other, STATE | GET, data, 8));
	EXPECT_REASON(other.device, "VFIO_DEVICE_FEATURE", "-ENOTTY",
		      "the driver iommufd_mock_mdev lacks what feature 2 needs");
	way_close(&other);
}

TEST_F(migration, reasons_of_logs)
{
	static const log_range odd[] = { { AT, PAGE + 1 } };
	static const log_range empty[] = { { AT, 0 } };
	static const log_range beyond[] = { { -PAGE, 2 * PAGE } };
	static const log_range two[] = { { AT, 2 * PAGE }, { AT + PAGE, PAGE } };
	static log_range many[257];
	uint64_t bits = 0, size = 3 * PAGE;
	unsigned int i;

	STOP_IF_SKIPPED();
	if (type1_is_stock())
		SKIP(return, "the stock core gives no reasons");
	EXPECT_REFUSED(INVAL, START(odd, 1),
		       "the range from 0x10000000, of 0x1001 bytes, is not aligned to 0x1000");
	EXPECT_REFUSED(INVAL, START(empty, 1),
		       "the range from 0x10000000 has no bytes");
	EXPECT_REFUSED(OVERFLOW, START(beyond, 1),
		       "the range from 0xfffffffffffff000, of 0x2000 bytes, goes beyond the last IOVA");
	EXPECT_REFUSED(INVAL, START(two, 2),
		       "the range from 0x10001000 to 0x10001fff overlaps the one from 0x10000000 to 0x10001fff");
	EXPECT_REFUSED(INVAL, START(two, 0), "no ranges are given");
	EXPECT_REFUSED(FAULT, START((void *)1, 2),
		       "range 1 of 2 cannot be read");
	EXPECT_REFUSED(INVAL, log_start(&self->way, two, 1, &size),
		       "the page size 0x3000 is not a power of 2");
	for (i = 0; i < 257; i++)
		many[i] = (log_range){ AT + i * PAGE, PAGE };
	EXPECT_REFUSED(2BIG, START(many, 257),
		       "there are 257 ranges, and 256 can be");
	EXPECT_REFUSED(OPNOTSUPP, START(many, 256),
		       "the driver iommufd_mock_mdev does not begin to log 256 ranges by pages of 0x1000 bytes");

	EXPECT_REFUSED(INVAL, REPORT(AT, 2 * PAGE, PAGE, &bits),
		       "the driver iommufd_mock_mdev does not report what was written from 0x10000000 to 0x10001fff");
	EXPECT_REFUSED(INVAL, REPORT(AT, PAGE, PAGE / 2, &bits),
		       "the page size 0x800 is not a power of 2 from 0x1000 on");
	EXPECT_REFUSED(INVAL, REPORT(AT, 0, PAGE, &bits),
		       "the range from 0x10000000 has no bytes");
	EXPECT_REFUSED(FAULT, REPORT(AT, PAGE, PAGE, (void *)(PAGE + 8)),
		       "the bitmap's page at 0x1000 cannot be pinned for writing");
}

#define LOG_PAGES	(1UL << 18)

/* 1 GiB, whose bitmap takes nine pages of user memory, and the core some turns. */
TEST_F(migration, log_bits)
{
	static const unsigned long pages[] = {
		0, 1, 63, 64, 4095, 32767, 32768, 131071, 262143,
	};
	const unsigned int nr = sizeof(pages) / sizeof(pages[0]);
	const log_range ranges[] = {
		{ AT + 16384 * PAGE, (LOG_PAGES - 16384) * PAGE },
		{ AT, 16384 * PAGE },
	};
	static uint64_t room[LOG_PAGES / 64 + 8], expected[LOG_PAGES / 64 + 8];
	uint64_t *bitmap = room + 4, size = 2 * PAGE;
	unsigned int i;

	STOP_IF_SKIPPED();
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, map(&self->way, self->ioas, self->memory,
				 AT + pages[i] * PAGE));
	/* Written before it begins, or outside of the ranges, is not logged. */
	ASSERT_EQ(0, map(&self->way, self->ioas, self->memory,
			 AT + LOG_PAGES * PAGE));
	EXPECT_EQ(0, mock_rw(self->way.device, AT + PAGE, "x", 1, MOCK_WRITE));
	ASSERT_EQ(0, log_start(&self->way, ranges, 2, &size));
	EXPECT_EQ(PAGE, size);
	EXPECT_EQ(0, mock_rw(self->way.device, AT + LOG_PAGES * PAGE, "x", 1,
			     MOCK_WRITE));
	EXPECT_EQ(0, REPORT(AT, LOG_PAGES * PAGE, PAGE, bitmap));
	EXPECT_EQ(0, memcmp(expected, room, sizeof(room)));

	for (i = 0; i < nr; i++) {
		EXPECT_EQ(0, mock_rw(self->way.device,
				     AT + pages[i] * PAGE + 100, "x", 1,
				     MOCK_WRITE));
		expected[4 + pages[i] / 64] |= 1UL << pages[i] % 64;
	}
	EXPECT_EQ(0, REPORT(AT, LOG_PAGES * PAGE, PAGE, bitmap));
	EXPECT_EQ(0, memcmp(expected, room, sizeof(room)));

	/* Bits are added, and each is told once. */
	memset(room, 0, sizeof(room));
	room[4] = expected[4] = 1UL << 40;
	for (i = 5; i < sizeof(room) / 8; i++)
		expected[i] = 0;
	EXPECT_EQ(0, mock_rw(self->way.device, AT + 63 * PAGE, "x", 1,
			     MOCK_WRITE));
	expected[4] |= 1UL << 63;
	EXPECT_EQ(0, REPORT(AT, LOG_PAGES * PAGE, PAGE, bitmap));
	EXPECT_EQ(0, memcmp(expected, room, sizeof(room)));

	/* A bit for two pages, of a part of what is logged */
	memset(room, 0, sizeof(room));
	EXPECT_EQ(0, mock_rw(self->way.device, AT + PAGE, "x", 1, MOCK_WRITE));
	EXPECT_EQ(0, mock_rw(self->way.device, AT + 64 * PAGE, "x", 1,
			     MOCK_WRITE));
	EXPECT_EQ(0, mock_rw(self->way.device, AT + 4095 * PAGE, "x", 1,
			     MOCK_WRITE));
	EXPECT_EQ(0, REPORT(AT, 128 * PAGE, 2 * PAGE, bitmap));
	EXPECT_EQ(1UL << 0 | 1UL << 32, bitmap[0]);
	EXPECT_EQ(0, bitmap[1]);
	EXPECT_EQ(0, FEATURE(LOG_STOP | SET, NULL, 0));
}

TEST_HARNESS_MAIN
