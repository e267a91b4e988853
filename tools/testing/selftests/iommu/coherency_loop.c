// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that flushes its caches all the time, while two threads attach and detach
 * devices that make it do so in earnest or in vain. Each time when both threads
 * rest, what KVM counts and what the guest sees must be right.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/mock.h"
#include "lib/probe.h"
#include "lib/skip.h"
#include "lib/snoop.h"
#include "lib/vfio.h"

/* Attached and detached, by both threads together */
#define CHANGES		10000
#define CHANGES_DEBUG	1000
#define ROUNDS		20
/* Flushes of the guest in a rest that are looked at */
#define WATCHED		20

struct shaker {
	pthread_t thread;
	pthread_barrier_t *barrier;
	int device;
	uint32_t ioas;
	/* Attaches in one round */
	int attaches;
	/* What is left attached at the end of round n, by the bits of n */
	unsigned int rest_bit;
	bool attached;
	int error;
};

static int shake(struct shaker *shaker, bool on)
{
	uint32_t pt = shaker->ioas;
	int rc;

	if (shaker->attached == on)
		return 0;
	rc = on ? vfio_attach(shaker->device, &pt) :
		  vfio_detach(shaker->device);
	if (!rc)
		shaker->attached = on;
	return rc;
}

static void *shaker_run(void *data)
{
	struct shaker *shaker = data;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < shaker->attaches; i++) {
			shaker->error |= shake(shaker, true);
			shaker->error |= shake(shaker, false);
		}
		shaker->error |= shake(shaker, round & shaker->rest_bit);
		/* All is at rest between these two */
		pthread_barrier_wait(shaker->barrier);
		pthread_barrier_wait(shaker->barrier);
	}
	shaker->error |= shake(shaker, false);
	return NULL;
}

static void *guest_thread(void *data)
{
	return (void *)(long)guest_spin(data);
}

FIXTURE(loop)
{
	struct guest guest;
	struct snoop snoop;
	/* Knows the machine's count */
	int mdev;
	int mock[2];
	long surprises;
};

FIXTURE_SETUP(loop)
{
	const char *reason = guest_impossible();
	int i;

	if (!reason)
		reason = mock_missing();
	if (reason)
		SKIP(return, "%s", reason);
	EDU_SETUP(snoop_find(&self->snoop, FILE_IOMMU));
	ASSERT_EQ(0, probes_set());
	ASSERT_EQ(0, guest_create(&self->guest));
	self->surprises = mock_surprises();
	ASSERT_EQ(0, snoop_open(&self->snoop));
	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	self->mdev = mock_bind(MOCK_MDEV, 0, self->snoop.iommufd);
	ASSERT_GE(self->mdev, 0);
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	for (i = 0; i < 2; i++) {
		self->mock[i] = mock_bind(MOCK_DEVICE, 1 + 2 * i,
					  self->snoop.iommufd);
		ASSERT_GE(self->mock[i], 0);
	}
}

FIXTURE_TEARDOWN(loop)
{
	STOP_IF_SKIPPED();

	close(self->mock[0]);
	close(self->mock[1]);
	EXPECT_EQ(self->surprises, mock_surprises());
	close(self->mdev);
	snoop_close(&self->snoop);
	guest_destroy(&self->guest);
	EXPECT_EQ(probe_hits(PROBE_REGISTER), probe_hits(PROBE_UNREGISTER));
	probes_clear();
}

/* How many of the next flushes were carried out: all 1, none 0, else -1. */
static int watch_guest(struct guest *guest)
{
	unsigned int spins = guest_spins(guest), seen;
	long hits;
	int i;

	/* Under way since before the rest */
	for (i = 0; i < 3000 && guest_spins(guest) - spins < 2; i++)
		usleep(1000);
	/* In this order, so that no flush is seen without its hit */
	hits = probe_hits(PROBE_FLUSH);
	spins = guest_spins(guest);
	for (i = 0; i < 10000 && guest_spins(guest) - spins < WATCHED; i++)
		usleep(1000);
	seen = guest_spins(guest) - spins;
	hits = probe_hits(PROBE_FLUSH) - hits;
	if (seen < WATCHED)
		return -1;
	/* The first may have been carried out just before, and counted after */
	return hits == 0 ? 0 : hits >= seen - 1 ? 1 : -1;
}

static int changes(void)
{
	/* A kernel that looks for faults takes its time */
	return access("/sys/kernel/debug/kmemleak", F_OK) ? CHANGES :
							    CHANGES_DEBUG;
}

static void shake_two(struct __test_metadata *_metadata,
		      FIXTURE_DATA(loop) *self, const int *devices,
		      const bool *noncoherent)
{
	struct shaker shakers[2] = {};
	pthread_barrier_t barrier;
	struct mock_state state;
	pthread_t guest;
	void *result;
	int round, i;

	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, 3));
	ASSERT_EQ(0, pthread_create(&guest, NULL, guest_thread, &self->guest));
	for (i = 0; i < 2; i++) {
		shakers[i].barrier = &barrier;
		shakers[i].device = devices[i];
		shakers[i].ioas = self->snoop.ioas;
		shakers[i].attaches = changes() / 2 / ROUNDS;
		shakers[i].rest_bit = 1 << i;
		ASSERT_EQ(0, pthread_create(&shakers[i].thread, NULL,
					    shaker_run, &shakers[i]));
	}
	for (round = 0; round < ROUNDS; round++) {
		bool expected = false;

		pthread_barrier_wait(&barrier);
		for (i = 0; i < 2; i++)
			expected |= shakers[i].attached && noncoherent[i];
		EXPECT_EQ(0, mock_state(self->mdev, &state));
		EXPECT_EQ(expected, state.noncoherent);
		EXPECT_EQ(expected, probe_hits(PROBE_REGISTER) -
				    probe_hits(PROBE_UNREGISTER));
		EXPECT_EQ(expected, watch_guest(&self->guest));
		pthread_barrier_wait(&barrier);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(shakers[i].thread, NULL));
		EXPECT_EQ(0, shakers[i].error);
	}
	EXPECT_EQ(0, mock_state(self->mdev, &state));
	EXPECT_EQ(0, state.noncoherent);
	guest_stop(&self->guest);
	ASSERT_EQ(0, pthread_join(guest, &result));
	EXPECT_EQ(NULL, result);
	EXPECT_EQ(0, guest_run(&self->guest));
	pthread_barrier_destroy(&barrier);
}

/* Both make DMA non-coherent, on every machine. */
TEST_F_TIMEOUT(loop, two_incapable, 300)
{
	STOP_IF_SKIPPED();

	const bool noncoherent[] = { true, true };

	shake_two(_metadata, self, self->mock, noncoherent);
}

/* One is real, and does so where its IOMMU cannot help it. */
TEST_F_TIMEOUT(loop, one_real, 300)
{
	STOP_IF_SKIPPED();

	const int devices[] = { self->snoop.device, self->mock[0] };
	const bool noncoherent[] = { machine_lets_nosnoop_pass(), true };

	shake_two(_metadata, self, devices, noncoherent);
}

TEST_HARNESS_MAIN
