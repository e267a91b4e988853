// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices whose DMA the CPU does: their drivers pin, read and write what is mapped,
 * and must let go of exactly what they have pinned when that is unmapped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/busy.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/memory.h"
#include "lib/mock.h"
#include "lib/probe.h"
#include "lib/skip.h"
#include "lib/sysfs.h"
#include "lib/type1.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define PAGES	1024
#define SIZE	(PAGES * PAGE)
#define AT	0x10000000UL
/* More than one call may pin */
#define MAX_PIN	512
#define RW_MAX	(64 * 1024)

FIXTURE(mdev)
{
	int iommufd;
	uint32_t ioas;
	int device;
	unsigned char *memory;
	unsigned char *buffer;
	long pins;
};

FIXTURE_SETUP(mdev)
{
	const char *reason = mock_missing();
	int i;

	if (reason)
		SKIP(return, "%s", reason);
	self->iommufd = iommufd_open();
	ASSERT_GE(self->iommufd, 0);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
	self->device = mock_attach(MOCK_MDEV, 1, self->iommufd, self->ioas);
	ASSERT_GE(self->device, 0);
	self->memory = memory_of_pages(SIZE);
	ASSERT_NE(NULL, self->memory);
	for (i = 0; i < SIZE; i++)
		self->memory[i] = i / PAGE + i % 251;
	self->buffer = malloc(RW_MAX);
	ASSERT_NE(NULL, self->buffer);
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, SIZE, AT));
	self->pins = census_pins();
}

FIXTURE_TEARDOWN(mdev)
{
	STOP_IF_SKIPPED();

	if (self->device >= 0)
		close(self->device);
	close(self->iommufd);
	EXPECT_TRUE(census_settles(self->pins));
	free(self->buffer);
}

static bool state_is(int device, uint64_t pinned, uint64_t calls,
		     uint64_t pages)
{
	struct mock_state state;

	return !mock_state(device, &state) && state.pinned == pinned &&
	       state.unmap_calls == calls && state.unmap_pages == pages &&
	       state.unmap_strays == 0;
}

/* Pinned page by page, unpinned at once; the pages are those of the process. */
TEST_F(mdev, pin)
{
	STOP_IF_SKIPPED();

	unsigned char byte = 0x5a;
	int i;

	ASSERT_EQ(16, mock_pin(self->device, AT, 16, MOCK_WRITE));
	EXPECT_TRUE(census_settles(self->pins + 16));
	for (i = 0; i < 16; i++) {
		ASSERT_EQ(0, mock_touch(self->device, AT + i * PAGE + 7,
					self->buffer, 100, 0));
		EXPECT_EQ(0, memcmp(self->buffer, self->memory + i * PAGE + 7,
				    100));
		ASSERT_EQ(0, mock_touch(self->device, AT + i * PAGE, &byte, 1,
					MOCK_WRITE));
		EXPECT_EQ(0x5a, self->memory[i * PAGE]);
	}
	ASSERT_EQ(0, mock_unpin(self->device, AT, 16));
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_TRUE(state_is(self->device, 0, 0, 0));
}

/* Pinned at once, unpinned page by page, in another order. */
TEST_F(mdev, pin_at_once)
{
	STOP_IF_SKIPPED();

	int i;

	ASSERT_EQ(32, mock_pin(self->device, AT + PAGE, 32,
			       MOCK_WRITE | MOCK_AT_ONCE));
	for (i = 31; i >= 0; i--)
		ASSERT_EQ(0, mock_unpin(self->device, AT + (1 + i) * PAGE, 1));
	EXPECT_TRUE(census_settles(self->pins));
	/* What is left between is still pinned */
	ASSERT_EQ(8, mock_pin(self->device, AT, 8, MOCK_WRITE));
	ASSERT_EQ(8, mock_pin(self->device, AT + 8 * PAGE, 8,
			      MOCK_WRITE | MOCK_AT_ONCE));
	ASSERT_EQ(0, mock_unpin(self->device, AT + 4 * PAGE, 8));
	ASSERT_EQ(0, mock_touch(self->device, AT + 3 * PAGE, self->buffer, 1,
				0));
	EXPECT_EQ(-ENOENT, mock_touch(self->device, AT + 4 * PAGE,
				      self->buffer, 1, 0));
	ASSERT_EQ(0, mock_touch(self->device, AT + 12 * PAGE, self->buffer, 1,
				0));
	EXPECT_TRUE(state_is(self->device, 8, 0, 0));
	EXPECT_TRUE(census_settles(self->pins + 8));
}

/* What cannot be pinned. */
TEST_F(mdev, pin_refused)
{
	STOP_IF_SKIPPED();

	uint64_t beyond = AT + SIZE;

	EXPECT_EQ(MAX_PIN, mock_pin(self->device, AT, MAX_PIN,
				    MOCK_WRITE | MOCK_AT_ONCE));
	ASSERT_EQ(0, mock_unpin(self->device, AT, MAX_PIN));
	EXPECT_EQ(-E2BIG, mock_pin(self->device, AT, MAX_PIN + 1,
				   MOCK_WRITE | MOCK_AT_ONCE));
	EXPECT_EQ(-EINVAL, mock_pin(self->device, AT, 0, MOCK_AT_ONCE));
	EXPECT_EQ(-ENOENT, mock_pin(self->device, beyond, 1, MOCK_AT_ONCE));
	/* All or none */
	EXPECT_EQ(-ENOENT, mock_pin(self->device, beyond - 4 * PAGE, 5,
				    MOCK_AT_ONCE));
	EXPECT_TRUE(state_is(self->device, 0, 0, 0));
	EXPECT_TRUE(census_settles(self->pins));

	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_READ,
				 self->memory, PAGE, beyond));
	EXPECT_EQ(-EPERM, mock_pin(self->device, beyond, 1, MOCK_WRITE));
	EXPECT_EQ(1, mock_pin(self->device, beyond, 1, 0));
	ASSERT_EQ(0, mock_unpin(self->device, beyond, 1));
	EXPECT_EQ(-EPERM, mock_rw(self->device, beyond, self->buffer, 1,
				  MOCK_WRITE));
	EXPECT_EQ(0, mock_rw(self->device, beyond, self->buffer, 1, 0));

	ASSERT_EQ(0, vfio_detach(self->device));
	EXPECT_EQ(-ENOENT, mock_pin(self->device, AT, 1, 0));
	EXPECT_EQ(-ENOENT, mock_rw(self->device, AT, self->buffer, 1, 0));
}

/* A driver may undo what came to nothing, which is no fault that the log tells of. */
TEST_F(mdev, unpin_nothing)
{
	STOP_IF_SKIPPED();

	char trouble[256];
	int log;

	log = klog_mark();
	ASSERT_GE(log, 0);
	ASSERT_EQ(1, mock_pin(self->device, AT, 1, MOCK_WRITE));
	EXPECT_EQ(0, mock_unpin(self->device, AT, 0));
	EXPECT_EQ(0, mock_unpin(self->device, AT + SIZE, 0));
	EXPECT_TRUE(state_is(self->device, 1, 0, 0));
	EXPECT_TRUE(census_settles(self->pins + 1));
	EXPECT_FALSE(klog_has_trouble(log, trouble, sizeof(trouble))) {
		TH_LOG("%s", trouble);
	}
	close(log);
}

/* Copied across pages and mappings, also by a thread without memory of its own. */
TEST_F(mdev, rw)
{
	STOP_IF_SKIPPED();

	const uint32_t ways[] = { 0, MOCK_KTHREAD };
	uint64_t beyond = AT + SIZE;
	int i;

	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, SIZE, beyond));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, mock_rw(self->device, AT + 123, self->buffer,
				     RW_MAX, ways[i]));
		EXPECT_EQ(0, memcmp(self->buffer, self->memory + 123, RW_MAX));
		memset(self->buffer, 0xa0 + i, 3 * PAGE);
		ASSERT_EQ(0, mock_rw(self->device, AT + 5 * PAGE - 1,
				     self->buffer, PAGE + 2,
				     ways[i] | MOCK_WRITE));
		EXPECT_EQ(0, memcmp(self->buffer, self->memory + 5 * PAGE - 1,
				    PAGE + 2));
		EXPECT_NE(0xa0 + i, self->memory[5 * PAGE - 2]);
		EXPECT_NE(0xa0 + i, self->memory[6 * PAGE + 1]);
		/* From one mapping into the next */
		ASSERT_EQ(0, mock_rw(self->device, beyond - PAGE, self->buffer,
				     2 * PAGE, ways[i]));
		EXPECT_EQ(0, memcmp(self->buffer, self->memory + SIZE - PAGE,
				    PAGE));
		EXPECT_EQ(0, memcmp(self->buffer + PAGE, self->memory, PAGE));
		EXPECT_EQ(-ENOENT, mock_rw(self->device, beyond + SIZE - 8,
					   self->buffer, 16, ways[i]));
		EXPECT_EQ(-EINVAL, mock_rw(self->device, AT, self->buffer, 0,
					   ways[i]));
	}
	/* Pinned meanwhile, the same pages are read and written */
	ASSERT_EQ(4, mock_pin(self->device, AT, 4, MOCK_WRITE));
	memset(self->buffer, 0x77, PAGE);
	ASSERT_EQ(0, mock_rw(self->device, AT + PAGE, self->buffer, PAGE,
			     MOCK_WRITE));
	EXPECT_EQ(0x77, self->memory[PAGE]);
}

/* UNMAP: the driver is asked for what it has pinned, and for nothing else. */
TEST_F(mdev, unmap)
{
	STOP_IF_SKIPPED();

	uint64_t unmapped;

	ASSERT_EQ(2, mock_pin(self->device, AT + 2 * PAGE, 2, MOCK_WRITE));
	ASSERT_EQ(1, mock_pin(self->device, AT + 700 * PAGE, 1, 0));
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, SIZE, AT + 2 * SIZE));
	/* Another mapping is none of its business */
	ASSERT_EQ(0, ioas_unmap(self->iommufd, self->ioas, AT + 2 * SIZE, SIZE,
				NULL));
	EXPECT_TRUE(state_is(self->device, 3, 0, 0));
	ASSERT_EQ(0, ioas_unmap(self->iommufd, self->ioas, AT, SIZE,
				&unmapped));
	EXPECT_EQ(SIZE, unmapped);
	EXPECT_TRUE(state_is(self->device, 0, 2, 3));
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(-ENOENT, mock_pin(self->device, AT, 1, 0));
	EXPECT_EQ(-ENOENT, mock_rw(self->device, AT, self->buffer, 1, 0));
}

/* The same of a whole address space at once. */
TEST_F(mdev, unmap_all)
{
	STOP_IF_SKIPPED();

	int i;

	for (i = 1; i <= 8; i++)
		ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
					 self->memory, 4 * PAGE,
					 AT + SIZE + i * SIZE));
	for (i = 1; i <= 8; i += 2)
		ASSERT_EQ(4, mock_pin(self->device, AT + SIZE + i * SIZE, 4,
				      MOCK_WRITE | MOCK_AT_ONCE));
	ASSERT_EQ(0, ioas_unmap(self->iommufd, self->ioas, 0, UINT64_MAX,
				NULL));
	EXPECT_TRUE(state_is(self->device, 0, 4, 16));
}

/* DETACH, and moving to another address space. */
TEST_F(mdev, detach)
{
	STOP_IF_SKIPPED();

	uint32_t other, pt;

	ASSERT_EQ(16, mock_pin(self->device, AT, 16, MOCK_WRITE));
	ASSERT_EQ(0, vfio_detach(self->device));
	EXPECT_TRUE(state_is(self->device, 0, 1, 16));
	EXPECT_TRUE(census_settles(self->pins));

	pt = self->ioas;
	ASSERT_EQ(0, vfio_attach(self->device, &pt));
	ASSERT_EQ(16, mock_pin(self->device, AT + 16 * PAGE, 16, MOCK_WRITE));
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &other));
	pt = other;
	ASSERT_EQ(0, vfio_attach(self->device, &pt));
	EXPECT_TRUE(state_is(self->device, 0, 2, 32));
	EXPECT_EQ(-ENOENT, mock_pin(self->device, AT, 1, 0));
	/* The former one is free */
	EXPECT_EQ(0, iommufd_destroy(self->iommufd, self->ioas));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->iommufd, other));
	pt = other + 100;
	EXPECT_EQ(-ENOENT, vfio_attach(self->device, &pt));
	ASSERT_EQ(0, ioas_map_at(self->iommufd, other, MAP_RW, self->memory,
				 PAGE, AT));
	EXPECT_EQ(1, mock_pin(self->device, AT, 1, 0));
}

/*
 * Moving to where mappings begin inside pages, in which no page can be pinned, fails:
 * nothing is asked of the driver, and the device goes on where it is.
 */
TEST_F(mdev, move_refused)
{
	STOP_IF_SKIPPED();

	uint32_t other, pt;

	ASSERT_EQ(0, ioas_alloc(self->iommufd, &other));
	ASSERT_EQ(0, ioas_map_at(self->iommufd, other, MAP_RW,
				 self->memory + 1, 1, AT + 1));
	ASSERT_EQ(16, mock_pin(self->device, AT, 16, MOCK_WRITE));
	pt = other;
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->device, &pt));
	EXPECT_TRUE(state_is(self->device, 16, 0, 0));
	EXPECT_TRUE(census_settles(self->pins + 16));
	EXPECT_EQ(0, iommufd_destroy(self->iommufd, other));

	ASSERT_EQ(0, mock_touch(self->device, AT + 3 * PAGE, self->buffer, 100,
				0));
	EXPECT_EQ(0, memcmp(self->buffer, self->memory + 3 * PAGE, 100));
	EXPECT_EQ(1, mock_pin(self->device, AT + 16 * PAGE, 1, MOCK_WRITE));
	EXPECT_EQ(-EINVAL, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				       self->memory, 1, AT + SIZE));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->iommufd, self->ioas));
	EXPECT_EQ(0, vfio_detach(self->device));
	EXPECT_TRUE(state_is(self->device, 0, 1, 17));
	pt = self->ioas;
	EXPECT_EQ(0, vfio_attach(self->device, &pt));
}

/*
 * A group that joins /dev/iommu as container while its IOAS for that is being
 * destroyed gets another one, which its device then has.
 */
TEST_F(mdev, join_after_destroy)
{
	STOP_IF_SKIPPED();

	int group = mock_open_group(MOCK_MDEV, 3), device;
	uint32_t ioas, id;
	struct busy busy;
	char name[64];

	ASSERT_GE(group, 0);
	mock_name(name, sizeof(name), MOCK_MDEV, 3);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &ioas));
	id = ioas;
	ASSERT_EQ(0, vfio_ioas(self->iommufd, IOMMU_VFIO_IOAS_SET, &id));
	ASSERT_EQ(0, busy_start(&busy, self->iommufd, ioas));
	ASSERT_EQ(0, iommufd_destroy(self->iommufd, ioas));
	EXPECT_EQ(0, group_set_container(group, self->iommufd));
	EXPECT_EQ(0, vfio_ioas(self->iommufd, IOMMU_VFIO_IOAS_GET, &id));
	EXPECT_EQ(0, busy_end(&busy));

	EXPECT_EQ(0, container_map(self->iommufd, DMA_RW, self->memory, SIZE,
				   AT + SIZE));
	device = group_device(group, name);
	ASSERT_GE(device, 0);
	EXPECT_EQ(1, mock_pin(device, AT + SIZE, 1, MOCK_WRITE));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->iommufd, id));
	close(device);
	close(group);
}

/* One that has nothing pinned is not asked for what another one has. */
TEST_F(mdev, detach_beside)
{
	STOP_IF_SKIPPED();

	int other = mock_attach(MOCK_MDEV, 3, self->iommufd, self->ioas);

	ASSERT_GE(other, 0);
	ASSERT_EQ(16, mock_pin(self->device, AT, 16, MOCK_WRITE));
	ASSERT_EQ(0, vfio_detach(other));
	EXPECT_TRUE(state_is(other, 0, 0, 0));
	EXPECT_TRUE(state_is(self->device, 16, 0, 0));
	close(other);
}

struct unmapper {
	int iommufd;
	uint32_t ioas;
	int rc;
	bool done;
};

static void *unmap_all_of_it(void *data)
{
	struct unmapper *unmapper = data;

	unmapper->rc = ioas_unmap(unmapper->iommufd, unmapper->ioas, AT, SIZE,
				  NULL);
	__atomic_store_n(&unmapper->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * While an UNMAP has pages let go of, another one fails, and a device that was asked
 * already pins a page: it is asked again.
 */
TEST_F(mdev, unmap_meets_failing_one)
{
	STOP_IF_SKIPPED();

	struct unmapper unmapper = {
		.iommufd = self->iommufd,
		.ioas = self->ioas,
	};
	pthread_t thread;
	int slow, i;

	/* Asked in the order in which they were attached */
	slow = mock_attach(MOCK_MDEV, 3, self->iommufd, self->ioas);
	ASSERT_GE(slow, 0);
	ASSERT_EQ(1, mock_pin(slow, AT + PAGE, 1, MOCK_WRITE));
	ASSERT_EQ(0, xioctl(slow, MOCK_STALL, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unmap_all_of_it, &unmapper));
	ASSERT_EQ(0, xioctl(slow, MOCK_STALLED, NULL));

	EXPECT_EQ(-ENOENT, ioas_unmap(self->iommufd, self->ioas, AT, SIZE / 2,
				      NULL));
	EXPECT_EQ(1, mock_pin(self->device, AT, 1, MOCK_WRITE));
	ASSERT_EQ(0, xioctl(slow, MOCK_RESUME, NULL));
	for (i = 0; i < 500 &&
	     !__atomic_load_n(&unmapper.done, __ATOMIC_ACQUIRE); i++)
		usleep(10000);
	EXPECT_TRUE(unmapper.done) {
		mock_unpin(self->device, AT, 1);
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, unmapper.rc);
	EXPECT_TRUE(census_settles(self->pins));
	close(slow);
}

/* Closed with pages pinned; the driver is not asked, but lets go by itself. */
TEST_F(mdev, close)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(64, mock_pin(self->device, AT, 64, MOCK_WRITE));
	EXPECT_TRUE(census_settles(self->pins + 64));
	close(self->device);
	self->device = -1;
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(0, ioas_unmap(self->iommufd, self->ioas, AT, SIZE, NULL));
}

/* The line "access" of the file's fdinfo. */
static void access_line(int iommufd, char *line, size_t size)
{
	char text[2048];
	char *at;

	iommufd_describe(iommufd, text, sizeof(text));
	at = strstr(text, "access:");
	snprintf(line, size, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ?: "");
}

/* Such a device is traced, and shown in fdinfo, as others are, but for a HWPT. */
TEST_F(mdev, trace)
{
	STOP_IF_SKIPPED();

	uint32_t ioas = self->ioas, other, id, pt;
	char line[256], wanted[256], path[64];
	const char *name = strrchr(MOCK_MDEV, '/') + 1;
	char device[64], group[16];
	int at = 0;

	snprintf(device, sizeof(device), name, 1);
	snprintf(path, sizeof(path), MOCK_MDEV "/iommu_group", 1);
	ASSERT_EQ(0, sysfs_link(path, group, sizeof(group)));
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &other));
	ASSERT_EQ(0, close(self->device));
	ASSERT_EQ(0, trace_start("iommufd"));
	self->device = mock_open(MOCK_MDEV, 1);
	ASSERT_GE(self->device, 0);
	ASSERT_EQ(0, vfio_bind(self->device, self->iommufd, &id));
	snprintf(wanted, sizeof(wanted), "access:\t%u name %s ioas -", id,
		 device);
	access_line(self->iommufd, line, sizeof(line));
	EXPECT_STREQ(wanted, line);
	pt = ioas;
	ASSERT_EQ(0, vfio_attach(self->device, &pt));
	snprintf(wanted, sizeof(wanted), "access:\t%u name %s ioas %u", id,
		 device, ioas);
	access_line(self->iommufd, line, sizeof(line));
	EXPECT_STREQ(wanted, line);
	pt = other;
	ASSERT_EQ(0, vfio_attach(self->device, &pt));
	ASSERT_EQ(0, vfio_detach(self->device));
	pt = ioas;
	ASSERT_EQ(0, vfio_attach(self->device, &pt));
	/* Detached by the end of its file */
	ASSERT_EQ(0, close(self->device));
	self->device = -1;
	ASSERT_EQ(0, trace_stop("iommufd"));
	access_line(self->iommufd, line, sizeof(line));
	EXPECT_STREQ("", line);

	EXPECT_EVENT(&at, "iommufd_bind", "device=%s id=%u group=%s", device,
		     id, group);
	EXPECT_EVENT(&at, "iommufd_attach", "device=%s id=%u hwpt=0 ioas=%u",
		     device, id, ioas);
	EXPECT_EVENT(&at, "iommufd_replace", "device=%s id=%u hwpt=0 ioas=%u",
		     device, id, other);
	EXPECT_EVENT(&at, "iommufd_detach", "device=%s id=%u hwpt=0 ioas=%u",
		     device, id, other);
	EXPECT_EVENT(&at, "iommufd_attach", "device=%s id=%u hwpt=0 ioas=%u",
		     device, id, ioas);
	EXPECT_EVENT(&at, "iommufd_detach", "device=%s id=%u hwpt=0 ioas=%u",
		     device, id, ioas);
	EXPECT_EVENT(&at, "iommufd_unbind", "device=%s id=%u group=%s", device,
		     id, group);
}

struct load {
	int iommufd;
	uint32_t ioas;
	int device;
	unsigned char *memory;
	int number;
	bool stop;
	/* What should never be answered */
	int error;
	unsigned long good;
};

/* What pinning and copying may meet while others unmap and detach */
static bool is_expected(int rc)
{
	return rc >= 0 || rc == -ENOENT || rc == -EEXIST;
}

static void *load_pin(void *data)
{
	struct load *load = data;
	uint64_t iova = AT + load->number * 64 * PAGE;
	unsigned char buffer[256];
	int rc;

	while (!__atomic_load_n(&load->stop, __ATOMIC_RELAXED)) {
		rc = mock_pin(load->device, iova, 32, MOCK_WRITE);
		load->good += rc == 32;
		if (!is_expected(rc))
			load->error = rc;
		rc = mock_rw(load->device, iova + 100, buffer, sizeof(buffer),
			     0);
		if (!is_expected(rc))
			load->error = rc;
		rc = mock_unpin(load->device, iova, 32);
		if (!is_expected(rc))
			load->error = rc;
		rc = mock_pin(load->device, iova + 16 * PAGE, 16,
			      MOCK_WRITE | MOCK_AT_ONCE);
		if (!is_expected(rc))
			load->error = rc;
	}
	return NULL;
}

/* Pins and copies by two threads, under which the memory comes and goes. */
TEST_F_TIMEOUT(mdev, load, 120)
{
	STOP_IF_SKIPPED();

	struct load loads[2] = {};
	pthread_t threads[2];
	struct mock_state state;
	uint32_t pt;
	int i;

	for (i = 0; i < 2; i++) {
		loads[i].device = self->device;
		loads[i].number = i;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, load_pin,
					    &loads[i]));
	}
	for (i = 0; i < 200; i++) {
		usleep(2000);
		ASSERT_EQ(0, ioas_unmap(self->iommufd, self->ioas, AT, SIZE,
					NULL));
		ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
					 self->memory, SIZE, AT));
		usleep(2000);
		ASSERT_EQ(0, vfio_detach(self->device));
		pt = self->ioas;
		ASSERT_EQ(0, vfio_attach(self->device, &pt));
	}
	for (i = 0; i < 2; i++)
		__atomic_store_n(&loads[i].stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(0, loads[i].error);
		EXPECT_GT(loads[i].good, 0);
	}
	/* What is pinned now goes with the file */
	ASSERT_EQ(0, mock_state(self->device, &state));
	EXPECT_TRUE(census_settles(self->pins + state.pinned));
}

TEST_HARNESS_MAIN
