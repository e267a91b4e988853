// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio devices of a virtual machine: one that obeys the IOMMU is bound, one
 * that goes past it is refused until an administrator allows it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/pci.h"
#include "lib/sysfs.h"
#include "lib/vfio.h"

#define VENDOR		0x1af4
#define NET_MODERN	0x1041
#define RNG_MODERN	0x1044
#define ALLOW		"/sys/module/vfio/parameters/allow_virtio_bypass"

FIXTURE(virtio)
{
	int iommufd;
	int device;
	char name[PCI_NAME_LEN];
};

FIXTURE_VARIANT(virtio)
{
	unsigned int device;
	const char *allow;
	int expected;
};

/* Has iommu_platform=on */
FIXTURE_VARIANT_ADD(virtio, behind)
{
	.device = NET_MODERN, .allow = "N", .expected = 0,
};

/* Has it not */
FIXTURE_VARIANT_ADD(virtio, past)
{
	.device = RNG_MODERN, .allow = "N", .expected = -EPERM,
};

FIXTURE_VARIANT_ADD(virtio, past_allowed)
{
	.device = RNG_MODERN, .allow = "Y", .expected = 0,
};

FIXTURE_SETUP(virtio)
{
	if (pci_find(VENDOR, variant->device, 0, self->name))
		SKIP(return, "the machine has no such virtio device");
	ASSERT_EQ(0, pci_bind_driver(self->name, "vfio-pci"));
	ASSERT_EQ(0, sysfs_write(ALLOW, variant->allow));
	self->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->iommufd, 0);
	self->device = pci_open_device_file(self->name);
	ASSERT_GE(self->device, 0);
}

FIXTURE_TEARDOWN(virtio)
{
	close(self->device);
	close(self->iommufd);
	EXPECT_EQ(0, sysfs_write(ALLOW, "N"));
	EXPECT_EQ(0, pci_unbind_driver(self->name));
}

/* What BIND says, twice: a refusal leaves nothing behind. */
TEST_F(virtio, bind)
{
	uint32_t id;

	EXPECT_EQ(variant->expected, vfio_bind(self->device, self->iommufd,
					       &id));
	EXPECT_EQ(variant->expected ?: -EINVAL,
		  vfio_bind(self->device, self->iommufd, &id));
}

TEST_HARNESS_MAIN
