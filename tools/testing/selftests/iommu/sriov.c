// SPDX-License-Identifier: GPL-2.0-only
/*
 * SR-IOV: the user of a physical function and those of its virtual ones have to
 * know one secret, a token. The stock modules are asked the same by group.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/pci.h"
#include "lib/skip.h"
#include "lib/sysfs.h"
#include "lib/type1.h"
#include "lib/vfio.h"
#include "lib/way.h"

#define INTEL		0x8086
#define IGB_PF		0x10c9
#define IGB_VF		0x10ca
#define E1000E		0x10d3
#define ENABLE_SRIOV	"/sys/module/vfio_pci/parameters/enable_sriov"
#define TOKEN		VFIO_DEVICE_FEATURE_PCI_VF_TOKEN

static const uint8_t token[WAY_TOKEN] = {
	0x3c, 0x8f, 0x61, 0xd2, 0x07, 0xb5, 0x4e, 0x9a,
	0x8d, 0x14, 0xf0, 0x2b, 0xc6, 0x59, 0x7e, 0xa3,
};

/* The last bit is another one. */
static const uint8_t other[WAY_TOKEN] = {
	0x3c, 0x8f, 0x61, 0xd2, 0x07, 0xb5, 0x4e, 0x9a,
	0x8d, 0x14, 0xf0, 0x2b, 0xc6, 0x59, 0x7e, 0xa2,
};

FIXTURE(sriov)
{
	char pf[PCI_NAME_LEN];
	char vf[PCI_NAME_LEN];
	struct way pf_way;
	struct way vf_way;
};

FIXTURE_VARIANT(sriov)
{
	enum way_kind kind;
};

FIXTURE_VARIANT_ADD(sriov, group)
{
	.kind = WAY_GROUP,
};

FIXTURE_VARIANT_ADD(sriov, device_file)
{
	.kind = WAY_DEVICE_FILE,
};

static int set_functions(const char *pf, const char *count)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", pf);
	return sysfs_write(path, count);
}

FIXTURE_SETUP(sriov)
{
	const struct way closed = { .space = -1, .group = -1, .device = -1 };

	self->pf_way = closed;
	self->vf_way = closed;
	if (way_missing(variant->kind))
		SKIP(return, "%s", way_missing(variant->kind));
	ASSERT_EQ(0, pci_find(INTEL, IGB_PF, 0, self->pf));
	ASSERT_EQ(0, sysfs_write(ENABLE_SRIOV, "Y"));
	ASSERT_EQ(0, pci_bind_driver(self->pf, "vfio-pci"));
	ASSERT_EQ(0, set_functions(self->pf, "1"));
	ASSERT_EQ(0, pci_find(INTEL, IGB_VF, 0, self->vf));
	ASSERT_EQ(0, pci_bind_driver(self->vf, "vfio-pci"));
}

FIXTURE_TEARDOWN(sriov)
{
	STOP_IF_SKIPPED();
	way_close(&self->vf_way);
	way_close(&self->pf_way);
	EXPECT_EQ(0, set_functions(self->pf, "0"));
	EXPECT_EQ(0, pci_unbind_driver(self->pf));
}

#define OPEN_PF(_token) \
	way_open(&self->pf_way, variant->kind, self->pf, _token)
#define OPEN_VF(_token) \
	way_open(&self->vf_way, variant->kind, self->vf, _token)

/* What the user of the physical function did not give away opens nothing. */
TEST_F(sriov, unknown_token)
{
	STOP_IF_SKIPPED();
	EXPECT_EQ(-EACCES, OPEN_VF(NULL));
	EXPECT_EQ(-EACCES, OPEN_VF(token));
	ASSERT_EQ(0, OPEN_PF(NULL));
	EXPECT_EQ(-EACCES, OPEN_VF(NULL));
	EXPECT_EQ(-EACCES, OPEN_VF(token));
}

TEST_F(sriov, token_set_at_open)
{
	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN_PF(token));
	EXPECT_EQ(-EACCES, OPEN_VF(NULL));
	EXPECT_EQ(-EACCES, OPEN_VF(other));
	EXPECT_EQ(0, OPEN_VF(token));
}

TEST_F(sriov, token_set_later)
{
	uint8_t data[WAY_TOKEN];

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN_PF(token));
	memcpy(data, other, sizeof(data));
	EXPECT_EQ(0, way_feature(&self->pf_way, TOKEN | VFIO_DEVICE_FEATURE_SET,
				 data, sizeof(data)));
	EXPECT_EQ(-EACCES, OPEN_VF(token));
	EXPECT_EQ(0, OPEN_VF(other));
}

/* The feature itself: it can be set and never read. */
TEST_F(sriov, feature)
{
	uint8_t data[WAY_TOKEN] = {};

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN_PF(token));
	EXPECT_EQ(0, way_feature(&self->pf_way, TOKEN | VFIO_DEVICE_FEATURE_PROBE |
				 VFIO_DEVICE_FEATURE_SET, NULL, 0));
	EXPECT_EQ(-EINVAL, way_feature(&self->pf_way,
				       TOKEN | VFIO_DEVICE_FEATURE_PROBE |
				       VFIO_DEVICE_FEATURE_GET, NULL, 0));
	EXPECT_EQ(-EINVAL, way_feature(&self->pf_way,
				       TOKEN | VFIO_DEVICE_FEATURE_GET,
				       data, sizeof(data)));
	EXPECT_EQ(-EINVAL, way_feature(&self->pf_way,
				       TOKEN | VFIO_DEVICE_FEATURE_SET,
				       data, sizeof(data) - 1));
	ASSERT_EQ(0, OPEN_VF(token));
	EXPECT_EQ(-ENOTTY, way_feature(&self->vf_way,
				       TOKEN | VFIO_DEVICE_FEATURE_SET,
				       data, sizeof(data)));
}

/* While a virtual function is in use, the physical one's next user must know. */
TEST_F(sriov, function_in_use)
{
	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN_PF(token));
	ASSERT_EQ(0, OPEN_VF(token));
	way_close(&self->pf_way);
	EXPECT_EQ(-EACCES, OPEN_PF(NULL));
	EXPECT_EQ(-EACCES, OPEN_PF(other));
	EXPECT_EQ(0, OPEN_PF(token));
	way_close(&self->pf_way);
	way_close(&self->vf_way);
	EXPECT_EQ(0, OPEN_PF(other));
	EXPECT_EQ(-EACCES, OPEN_VF(token));
	EXPECT_EQ(0, OPEN_VF(other));
}

/* A device without functions has no use for a token. */
TEST_F(sriov, token_for_nothing)
{
	char name[PCI_NAME_LEN];
	struct way way;

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, pci_find(INTEL, E1000E, 0, name));
	ASSERT_EQ(0, pci_bind_driver(name, "vfio-pci"));
	EXPECT_EQ(-EINVAL, way_open(&way, variant->kind, name, token));
	EXPECT_EQ(0, way_open(&way, variant->kind, name, NULL));
	way_close(&way);
	EXPECT_EQ(0, pci_unbind_driver(name));
}

/* What is no token */
TEST_F(sriov, malformed)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = VFIO_DEVICE_BIND_FLAG_TOKEN,
	};
	char text[128];
	int file;

	STOP_IF_SKIPPED();
	if (variant->kind == WAY_GROUP) {
		ASSERT_EQ(0, OPEN_PF(token));
		ASSERT_EQ(0, OPEN_VF(token));
		ASSERT_EQ(0, close(self->vf_way.device));
		snprintf(text, sizeof(text), "%s vf_token=3c8f61d2", self->vf);
		EXPECT_EQ(-EINVAL, group_device(self->vf_way.group, text));
		snprintf(text, sizeof(text), "%s token=none", self->vf);
		EXPECT_EQ(-EINVAL, group_device(self->vf_way.group, text));
		snprintf(text, sizeof(text), "%s0", self->vf);
		EXPECT_EQ(-ENODEV, group_device(self->vf_way.group, text));
		self->vf_way.device = -1;
		return;
	}
	file = pci_open_device_file(self->vf);
	ASSERT_GE(file, 0);
	bind.iommufd = iommufd_open();
	ASSERT_GE(bind.iommufd, 0);
	EXPECT_EQ(-EFAULT, xioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind));
	bind.token_uuid_ptr = (uintptr_t)token;
	bind.argsz = offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr);
	EXPECT_EQ(-EFAULT, xioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind));
	bind.argsz = sizeof(bind);
	EXPECT_EQ(-EACCES, xioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind));
	close(bind.iommufd);
	close(file);
}

/* The configuration of a function that was opened is its own. */
TEST_F(sriov, used)
{
	struct vfio_region_info config;
	uint16_t command;

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN_PF(token));
	ASSERT_EQ(0, OPEN_VF(token));
	ASSERT_EQ(0, vfio_set_command(self->vf_way.device, 0,
				      PCI_COMMAND_MASTER));
	ASSERT_EQ(0, vfio_region(self->vf_way.device,
				 VFIO_PCI_CONFIG_REGION_INDEX, &config));
	ASSERT_EQ(sizeof(command), pread(self->vf_way.device, &command,
					 sizeof(command),
					 config.offset + PCI_COMMAND));
	EXPECT_EQ(PCI_COMMAND_MASTER, command & PCI_COMMAND_MASTER);
	ASSERT_EQ(0, vfio_region(self->pf_way.device,
				 VFIO_PCI_CONFIG_REGION_INDEX, &config));
	ASSERT_EQ(sizeof(command), pread(self->pf_way.device, &command,
					 sizeof(command),
					 config.offset + PCI_COMMAND));
	EXPECT_EQ(0, command & PCI_COMMAND_MASTER);
}

static int watch_request(int device, int event)
{
	struct {
		struct vfio_irq_set head;
		int event;
	} set = {
		.head.argsz = sizeof(set),
		.head.flags = VFIO_IRQ_SET_DATA_EVENTFD |
			      VFIO_IRQ_SET_ACTION_TRIGGER,
		.head.index = VFIO_PCI_REQ_IRQ_INDEX,
		.head.count = 1,
		.event = event,
	};

	return xioctl(device, VFIO_DEVICE_SET_IRQS, &set);
}

struct removal {
	const char *pf;
	int rc;
	bool done;
};

static void *remove_functions(void *arg)
{
	struct removal *removal = arg;

	removal->rc = set_functions(removal->pf, "0");
	__atomic_store_n(&removal->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The user of a function that is to go is asked, and waited for. */
TEST_F(sriov, function_removed)
{
	struct removal removal = { .pf = self->pf };
	struct pollfd request = { .events = POLLIN };
	char gone[PCI_NAME_LEN];
	pthread_t thread;

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN_PF(token));
	ASSERT_EQ(0, OPEN_VF(token));
	request.fd = eventfd(0, EFD_CLOEXEC);
	ASSERT_GE(request.fd, 0);
	ASSERT_EQ(0, watch_request(self->vf_way.device, request.fd));
	ASSERT_EQ(0, poll(&request, 1, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, remove_functions, &removal));

	EXPECT_EQ(1, poll(&request, 1, 20000));
	usleep(300000);
	EXPECT_FALSE(__atomic_load_n(&removal.done, __ATOMIC_ACQUIRE));
	EXPECT_EQ(0, vfio_set_command(self->vf_way.device, 0, PCI_COMMAND_MASTER));
	way_close(&self->vf_way);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, removal.rc);
	EXPECT_EQ(-ENODEV, pci_find(INTEL, IGB_VF, 0, gone));

	/* The physical function's user has noticed nothing. */
	EXPECT_EQ(0, vfio_set_command(self->pf_way.device, 0, PCI_COMMAND_MEMORY));
	close(request.fd);
}

TEST_HARNESS_MAIN
