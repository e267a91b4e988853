// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device's driver alone decides, and the core has only to pass on: its
 * power, and the features that VFIO_DEVICE_FEATURE knows. The stock modules are
 * asked the same by group.
 */
#include <errno.h>
#include <poll.h>
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
#include "lib/vfio.h"
#include "lib/way.h"

#define INTEL		0x8086
#define E1000E		0x10d3
#define GET		VFIO_DEVICE_FEATURE_GET
#define SET		VFIO_DEVICE_FEATURE_SET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE
#define ENTRY		VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define ENTRY_WAKEUP	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT		VFIO_DEVICE_FEATURE_LOW_POWER_EXIT

FIXTURE(power)
{
	char name[PCI_NAME_LEN];
	struct way way;
};

FIXTURE_VARIANT(power)
{
	enum way_kind kind;
};

FIXTURE_VARIANT_ADD(power, group)
{
	.kind = WAY_GROUP,
};

FIXTURE_VARIANT_ADD(power, device_file)
{
	.kind = WAY_DEVICE_FILE,
};

FIXTURE_SETUP(power)
{
	self->way = (struct way){ .space = -1, .group = -1, .device = -1 };
	if (way_missing(variant->kind))
		SKIP(return, "%s", way_missing(variant->kind));
	ASSERT_EQ(0, pci_find(INTEL, E1000E, 0, self->name));
	ASSERT_EQ(0, pci_bind_driver(self->name, "vfio-pci"));
}

FIXTURE_TEARDOWN(power)
{
	STOP_IF_SKIPPED();
	way_close(&self->way);
	EXPECT_EQ(0, pci_unbind_driver(self->name));
}

/* Asking for the state wakes nobody. */
static bool is_in(const char *name, const char *state)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power_state",
		 name);
	return sysfs_scan(path, "%31s", text) == 1 && !strcmp(text, state);
}

/* Falling asleep takes a moment. */
static bool becomes(const char *name, const char *state)
{
	int tries;

	for (tries = 0; tries < 500; tries++) {
		if (is_in(name, state))
			return true;
		usleep(10000);
	}
	return false;
}

/* Whether it is so after a while in which it could have changed. */
static bool stays(const char *name, const char *state)
{
	usleep(300000);
	return is_in(name, state);
}

/* Whether the host lets it sleep: "auto" or "on". */
static int set_control(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/control",
		 name);
	return sysfs_write(path, value);
}

#define OPEN()	way_open(&self->way, variant->kind, self->name, NULL)
#define FEATURE(_flags, _data, _size) \
	way_feature(&self->way, _flags, _data, _size)

TEST_F(power, asleep_unless_open)
{
	STOP_IF_SKIPPED();
	EXPECT_TRUE(becomes(self->name, "D3hot"));
	ASSERT_EQ(0, OPEN());
	EXPECT_TRUE(becomes(self->name, "D0"));
	EXPECT_TRUE(stays(self->name, "D0"));
	way_close(&self->way);
	EXPECT_TRUE(becomes(self->name, "D3hot"));
}

TEST_F(power, low_power)
{
	struct vfio_region_info config;
	uint16_t vendor = 0;

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN());
	EXPECT_EQ(0, FEATURE(ENTRY | SET, NULL, 0));
	EXPECT_TRUE(becomes(self->name, "D3hot"));

	/* Each use wakes the device for as long as it takes. */
	EXPECT_EQ(-EINVAL, FEATURE(ENTRY | SET, NULL, 0));
	EXPECT_TRUE(becomes(self->name, "D3hot"));
	ASSERT_EQ(0, vfio_region(self->way.device, VFIO_PCI_CONFIG_REGION_INDEX,
				 &config));
	EXPECT_EQ(sizeof(vendor), pread(self->way.device, &vendor,
					sizeof(vendor), config.offset));
	EXPECT_EQ(INTEL, vendor);
	EXPECT_TRUE(becomes(self->name, "D3hot"));

	EXPECT_EQ(0, FEATURE(EXIT | SET, NULL, 0));
	EXPECT_TRUE(stays(self->name, "D0"));
	EXPECT_EQ(0, FEATURE(EXIT | SET, NULL, 0));
	EXPECT_TRUE(stays(self->name, "D0"));
}

TEST_F(power, wake_up)
{
	struct vfio_device_low_power_entry_with_wakeup entry = {};
	struct pollfd poll_woken = { .events = POLLIN };

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN());
	entry.wakeup_eventfd = -1;
	EXPECT_EQ(-EINVAL, FEATURE(ENTRY_WAKEUP | SET, &entry, sizeof(entry)));
	entry.wakeup_eventfd = self->way.device;
	EXPECT_EQ(-EINVAL, FEATURE(ENTRY_WAKEUP | SET, &entry, sizeof(entry)));

	poll_woken.fd = eventfd(0, EFD_CLOEXEC);
	ASSERT_GE(poll_woken.fd, 0);
	entry.wakeup_eventfd = poll_woken.fd;
	EXPECT_EQ(0, FEATURE(ENTRY_WAKEUP | SET, &entry, sizeof(entry)));
	EXPECT_TRUE(becomes(self->name, "D3hot"));
	EXPECT_EQ(0, poll(&poll_woken, 1, 0));

	/* The host wakes the device: its user hears of it, and has it awake. */
	ASSERT_EQ(0, set_control(self->name, "on"));
	EXPECT_EQ(1, poll(&poll_woken, 1, 5000));
	EXPECT_EQ(0, set_control(self->name, "auto"));
	EXPECT_TRUE(stays(self->name, "D0"));
	close(poll_woken.fd);
}

/* Closed in its sleep, it is as any other device afterwards. */
TEST_F(power, closed_asleep)
{
	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN());
	EXPECT_EQ(0, FEATURE(ENTRY | SET, NULL, 0));
	EXPECT_TRUE(becomes(self->name, "D3hot"));
	way_close(&self->way);
	EXPECT_TRUE(becomes(self->name, "D3hot"));
	ASSERT_EQ(0, OPEN());
	EXPECT_TRUE(stays(self->name, "D0"));
	EXPECT_EQ(0, FEATURE(ENTRY | SET, NULL, 0));
	EXPECT_TRUE(becomes(self->name, "D3hot"));
}

/* Every feature of 7.2's header, asked for in each way. */
TEST_F(power, features)
{
	static const struct {
		char what[12];
		uint32_t flags;
	} ways[] = {
		{ "probe get", PROBE | GET },
		{ "probe set", PROBE | SET },
		{ "probe both", PROBE | GET | SET },
		{ "probe", PROBE },
		{ "get", GET },
		{ "set", SET },
		{ "both", GET | SET },
		{ "nothing", 0 },
	};
	static const int low_power[ARRAY_SIZE(ways)] = {
		-EINVAL, 0, -EINVAL, 0, -EINVAL, 0, -EINVAL, -EINVAL,
	};
	static const int unknown[ARRAY_SIZE(ways)] = {
		-ENOTTY, -ENOTTY, -ENOTTY, -ENOTTY,
		-ENOTTY, -ENOTTY, -EINVAL, -ENOTTY,
	};
	uint32_t feature;
	int i;

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN());
	for (feature = 0; feature <= 14; feature++) {
		const int *expected = unknown;

		if (feature == ENTRY || feature == EXIT)
			expected = low_power;
		/* Wants an event, see above */
		if (feature == ENTRY_WAKEUP)
			continue;
		for (i = 0; i < ARRAY_SIZE(ways); i++)
			EXPECT_EQ(expected[i], FEATURE(feature | ways[i].flags, NULL, 0))
				TH_LOG("feature %u, %s", feature, ways[i].what);
	}
	EXPECT_EQ(0, FEATURE(ENTRY_WAKEUP | PROBE | SET, NULL, 0));
	EXPECT_EQ(-EINVAL, FEATURE(ENTRY_WAKEUP | PROBE | GET, NULL, 0));
	EXPECT_EQ(-EINVAL, FEATURE(ENTRY_WAKEUP | SET, NULL, 0));
}

/* The head of the call, before any feature is looked for */
TEST_F(power, feature_bad_head)
{
	struct vfio_device_feature head = {
		.argsz = sizeof(head) - 1,
		.flags = PROBE | SET | ENTRY,
	};

	STOP_IF_SKIPPED();
	ASSERT_EQ(0, OPEN());
	EXPECT_EQ(-EINVAL, xioctl(self->way.device, VFIO_DEVICE_FEATURE, &head));
	head.argsz = sizeof(head);
	head.flags |= 1U << 19;
	EXPECT_EQ(-EINVAL, xioctl(self->way.device, VFIO_DEVICE_FEATURE, &head));
	EXPECT_EQ(-EFAULT, xioctl(self->way.device, VFIO_DEVICE_FEATURE, NULL));
	head.flags = PROBE | SET | ENTRY;
	EXPECT_EQ(0, xioctl(self->way.device, VFIO_DEVICE_FEATURE, &head));
}

TEST_HARNESS_MAIN
