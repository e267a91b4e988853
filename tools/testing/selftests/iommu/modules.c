// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules come and go: in any order that their dependencies allow, a
 * hundred times, and never while somebody uses them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define ROUNDS	100

/* All that hang on vfio or iommufd here; not every kernel has each. */
static const char * const modules[] = {
	"vfio_pci", "vfio_pci_core", "vfio_virqfd", "vfio_iommu_type1",
	"vfio", "iommufd",
};

#define COUNT ARRAY_SIZE(modules)

FIXTURE(modules)
{
	struct rig rig;
	int log;
	unsigned int random;
};

FIXTURE_SETUP(modules)
{
	if (census_module_users("iommufd") < 0 ||
	    census_module_users("vfio") < 0)
		SKIP(return, "iommufd and vfio are no modules here");
	RIG_SETUP(rig_find, &self->rig);
	self->log = klog_mark();
	ASSERT_GE(self->log, 0);
	self->random = 12345;
}

FIXTURE_TEARDOWN(modules)
{
	char trouble[256];

	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_FALSE(klog_has_trouble(self->log, trouble, sizeof(trouble))) {
		TH_LOG("%s", trouble);
	}
	close(self->log);
	EXPECT_EQ(0, system("modprobe vfio-pci"));
}

static int remove_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* The same sequence in each run, so that a failure can be found again. */
static unsigned int draw(FIXTURE_DATA(modules) *self, unsigned int below)
{
	self->random = self->random * 1103515245 + 12345;
	return (self->random >> 16) % below;
}

/* Binds the device and maps memory for it, as a user would. */
static int use_device(struct rig *rig)
{
	char *memory = memory_anonymous(PAGE);
	int rc;

	rc = rig_start(rig);
	if (!rc)
		rc = ioas_map_at(rig->iommufd, rig->ioas, MAP_RW, memory, PAGE,
				 0x10000);
	if (!rc)
		rc = edu_write_memory(&rig->edu, 0x10000, 64);
	munmap(memory, PAGE);
	return rc;
}

/* While a file is open or a device bound, the modules beneath it stay. */
TEST_F(modules, in_use)
{
	size_t i;

	ASSERT_EQ(0, use_device(&self->rig));
	for (i = 0; i < COUNT; i++) {
		if (census_module_users(modules[i]) <= 0)
			continue;
		EXPECT_EQ(-EWOULDBLOCK, remove_module(modules[i])) {
			TH_LOG("module %zu", i);
		}
	}
	EXPECT_GT(census_module_users("vfio_pci"), 0);
	EXPECT_GT(census_module_users("vfio"), 0);
	EXPECT_GT(census_module_users("iommufd"), 0);
	ASSERT_EQ(0, rig_close(&self->rig));

	self->rig.iommufd = iommufd_open();
	ASSERT_GE(self->rig.iommufd, 0);
	EXPECT_EQ(-EWOULDBLOCK, remove_module("iommufd"));
}

static void remove_unused(void)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		remove_module(modules[i]);
}

/*
 * A virtual machine that was given a /dev/iommu file with nothing bound to it is
 * told of devices by vfio, which stays for that, and no longer.
 */
TEST_F(modules, machine_told)
{
	const char *why = guest_impossible();
	struct guest guest;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, guest_create(&guest));
	self->rig.iommufd = iommufd_open();
	ASSERT_GE(self->rig.iommufd, 0);
	ASSERT_EQ(0, guest_add(&guest, self->rig.iommufd));

	remove_unused();
	EXPECT_EQ(-1, census_module_users("vfio_pci"));
	ASSERT_EQ(1, census_module_users("vfio"));
	EXPECT_EQ(-EWOULDBLOCK, remove_module("vfio"));

	guest_close_device(&guest);
	EXPECT_EQ(0, census_module_users("vfio"));
	remove_unused();
	EXPECT_EQ(-1, census_module_users("vfio"));
	guest_destroy(&guest);
}

/* Out in an order that is drawn, in again, used, a hundred times. */
TEST_F_TIMEOUT(modules, any_order, 400)
{
	static const char * const loads[] = {
		"modprobe vfio-pci",
		"modprobe iommufd && modprobe vfio-pci",
		"modprobe vfio && modprobe vfio-pci",
		"modprobe vfio-pci && modprobe iommufd",
	};
	int round;

	for (round = 0; round < ROUNDS; round++) {
		size_t loaded = 0, i;

		for (i = 0; i < COUNT; i++)
			loaded += census_module_users(modules[i]) >= 0;
		while (loaded) {
			const char *name = modules[draw(self, COUNT)];
			int users = census_module_users(name);

			if (users < 0)
				continue;
			ASSERT_EQ(users ? -EWOULDBLOCK : 0,
				  remove_module(name)) {
				TH_LOG("%s, round %d", name, round);
			}
			loaded -= !users;
		}
		ASSERT_EQ(-ENOENT, iommufd_open());
		ASSERT_NE(0, access("/dev/vfio/vfio", F_OK));
		ASSERT_NE(0, access("/dev/vfio/devices", F_OK));
		ASSERT_EQ(0, system(loads[draw(self, ARRAY_SIZE(loads))]));
		/* Its driver_override brings the device back by itself. */
		if (round % 10 == 9) {
			ASSERT_EQ(0, use_device(&self->rig));
			ASSERT_EQ(0, rig_close(&self->rig));
		}
	}
}

TEST_HARNESS_MAIN
