// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of two devices, one of which a driver of the kernel has: whoever asks for
 * the other is told which device and which driver are in the way, by either interface,
 * and gets it once they are not.
 *
 * The machine has the edu device and a NIC as two functions without ACS.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/pci.h"
#include "lib/reason.h"
#include "lib/rig.h"
#include "lib/skip.h"
#include "lib/type1.h"
#include "lib/vfio.h"

#define NIC_VENDOR	0x1af4
#define NIC_DEVICE	0x1041
#define NIC_DRIVER	"virtio-pci"

FIXTURE(viability)
{
	struct rig rig;
	char nic[PCI_NAME_LEN];
	/* What both interfaces are expected to say */
	char blocked[256];
};

FIXTURE_SETUP(viability)
{
	RIG_SETUP(rig_open, &self->rig);
	ASSERT_EQ(0, pci_find(NIC_VENDOR, NIC_DEVICE, 0, self->nic));
	ASSERT_EQ(pci_group(self->rig.name), pci_group(self->nic));
	ASSERT_EQ(0, pci_bind_driver(self->nic, NIC_DRIVER));
	snprintf(self->blocked, sizeof(self->blocked),
		 "group %d is not viable: %s is used by the driver %s",
		 pci_group(self->rig.name), self->nic, NIC_DRIVER);
}

FIXTURE_TEARDOWN(viability)
{
	STOP_IF_SKIPPED();

	EXPECT_EQ(0, rig_close(&self->rig));
	/* Its driver may be gone */
	pci_unbind_driver(self->nic);
}

TEST_F(viability, device_file)
{
	STOP_IF_SKIPPED();

	uint32_t id;

	EXPECT_EQ(-EPERM, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	EXPECT_REASON(self->rig.device, "VFIO_DEVICE_BIND_IOMMUFD", "-EPERM",
		      "%s", self->blocked);
	ASSERT_EQ(0, pci_unbind_driver(self->nic));
	EXPECT_EQ(0, vfio_bind(self->rig.device, self->rig.iommufd, &id));
}

TEST_F(viability, group)
{
	STOP_IF_SKIPPED();

	uint32_t status;
	int group = pci_open_group(self->rig.name);

	ASSERT_GE(group, 0);
	ASSERT_EQ(0, group_status(group, &status));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EPERM, group_set_container(group, self->rig.iommufd));
	EXPECT_REASON(group, "VFIO_GROUP_SET_CONTAINER", "-EPERM", "%s",
		      self->blocked);
	ASSERT_EQ(0, pci_unbind_driver(self->nic));
	ASSERT_EQ(0, group_status(group, &status));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, status);
	EXPECT_EQ(0, group_set_container(group, self->rig.iommufd));
	EXPECT_EQ(0, close(group));
}

/* A device of vfio-pci is in nobody's way, and both go to one file. */
TEST_F(viability, both)
{
	STOP_IF_SKIPPED();

	uint32_t id, other;
	int nic;

	ASSERT_EQ(0, pci_bind_driver(self->nic, "vfio-pci"));
	nic = pci_open_device_file(self->nic);
	ASSERT_GE(nic, 0);
	EXPECT_EQ(0, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	EXPECT_EQ(0, vfio_bind(nic, self->rig.iommufd, &other));
	EXPECT_NE(id, other);
	EXPECT_EQ(0, close(nic));
}

/* The group is no driver's but another user's. */
TEST_F(viability, another_user)
{
	STOP_IF_SKIPPED();

	int second = iommufd_open(), nic;
	uint32_t id;

	ASSERT_GE(second, 0);
	ASSERT_EQ(0, pci_bind_driver(self->nic, "vfio-pci"));
	nic = pci_open_device_file(self->nic);
	ASSERT_GE(nic, 0);
	ASSERT_EQ(0, vfio_bind(nic, second, &id));
	EXPECT_EQ(-EPERM, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	EXPECT_REASON(self->rig.device, "VFIO_DEVICE_BIND_IOMMUFD", "-EPERM",
		      "group %d belongs to another /dev/iommu or container",
		      pci_group(self->rig.name));
	EXPECT_EQ(0, close(nic));
	EXPECT_EQ(0, close(second));
}

/* While a user has the group, no driver of the kernel gets a device of it. */
TEST_F(viability, no_driver_comes_meanwhile)
{
	STOP_IF_SKIPPED();

	uint32_t id;

	ASSERT_EQ(0, pci_unbind_driver(self->nic));
	ASSERT_EQ(0, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	EXPECT_NE(0, pci_bind_driver(self->nic, NIC_DRIVER));
	ASSERT_EQ(0, rig_close(&self->rig));
	EXPECT_EQ(0, pci_bind_driver(self->nic, NIC_DRIVER));
}

TEST_HARNESS_MAIN
