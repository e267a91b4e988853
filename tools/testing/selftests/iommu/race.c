// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that meet on the same object. Each round may end either way; none may
 * end in anything else than the results named, leak a pin, or get into the
 * kernel log.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define SIZE	(64 * PAGE)
#define AT	0x10000000UL
#define SECONDS	4

struct shared {
	struct rig rig;
	char *memory;
	uint32_t other;
	atomic_bool stop;
	atomic_int wrong;
	atomic_long calls;
	_Atomic uint32_t victim;
};

FIXTURE(race)
{
	struct shared shared;
	long pins;
	int log;
};

FIXTURE_SETUP(race)
{
	struct shared *shared = &self->shared;

	RIG_SETUP(rig_start, &shared->rig);
	ASSERT_EQ(0, ioas_alloc(shared->rig.iommufd, &shared->other));
	shared->memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, shared->memory);
	self->pins = census_pins();
	self->log = klog_mark();
	ASSERT_GE(self->log, 0);
}

FIXTURE_TEARDOWN(race)
{
	char trouble[256];

	EXPECT_EQ(0, rig_close(&self->shared.rig));
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_FALSE(klog_has_trouble(self->log, trouble, sizeof(trouble))) {
		TH_LOG("%s", trouble);
	}
	close(self->log);
}

/* Keeps the first result that was not expected. */
static void expect_one_of(struct shared *shared, int rc, int first, int second)
{
	int none = 0;

	atomic_fetch_add(&shared->calls, 1);
	if (rc == first || rc == second)
		return;
	atomic_compare_exchange_strong(&shared->wrong, &none,
				       rc ? rc : 1000);
}

typedef void *(*worker_fn)(void *shared);

/* Runs the workers for a while; the result that one of them did not expect. */
static int run(struct shared *shared, const worker_fn *workers, int count)
{
	pthread_t threads[8];
	int i;

	atomic_store(&shared->stop, false);
	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, workers[i], shared))
			return -EAGAIN;
	sleep(SECONDS);
	atomic_store(&shared->stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return atomic_load(&shared->wrong);
}

/* Maps at one of a few places, which others map and unmap as well. */
static void *map_worker(void *arg)
{
	struct shared *shared = arg;
	unsigned int i;

	for (i = 0; !atomic_load(&shared->stop); i++)
		expect_one_of(shared,
			      ioas_map_at(shared->rig.iommufd,
					  shared->rig.ioas, MAP_RW,
					  shared->memory, (1 + i % 3) * PAGE,
					  AT + i % 8 * PAGE),
			      0, -EEXIST);
	return NULL;
}

/* A mapping under way is -EBUSY, one that reaches out of the range -ENOENT. */
static void *unmap_worker(void *arg)
{
	struct shared *shared = arg;
	unsigned int i;
	int rc;

	for (i = 0; !atomic_load(&shared->stop); i++) {
		rc = ioas_unmap(shared->rig.iommufd, shared->rig.ioas,
				AT + i % 8 * PAGE, (1 + i % 3) * PAGE, NULL);
		if (rc != -EBUSY)
			expect_one_of(shared, rc, 0, -ENOENT);
	}
	return NULL;
}

static void *unmap_all_worker(void *arg)
{
	struct shared *shared = arg;

	while (!atomic_load(&shared->stop))
		expect_one_of(shared,
			      ioas_unmap(shared->rig.iommufd,
					 shared->rig.ioas, 0, UINT64_MAX,
					 NULL),
			      0, -EBUSY);
	return NULL;
}

static void *copy_worker(void *arg)
{
	struct shared *shared = arg;
	uint64_t iova;
	int rc;

	while (!atomic_load(&shared->stop)) {
		iova = 0;
		rc = ioas_copy(shared->rig.iommufd, MAP_RW, shared->other,
			       &iova, shared->rig.ioas, AT, PAGE);
		if (rc != -EBUSY)
			expect_one_of(shared, rc, 0, -ENOENT);
		if (!rc)
			expect_one_of(shared,
				      ioas_unmap(shared->rig.iommufd,
						 shared->other, iova, PAGE,
						 NULL),
				      0, 0);
	}
	return NULL;
}

/* From one IOAS to the other, away, and back. */
static void *attach_worker(void *arg)
{
	struct shared *shared = arg;
	uint32_t pt;

	while (!atomic_load(&shared->stop)) {
		pt = shared->rig.ioas;
		expect_one_of(shared, vfio_attach(shared->rig.device, &pt), 0,
			      0);
		pt = shared->other;
		expect_one_of(shared, vfio_attach(shared->rig.device, &pt), 0,
			      0);
		expect_one_of(shared, vfio_detach(shared->rig.device), 0, 0);
	}
	return NULL;
}

/* Makes an IOAS, leaves it to others for a moment, and destroys it. */
static void *destroy_worker(void *arg)
{
	struct shared *shared = arg;
	int fd = shared->rig.iommufd;
	uint32_t ioas;

	while (!atomic_load(&shared->stop)) {
		expect_one_of(shared, ioas_alloc(fd, &ioas), 0, 0);
		atomic_store(&shared->victim, ioas);
		sched_yield();
		expect_one_of(shared, iommufd_destroy(fd, ioas), 0, -EBUSY);
		/* Where the attach was quicker, it is detached again soon. */
		atomic_store(&shared->victim, 0);
		while (iommufd_destroy(fd, ioas) == -EBUSY)
			sched_yield();
	}
	return NULL;
}

static void *attach_victim_worker(void *arg)
{
	struct shared *shared = arg;
	uint32_t pt;
	int rc;

	while (!atomic_load(&shared->stop)) {
		pt = atomic_load(&shared->victim);
		if (!pt) {
			sched_yield();
			continue;
		}
		rc = vfio_attach(shared->rig.device, &pt);
		expect_one_of(shared, rc, 0, -ENOENT);
		expect_one_of(shared, vfio_detach(shared->rig.device), 0, 0);
	}
	return NULL;
}

static void *map_victim_worker(void *arg)
{
	struct shared *shared = arg;
	uint64_t iova = 0;
	uint32_t ioas;

	while (!atomic_load(&shared->stop)) {
		ioas = atomic_load(&shared->victim);
		if (!ioas) {
			sched_yield();
			continue;
		}
		expect_one_of(shared,
			      ioas_map(shared->rig.iommufd, ioas, MAP_RW,
				       shared->memory, PAGE, &iova),
			      0, -ENOENT);
	}
	return NULL;
}

/* Pulls the memory out from under those who map it, and puts it back. */
static void *memory_worker(void *arg)
{
	struct shared *shared = arg;

	while (!atomic_load(&shared->stop)) {
		madvise(shared->memory, SIZE, MADV_DONTNEED);
		memset(shared->memory, 1, 4 * PAGE);
	}
	return NULL;
}

/* As many as are not taken out of the tree with the lock held all the time */
#define MANY	20000

static void *unmap_many_worker(void *arg)
{
	struct shared *shared = arg;
	uint64_t unmapped;
	unsigned int i;

	while (!atomic_load(&shared->stop)) {
		for (i = 0; i < MANY; i++)
			expect_one_of(shared,
				      ioas_map_at(shared->rig.iommufd,
						  shared->other, MAP_RW,
						  shared->memory, PAGE,
						  AT + i * 2 * PAGE),
				      0, 0);
		expect_one_of(shared,
			      ioas_unmap(shared->rig.iommufd, shared->other, AT,
					 MANY * 2 * PAGE, &unmapped),
			      0, 0);
		expect_one_of(shared, unmapped != MANY * PAGE, 0, 0);
	}
	return NULL;
}

/* Always the last one besides those of unmap_many_worker() */
static void *unmap_last_worker(void *arg)
{
	const uint64_t iova = AT + MANY * 4 * PAGE;
	struct shared *shared = arg;
	uint64_t unmapped;

	while (!atomic_load(&shared->stop)) {
		expect_one_of(shared,
			      ioas_map_at(shared->rig.iommufd, shared->other,
					  MAP_RW, shared->memory, PAGE, iova),
			      0, 0);
		sched_yield();
		expect_one_of(shared,
			      ioas_unmap(shared->rig.iommufd, shared->other,
					 iova, PAGE, &unmapped),
			      0, 0);
		expect_one_of(shared, unmapped != PAGE, 0, 0);
	}
	return NULL;
}

#define RACE(_self, ...) ({ \
	const worker_fn _workers[] = { __VA_ARGS__ }; \
	int _wrong = run(&(_self)->shared, _workers, ARRAY_SIZE(_workers)); \
	EXPECT_EQ(0, _wrong); \
	EXPECT_GT(atomic_load(&(_self)->shared.calls), 10); \
})

/* MAP, UNMAP and COPY at the same addresses. */
TEST_F(race, map_and_unmap)
{
	RACE(self, map_worker, map_worker, unmap_worker, unmap_all_worker,
	     copy_worker);
}

/* The same while the device comes and goes. */
TEST_F(race, map_and_attach)
{
	RACE(self, map_worker, unmap_worker, unmap_all_worker, copy_worker,
	     attach_worker);
}

/* UNMAP of the last mapping while another takes thousands away. */
TEST_F(race, unmap_many)
{
	RACE(self, unmap_many_worker, unmap_last_worker);
}

/* MAP while the memory changes. */
TEST_F(race, map_and_memory)
{
	RACE(self, map_worker, unmap_all_worker, memory_worker);
}

/* ATTACH to and MAP into an IOAS that is being destroyed. */
TEST_F(race, attach_and_destroy)
{
	RACE(self, destroy_worker, attach_victim_worker, map_victim_worker);
}

struct device_race {
	char name[PCI_NAME_LEN];
	atomic_int device;
	int iommufd;
	atomic_bool stop;
	atomic_int wrong;
	atomic_int bound;
};

/* Binds whatever file is open now; it may be closed meanwhile. */
static void *bind_worker(void *arg)
{
	struct device_race *race = arg;
	uint32_t id;
	int rc;

	while (!atomic_load(&race->stop)) {
		rc = vfio_bind(atomic_load(&race->device), race->iommufd, &id);
		if (!rc)
			atomic_fetch_add(&race->bound, 1);
		else if (rc != -EINVAL && rc != -EBADF && rc != -ENOTTY)
			atomic_store(&race->wrong, rc);
	}
	return NULL;
}

/* Two threads BIND a device file while a third closes it. */
TEST_F_TIMEOUT(race, bind_and_close, 60)
{
	struct device_race race = { .iommufd = self->shared.rig.iommufd };
	pthread_t threads[2];
	int i;

	edu_fini(&self->shared.rig.edu);
	ASSERT_EQ(0, close(self->shared.rig.device));
	self->shared.rig.device = -1;
	memcpy(race.name, self->shared.rig.name, PCI_NAME_LEN);
	atomic_store(&race.device, -1);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, bind_worker,
					    &race));
	for (i = 0; i < 8; i++) {
		int device = pci_open_device_file(race.name);

		ASSERT_GE(device, 0);
		atomic_store(&race.device, device);
		usleep(i * 1000);
		ASSERT_EQ(0, close(device));
		atomic_store(&race.device, -1);
	}
	atomic_store(&race.stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&race.wrong));
	EXPECT_GT(atomic_load(&race.bound), 0);
}

TEST_HARNESS_MAIN
