// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains of one address space that enforce snooping, beside such that cannot: which
 * device gets into which, what is in their entries, and what a virtual machine is
 * told, in time. On an IOMMU of iommufd_mock.ko, so that every machine has both
 * kinds of device; and what is in the tables of a real IOMMU, where one is.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/mock.h"
#include "lib/probe.h"
#include "lib/skip.h"
#include "lib/snoop.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define PAGES	16
#define SIZE	(PAGES * PAGE)
#define AT	0x10000000UL
#define NR	4

FIXTURE(domains)
{
	struct guest guest;
	int iommufd;
	uint32_t ioas;
	void *memory;
	int device[NR];
	uint32_t id[NR];
	/* Knows the machine's count */
	int mdev;
	long surprises;
};

FIXTURE_SETUP(domains)
{
	const char *reason = guest_impossible();
	int i;

	if (!reason)
		reason = mock_missing();
	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, probes_set());
	ASSERT_EQ(0, guest_create(&self->guest));
	self->surprises = mock_surprises();
	self->iommufd = iommufd_open();
	ASSERT_GE(self->iommufd, 0);
	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	self->mdev = mock_bind(MOCK_MDEV, 0, self->iommufd);
	ASSERT_GE(self->mdev, 0);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
	for (i = 0; i < NR; i++) {
		self->device[i] = mock_open(MOCK_DEVICE, i);
		ASSERT_GE(self->device[i], 0);
		ASSERT_EQ(0, vfio_bind(self->device[i], self->iommufd,
				       &self->id[i]));
	}
	self->memory = memory_anonymous(2 * SIZE);
	ASSERT_NE(NULL, self->memory);
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, SIZE, AT));
}

FIXTURE_TEARDOWN(domains)
{
	STOP_IF_SKIPPED();

	int i;

	for (i = 0; i < NR; i++)
		close(self->device[i]);
	EXPECT_EQ(self->surprises, mock_surprises());
	close(self->mdev);
	close(self->iommufd);
	guest_destroy(&self->guest);
	EXPECT_EQ(probe_hits(PROBE_REGISTER), probe_hits(PROBE_UNREGISTER));
	probes_clear();
}

static int attach(FIXTURE_DATA(domains) *self, int nr)
{
	uint32_t pt = self->ioas;

	return vfio_attach(self->device[nr], &pt);
}

/* The answer, by the file, by KVM's count and by what a guest sees. */
static bool answer_is(FIXTURE_DATA(domains) *self, bool noncoherent)
{
	struct mock_state state;
	uint64_t value;

	return !iommufd_option_get(self->iommufd, IOMMU_OPTION_COHERENCY_STATE,
				   0, &value) &&
	       value == noncoherent &&
	       !mock_state(self->mdev, &state) && state.kvm &&
	       state.noncoherent == noncoherent &&
	       guest_run(&self->guest) == (noncoherent ? GUEST_FLUSHES : 0);
}

/* The domains in use, in any order: those that enforce, and the one that does not. */
static bool domains_are(unsigned int enforcing_devices,
			unsigned int other_devices, unsigned long entries)
{
	struct mock_domain domains[NR];
	int nr = mock_domains(domains, NR);
	unsigned int enforcing = 0, other = 0;
	bool good = nr >= 0 && nr <= NR;
	int i;

	for (i = 0; good && i < nr; i++) {
		/* Where a bound device is that is not attached */
		if (!domains[i].entries && !domains[i].enforces)
			continue;
		if (domains[i].enforces) {
			enforcing += domains[i].devices;
			good = domains[i].snooping == domains[i].entries;
		} else {
			other += domains[i].devices;
			good = domains[i].snooping == 0;
		}
		good = good && domains[i].entries == entries;
	}
	return good && enforcing == enforcing_devices && other == other_devices;
}

/* Both kinds in one address space: the answer goes there and back again. */
TEST_F(domains, mixed)
{
	STOP_IF_SKIPPED();

	EXPECT_TRUE(answer_is(self, false));
	ASSERT_EQ(0, attach(self, 0));
	EXPECT_TRUE(domains_are(1, 0, PAGES));
	EXPECT_TRUE(answer_is(self, false));

	ASSERT_EQ(0, attach(self, 1));
	EXPECT_TRUE(domains_are(1, 1, PAGES));
	EXPECT_TRUE(answer_is(self, true));

	/* What is mapped from here on goes to both, each in its own way */
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory + SIZE, SIZE, AT + SIZE));
	EXPECT_TRUE(domains_are(1, 1, 2 * PAGES));
	ASSERT_EQ(0, attach(self, 2));
	ASSERT_EQ(0, attach(self, 3));
	EXPECT_TRUE(domains_are(2, 2, 2 * PAGES));
	EXPECT_TRUE(answer_is(self, true));

	ASSERT_EQ(0, vfio_detach(self->device[1]));
	EXPECT_TRUE(domains_are(2, 1, 2 * PAGES));
	EXPECT_TRUE(answer_is(self, true));
	ASSERT_EQ(0, ioas_unmap(self->iommufd, self->ioas, AT, SIZE, NULL));
	EXPECT_TRUE(domains_are(2, 1, PAGES));
	ASSERT_EQ(0, vfio_detach(self->device[3]));
	EXPECT_TRUE(domains_are(2, 0, PAGES));
	EXPECT_TRUE(answer_is(self, false));
}

/* One that came first and cannot snoop leaves the next one alone. */
TEST_F(domains, incapable_first)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, attach(self, 1));
	EXPECT_TRUE(domains_are(0, 1, PAGES));
	EXPECT_TRUE(answer_is(self, true));
	ASSERT_EQ(0, attach(self, 0));
	EXPECT_TRUE(domains_are(1, 1, PAGES));
	close(self->device[1]);
	self->device[1] = -1;
	EXPECT_TRUE(domains_are(1, 0, PAGES));
	EXPECT_TRUE(answer_is(self, false));
}

/* A HWPT that enforces refuses; one that does not makes its guests so. */
TEST_F(domains, named_hwpt)
{
	STOP_IF_SKIPPED();

	uint32_t strict, lax, pt;

	ASSERT_EQ(0, hwpt_alloc(self->iommufd, 0, self->id[0], self->ioas,
				&strict));
	pt = strict;
	ASSERT_EQ(0, vfio_attach(self->device[0], &pt));
	pt = strict;
	EXPECT_EQ(-EINVAL, vfio_attach(self->device[1], &pt));
	EXPECT_TRUE(domains_are(1, 0, PAGES));
	EXPECT_TRUE(answer_is(self, false));

	ASSERT_EQ(0, hwpt_alloc(self->iommufd, 0, self->id[1], self->ioas,
				&lax));
	pt = lax;
	ASSERT_EQ(0, vfio_attach(self->device[1], &pt));
	EXPECT_TRUE(domains_are(1, 1, PAGES));
	/* It can snoop, and does not where it is going */
	pt = lax;
	ASSERT_EQ(0, vfio_attach(self->device[2], &pt));
	EXPECT_TRUE(domains_are(1, 2, PAGES));
	ASSERT_EQ(0, vfio_detach(self->device[1]));
	EXPECT_TRUE(domains_are(1, 1, PAGES));
	EXPECT_TRUE(answer_is(self, true));
	/* Moved to the other one, it is coherent again */
	pt = strict;
	ASSERT_EQ(0, vfio_attach(self->device[2], &pt));
	EXPECT_TRUE(domains_are(2, 0, PAGES));
	EXPECT_TRUE(answer_is(self, false));
	/* And back */
	pt = lax;
	ASSERT_EQ(0, vfio_attach(self->device[1], &pt));
	pt = lax;
	ASSERT_EQ(0, vfio_attach(self->device[0], &pt));
	EXPECT_TRUE(domains_are(1, 2, PAGES));
	/* A move that fails leaves the answer as it was */
	pt = strict;
	EXPECT_EQ(-EINVAL, vfio_attach(self->device[1], &pt));
	EXPECT_TRUE(domains_are(1, 2, PAGES));
	EXPECT_TRUE(answer_is(self, true));
}

/* What is required is refused to the one kind, and only to that. */
TEST_F(domains, require)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, iommufd_option_set(self->iommufd,
					IOMMU_OPTION_COHERENCY_POLICY, 0,
					IOMMU_COHERENCY_REQUIRE));
	ASSERT_EQ(0, attach(self, 0));
	EXPECT_EQ(-EPERM, attach(self, 1));
	EXPECT_TRUE(domains_are(1, 0, PAGES));
	EXPECT_TRUE(answer_is(self, false));
	ASSERT_EQ(0, attach(self, 2));
	EXPECT_TRUE(domains_are(2, 0, PAGES));
	ASSERT_EQ(0, iommufd_option_set(self->iommufd,
					IOMMU_OPTION_COHERENCY_POLICY, 0,
					IOMMU_COHERENCY_FOLLOW));
	ASSERT_EQ(0, attach(self, 1));
	EXPECT_EQ(-EBUSY, iommufd_option_set(self->iommufd,
					     IOMMU_OPTION_COHERENCY_POLICY, 0,
					     IOMMU_COHERENCY_REQUIRE));
	EXPECT_TRUE(answer_is(self, true));
}

/* An attach that fails after the machine was told takes it back. */
TEST_F(domains, failed_attach)
{
	STOP_IF_SKIPPED();

	uint64_t far = 1UL << 50;

	/* Outside the aperture of the domain */
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, PAGE, far));
	EXPECT_EQ(-EADDRINUSE, attach(self, 1));
	EXPECT_TRUE(domains_are(0, 0, 0));
	EXPECT_TRUE(answer_is(self, false));
	ASSERT_EQ(0, ioas_unmap(self->iommufd, self->ioas, far, PAGE, NULL));
	ASSERT_EQ(0, attach(self, 1));
	EXPECT_TRUE(answer_is(self, true));
}

FIXTURE(widths)
{
	int iommufd;
	uint32_t ioas;
	void *memory;
	int wide;
	int narrow;
	long narrowed;
};

FIXTURE_SETUP(widths)
{
	const char *reason = mock_missing();

	if (reason)
		SKIP(return, "%s", reason);
	self->narrowed = mock_narrowed();
	ASSERT_GE(self->narrowed, 0);
	ASSERT_EQ(0, mock_set_width(39));
	self->iommufd = iommufd_open();
	ASSERT_GE(self->iommufd, 0);
	self->wide = mock_bind(MOCK_DEVICE, 1, self->iommufd);
	ASSERT_GE(self->wide, 0);
	self->narrow = mock_bind(MOCK_DEVICE, 3, self->iommufd);
	ASSERT_GE(self->narrow, 0);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
	self->memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, self->memory);
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, SIZE, AT));
}

FIXTURE_TEARDOWN(widths)
{
	STOP_IF_SKIPPED();

	close(self->narrow);
	close(self->wide);
	close(self->iommufd);
	EXPECT_EQ(0, mock_set_width(48));
	EXPECT_EQ(self->narrowed, mock_narrowed());
}

/* A domain in use does not meet a device that is too narrow for it, or is wider. */
TEST_F(widths, apart)
{
	STOP_IF_SKIPPED();

	const int devices[] = { self->wide, self->narrow };
	struct mock_domain domains[NR];
	uint32_t first, second;
	int i;

	for (i = 0; i < 2; i++) {
		first = self->ioas;
		ASSERT_EQ(0, vfio_attach(devices[i], &first));
		second = first;
		EXPECT_EQ(-EINVAL, vfio_attach(devices[!i], &second));
		EXPECT_EQ(self->narrowed, mock_narrowed());
		second = self->ioas;
		ASSERT_EQ(0, vfio_attach(devices[!i], &second));
		EXPECT_NE(first, second);
		ASSERT_EQ(2, mock_domains(domains, NR));
		EXPECT_EQ(1, domains[0].devices);
		EXPECT_EQ(PAGES, domains[0].entries);
		EXPECT_EQ(1, domains[1].devices);
		EXPECT_EQ(PAGES, domains[1].entries);
		ASSERT_EQ(0, vfio_detach(devices[0]));
		ASSERT_EQ(0, vfio_detach(devices[1]));
	}
}

/* What the wide one has beyond the other's reach stays mapped and can be added to. */
TEST_F(widths, wide_stays)
{
	STOP_IF_SKIPPED();

	const uint64_t far = 1UL << 40;
	uint32_t hwpt = self->ioas, pt;

	ASSERT_EQ(0, vfio_attach(self->wide, &hwpt));
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, PAGE, far));
	pt = hwpt;
	EXPECT_EQ(-EINVAL, vfio_attach(self->narrow, &pt));
	pt = self->ioas;
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->narrow, &pt));
	EXPECT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				 self->memory, PAGE, far + PAGE));
	EXPECT_EQ(0, ioas_unmap(self->iommufd, self->ioas, far, 2 * PAGE, NULL));
	pt = self->ioas;
	EXPECT_EQ(0, vfio_attach(self->narrow, &pt));
	EXPECT_EQ(-EINVAL, ioas_map_at(self->iommufd, self->ioas, MAP_RW,
				       self->memory, PAGE, far));
}

FIXTURE(tables)
{
	struct snoop snoop;
};

FIXTURE_SETUP(tables)
{
	const char *reason = mock_missing();

	if (reason)
		SKIP(return, "%s", reason);
	if (!machine_has_vtd())
		SKIP(return, "not an IOMMU of Intel's");
	EDU_SETUP(snoop_find(&self->snoop, FILE_IOMMU));
	ASSERT_EQ(0, snoop_open(&self->snoop));
}

FIXTURE_TEARDOWN(tables)
{
	STOP_IF_SKIPPED();

	snoop_close(&self->snoop);
}

/* Every leaf of the real table forces snooping, or none where that is impossible. */
TEST_F(tables, leaves)
{
	STOP_IF_SKIPPED();

	bool passes = machine_lets_nosnoop_pass();
	unsigned long leaves, snooping;
	void *memory;

	memory = memory_of_pages(2 * SIZE);
	ASSERT_NE(NULL, memory);

	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, mock_pci_leaves(self->snoop.name, &leaves, &snooping));
	EXPECT_EQ(0, leaves);
	ASSERT_EQ(0, ioas_map_at(self->snoop.iommufd, self->snoop.ioas, MAP_RW,
				 memory, SIZE, AT));
	ASSERT_EQ(0, mock_pci_leaves(self->snoop.name, &leaves, &snooping));
	EXPECT_EQ(PAGES, leaves);
	EXPECT_EQ(passes ? 0 : PAGES, snooping);

	/* The same for what is there already when the device comes */
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	ASSERT_EQ(0, ioas_map_at(self->snoop.iommufd, self->snoop.ioas,
				 MAP_READ, memory + SIZE, SIZE, AT + SIZE));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, mock_pci_leaves(self->snoop.name, &leaves, &snooping));
	EXPECT_EQ(2 * PAGES, leaves);
	EXPECT_EQ(passes ? 0 : 2 * PAGES, snooping);
	ASSERT_EQ(0, ioas_unmap(self->snoop.iommufd, self->snoop.ioas, AT,
				SIZE, NULL));
	ASSERT_EQ(0, mock_pci_leaves(self->snoop.name, &leaves, &snooping));
	EXPECT_EQ(PAGES, leaves);
	EXPECT_EQ(passes ? 0 : PAGES, snooping);
}

/* A non-coherent device in the same address space does not change that. */
TEST_F(tables, beside_incapable)
{
	STOP_IF_SKIPPED();

	bool passes = machine_lets_nosnoop_pass();
	unsigned long leaves, snooping;
	void *memory;
	int mock, i;
	uint32_t pt;

	memory = memory_of_pages(2 * SIZE);
	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	mock = mock_bind(MOCK_DEVICE, 1, self->snoop.iommufd);
	ASSERT_GE(mock, 0);
	for (i = 1; i <= 2; i++) {
		pt = self->snoop.ioas;
		ASSERT_EQ(0, vfio_attach(mock, &pt));
		ASSERT_EQ(0, ioas_map_at(self->snoop.iommufd, self->snoop.ioas,
					 MAP_RW, memory + (i - 1) * SIZE, SIZE,
					 AT + i * SIZE));
		ASSERT_EQ(0, mock_pci_leaves(self->snoop.name, &leaves,
					     &snooping));
		EXPECT_EQ(i * PAGES, leaves);
		EXPECT_EQ(passes ? 0 : i * PAGES, snooping);
		ASSERT_EQ(0, vfio_detach(mock));
		ASSERT_EQ(0, mock_pci_leaves(self->snoop.name, &leaves,
					     &snooping));
		EXPECT_EQ(i * PAGES, leaves);
		EXPECT_EQ(passes ? 0 : i * PAGES, snooping);
	}
	close(mock);
}

TEST_HARNESS_MAIN
