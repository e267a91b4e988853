// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VT-d that has first-level tables only: it forgets all of a range that was
 * unmapped, although its driver flushes such a domain by ranges that are aligned to
 * their size, and others in part.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/sysfs.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define AT	(0x10000000UL + 3 * PAGE)	/* two pages from here on */
#define CHUNK	1024UL

#define ECAP	"/sys/class/iommu/dmar0/intel-iommu/ecap"
#define ECAP_SECOND_LEVEL	(1UL << 46)
#define ECAP_FIRST_LEVEL	(1UL << 47)

#define VENDOR	0x1af4	/* a virtio NIC with PCIe ATS */
#define NET	0x1041

FIXTURE(first_level)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	char ats_name[PCI_NAME_LEN];
	int ats;
	unsigned char *memory;
};

FIXTURE_SETUP(first_level)
{
	unsigned long ecap;
	uint32_t id, pt;

	if (sysfs_scan(ECAP, "%lx", &ecap) != 1 || ecap & ECAP_SECOND_LEVEL ||
	    !(ecap & ECAP_FIRST_LEVEL))
		SKIP(return, "the IOMMU is no VT-d with first-level tables only");
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	/* Domains are flushed by range because of this device */
	ASSERT_EQ(0, pci_find(VENDOR, NET, 0, self->ats_name));
	ASSERT_EQ(0, pci_bind_driver(self->ats_name, "vfio-pci"));
	self->ats = pci_open_device_file(self->ats_name);
	ASSERT_EQ(0, vfio_bind(self->ats, self->fd, &id));
	pt = self->ioas;
	ASSERT_EQ(0, vfio_attach(self->ats, &pt));
	self->memory = memory_of_pages(2 * PAGE);
	ASSERT_NE(NULL, self->memory);
}

FIXTURE_TEARDOWN(first_level)
{
	ASSERT_EQ(0, close(self->ats));
	ASSERT_EQ(0, pci_unbind_driver(self->ats_name));
	EXPECT_EQ(0, rig_close(&self->rig));
}

/* The IOMMU remembers both pages, and has forgotten both once they are unmapped. */
TEST_F(first_level, unmap)
{
	struct edu *edu = &self->rig.edu;
	int log, i;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 2 * PAGE, AT));
	for (i = 0; i < 2; i++) {
		memset(self->memory + i * PAGE, 0xff, CHUNK);
		ASSERT_EQ(0, edu_write_memory(edu, AT + i * PAGE, CHUNK));
		EXPECT_EQ(0, self->memory[i * PAGE]);
	}
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, 2 * PAGE, NULL));

	memset(self->memory, 0xff, 2 * PAGE);
	log = klog_mark();
	ASSERT_GE(log, 0);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, edu_write_memory(edu, AT + i * PAGE, CHUNK));
		EXPECT_TRUE(klog_has_fault(log, AT + i * PAGE));
		EXPECT_EQ(0xff, self->memory[i * PAGE]);
	}
	close(log);
}

/* What the driver says of a range that it does not flush whole. */
TEST_F(first_level, unmap_bar)
{
	char line[256];
	int log;

	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW,
				 self->rig.edu.bar, 2 * PAGE, AT));
	log = klog_mark();
	ASSERT_GE(log, 0);
	edu_fini(&self->rig.edu);
	EXPECT_FALSE(klog_has_trouble(log, line, sizeof(line)))
		TH_LOG("%s", line);
	close(log);
}

TEST_HARNESS_MAIN
