// SPDX-License-Identifier: GPL-2.0-only
/*
 * What no result of a call shows: memory is taken out of the IOMMU's table, then the
 * IOMMU forgets what it remembered of that table, and only then is the memory
 * unpinned. In any other order a device reaches, for a moment, memory that is
 * somebody else's by then.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/pci.h"
#include "lib/probe.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define PAGES	64
#define HUGE	(2UL << 20)
#define GIB	(1UL << 30)
#define HIGH	(1UL << 46)	/* more than three levels reach */
#define AT	0x10000000UL

#define VENDOR	0x1af4	/* a virtio NIC */
#define NET	0x1041

#define INTEL	0x8086	/* a NIC on a card with the other one */
#define E1000E	0x10d3

#define QEMU	0x1b36	/* its device for tests, with a BAR of 1 GiB */
#define TESTDEV	0x0005
#define TESTBAR	2

/* In the letters of trace_letters(): a, b, c and so on */
static const char *const events[] = {
	"order_unmap", "order_flush", "order_unpin", "order_unpin_range",
	"order_device", "order_free", NULL
};

FIXTURE(order)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	unsigned char *memory;
	char letters[4096];
};

FIXTURE_SETUP(order)
{
	const bool vtd = machine_has_vtd();
	const char *const functions[] = {
		vtd ? "intel_iommu_unmap_pages" : "amd_iommu_unmap_pages",
		vtd ? "intel_flush_iotlb_all" : "amd_iommu_flush_iotlb_all",
		"unpin_user_pages_dirty_lock",
		"unpin_user_page_range_dirty_lock",
		/* AMD's driver has no function of its own for that */
		vtd ? "qi_flush_dev_iotlb" : NULL,
		vtd ? "dma_pte_free_level" : NULL,
	};
	int i;

	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	self->memory = memory_of_pages(PAGES * PAGE);
	ASSERT_NE(NULL, self->memory);
	for (i = 0; events[i]; i++) {
		probe_remove(events[i]);
		if (functions[i])
			ASSERT_EQ(0, probe_add(events[i], functions[i]));
	}
}

FIXTURE_TEARDOWN(order)
{
	int i;

	trace_stop(PROBE_GROUP);
	for (i = 0; events[i]; i++)
		probe_remove(events[i]);
	EXPECT_EQ(0, rig_close(&self->rig));
}

/*
 * Unmapped at least once, then flushed at least once, and nothing unpinned before
 * that or unmapped after it.
 */
static bool in_order(const char *letters)
{
	size_t unmaps = strspn(letters, "a");
	size_t flushes = strspn(letters + unmaps, "b");
	size_t unpins = strspn(letters + unmaps + flushes, "cd");

	return unmaps && flushes && unpins &&
	       !letters[unmaps + flushes + unpins];
}

#define START() ASSERT_EQ(0, trace_start(PROBE_GROUP))
#define STOP() do { \
	ASSERT_EQ(0, trace_stop(PROBE_GROUP)); \
	trace_letters(events, self->letters, sizeof(self->letters)); \
} while (0)
#define TRACE_UNMAP(_ioas, _length) do { \
	ASSERT_EQ(0, ioas_map_at(self->fd, _ioas, MAP_RW, self->memory, \
				 _length, AT)); \
	START(); \
	ASSERT_EQ(0, ioas_unmap(self->fd, _ioas, AT, _length, NULL)); \
	STOP(); \
} while (0)
#define EXPECT_IN_ORDER() do { \
	STOP(); \
	EXPECT_TRUE(in_order(self->letters)) \
		TH_LOG("the order was %s", self->letters); \
} while (0)

TEST_F(order, unmap_page)
{
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT));
	START();
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, PAGE, NULL));
	EXPECT_IN_ORDER();
}

/* Some that lie together, some apart, a copy among them: one flush */
TEST_F(order, unmap_many)
{
	uint64_t iova = AT + PAGES * PAGE;
	int i;

	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
					 self->memory + i * PAGE, PAGE,
					 AT + (i + i / 8) * PAGE));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW, self->ioas, &iova, self->ioas,
			       AT, 8 * PAGE));
	START();
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, 0, UINT64_MAX, NULL));
	EXPECT_IN_ORDER();
	EXPECT_NE(NULL, strchr(self->letters, 'b'));
	EXPECT_EQ(strchr(self->letters, 'b'), strrchr(self->letters, 'b'));
}

TEST_F(order, unmap_long)
{
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGES * PAGE, AT));
	START();
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, PAGES * PAGE, NULL));
	EXPECT_IN_ORDER();
}

TEST_F(order, unmap_hugetlb)
{
	unsigned char *memory;

	if (!census_want_hugepages(2))
		SKIP(return, "no free huge pages");
	memory = memory_hugetlb(2 * HUGE);
	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, memory,
				 2 * HUGE, AT));
	START();
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 2 * HUGE, NULL));
	EXPECT_IN_ORDER();
}

/* The domain goes, and with it all that was in it */
TEST_F(order, detach)
{
	int i;

	for (i = 0; i < PAGES; i += 2)
		ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
					 self->memory + i * PAGE, PAGE,
					 AT + i * PAGE));
	START();
	ASSERT_EQ(0, vfio_detach(self->rig.device));
	STOP();
	/* The device is blocked, which flushes, before the first unmap */
	EXPECT_TRUE(in_order(self->letters + strspn(self->letters, "b")))
		TH_LOG("the order was %s", self->letters);
}

TEST_F(order, close)
{
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGES * PAGE, AT));
	edu_fini(&self->rig.edu);
	START();
	ASSERT_EQ(0, close(self->rig.device));
	self->rig.device = -1;
	STOP();
	EXPECT_TRUE(in_order(self->letters + strspn(self->letters, "b")))
		TH_LOG("the order was %s", self->letters);
}

/* A device that can keep translations itself (PCIe ATS), bound; NULL, or why not */
static const char *open_ats(FIXTURE_DATA(order) *self, char *name, int *device)
{
	uint32_t id;

	if (!machine_has_vtd())
		return "AMD's driver flushes the devices with the IOMMU";
	if (pci_find(VENDOR, NET, 0, name))
		return "the machine has no device with ATS";
	if (pci_bind_driver(name, "vfio-pci"))
		return "vfio-pci does not take it";
	*device = pci_open_device_file(name);
	return vfio_bind(*device, self->fd, &id) ? "it cannot be bound" : NULL;
}

/* It forgets them as well. */
TEST_F(order, device_tlb)
{
	char name[PCI_NAME_LEN];
	const char *missing, *letters;
	uint32_t pt = self->ioas;
	int device;

	missing = open_ats(self, name, &device);
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vfio_attach(device, &pt));
	TRACE_UNMAP(self->ioas, PAGES * PAGE);
	EXPECT_EQ('a', self->letters[0]);
	letters = self->letters + strspn(self->letters, "a");
	EXPECT_NE(NULL, strchr(letters, 'e'));
	letters += strspn(letters, "be");
	/* One by one, or as runs */
	EXPECT_TRUE(*letters == 'c' || *letters == 'd') {
		TH_LOG("the order was %s", self->letters);
	}
	ASSERT_EQ(0, close(device));
	ASSERT_EQ(0, pci_unbind_driver(name));
}

/* The devices of the card whose functions are one group */
static int find_card(char *nic, char *ats)
{
	int group, i, rc = pci_find(INTEL, E1000E, 0, nic);

	if (rc)
		return rc;
	group = pci_group(nic);
	for (i = 0; !pci_find(VENDOR, NET, i, ats); i++)
		if (pci_group(ats) == group)
			return 0;
	return -ENODEV;
}

#define MSI	0xfee00000UL	/* reserved by whatever is attached */
#define EXPECT_RESERVED(_ioas) \
	EXPECT_EQ(-EINVAL, ioas_map_at(self->fd, _ioas, MAP_RW, self->memory, \
				       PAGE, MSI))

/*
 * A device that is plugged in when the others of its group translate already is told to
 * forget, too; and what the group reserves is so until the last one is detached.
 */
TEST_F(order, device_tlb_comes_later)
{
	char nic_name[PCI_NAME_LEN], name[PCI_NAME_LEN];
	uint32_t ioas, pt, id;
	int nic, device;

	if (!machine_has_vtd())
		SKIP(return, "AMD's driver flushes the devices with the IOMMU");
	ASSERT_EQ(0, find_card(nic_name, name));
	ASSERT_EQ(0, pci_remove(name));
	ASSERT_EQ(0, pci_bind_driver(nic_name, "vfio-pci"));
	nic = pci_open_device_file(nic_name);
	ASSERT_EQ(0, vfio_bind(nic, self->fd, &id));
	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	pt = ioas;
	ASSERT_EQ(0, vfio_attach(nic, &pt));
	TRACE_UNMAP(ioas, PAGE);
	EXPECT_EQ(NULL, strchr(self->letters, 'e'))
		TH_LOG("the order was %s", self->letters);

	ASSERT_EQ(0, pci_rescan());
	ASSERT_EQ(0, pci_bind_driver(name, "vfio-pci"));
	ASSERT_EQ(pci_group(nic_name), pci_group(name));
	device = pci_open_device_file(name);
	ASSERT_EQ(0, vfio_bind(device, self->fd, &id));
	TRACE_UNMAP(ioas, PAGE);
	EXPECT_NE(NULL, strchr(self->letters, 'e'))
		TH_LOG("the order was %s", self->letters);

	pt = ioas;
	EXPECT_EQ(0, vfio_attach(device, &pt));
	EXPECT_RESERVED(ioas);
	EXPECT_EQ(0, close(nic));
	EXPECT_RESERVED(ioas);
	EXPECT_EQ(0, close(device));
	EXPECT_EQ(0, ioas_map_at(self->fd, ioas, MAP_RW, self->memory, PAGE,
				 MSI));
	ASSERT_EQ(0, pci_unbind_driver(name));
	ASSERT_EQ(0, pci_unbind_driver(nic_name));
}

/* Nothing is taken out, and nothing flushed, where nothing could be put in. */
TEST_F(order, device_tlb_of_nothing)
{
	char name[PCI_NAME_LEN];
	const char *missing;
	uint32_t ioas, pt;
	int device;

	missing = open_ats(self, name, &device);
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, mprotect(self->memory, PAGE, PROT_NONE));
	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	ASSERT_EQ(0, ioas_map_at(self->fd, ioas, MAP_RW, self->memory, PAGE,
				 AT));
	pt = ioas;
	START();
	EXPECT_EQ(-EFAULT, vfio_attach(device, &pt));
	STOP();
	EXPECT_STREQ("", self->letters);
	ASSERT_EQ(0, mprotect(self->memory, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, vfio_attach(device, &pt));
	ASSERT_EQ(0, close(device));
	ASSERT_EQ(0, pci_unbind_driver(name));
}

/* The device with a BAR of 1 GiB, bound, and that mapped */
static int open_large_bar(FIXTURE_DATA(order) *self, const char *name,
			  int *device, unsigned char **bar)
{
	size_t size;
	uint32_t id;
	int rc;

	rc = pci_bind_driver(name, "vfio-pci");
	if (rc)
		return rc;
	*device = pci_open_device_file(name);
	rc = vfio_bind(*device, self->fd, &id);
	if (rc)
		return rc;
	*bar = vfio_map_bar(*device, TESTBAR, &size);
	return !*bar ? -errno : size == GIB ? 0 : -EINVAL;
}

static int close_large_bar(const char *name, int device, unsigned char *bar)
{
	if (munmap(bar, GIB) || close(device))
		return -errno;
	return pci_unbind_driver(name);
}

#define TIB	(1UL << 40)

/* The IOMMU is told of 16 TiB, more pages than its driver of 6.1 can count. */
TEST_F(order, map_16_tib)
{
	uint64_t at, size;
	char name[PCI_NAME_LEN];
	unsigned char *bar;
	uint32_t ioas;
	int device;

	if (pci_find(QEMU, TESTDEV, 0, name))
		SKIP(return, "the machine has no device with a BAR of 1 GiB");
	ASSERT_EQ(0, open_large_bar(self, name, &device, &bar));
	/* The same again and again, where no device is */
	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	ASSERT_EQ(0, ioas_map_at(self->fd, ioas, MAP_RW, bar, GIB, 0));
	for (size = GIB; size < 16 * TIB; size *= 2) {
		at = size;
		ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, ioas, &at,
				       ioas, 0, size));
	}
	at = 16 * TIB;
	EXPECT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas, &at, ioas,
			       0, 16 * TIB));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, at, 16 * TIB, NULL));
	ASSERT_EQ(0, close_large_bar(name, device, bar));
}

/*
 * The table of a domain gets a level with nobody else in it, before what needs the level
 * is mapped: by a page that is mapped and taken out again.
 */
TEST_F(order, further_level)
{
	if (machine_has_vtd())
		SKIP(return, "VT-d's tables have their levels from the start");
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT));
	START();
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, HIGH));
	STOP();
	EXPECT_STREQ("ab", self->letters);
	START();
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, HIGH + PAGE));
	STOP();
	EXPECT_STREQ("", self->letters);
}

/*
 * A larger entry takes the place of a table that an unmap has left empty: it is
 * taken out and flushed, and the driver finds none that it would free at once.
 */
static bool way_cleared(const char *letters)
{
	/* Memory that turns out to be a BAR is not kept */
	size_t tried = strspn(letters, "c");
	size_t unmaps = strspn(letters + tried, "a");
	size_t flushes = strspn(letters + tried + unmaps, "b");

	return unmaps && flushes && !letters[tried + unmaps + flushes];
}

#define EXPECT_WAY_CLEARED() do { \
	STOP(); \
	EXPECT_TRUE(way_cleared(self->letters)) \
		TH_LOG("the order was %s", self->letters); \
} while (0)

TEST_F(order, larger_entry)
{
	unsigned char *memory;

	if (!machine_has_vtd())
		SKIP(return, "AMD's driver flushes before it frees");
	if (!census_want_hugepages(1))
		SKIP(return, "no free huge page");
	memory = memory_hugetlb(HUGE);
	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT + PAGE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT + PAGE, PAGE, NULL));
	START();
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, memory, HUGE,
				 AT));
	EXPECT_WAY_CLEARED();
}

/* Two levels of tables at once */
TEST_F(order, largest_entry)
{
	char name[PCI_NAME_LEN];
	unsigned char *bar;
	int device;

	if (!machine_has_vtd())
		SKIP(return, "AMD's driver flushes before it frees");
	if (pci_find(QEMU, TESTDEV, 0, name))
		SKIP(return, "the machine has no device with a BAR of 1 GiB");
	ASSERT_EQ(0, open_large_bar(self, name, &device, &bar));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, GIB + HUGE + PAGE));
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, GIB + HUGE + PAGE, PAGE,
				NULL));
	START();
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, bar, GIB, GIB));
	EXPECT_WAY_CLEARED();
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, GIB, GIB, NULL));
	ASSERT_EQ(0, close_large_bar(name, device, bar));
}

TEST_HARNESS_MAIN
