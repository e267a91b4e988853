// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user can ask about the coherency of DMA and demand of it, what others can
 * see of it, and which machines are told when there are several.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/probe.h"
#include "lib/skip.h"
#include "lib/snoop.h"
#include "lib/vfio.h"

#define EVENT	"iommufd/iommufd_coherency"

static int get_policy(int iommufd)
{
	uint64_t value;
	int rc = iommufd_option_get(iommufd, IOMMU_OPTION_COHERENCY_POLICY, 0,
				    &value);

	return rc ? rc : value;
}

static int set_policy(int iommufd, uint64_t value)
{
	return iommufd_option_set(iommufd, IOMMU_OPTION_COHERENCY_POLICY, 0,
				  value);
}

static int get_state(int iommufd)
{
	uint64_t value;
	int rc = iommufd_option_get(iommufd, IOMMU_OPTION_COHERENCY_STATE, 0,
				    &value);

	return rc ? rc : value;
}

/* What the file's fdinfo has behind a key, of the first such line. */
static bool fdinfo_has(int fd, const char *key, const char *text)
{
	size_t length = strlen(key);
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		found = !strncmp(line, key, length) &&
			!strncmp(line + length, ":\t", 2) &&
			strstr(line + length + 2, text);
	}
	fclose(file);
	return found;
}

FIXTURE(policy)
{
	struct snoop snoop;
	/* Whether a device that is attached is non-coherent here */
	bool passes;
};

FIXTURE_SETUP(policy)
{
	EDU_SETUP(snoop_find(&self->snoop, FILE_IOMMU));
	ASSERT_EQ(0, snoop_open(&self->snoop));
	self->passes = machine_lets_nosnoop_pass();
}

FIXTURE_TEARDOWN(policy)
{
	STOP_IF_SKIPPED();

	snoop_close(&self->snoop);
}

/* Values and objects that are refused, and what is read without any device. */
TEST_F(policy, values)
{
	STOP_IF_SKIPPED();

	int iommufd = self->snoop.iommufd;
	uint64_t value;
	uint32_t ioas;

	EXPECT_EQ(IOMMU_COHERENCY_FOLLOW, get_policy(iommufd));
	EXPECT_EQ(0, get_state(iommufd));
	EXPECT_EQ(-EINVAL, set_policy(iommufd, IOMMU_COHERENCY_ASSUME_NONE + 1));
	EXPECT_EQ(-EINVAL, set_policy(iommufd, 1ULL << 32));
	EXPECT_EQ(-EOPNOTSUPP,
		  iommufd_option_set(iommufd, IOMMU_OPTION_COHERENCY_STATE, 0,
				     1));
	ASSERT_EQ(0, ioas_alloc(iommufd, &ioas));
	EXPECT_EQ(-EOPNOTSUPP,
		  iommufd_option_set(iommufd, IOMMU_OPTION_COHERENCY_POLICY,
				     ioas, IOMMU_COHERENCY_REQUIRE));
	EXPECT_EQ(-EOPNOTSUPP,
		  iommufd_option_get(iommufd, IOMMU_OPTION_COHERENCY_STATE,
				     ioas, &value));
	EXPECT_EQ(IOMMU_COHERENCY_FOLLOW, get_policy(iommufd));
	EXPECT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_REQUIRE));
	EXPECT_EQ(IOMMU_COHERENCY_REQUIRE, get_policy(iommufd));
	EXPECT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_ASSUME_NONE));
	EXPECT_EQ(IOMMU_COHERENCY_ASSUME_NONE, get_policy(iommufd));
	EXPECT_EQ(0, get_state(iommufd));
	ASSERT_EQ(0, vfio_bind(self->snoop.device, iommufd,
			       &self->snoop.device_id));
	EXPECT_EQ(1, get_state(iommufd));
	EXPECT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_FOLLOW));
	EXPECT_EQ(0, get_state(iommufd));
	EXPECT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_ASSUME_NONE));
	EXPECT_EQ(1, get_state(iommufd));
	ASSERT_EQ(0, close(self->snoop.device));
	self->snoop.device = -1;
	EXPECT_EQ(0, get_state(iommufd));
	EXPECT_EQ(IOMMU_COHERENCY_ASSUME_NONE, get_policy(iommufd));
}

/* "Follow" follows, and the fdinfo tells the same. */
TEST_F(policy, follow)
{
	STOP_IF_SKIPPED();

	int iommufd = self->snoop.iommufd;
	char hwpt[64];
	uint32_t pt;

	EXPECT_TRUE(fdinfo_has(iommufd, "coherency", "coherent policy follow"));
	EXPECT_FALSE(fdinfo_has(iommufd, "coherency", "non-coherent"));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_EQ(self->passes, get_state(iommufd));
	EXPECT_EQ(self->passes, fdinfo_has(iommufd, "coherency",
					   "non-coherent policy follow"));
	EXPECT_TRUE(fdinfo_has(iommufd, "hwpt",
			       self->passes ? "enforces no" : "enforces yes"));
	/* Attached where it is already, to learn the HWPT */
	pt = self->snoop.ioas;
	ASSERT_EQ(0, vfio_attach(self->snoop.device, &pt));
	snprintf(hwpt, sizeof(hwpt), "name %s", self->snoop.name);
	EXPECT_TRUE(fdinfo_has(iommufd, "device", hwpt));
	snprintf(hwpt, sizeof(hwpt), "hwpt %u", pt);
	EXPECT_TRUE(fdinfo_has(iommufd, "device", hwpt));

	ASSERT_EQ(0, snoop_detach(&self->snoop));
	EXPECT_EQ(0, get_state(iommufd));
	EXPECT_TRUE(fdinfo_has(iommufd, "coherency", "coherent policy follow"));
	EXPECT_FALSE(fdinfo_has(iommufd, "coherency", "non-coherent"));
}

/* Where DMA must be coherent, what is not can not be attached at all. */
TEST_F(policy, require)
{
	STOP_IF_SKIPPED();

	int iommufd = self->snoop.iommufd;

	ASSERT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_REQUIRE));
	EXPECT_EQ(self->passes ? -EPERM : 0, snoop_attach(&self->snoop));
	EXPECT_EQ(0, get_state(iommufd));
	EXPECT_TRUE(fdinfo_has(iommufd, "coherency",
			       "coherent policy require"));
	EXPECT_FALSE(fdinfo_has(iommufd, "coherency", "non-coherent"));
	if (!self->passes)
		return;
	/* Nothing was left behind */
	EXPECT_TRUE(fdinfo_has(iommufd, "device", "hwpt -"));
	EXPECT_FALSE(fdinfo_has(iommufd, "hwpt", "ioas"));
	EXPECT_EQ(0, iommufd_destroy(iommufd, self->snoop.ioas));
	ASSERT_EQ(0, ioas_alloc(iommufd, &self->snoop.ioas));

	ASSERT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_FOLLOW));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_EQ(-EBUSY, set_policy(iommufd, IOMMU_COHERENCY_REQUIRE));
	EXPECT_EQ(IOMMU_COHERENCY_FOLLOW, get_policy(iommufd));
	ASSERT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_ASSUME_NONE));
	EXPECT_EQ(-EBUSY, set_policy(iommufd, IOMMU_COHERENCY_REQUIRE));
	EXPECT_EQ(IOMMU_COHERENCY_ASSUME_NONE, get_policy(iommufd));
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	EXPECT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_REQUIRE));
}

/* The same of a HWPT that the user made, and of one in use. */
TEST_F(policy, require_hwpt)
{
	STOP_IF_SKIPPED();

	int iommufd = self->snoop.iommufd;
	uint32_t hwpt, pt;
	int rc;

	ASSERT_EQ(0, vfio_bind(self->snoop.device, iommufd,
			       &self->snoop.device_id));
	ASSERT_EQ(0, ioas_alloc(iommufd, &self->snoop.ioas));
	ASSERT_EQ(0, set_policy(iommufd, IOMMU_COHERENCY_REQUIRE));
	/* It may be refused when it is made, as its only use is this device */
	rc = hwpt_alloc(iommufd, 0, self->snoop.device_id, self->snoop.ioas,
			&hwpt);
	if (!self->passes && rc == 0) {
		pt = hwpt;
		EXPECT_EQ(0, vfio_attach(self->snoop.device, &pt));
		EXPECT_EQ(0, vfio_detach(self->snoop.device));
	} else if (rc == 0) {
		pt = hwpt;
		EXPECT_EQ(-EPERM, vfio_attach(self->snoop.device, &pt));
	} else {
		EXPECT_TRUE(self->passes);
		EXPECT_EQ(-EPERM, rc);
	}
	EXPECT_EQ(0, get_state(iommufd));
}

/* A change is traced, with the device and the reason. */
TEST_F(policy, trace)
{
	STOP_IF_SKIPPED();

	char rest[128], expected[128];
	int at = 0;

	ASSERT_EQ(0, trace_start(EVENT));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	ASSERT_EQ(0, set_policy(self->snoop.iommufd,
				IOMMU_COHERENCY_ASSUME_NONE));
	ASSERT_EQ(0, set_policy(self->snoop.iommufd, IOMMU_COHERENCY_FOLLOW));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	snoop_close_device(&self->snoop);
	ASSERT_EQ(0, trace_stop(EVENT));

	snprintf(expected, sizeof(expected),
		 "device=%s cause=attach noncoherent=1 devices=1",
		 self->snoop.name);
	if (self->passes) {
		ASSERT_TRUE(trace_find("iommufd_coherency: ", &at, rest,
				       sizeof(rest)));
		EXPECT_STREQ(expected, rest);
		ASSERT_TRUE(trace_find("iommufd_coherency: ", &at, rest,
				       sizeof(rest)));
		EXPECT_NE(NULL, strstr(rest, "cause=detach noncoherent=0 devices=0"));
	}
	ASSERT_TRUE(trace_find("iommufd_coherency: ", &at, rest, sizeof(rest)));
	EXPECT_STREQ("device=- cause=policy noncoherent=1 devices=0", rest);
	ASSERT_TRUE(trace_find("iommufd_coherency: ", &at, rest, sizeof(rest)));
	EXPECT_STREQ("device=- cause=policy noncoherent=0 devices=0", rest);
	if (self->passes) {
		ASSERT_TRUE(trace_find("iommufd_coherency: ", &at, rest,
				       sizeof(rest)));
		EXPECT_STREQ(expected, rest);
		ASSERT_TRUE(trace_find("iommufd_coherency: ", &at, rest,
				       sizeof(rest)));
		EXPECT_NE(NULL, strstr(rest, "cause=detach noncoherent=0 devices=0"));
	}
	EXPECT_FALSE(trace_find("iommufd_coherency: ", &at, rest,
				sizeof(rest)));
}

FIXTURE(machines)
{
	struct snoop snoop;
	struct guest guest;
	struct guest second;
	/* Flushes carried out with the device attached */
	long attached;
	long destroyed;
};

FIXTURE_SETUP(machines)
{
	const char *reason = guest_impossible();

	if (reason)
		SKIP(return, "%s", reason);
	EDU_SETUP(snoop_find(&self->snoop, FILE_IOMMU));
	ASSERT_EQ(0, probes_set());
	ASSERT_EQ(0, guest_create(&self->guest));
	ASSERT_EQ(0, guest_create(&self->second));
	ASSERT_EQ(0, snoop_open(&self->snoop));
	self->attached = machine_lets_nosnoop_pass() ? GUEST_FLUSHES : 0;
	self->destroyed = probe_hits(PROBE_DESTROY);
}

FIXTURE_TEARDOWN(machines)
{
	STOP_IF_SKIPPED();

	snoop_close(&self->snoop);
	guest_destroy(&self->guest);
	guest_destroy(&self->second);
	EXPECT_EQ(probe_hits(PROBE_REGISTER), probe_hits(PROBE_UNREGISTER));
	EXPECT_EQ(self->destroyed + 2, probe_hits(PROBE_DESTROY));
	probes_clear();
}

/* A VMM can have its guest see the same machine whatever is attached. */
TEST_F(machines, assume_none)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	EXPECT_EQ(0, guest_run(&self->guest));
	ASSERT_EQ(0, set_policy(self->snoop.iommufd,
				IOMMU_COHERENCY_ASSUME_NONE));
	/* Without a device nobody may have the host's caches flushed */
	EXPECT_EQ(0, guest_run(&self->guest));
	ASSERT_EQ(0, snoop_bind(&self->snoop));
	EXPECT_EQ(GUEST_FLUSHES, guest_run(&self->guest));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_EQ(GUEST_FLUSHES, guest_run(&self->guest));
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	EXPECT_EQ(GUEST_FLUSHES, guest_run(&self->guest));
	/* A machine that comes later is told at once */
	ASSERT_EQ(0, guest_add(&self->second, self->snoop.iommufd));
	EXPECT_EQ(GUEST_FLUSHES, guest_run(&self->second));
	ASSERT_EQ(0, set_policy(self->snoop.iommufd, IOMMU_COHERENCY_FOLLOW));
	EXPECT_EQ(0, guest_run(&self->guest));
	EXPECT_EQ(0, guest_run(&self->second));
}

/* One file belongs to two machines of a process; each lets go by itself. */
TEST_F(machines, two)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	ASSERT_EQ(0, guest_add(&self->second, self->snoop.iommufd));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	EXPECT_EQ(self->attached, guest_run(&self->second));

	ASSERT_EQ(0, guest_del(&self->guest, self->snoop.iommufd));
	EXPECT_EQ(0, guest_run(&self->guest));
	EXPECT_EQ(self->attached, guest_run(&self->second));
	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	ASSERT_EQ(0, guest_del(&self->second, self->snoop.iommufd));
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	EXPECT_EQ(0, guest_run(&self->second));

	ASSERT_EQ(0, guest_add(&self->second, self->snoop.iommufd));
	guest_close_device(&self->second);
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	EXPECT_EQ(0, guest_run(&self->second));
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	EXPECT_EQ(0, guest_run(&self->guest));
}

/* The device signals @event. */
static int signal_event(int device, int event)
{
	struct {
		struct vfio_irq_set set;
		int32_t event;
	} __attribute__((packed)) arg = {
		.set = {
			.argsz = sizeof(arg),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD |
				 VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSI_IRQ_INDEX,
			.count = 1,
		},
		.event = event,
	};

	return xioctl(device, VFIO_DEVICE_SET_IRQS, &arg);
}

/* Posts it to a machine, or not any more. KVM counts that as a file. */
static int post(struct guest *guest, int event, uint32_t flags)
{
	struct kvm_irqfd irqfd = { .fd = event, .gsi = 5, .flags = flags };

	return xioctl(guest->vm, KVM_IRQFD, &irqfd);
}

/* A machine that can have interrupts, and no CPU to take them. */
static int create_posted(struct guest *guest)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int rc;

	*guest = (struct guest){ .vm = -1, .vcpu = -1, .device = -1 };
	guest->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (guest->kvm < 0)
		return -errno;
	guest->vm = xioctl(guest->kvm, KVM_CREATE_VM, NULL);
	if (guest->vm < 0)
		return guest->vm;
	rc = xioctl(guest->vm, KVM_CREATE_IRQCHIP, NULL);
	if (!rc)
		rc = xioctl(guest->vm, KVM_CREATE_DEVICE, &device);
	if (!rc)
		guest->device = device.fd;
	return rc;
}

/* A machine of another process, with @file until @pipe is closed at its other end. */
static void hold_file(int file, int pipe, int ready)
{
	struct guest guest;
	char byte = guest_create(&guest) == 0 && guest_add(&guest, file) == 0;

	if (write(ready, &byte, 1) == 1)
		_exit(read(pipe, &byte, 1));
	_exit(1);
}

/*
 * Interrupts that a device posts to a machine hide from KVM's count that a file is
 * taken from it. Machines of two processes are told apart nevertheless.
 */
TEST_F(machines, posted)
{
	STOP_IF_SKIPPED();

	long ups = probe_hits(PROBE_REGISTER);
	long downs = probe_hits(PROBE_UNREGISTER);
	int file = self->snoop.iommufd;
	int event = eventfd(0, EFD_CLOEXEC);
	int go[2], ready[2], status;
	struct guest posted;
	char byte = 0;
	pid_t pid;

	ASSERT_GE(event, 0);
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, set_policy(file, IOMMU_COHERENCY_ASSUME_NONE));
	ASSERT_EQ(0, create_posted(&posted));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, guest_add(&posted, file));
	ASSERT_EQ(0, signal_event(self->snoop.device, event));
	ASSERT_EQ(0, post(&posted, event, 0));

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		close(go[1]);
		hold_file(file, go[0], ready[1]);
	}
	close(go[0]);
	close(ready[1]);
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(1, byte);
	EXPECT_EQ(ups + 2, probe_hits(PROBE_REGISTER));
	EXPECT_EQ(0, guest_del(&posted, file));
	EXPECT_EQ(downs + 1, probe_hits(PROBE_UNREGISTER));

	close(go[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	guest_destroy(&posted);
	/* Both come on top of the two */
	self->destroyed += 2;
	close(ready[0]);
	close(event);
}

/*
 * Of two machines of one process, nobody can say then from which a file was taken.
 * Nor can anybody later, by the count of a machine that may have lost one. Both are
 * told of the device until both have let go.
 */
TEST_F(machines, posted_two)
{
	STOP_IF_SKIPPED();

	long downs = probe_hits(PROBE_UNREGISTER);
	int event = eventfd(0, EFD_CLOEXEC);
	int device = self->snoop.device;
	int file = self->snoop.iommufd;
	struct guest guests[2];
	int i;

	ASSERT_GE(event, 0);
	ASSERT_EQ(0, set_policy(file, IOMMU_COHERENCY_ASSUME_NONE));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, signal_event(device, event));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, create_posted(&guests[i]));
		ASSERT_EQ(0, guest_add(&guests[i], file));
		ASSERT_EQ(0, guest_add(&guests[i], device));
	}

	EXPECT_EQ(0, post(&guests[0], event, 0));
	EXPECT_EQ(0, guest_del(&guests[0], file));
	EXPECT_EQ(0, post(&guests[0], event, KVM_IRQFD_FLAG_DEASSIGN));
	EXPECT_EQ(0, post(&guests[1], event, 0));
	EXPECT_EQ(0, guest_del(&guests[1], device));
	EXPECT_EQ(downs, probe_hits(PROBE_UNREGISTER));
	EXPECT_EQ(0, guest_del(&guests[0], device));
	EXPECT_EQ(downs + 2, probe_hits(PROBE_UNREGISTER));
	EXPECT_EQ(0, guest_del(&guests[1], file));
	EXPECT_EQ(downs + 4, probe_hits(PROBE_UNREGISTER));

	for (i = 0; i < 2; i++)
		guest_destroy(&guests[i]);
	self->destroyed += 2;
	close(event);
}

/* As two machines of one process, with the second in another, which is then gone. */
TEST_F(machines, two_processes)
{
	STOP_IF_SKIPPED();

	int status, go[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct guest guest;

		close(go[0]);
		if (guest_create(&guest) ||
		    guest_add(&guest, self->snoop.iommufd) ||
		    guest_run(&guest) != self->attached ||
		    guest_del(&guest, self->snoop.iommufd) ||
		    guest_run(&guest) != 0 ||
		    guest_add(&guest, self->snoop.iommufd) ||
		    guest_run(&guest) != self->attached)
			_exit(1);
		_exit(write(go[1], "", 1) != 1);
	}
	close(go[1]);
	EXPECT_EQ(1, read(go[0], &byte, 1));
	close(go[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	/* That machine comes on top of the two */
	EXPECT_EQ(self->destroyed + 1, probe_hits(PROBE_DESTROY));
	self->destroyed++;
}

/* Told in two ways of the same device, KVM counts both. */
TEST_F(machines, two_files)
{
	STOP_IF_SKIPPED();

	long ups = probe_hits(PROBE_REGISTER);

	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.device));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_EQ(self->attached ? 2 : 0, probe_hits(PROBE_REGISTER) - ups);
	ASSERT_EQ(0, guest_del(&self->guest, self->snoop.iommufd));
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	EXPECT_EQ(0, guest_run(&self->guest));
}

/* A machine that dies first is gone at once, if no driver was opened for it. */
TEST_F(machines, machine_first)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.device));
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	guest_destroy(&self->guest);
	EXPECT_EQ(self->destroyed + 1, probe_hits(PROBE_DESTROY));
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, guest_add(&self->second, self->snoop.iommufd));
	EXPECT_EQ(self->attached, guest_run(&self->second));
}

/* If one was, it lasts until the device is closed, and no longer. */
TEST_F(machines, machine_in_use)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.iommufd));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	guest_destroy(&self->guest);
	EXPECT_EQ(self->destroyed, probe_hits(PROBE_DESTROY));
	/* Nobody counts for it any more */
	EXPECT_EQ(probe_hits(PROBE_REGISTER), probe_hits(PROBE_UNREGISTER));
	snoop_close_device(&self->snoop);
	EXPECT_EQ(self->destroyed + 1, probe_hits(PROBE_DESTROY));
}

/* Files that say nothing about devices. */
TEST_F(machines, bad_files)
{
	STOP_IF_SKIPPED();

	int ends[2], null;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(null, 0);
	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-EINVAL, guest_add(&self->guest, null));
	EXPECT_EQ(-EINVAL, guest_add(&self->guest, ends[0]));
	EXPECT_EQ(-EINVAL, guest_add(&self->guest, self->guest.vm));
	EXPECT_EQ(-EBADF, guest_add(&self->guest, -1));
	EXPECT_EQ(-ENOENT, guest_del(&self->guest, null));
	EXPECT_EQ(-ENOENT, guest_del(&self->guest, self->snoop.iommufd));
	close(ends[0]);
	EXPECT_EQ(-EBADF, guest_add(&self->guest, ends[0]));
	close(ends[1]);
	close(null);
}

/* A device file that was got from a group is a device file. */
TEST_F(machines, device_of_group)
{
	STOP_IF_SKIPPED();

	snoop_close(&self->snoop);
	ASSERT_EQ(0, snoop_find(&self->snoop, FILE_GROUP));
	ASSERT_EQ(0, snoop_open(&self->snoop));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	ASSERT_EQ(0, guest_add(&self->guest, self->snoop.device));
	EXPECT_EQ(self->attached, guest_run(&self->guest));
	ASSERT_EQ(0, guest_add(&self->second, self->snoop.device));
	ASSERT_EQ(0, guest_del(&self->guest, self->snoop.device));
	EXPECT_EQ(0, guest_run(&self->guest));
	/* The second machine keeps the file open, and so the device attached */
	snoop_close_device(&self->snoop);
	EXPECT_EQ(self->attached, guest_run(&self->second));
	guest_close_device(&self->second);
	EXPECT_EQ(0, guest_run(&self->second));
}

TEST_HARNESS_MAIN
