// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does KVM carry out its guest's cache flushes exactly while a device does DMA
 * that is not coherent? Seen from inside a guest that flushes, for each kind of
 * file that KVM can be told about.
 *
 * On a machine whose IOMMU enforces snooping it never does; there these tests
 * show that it does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/pci.h"
#include "lib/probe.h"
#include "lib/skip.h"
#include "lib/snoop.h"
#include "lib/vfio.h"

#define MAX_ROWS	64

/* What was measured, by all the processes that tests run in */
static struct table {
	int used;
	struct row {
		enum file_kind kind;
		char state[40];
		long emulated;
		long expected;
	} rows[MAX_ROWS];
} *table;

static pid_t main_process;

__attribute__((constructor)) static void table_make(void)
{
	main_process = getpid();
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (table == MAP_FAILED)
		_exit(1);
}

__attribute__((destructor)) static void table_print(void)
{
	int i;

	if (getpid() != main_process || !table->used)
		return;
	printf("# %-16s %-40s %9s %9s\n", "given to KVM", "state",
	       "emulated", "expected");
	for (i = 0; i < table->used; i++)
		printf("# %-16s %-40s %9ld %9ld\n",
		       file_kind_names[table->rows[i].kind],
		       table->rows[i].state, table->rows[i].emulated,
		       table->rows[i].expected);
}

FIXTURE(coherency)
{
	struct snoop snoop;
	struct guest guest;
};

FIXTURE_VARIANT(coherency)
{
	enum file_kind kind;
};

FIXTURE_VARIANT_ADD(coherency, iommu_file)
{
	.kind = FILE_IOMMU,
};

FIXTURE_VARIANT_ADD(coherency, device_file)
{
	.kind = FILE_DEVICE,
};

FIXTURE_VARIANT_ADD(coherency, group_file)
{
	.kind = FILE_GROUP,
};

FIXTURE_SETUP(coherency)
{
	const char *reason = guest_impossible();

	if (reason)
		SKIP(return, "%s", reason);
	EDU_SETUP(snoop_find(&self->snoop, variant->kind));
	ASSERT_EQ(0, probes_set());
	ASSERT_EQ(0, guest_create(&self->guest));
	ASSERT_EQ(0, snoop_open(&self->snoop));
}

FIXTURE_TEARDOWN(coherency)
{
	STOP_IF_SKIPPED();

	snoop_close(&self->snoop);
	guest_destroy(&self->guest);
	/* Whatever the test did, KVM must have counted down to zero */
	EXPECT_EQ(probe_hits(PROBE_REGISTER), probe_hits(PROBE_UNREGISTER));
	probes_clear();
}

/* Runs the guest; whether it came out as it must with @translating devices. */
static bool row(struct guest *guest, enum file_kind kind, const char *state,
		bool translating)
{
	long expected = translating && machine_lets_nosnoop_pass() ?
			GUEST_FLUSHES : 0;
	long emulated = guest_run(guest);

	if (table->used < MAX_ROWS) {
		struct row *row = &table->rows[table->used++];

		row->kind = kind;
		row->emulated = emulated;
		row->expected = expected;
		snprintf(row->state, sizeof(row->state), "%s", state);
	}
	return emulated == expected;
}

#define EXPECT_ROW(_state, _translating) \
	EXPECT_TRUE(row(&self->guest, self->snoop.kind, _state, _translating))

/* In the order in which QEMU does it: KVM is told before anything is bound. */
TEST_F(coherency, life)
{
	STOP_IF_SKIPPED();

	EXPECT_ROW("not given to KVM", false);
	ASSERT_EQ(0, guest_add(&self->guest, snoop_file(&self->snoop)));
	EXPECT_ROW("nothing attached", false);
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_ROW("attached", true);
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	EXPECT_ROW("detached", false);
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_ROW("attached again", true);
}

/* Between its two address spaces the device is still as it was. */
TEST_F(coherency, replace)
{
	STOP_IF_SKIPPED();

	long downs;

	ASSERT_EQ(0, guest_add(&self->guest, snoop_file(&self->snoop)));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	downs = probe_hits(PROBE_UNREGISTER);
	ASSERT_EQ(0, snoop_replace(&self->snoop));
	/* By the old interface it has to be detached first */
	if (self->snoop.kind != FILE_GROUP)
		EXPECT_EQ(downs, probe_hits(PROBE_UNREGISTER));
	EXPECT_ROW("replaced", true);
	ASSERT_EQ(0, snoop_detach(&self->snoop));
	EXPECT_ROW("replaced, then detached", false);
}

/* KVM is told of what is there already, and told to forget it. */
TEST_F(coherency, add_late_and_delete)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, snoop_attach(&self->snoop));
	EXPECT_ROW("attached, not given to KVM", false);
	ASSERT_EQ(0, guest_add(&self->guest, snoop_file(&self->snoop)));
	EXPECT_ROW("attached, then FILE_ADD", true);
	EXPECT_EQ(-EEXIST, guest_add(&self->guest, snoop_file(&self->snoop)));
	ASSERT_EQ(0, guest_del(&self->guest, snoop_file(&self->snoop)));
	EXPECT_ROW("attached, then FILE_DEL", false);
	EXPECT_EQ(-ENOENT, guest_del(&self->guest, snoop_file(&self->snoop)));
	ASSERT_EQ(0, guest_add(&self->guest, snoop_file(&self->snoop)));
	EXPECT_ROW("FILE_DEL, then FILE_ADD", true);
	guest_close_device(&self->guest);
	EXPECT_ROW("KVM's device closed", false);
}

/*
 * KVM holds the file that it was given. So closing the descriptor changes nothing,
 * unless it is of another file on which the attachment depends.
 */
TEST_F(coherency, close_files)
{
	STOP_IF_SKIPPED();

	ASSERT_EQ(0, guest_add(&self->guest, snoop_file(&self->snoop)));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	switch (self->snoop.kind) {
	case FILE_IOMMU:
		close(self->snoop.iommufd);
		self->snoop.iommufd = -1;
		EXPECT_ROW("its file closed", true);
		snoop_close_device(&self->snoop);
		EXPECT_ROW("device closed", false);
		break;
	case FILE_DEVICE:
		close(self->snoop.iommufd);
		self->snoop.iommufd = -1;
		EXPECT_ROW("/dev/iommu file closed", true);
		snoop_close_device(&self->snoop);
		EXPECT_ROW("its file closed", true);
		break;
	default:
		close(self->snoop.group);
		self->snoop.group = -1;
		EXPECT_ROW("its file closed", true);
		close(self->snoop.iommufd);
		self->snoop.iommufd = -1;
		EXPECT_ROW("/dev/iommu file closed", true);
		snoop_close_device(&self->snoop);
		EXPECT_ROW("device closed", false);
		break;
	}
	guest_close_device(&self->guest);
	EXPECT_ROW("all files closed", false);
}

/* Runs as another process until it is killed, holding a device attached. */
static pid_t start_holder(struct snoop *snoop)
{
	char ready = 0;
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (!pid) {
		close(ends[0]);
		ready = snoop_attach(snoop) == 0;
		if (write(ends[1], &ready, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	if (pid > 0 && (read(ends[0], &ready, 1) != 1 || !ready)) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = -EIO;
	}
	close(ends[0]);
	return pid;
}

/*
 * A process that attached the device is killed. The machine, which is another
 * process's, goes on; if it was given the device itself, so does that.
 */
TEST_F(coherency, kill)
{
	STOP_IF_SKIPPED();

	pid_t pid;
	int status;

	ASSERT_EQ(0, guest_add(&self->guest, snoop_file(&self->snoop)));
	pid = start_holder(&self->snoop);
	ASSERT_GT(pid, 0);
	snoop_close_device(&self->snoop);
	EXPECT_ROW("attached by another process", true);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_ROW("that process killed",
		   self->snoop.kind == FILE_DEVICE);
	guest_close_device(&self->guest);
	EXPECT_ROW("KVM's device closed", false);
}

/* The whole VMM is killed; the machine is destroyed with a count of zero. */
TEST_F(coherency, kill_vmm)
{
	STOP_IF_SKIPPED();

	long ups = probe_hits(PROBE_REGISTER);
	long destroyed = probe_hits(PROBE_DESTROY);
	int go[2], status, i;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct guest guest;

		if (guest_create(&guest) ||
		    guest_add(&guest, snoop_file(&self->snoop)) ||
		    snoop_attach(&self->snoop) ||
		    !row(&guest, self->snoop.kind, "in a VMM of its own", true))
			_exit(1);
		if (write(go[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(go[1]);
	snoop_close(&self->snoop);
	ASSERT_EQ(1, read(go[0], &byte, 1));
	close(go[0]);
	EXPECT_EQ(machine_lets_nosnoop_pass(),
		  probe_hits(PROBE_REGISTER) - ups);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	for (i = 0; i < 50 && probe_hits(PROBE_DESTROY) == destroyed; i++)
		usleep(100000);
	EXPECT_EQ(destroyed + 1, probe_hits(PROBE_DESTROY));
	EXPECT_EQ(probe_hits(PROBE_REGISTER), probe_hits(PROBE_UNREGISTER));
}

/* Asks to be told by @event when the device is wanted back. */
static int want_request(int device, int event)
{
	struct {
		struct vfio_irq_set set;
		int32_t event;
	} __attribute__((packed)) arg = {
		.set = {
			.argsz = sizeof(arg),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD |
				 VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_REQ_IRQ_INDEX,
			.count = 1,
		},
		.event = event,
	};

	return xioctl(device, VFIO_DEVICE_SET_IRQS, &arg);
}

/* The device is taken out of the machine, and its user lets go when asked to. */
TEST_F(coherency, unplug)
{
	STOP_IF_SKIPPED();

	struct pollfd request = { .events = POLLIN };
	int status;
	pid_t pid;

	ASSERT_EQ(0, guest_add(&self->guest, snoop_file(&self->snoop)));
	ASSERT_EQ(0, snoop_attach(&self->snoop));
	request.fd = eventfd(0, EFD_CLOEXEC);
	ASSERT_GE(request.fd, 0);
	ASSERT_EQ(0, want_request(self->snoop.device, request.fd));

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		snoop_close(&self->snoop);
		_exit(pci_remove(self->snoop.name) ? 1 : 0);
	}
	ASSERT_EQ(1, poll(&request, 1, 30000));
	EXPECT_ROW("unplug requested", true);
	if (self->snoop.kind == FILE_DEVICE)
		EXPECT_EQ(0, guest_del(&self->guest, self->snoop.device));
	snoop_close_device(&self->snoop);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_ROW("unplugged", false);
	close(request.fd);
	ASSERT_EQ(0, pci_rescan());
}

TEST_HARNESS_MAIN
