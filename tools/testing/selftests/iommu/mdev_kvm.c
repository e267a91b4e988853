// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose driver needs a virtual machine to be opened: in which orders of the
 * calls it gets one, and how long that machine then lives.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/mock.h"
#include "lib/probe.h"
#include "lib/skip.h"
#include "lib/vfio.h"

#define NAME	"iommufd_mock_mdev.0"
/* What the driver says without a machine */
#define NO_KVM	(-ESRCH)

FIXTURE(kvm)
{
	struct guest guest;
	int iommufd;
	int device;
	int group;
	long destroyed;
	struct mock_opens opens;
};

FIXTURE_SETUP(kvm)
{
	const char *reason = guest_impossible();

	if (!reason)
		reason = mock_missing();
	if (reason)
		SKIP(return, "%s", reason);
	self->group = -1;
	ASSERT_EQ(0, probes_set());
	ASSERT_EQ(0, guest_create(&self->guest));
	self->iommufd = iommufd_open();
	ASSERT_GE(self->iommufd, 0);
	self->device = mock_open(MOCK_MDEV, 0);
	ASSERT_GE(self->device, 0);
	self->destroyed = probe_hits(PROBE_DESTROY);
	ASSERT_EQ(0, mock_opens(&self->opens));
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

FIXTURE_TEARDOWN(kvm)
{
	STOP_IF_SKIPPED();

	close_one(&self->device);
	close_one(&self->group);
	close_one(&self->iommufd);
	guest_destroy(&self->guest);
	/* No machine is left, whatever was done */
	EXPECT_EQ(self->destroyed + 1, probe_hits(PROBE_DESTROY));
	probes_clear();
}

static int bind(FIXTURE_DATA(kvm) *self)
{
	uint32_t id;

	return vfio_bind(self->device, self->iommufd, &id);
}

static bool has_kvm(int device)
{
	struct mock_state state;

	return !mock_state(device, &state) && state.kvm;
}

TEST_F(kvm, none)
{
	STOP_IF_SKIPPED();

	struct mock_opens opens;

	EXPECT_EQ(NO_KVM, bind(self));
	EXPECT_EQ(NO_KVM, bind(self));
	ASSERT_EQ(0, mock_opens(&opens));
	EXPECT_EQ(self->opens.refused + 2, opens.refused);
	EXPECT_EQ(self->opens.opens, opens.opens);
}

TEST_F(kvm, device_file)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, self->device));
	ASSERT_EQ(0, bind(self));
	EXPECT_TRUE(has_kvm(self->device));
}

TEST_F(kvm, iommu_file)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	ASSERT_EQ(0, bind(self));
	EXPECT_TRUE(has_kvm(self->device));
}

/* The files were opened by somebody else, and are used by the machine's process */
TEST_F(kvm, both_files)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	ASSERT_EQ(0, guest_add(&self->guest, self->device));
	ASSERT_EQ(0, bind(self));
	EXPECT_TRUE(has_kvm(self->device));
	/* Either may be taken away again without harm */
	ASSERT_EQ(0, guest_del(&self->guest, self->device));
	ASSERT_EQ(0, guest_del(&self->guest, self->iommufd));
	EXPECT_TRUE(has_kvm(self->device));
}

/* A bind that fails for want of a machine can be done again with one. */
TEST_F(kvm, after_failure)
{
	STOP_IF_SKIPPED();

	EXPECT_EQ(NO_KVM, bind(self));
	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	EXPECT_EQ(0, bind(self));
	EXPECT_TRUE(has_kvm(self->device));
}

/* What KVM has let go of, or never had, does not count. */
TEST_F(kvm, other_files)
{
	STOP_IF_SKIPPED();

	int other = iommufd_open();

	ASSERT_GE(other, 0);
	ASSERT_EQ(0, guest_add(&self->guest, other));
	EXPECT_EQ(NO_KVM, bind(self));
	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	ASSERT_EQ(0, guest_del(&self->guest, self->iommufd));
	EXPECT_EQ(NO_KVM, bind(self));
	ASSERT_EQ(0, guest_add(&self->guest, self->device));
	ASSERT_EQ(0, guest_del(&self->guest, self->device));
	EXPECT_EQ(NO_KVM, bind(self));
	guest_close_device(&self->guest);
	EXPECT_EQ(NO_KVM, bind(self));
	close(other);
}

/* A machine that comes when the device is open is of no use to it. */
TEST_F(kvm, too_late)
{
	STOP_IF_SKIPPED();

	/* This one opens without a machine */
	int device = mock_bind(MOCK_MDEV, 1, self->iommufd);

	ASSERT_GE(device, 0);
	EXPECT_FALSE(has_kvm(device));
	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	ASSERT_EQ(0, guest_add(&self->guest, device));
	EXPECT_FALSE(has_kvm(device));
	close(device);
}

static int group_start(FIXTURE_DATA(kvm) *self)
{
	close_one(&self->device);
	self->group = mock_open_group(MOCK_MDEV, 0);
	return self->group < 0 ? self->group : 0;
}

static int set_container(FIXTURE_DATA(kvm) *self)
{
	int rc = xioctl(self->group, VFIO_GROUP_SET_CONTAINER, &self->iommufd);

	if (rc)
		return rc;
	return ioctl(self->iommufd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) ?
	       -errno : 0;
}

static int get_device(FIXTURE_DATA(kvm) *self)
{
	return xioctl(self->group, VFIO_GROUP_GET_DEVICE_FD, NAME);
}

TEST_F(kvm, group_none)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, group_start(self));
	ASSERT_EQ(0, set_container(self));
	EXPECT_EQ(NO_KVM, get_device(self));
	/* It comes in time for another try */
	ASSERT_EQ(0, guest_add(&self->guest, self->group));
	self->device = get_device(self);
	ASSERT_GE(self->device, 0);
	EXPECT_TRUE(has_kvm(self->device));
}

TEST_F(kvm, group_first)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, group_start(self));
	ASSERT_EQ(0, guest_add(&self->guest, self->group));
	ASSERT_EQ(0, set_container(self));
	self->device = get_device(self);
	ASSERT_GE(self->device, 0);
	EXPECT_TRUE(has_kvm(self->device));
}

TEST_F(kvm, group_by_iommu_file)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, group_start(self));
	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	ASSERT_EQ(0, set_container(self));
	self->device = get_device(self);
	ASSERT_GE(self->device, 0);
	EXPECT_TRUE(has_kvm(self->device));
}

/* The machine lasts until the driver has closed the device, and no longer. */
TEST_F(kvm, outlives_machine)
{
	STOP_IF_SKIPPED();

	struct mock_opens opens;

	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	ASSERT_EQ(0, bind(self));
	guest_destroy(&self->guest);
	EXPECT_EQ(self->destroyed, probe_hits(PROBE_DESTROY));
	EXPECT_TRUE(has_kvm(self->device));
	close_one(&self->device);
	EXPECT_EQ(self->destroyed + 1, probe_hits(PROBE_DESTROY));
	ASSERT_EQ(0, mock_opens(&opens));
	EXPECT_EQ(self->opens.closes + 1, opens.closes);
	EXPECT_EQ(self->opens.with_kvm + 1, opens.with_kvm);
}

/* Nothing that is merely open keeps a machine alive. */
TEST_F(kvm, not_opened)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, self->device));
	ASSERT_EQ(0, guest_add(&self->guest, self->iommufd));
	guest_destroy(&self->guest);
	EXPECT_EQ(self->destroyed + 1, probe_hits(PROBE_DESTROY));
	EXPECT_EQ(NO_KVM, bind(self));
}

/* A VMM that is killed takes its machine with it, whatever was open. */
TEST_F(kvm, killed)
{
	STOP_IF_SKIPPED();

	int ends[2], status, i;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(ends));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct guest guest;

		if (guest_create(&guest) ||
		    guest_add(&guest, self->device) ||
		    guest_add(&guest, self->iommufd) || bind(self) ||
		    write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	close_one(&self->device);
	close_one(&self->iommufd);
	EXPECT_EQ(1, read(ends[0], &byte, 1));
	close(ends[0]);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	for (i = 0; i < 50 && probe_hits(PROBE_DESTROY) == self->destroyed; i++)
		usleep(100000);
	EXPECT_EQ(self->destroyed + 1, probe_hits(PROBE_DESTROY));
	self->destroyed++;
}

TEST_HARNESS_MAIN
