// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test for each class of fault that other implementations of this interface had,
 * named after it: those about the life of objects and files. classes.c has those
 * about memory; races.c lets every operation meet every other.
 *
 * What meets may end either way; wrong is what no order of the two would give,
 * and what the census and the kernel log say afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/meet.h"
#include "lib/memory.h"
#include "lib/mock.h"
#include "lib/pass.h"
#include "lib/probe.h"
#include "lib/rig.h"
#include "lib/type1.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define SIZE	(64 * PAGE)
#define AT	0x10000000UL
#define MS	1000

FIXTURE(life)
{
	struct rig rig;
	int fd;
	uint32_t other;
	int access;
	int file;
	struct guest guest;
	unsigned char *memory;
	atomic_uint victim;
	atomic_int wrong;
	long pins;
};

FIXTURE_SETUP(life)
{
	self->access = -1;
	self->pins = census_pins();
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	ASSERT_EQ(0, ioas_alloc(self->fd, &self->other));
	self->memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, self->memory);
}

FIXTURE_TEARDOWN(life)
{
	if (self->access >= 0)
		close(self->access);
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(0, self->wrong);
}

/* One of the results that @rc may be: 0 or either error */
static void check(FIXTURE_DATA(life) *self, int rc, int one, int other)
{
	if (rc && rc != one && rc != other)
		atomic_store(&self->wrong, rc);
}

static int bind_access(FIXTURE_DATA(life) *self)
{
	if (mock_missing())
		return -ENODEV;
	self->access = mock_attach(MOCK_MDEV, 1, self->fd, self->rig.ioas);
	return self->access < 0 ? self->access : 0;
}

static void replace_victim(void *data)
{
	FIXTURE_DATA(life) *self = data;
	uint32_t id = 0;

	check(self, ioas_alloc(self->fd, &id), 0, 0);
	atomic_store(&self->victim, id);
	sched_yield();
	check(self, iommufd_destroy(self->fd, id), 0, 0);
}

static void look_up_victim(void *data)
{
	FIXTURE_DATA(life) *self = data;
	uint32_t id = atomic_load(&self->victim);
	struct iommu_iova_range ranges[4];
	uint64_t alignment, iova = 0;
	uint32_t count = 4;

	check(self, ioas_ranges(self->fd, id, ranges, &count, &alignment),
	      -ENOENT, 0);
	check(self, ioas_map(self->fd, id, MAP_RW, self->memory, PAGE, &iova),
	      -ENOENT, 0);
}

TEST_F(life, class04_last_reference_while_looked_up)
{
	EXPECT_LE(11, meet(replace_victim, look_up_victim, self, MS, 11));
}

/* An access that may not go to another address space is where it was. */
TEST_F(life, class06_failed_change_of_an_access)
{
	unsigned char data[16] = { 1, 2, 3 };
	uint32_t pt;

	ASSERT_EQ(0, bind_access(self));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->rig.ioas, MAP_RW,
				 self->memory, PAGE, AT));
	/* Not on a page, as an access needs it */
	ASSERT_EQ(0, ioas_map_at(self->fd, self->other, MAP_RW,
				 self->memory + 16, 32, AT + 16));
	pt = self->other;
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->access, &pt));
	EXPECT_LE(0, mock_rw(self->access, AT, data, 16, MOCK_WRITE));
	EXPECT_EQ(0, memcmp(self->memory, data, 16));
	/* It has no place in the other, which can go. */
	EXPECT_EQ(0, iommufd_destroy(self->fd, self->other));
	EXPECT_LE(0, mock_rw(self->access, AT, data, 16, 0));
	/* It still leaves for a third, and comes out of the first by that. */
	ASSERT_EQ(0, ioas_alloc(self->fd, &self->other));
	pt = self->other;
	EXPECT_EQ(0, vfio_attach(self->access, &pt));
	EXPECT_GT(0, mock_rw(self->access, AT, data, 16, 0));
	EXPECT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_EQ(0, iommufd_destroy(self->fd, self->rig.ioas));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->fd, self->other));
}

static void move_access(void *data)
{
	FIXTURE_DATA(life) *self = data;
	uint32_t pt = self->other;

	check(self, vfio_attach(self->access, &pt), 0, 0);
	check(self, vfio_detach(self->access), 0, 0);
	pt = self->rig.ioas;
	check(self, vfio_attach(self->access, &pt), 0, 0);
}

static void use_access(void *data)
{
	FIXTURE_DATA(life) *self = data;
	unsigned char bytes[64];
	int rc;

	rc = mock_rw(self->access, AT, bytes, sizeof(bytes), 0);
	if (rc >= 0 && bytes[0] != 0x6b && bytes[0] != 0x6c)
		atomic_store(&self->wrong, 1);
	rc = mock_pin(self->access, AT, 2, MOCK_AT_ONCE);
	if (rc > 0)
		mock_unpin(self->access, AT, rc);
}

TEST_F(life, class07_access_moves_while_it_is_used)
{
	ASSERT_EQ(0, bind_access(self));
	memset(self->memory, 0x6b, 2 * PAGE);
	memset(self->memory + 2 * PAGE, 0x6c, 2 * PAGE);
	ASSERT_EQ(0, ioas_map_at(self->fd, self->rig.ioas, MAP_RW,
				 self->memory, 2 * PAGE, AT));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->other, MAP_RW,
				 self->memory + 2 * PAGE, 2 * PAGE, AT));
	EXPECT_LE(11, meet(move_access, use_access, self, MS, 11));
}

/* A device file that could not be given to the process is closed again. */
TEST(class10_file_that_nobody_gets)
{
	struct rlimit none = { 0, 0 }, before;
	struct type1 t;
	int rc, i, lowest;

	EDU_SETUP(type1_set(&t, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	none.rlim_max = before.rlim_max;
	for (i = 0; i < 20; i++) {
		/* No descriptor at all, or a name that cannot be read */
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
		EXPECT_EQ(-EMFILE, group_device(t.group, t.name));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
		EXPECT_EQ(-EFAULT, group_device(t.group, NULL));
		lowest = dup(0);
		close(lowest);
		/* As if nothing had been: it opens and closes, and leaves none. */
		rc = group_device(t.group, t.name);
		EXPECT_EQ(lowest, rc);
		close(rc);
	}
	type1_close(&t);
}

static void map_bar(void *data)
{
	FIXTURE_DATA(life) *self = data;
	volatile uint32_t *bar;
	size_t size;

	bar = vfio_map_bar(self->file, VFIO_PCI_BAR0_REGION_INDEX, &size);
	if (!bar) {
		check(self, -errno, -EINVAL, 0);
		return;
	}
	/* The mark that every edu has there */
	if ((bar[0] & 0xff) != 0xed)
		atomic_store(&self->wrong, 1);
	munmap((void *)bar, size);
}

static void destroy_and_attach(void *data)
{
	FIXTURE_DATA(life) *self = data;
	uint32_t ioas = 0, pt;

	check(self, ioas_alloc(self->fd, &ioas), 0, 0);
	pt = ioas;
	check(self, vfio_attach(self->rig.device, &pt), 0, 0);
	check(self, iommufd_destroy(self->fd, ioas), -EBUSY, 0);
	check(self, vfio_detach(self->rig.device), 0, 0);
	check(self, iommufd_destroy(self->fd, ioas), 0, 0);
}

TEST_F(life, class11_mmap_against_destruction)
{
	volatile uint32_t *bar;
	size_t size;

	self->file = dup(self->rig.device);
	EXPECT_LE(4, meet(map_bar, destroy_and_attach, self, MS, 4));
	/* A view outlives the descriptor through which it was made. */
	bar = vfio_map_bar(self->file, VFIO_PCI_BAR0_REGION_INDEX, &size);
	ASSERT_NE(NULL, bar);
	close(self->file);
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_EQ(0xed, bar[0] & 0xff);
	EXPECT_EQ(0, munmap((void *)bar, size));
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Who stays does not make DESTROY wait: it is refused, at once, or done. */
TEST_F(life, class12_user_that_never_leaves)
{
	uint32_t hwpt;
	double start;

	ASSERT_EQ(0, bind_access(self));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->rig.ioas, MAP_RW,
				 self->memory, SIZE, AT));
	ASSERT_EQ(64, mock_pin(self->access, AT, 64, MOCK_AT_ONCE));
	ASSERT_EQ(0, hwpt_alloc(self->fd, 0, self->rig.device_id, self->other,
				&hwpt));
	start = now();
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->fd, self->rig.ioas));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->fd, self->rig.device_id));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->fd, self->other));
	EXPECT_EQ(0, iommufd_destroy(self->fd, hwpt));
	EXPECT_EQ(0, iommufd_destroy(self->fd, self->other));
	/* A driver that has pinned lets go when it is told, and is told at once. */
	EXPECT_EQ(0, ioas_unmap(self->fd, self->rig.ioas, AT, SIZE, NULL));
	EXPECT_LT(now() - start, 5.0);
}

static void add_and_delete(void *data)
{
	FIXTURE_DATA(life) *self = data;

	check(self, guest_add(&self->guest, self->file), -EEXIST, 0);
	check(self, guest_del(&self->guest, self->file), -ENOENT, 0);
}

static void attach_and_detach(void *data)
{
	FIXTURE_DATA(life) *self = data;
	uint32_t pt = self->rig.ioas;

	check(self, vfio_attach(self->rig.device, &pt), 0, 0);
	check(self, vfio_detach(self->rig.device), 0, 0);
}

/*
 * KVM tells and is told about a device while that is attached and detached, and a
 * file that stays open does not keep the virtual machine.
 */
TEST_F(life, class15_kvm_and_group_in_both_orders)
{
	long destroyed;
	int tries;

	if (guest_impossible())
		SKIP(return, "%s", guest_impossible());
	ASSERT_EQ(0, guest_create(&self->guest));
	ASSERT_EQ(0, probes_set());
	self->file = self->rig.device;
	EXPECT_LE(4, meet(add_and_delete, attach_and_detach, self, MS, 4));
	self->file = self->fd;
	EXPECT_LE(4, meet(add_and_delete, attach_and_detach, self, MS, 4));
	ASSERT_EQ(0, guest_add(&self->guest, self->rig.device));
	ASSERT_EQ(0, guest_add(&self->guest, self->fd));
	destroyed = probe_hits(PROBE_DESTROY);
	guest_destroy(&self->guest);
	for (tries = 0; tries < 50; tries++) {
		if (probe_hits(PROBE_DESTROY) > destroyed)
			break;
		usleep(100000);
	}
	EXPECT_EQ(destroyed + 1, probe_hits(PROBE_DESTROY));
	probes_clear();
}

/* Both at once on the same file; then what a capability's padding says. */
TEST_F(life, class16_kvm_add_and_delete)
{
	if (guest_impossible())
		SKIP(return, "%s", guest_impossible());
	ASSERT_EQ(0, guest_create(&self->guest));
	self->file = self->rig.device;
	EXPECT_LE(11, meet(add_and_delete, add_and_delete, self, MS, 11));
	/* Deleted in the end, whoever was last */
	EXPECT_EQ(-ENOENT, guest_del(&self->guest, self->file));
	EXPECT_EQ(0, guest_add(&self->guest, self->file));
	EXPECT_EQ(0, guest_del(&self->guest, self->file));
	guest_destroy(&self->guest);
}

TEST(class16_padding_of_capabilities)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct vfio_iommu_type1_info *info = malloc(4096);
	struct type1 t;

	EDU_SETUP(type1_set(&t, VFIO_TYPE1v2_IOMMU));
	memset(info, 0xa5, 4096);
	ASSERT_EQ(0, container_info(t.container, info, 4096));
	ranges = container_capability(info, 1);
	ASSERT_NE(NULL, ranges);
	ASSERT_GT(ranges->nr_iovas, 0);
	EXPECT_EQ(0, ranges->reserved);
	type1_close(&t);
	free(info);
}

static void fire(void *data)
{
	FIXTURE_DATA(life) *self = data;
	volatile uint32_t *bar = self->rig.edu.bar;

	bar[0x60 / 4] = 1;	/* raise */
	bar[0x64 / 4] = 1;	/* acknowledge */
}

static int set_irq(int device, int event)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int32_t)] = {};
	struct vfio_irq_set *set = (void *)buffer;

	set->argsz = sizeof(buffer);
	set->index = VFIO_PCI_MSI_IRQ_INDEX;
	set->count = event >= 0;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		     (event >= 0 ? VFIO_IRQ_SET_DATA_EVENTFD :
				   VFIO_IRQ_SET_DATA_NONE);
	memcpy(set->data, &event, sizeof(int32_t));
	return ioctl(device, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
}

static void rearm(void *data)
{
	FIXTURE_DATA(life) *self = data;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	check(self, set_irq(self->rig.device, event), 0, 0);
	check(self, set_irq(self->rig.device, other), 0, 0);
	close(event);
	check(self, set_irq(self->rig.device, -1), 0, 0);
	close(other);
}

TEST_F(life, class18_eventfd_torn_down_while_it_fires)
{
	uint64_t count;
	int event, tries;

	EXPECT_LE(4, meet(fire, rearm, self, MS, 4));
	/* It still works. */
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_EQ(0, set_irq(self->rig.device, event));
	fire(self);
	for (tries = 0; tries < 50; tries++) {
		if (read(event, &count, 8) == 8)
			break;
		usleep(100000);
	}
	EXPECT_LT(tries, 50);
	ASSERT_EQ(0, set_irq(self->rig.device, -1));
	close(event);
}

static void open_and_attach(void *data)
{
	FIXTURE_DATA(life) *self = data;
	uint32_t id, pt = atomic_load(&self->victim);
	int device, rc;

	device = pci_open_device_file(self->rig.name);
	if (device < 0)
		return;
	if (!vfio_bind(device, self->fd, &id)) {
		rc = vfio_attach(device, &pt);
		/* The ID may be that of the device itself by now */
		if (rc != -EINVAL || pt != id)
			check(self, rc, -ENOENT, -ENODEV);
	}
	close(device);
}

static void replug(void *data)
{
	FIXTURE_DATA(life) *self = data;

	pci_unbind_driver(self->rig.name);
	check(self, pci_bind_driver(self->rig.name, "vfio-pci"), 0, 0);
}

static void open_and_replace(void *data)
{
	open_and_attach(data);
	sched_yield();
}

static void replace_in_use(void *data)
{
	FIXTURE_DATA(life) *self = data;
	uint32_t id = 0;

	check(self, ioas_alloc(self->fd, &id), 0, 0);
	atomic_store(&self->victim, id);
	sched_yield();
	/* It may be in use, and is then left to the end of the file. */
	check(self, iommufd_destroy(self->fd, id), -EBUSY, 0);
}

/* BIND and close, ATTACH and DESTROY, and unplugging against both. */
TEST_F(life, class19_bind_close_attach_destroy_unplug)
{
	uint32_t pt;

	edu_fini(&self->rig.edu);
	ASSERT_EQ(0, close(self->rig.device));
	self->rig.device = -1;
	atomic_store(&self->victim, self->other);
	EXPECT_LE(4, meet(open_and_replace, replace_in_use, self, MS, 4));
	atomic_store(&self->victim, self->other);
	EXPECT_LE(1, meet(open_and_attach, replug, self, MS, 1));
	/* The device is whole. */
	self->rig.device = pci_open_device_file(self->rig.name);
	ASSERT_GE(self->rig.device, 0);
	ASSERT_EQ(0, vfio_bind(self->rig.device, self->fd,
			       &self->rig.device_id));
	pt = self->rig.ioas;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
}

/* A descriptor that one process closes is not the other's. */
TEST_F(life, class20_cloned_descriptor_closed)
{
	int sockets[2], round, status, fds[1];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		for (round = 0; round < 50; round++) {
			/* The one from fork first, then those that were sent */
			int fd = self->fd;

			if (round && pass_receive(sockets[1], fds, 1))
				_exit(1);
			if (round)
				fd = fds[0];
			if (ioas_map_at(fd, self->rig.ioas, MAP_RW,
					self->memory, SIZE, AT) ||
			    ioas_unmap(fd, self->rig.ioas, AT, SIZE, NULL) ||
			    close(fd))
				_exit(2);
		}
		_exit(0);
	}
	for (round = 1; round < 50; round++) {
		fds[0] = dup(self->fd);
		ASSERT_EQ(0, pass_files(sockets[0], fds, 1));
		ASSERT_EQ(0, close(fds[0]));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, ioas_map_at(self->fd, self->rig.ioas, MAP_RW,
				 self->memory, SIZE, AT));
}

TEST_HARNESS_MAIN
