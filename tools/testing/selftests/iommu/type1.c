// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's containers of type 1. Every expectation holds for the stock modules of
 * Linux 6.1 as well, on which this runs with "./run vm --stock", except where
 * type1_is_stock() is asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/sysfs.h"
#include "lib/type1.h"

#define PAGE	4096UL
#define SIZE	(256 * PAGE)
#define AT	0x10000000UL
#define LENGTH	1024
#define NOBODY	65534

/* Of no interface */
#define NO_IOCTL	_IO(VFIO_TYPE, VFIO_BASE + 27)

static unsigned char *memory_new(void)
{
	unsigned char *memory = memory_of_pages(SIZE);

	if (memory)
		memset(memory, 0, SIZE);
	return memory;
}

/* A range unmapped with flags: what was unmapped, or -errno. */
static int64_t unmap_with(int container, uint32_t flags, uint64_t iova,
			  uint64_t size)
{
	int rc = container_unmap(container, flags, iova, &size);

	return rc ? rc : (int64_t)size;
}

static int64_t unmap(int container, uint64_t iova, uint64_t size)
{
	return unmap_with(container, 0, iova, size);
}

/* The steps in which a container comes to life, and goes back to nothing. */

FIXTURE(steps)
{
	struct type1 t;
	unsigned char *memory;
	long pins;
};

FIXTURE_SETUP(steps)
{
	EDU_SETUP(type1_open(&self->t));
	self->memory = memory_new();
	ASSERT_NE(NULL, self->memory);
	self->pins = census_pins();
}

FIXTURE_TEARDOWN(steps)
{
	type1_close(&self->t);
	EXPECT_TRUE(census_settles(self->pins));
}

/* Nothing is possible without a group. */
TEST_F(steps, no_group)
{
	struct vfio_iommu_type1_info info;
	int c = self->t.container;

	EXPECT_EQ(VFIO_API_VERSION, container_version(c));
	EXPECT_EQ(-EINVAL, container_set_iommu(c, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, container_set_iommu(c, 99));
	EXPECT_EQ(-EINVAL, container_info(c, &info, sizeof(info)));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, self->memory, SIZE, AT));
	EXPECT_EQ(-EINVAL, unmap(c, AT, SIZE));
	EXPECT_EQ(-EINVAL, container_dirty(c,
					   VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	EXPECT_EQ(-1, ioctl(c, NO_IOCTL, 0));
	EXPECT_EQ(EINVAL, errno);
}

/* What it says of itself before VFIO_SET_IOMMU. */
TEST_F(steps, extensions)
{
	int c = self->t.container;
	int joined;

	for (joined = 0; joined <= 1; joined++) {
		EXPECT_EQ(1, container_extension(c, VFIO_TYPE1_IOMMU));
		EXPECT_EQ(1, container_extension(c, VFIO_TYPE1v2_IOMMU));
		EXPECT_EQ(1, container_extension(c, VFIO_TYPE1_NESTING_IOMMU));
		EXPECT_EQ(1, container_extension(c, VFIO_UNMAP_ALL));
		EXPECT_EQ(0, container_extension(c, VFIO_UPDATE_VADDR));
		EXPECT_EQ(0, container_extension(c, VFIO_DMA_CC_IOMMU));
		EXPECT_EQ(0, container_extension(c, VFIO_NOIOMMU_IOMMU));
		EXPECT_EQ(0, container_extension(c, VFIO_SPAPR_TCE_IOMMU));
		EXPECT_EQ(0, container_extension(c, 0));
		EXPECT_EQ(0, container_extension(c, 99));
		if (!joined)
			ASSERT_EQ(0, group_set_container(self->t.group, c));
	}
}

TEST_F(steps, group)
{
	int g = self->t.group;
	int c = self->t.container;
	uint32_t flags;
	int null;

	ASSERT_EQ(0, group_status(g, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, flags);
	EXPECT_EQ(-EBUSY, pci_open_group(self->t.name));
	EXPECT_EQ(-EINVAL, group_unset_container(g));
	EXPECT_EQ(-EINVAL, group_device(g, self->t.name));
	EXPECT_EQ(-EBADF, group_set_container(g, -1));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(null, 0);
	EXPECT_EQ(type1_is_stock() ? -EINVAL : -EBADFD,
		  group_set_container(g, null));
	close(null);

	ASSERT_EQ(0, group_set_container(g, c));
	EXPECT_EQ(-EINVAL, group_set_container(g, c));
	ASSERT_EQ(0, group_status(g, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET,
		  flags);
	EXPECT_EQ(-EINVAL, group_device(g, self->t.name));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, self->memory, SIZE, AT));
	EXPECT_EQ(0, group_unset_container(g));
	EXPECT_EQ(-EINVAL, group_unset_container(g));
	ASSERT_EQ(0, group_status(g, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, flags);
}

TEST_F(steps, set_iommu)
{
	int c = self->t.container;

	ASSERT_EQ(0, group_set_container(self->t.group, c));
	EXPECT_EQ(-ENODEV, container_set_iommu(c, 0));
	EXPECT_EQ(-ENODEV, container_set_iommu(c, 99));
	EXPECT_EQ(-ENODEV, container_set_iommu(c, VFIO_SPAPR_TCE_IOMMU));
	EXPECT_EQ(-ENODEV, container_set_iommu(c, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(-ENODEV, container_set_iommu(c, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(-ENODEV, container_set_iommu(c, VFIO_UPDATE_VADDR));
	EXPECT_EQ(-EINVAL, container_set_iommu(c, VFIO_UNMAP_ALL));
	ASSERT_EQ(0, container_set_iommu(c, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-EINVAL, container_set_iommu(c, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-EINVAL, container_set_iommu(c, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, container_set_iommu(c, 99));
	EXPECT_EQ(-1, ioctl(c, NO_IOCTL, 0));
	EXPECT_EQ(ENOTTY, errno);
}

/* Offered, but no IOMMU of this architecture has it. */
TEST_F(steps, nesting)
{
	int c = self->t.container;

	ASSERT_EQ(0, group_set_container(self->t.group, c));
	EXPECT_EQ(-EINVAL, container_set_iommu(c, VFIO_TYPE1_NESTING_IOMMU));
	/* That it failed leaves no trace. */
	EXPECT_EQ(0, container_set_iommu(c, VFIO_TYPE1v2_IOMMU));
}

/* The last group takes everything with it. */
TEST_F(steps, last_group)
{
	int g = self->t.group;
	int c = self->t.container;

	ASSERT_EQ(0, group_set_container(g, c));
	ASSERT_EQ(0, container_set_iommu(c, VFIO_TYPE1_IOMMU));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE, AT));
	EXPECT_TRUE(census_settles(self->pins + SIZE / PAGE));
	self->t.device = group_device(g, self->t.name);
	ASSERT_GE(self->t.device, 0);
	EXPECT_EQ(-EBUSY, group_unset_container(g));
	close(self->t.device);
	self->t.device = -1;
	ASSERT_EQ(0, group_unset_container(g));
	EXPECT_TRUE(census_settles(self->pins));

	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, self->memory, SIZE, AT));
	EXPECT_EQ(0, container_extension(c, VFIO_UPDATE_VADDR));
	ASSERT_EQ(0, group_set_container(g, c));
	ASSERT_EQ(0, container_set_iommu(c, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, unmap(c, AT, SIZE));
}

/* The group keeps the container, the device keeps both. */
TEST_F(steps, close_in_any_order)
{
	struct type1 *t = &self->t;

	ASSERT_EQ(0, group_set_container(t->group, t->container));
	ASSERT_EQ(0, container_set_iommu(t->container, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, container_map(t->container, DMA_RW, self->memory, SIZE,
				   AT));
	ASSERT_EQ(0, type1_start(t));
	memset(self->memory, 0xee, PAGE);
	ASSERT_EQ(0, edu_read_memory(&t->edu, AT, LENGTH));
	close(t->container);
	t->container = -1;
	ASSERT_EQ(0, edu_write_memory(&t->edu, AT + PAGE, LENGTH));
	EXPECT_EQ(0xee, self->memory[PAGE + LENGTH - 1]);
	close(t->group);
	t->group = -1;
	ASSERT_EQ(0, edu_write_memory(&t->edu, AT + 2 * PAGE, LENGTH));
	EXPECT_EQ(0xee, self->memory[2 * PAGE + LENGTH - 1]);
	EXPECT_EQ(-EBUSY, pci_open_group(t->name));
	EXPECT_TRUE(census_settles(self->pins + SIZE / PAGE));
}

/* Several groups in one container see the same memory. */
TEST_F(steps, second_group)
{
	struct vfio_iommu_type1_info info;
	char name[PCI_NAME_LEN];
	int c = self->t.container;
	int other;

	/* QEMU's NVMe disk */
	if (pci_find(0x1b36, 0x0010, 0, name))
		SKIP(return, "no second device in this machine");
	ASSERT_EQ(0, pci_bind_driver(name, "vfio-pci"));
	other = pci_open_group(name);
	ASSERT_GE(other, 0);
	ASSERT_EQ(0, group_set_container(other, c));
	ASSERT_EQ(0, container_set_iommu(c, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE, AT));
	/* One that comes late finds what is mapped. */
	ASSERT_EQ(0, group_set_container(self->t.group, c));
	ASSERT_EQ(0, type1_start(&self->t));
	memset(self->memory, 0xee, PAGE);
	ASSERT_EQ(0, edu_read_memory(&self->t.edu, AT, LENGTH));
	EXPECT_TRUE(census_settles(self->pins + SIZE / PAGE));
	/* What one leaves behind is the other's. */
	ASSERT_EQ(0, group_unset_container(other));
	ASSERT_EQ(0, edu_write_memory(&self->t.edu, AT + PAGE, LENGTH));
	EXPECT_EQ(0xee, self->memory[PAGE + LENGTH - 1]);
	EXPECT_EQ(0, container_info(c, &info, sizeof(info)));
	EXPECT_EQ(SIZE, unmap(c, AT, SIZE));
	close(other);
	EXPECT_EQ(0, pci_unbind_driver(name));
}

/* What a killed process had mapped is given back. */
TEST_F(steps, killed)
{
	int c = self->t.container;
	pid_t child;
	int status;

	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		if (!group_set_container(self->t.group, c) &&
		    !container_set_iommu(c, VFIO_TYPE1v2_IOMMU) &&
		    !container_map(c, DMA_RW, self->memory, SIZE, AT) &&
		    group_device(self->t.group, self->t.name) >= 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	type1_close(&self->t);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(census_settles(self->pins));
	ASSERT_EQ(0, type1_open(&self->t));
	EXPECT_EQ(0, group_set_container(self->t.group, self->t.container));
}

/* A device that its driver lets go of takes the group out of the container. */
TEST_F(steps, unbound)
{
	int c = self->t.container;
	uint32_t flags;

	ASSERT_EQ(0, group_set_container(self->t.group, c));
	ASSERT_EQ(0, container_set_iommu(c, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE, AT));
	ASSERT_EQ(0, pci_unbind_driver(self->t.name));
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(-ENODEV, group_status(self->t.group, &flags));
	EXPECT_EQ(-ENODEV, group_set_container(self->t.group, c));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, self->memory, SIZE, AT));
	type1_close(&self->t);
	ASSERT_EQ(0, type1_set(&self->t, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, container_map(self->t.container, DMA_RW, self->memory,
				   SIZE, AT));
}

struct worker {
	pthread_t thread;
	struct type1 *t;
	unsigned char *memory;
	int other;
	int bad;
	_Atomic bool *stop;
};

static void *map_worker(void *data)
{
	struct worker *w = data;
	unsigned int i;

	for (i = 0; !*w->stop; i++) {
		uint64_t at = AT + (i % 8) * SIZE;

		int rc = container_map(w->t->container, DMA_RW, w->memory,
				       SIZE / 4, at);

		if ((rc && rc != -EEXIST) ||
		    unmap(w->t->container, AT + (i / 2 % 8) * SIZE, SIZE) < 0)
			w->bad++;
	}
	return NULL;
}

static void *unmap_worker(void *data)
{
	struct worker *w = data;

	while (!*w->stop)
		if (unmap_with(w->t->container, VFIO_DMA_UNMAP_FLAG_ALL, 0,
			       0) < 0)
			w->bad++;
	return NULL;
}

static void *bitmap_worker(void *data)
{
	struct worker *w = data;
	uint64_t bits[8 * SIZE / PAGE / 64];
	int c = w->t->container;

	while (!*w->stop) {
		struct vfio_iommu_type1_info info;

		if (container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START) ||
		    container_get_bitmap(c, AT, 8 * SIZE, PAGE, bits,
					 sizeof(bits)) ||
		    container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP) ||
		    container_info(c, &info, sizeof(info)))
			w->bad++;
	}
	return NULL;
}

static void *join_worker(void *data)
{
	struct worker *w = data;

	while (!*w->stop)
		if (group_set_container(w->other, w->t->container) ||
		    group_unset_container(w->other))
			w->bad++;
	return NULL;
}

/* One container, used from all sides at once */
TEST_F(steps, threads)
{
	void *(*const bodies[])(void *) = {
		map_worker, map_worker, unmap_worker, bitmap_worker,
		join_worker,
	};
	struct worker workers[5];
	char name[PCI_NAME_LEN];
	_Atomic bool stop = false;
	int other, i;

	if (pci_find(0x1b36, 0x0010, 0, name))
		SKIP(return, "no second device in this machine");
	ASSERT_EQ(0, pci_bind_driver(name, "vfio-pci"));
	other = pci_open_group(name);
	ASSERT_GE(other, 0);
	ASSERT_EQ(0, group_set_container(self->t.group, self->t.container));
	ASSERT_EQ(0, container_set_iommu(self->t.container,
					 VFIO_TYPE1v2_IOMMU));
	for (i = 0; i < 5; i++) {
		workers[i] = (struct worker) {
			.t = &self->t,
			.memory = self->memory,
			.other = other,
			.stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    bodies[i], &workers[i]));
	}
	sleep(3);
	stop = true;
	for (i = 0; i < 5; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].bad) {
			TH_LOG("worker %d", i);
		}
	}
	close(other);
	EXPECT_EQ(0, pci_unbind_driver(name));
}

/* What may be mapped, and what is unmapped, in either version. */

FIXTURE(space)
{
	struct type1 t;
	int c;
	unsigned char *memory;
	long pins;
};

FIXTURE_VARIANT(space)
{
	unsigned long type;
};

FIXTURE_VARIANT_ADD(space, v1)
{
	.type = VFIO_TYPE1_IOMMU,
};

FIXTURE_VARIANT_ADD(space, v2)
{
	.type = VFIO_TYPE1v2_IOMMU,
};

FIXTURE_SETUP(space)
{
	EDU_SETUP(type1_set(&self->t, variant->type));
	self->c = self->t.container;
	self->memory = memory_new();
	ASSERT_NE(NULL, self->memory);
	self->pins = census_pins();
}

FIXTURE_TEARDOWN(space)
{
	type1_close(&self->t);
	EXPECT_TRUE(census_settles(self->pins));
}

/* Whether the IOMMU of the device can turn no-snoop DMA into ordinary DMA. */
static bool enforces(const char *name)
{
	unsigned long long ecap;
	char path[128];

	if (machine_has_amd())
		return true;
	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/iommu/intel-iommu/ecap", name);
	return sysfs_scan(path, "%llx", &ecap) == 1 && (ecap & (1 << 7));
}

TEST_F(space, extensions)
{
	EXPECT_EQ(1, container_extension(self->c, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(1, container_extension(self->c, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, container_extension(self->c, VFIO_UNMAP_ALL));
	EXPECT_EQ(1, container_extension(self->c, VFIO_UPDATE_VADDR));
	EXPECT_EQ(0, container_extension(self->c, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(0, container_extension(self->c, 99));
	EXPECT_EQ(enforces(self->t.name),
		  container_extension(self->c, VFIO_DMA_CC_IOMMU));
}

TEST_F(space, bad_map)
{
	struct vfio_iommu_type1_dma_map arg = { .argsz = sizeof(arg) - 1 };
	unsigned char *m = self->memory;
	int c = self->c;
	void *none;

	EXPECT_EQ(-1, ioctl(c, VFIO_IOMMU_MAP_DMA, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(c, VFIO_IOMMU_MAP_DMA, &arg));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EINVAL, container_map(c, 0, m, SIZE, AT));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW | 8, m, SIZE, AT));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW | VFIO_DMA_MAP_FLAG_VADDR, m,
					 SIZE, AT));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, 0, AT));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, PAGE - 1, AT));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, PAGE, AT + 1));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m + 1, PAGE, AT));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, 2 * PAGE, -PAGE));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, (void *)-PAGE, 2 * PAGE,
					 AT));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, -PAGE, AT));
	/* Where interrupts are, and beyond the width of the IOMMU's addresses */
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, PAGE, 0xfee00000));
	EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, 2 * PAGE, 0xfedff000));
	if (machine_has_vtd())
		EXPECT_EQ(-EINVAL, container_map(c, DMA_RW, m, PAGE, -PAGE));
	/* No memory, or none that may be written */
	EXPECT_EQ(-EFAULT, container_map(c, DMA_RW, (void *)-PAGE, PAGE, AT));
	EXPECT_EQ(-EFAULT, container_map(c, DMA_RW, NULL, PAGE, AT));
	ASSERT_EQ(0, munmap(m + SIZE - PAGE, PAGE));
	EXPECT_EQ(-EFAULT, container_map(c, DMA_RW, m, SIZE, AT));
	none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(-EFAULT, container_map(c, DMA_READ, none, PAGE, AT));
	ASSERT_EQ(0, mprotect(m, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, container_map(c, DMA_RW, m, PAGE, AT));
	EXPECT_EQ(0, container_map(c, DMA_READ, m, PAGE, AT));
	EXPECT_EQ(PAGE, unmap(c, AT, PAGE));
	EXPECT_TRUE(census_settles(self->pins));
}

TEST_F(space, taken)
{
	unsigned char *m = self->memory;
	int c = self->c;

	ASSERT_EQ(0, container_map(c, DMA_RW, m, 4 * PAGE, AT));
	EXPECT_EQ(-EEXIST, container_map(c, DMA_RW, m, 4 * PAGE, AT));
	EXPECT_EQ(-EEXIST, container_map(c, DMA_RW, m, PAGE, AT + 3 * PAGE));
	EXPECT_EQ(-EEXIST, container_map(c, DMA_RW, m, 2 * PAGE, AT - PAGE));
	EXPECT_EQ(-EEXIST, container_map(c, DMA_RW, m, 1UL << 40, AT - PAGE));
	EXPECT_EQ(0, container_map(c, DMA_RW, m, PAGE, AT - PAGE));
	EXPECT_EQ(0, container_map(c, DMA_RW, m, PAGE, AT + 4 * PAGE));
	/* The same memory twice costs twice. */
	EXPECT_TRUE(census_settles(self->pins + 6));
}

TEST_F(space, bad_unmap)
{
	struct vfio_iommu_type1_dma_unmap arg = { .argsz = sizeof(arg) - 1 };
	int c = self->c;

	EXPECT_EQ(-1, ioctl(c, VFIO_IOMMU_UNMAP_DMA, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(c, VFIO_IOMMU_UNMAP_DMA, &arg));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE, AT));
	EXPECT_EQ(-EINVAL, unmap_with(c, 8, AT, SIZE));
	EXPECT_EQ(-EINVAL, unmap(c, AT, 0));
	EXPECT_EQ(-EINVAL, unmap(c, AT, SIZE + 1));
	EXPECT_EQ(-EINVAL, unmap(c, AT + 1, SIZE));
	EXPECT_EQ(-EINVAL, unmap(c, AT, -PAGE));
	EXPECT_EQ(-EINVAL, unmap_with(c, VFIO_DMA_UNMAP_FLAG_ALL, AT, 0));
	EXPECT_EQ(-EINVAL, unmap_with(c, VFIO_DMA_UNMAP_FLAG_ALL, 0, SIZE));
	EXPECT_EQ(0, unmap(c, AT + SIZE, SIZE));
	EXPECT_EQ(0, unmap(c, AT - SIZE, SIZE));
	EXPECT_TRUE(census_settles(self->pins + SIZE / PAGE));
	/* To the very end, where the stock one wraps and finds nothing */
	EXPECT_EQ(type1_is_stock() ? 0 : SIZE, unmap(c, AT, -AT));
	EXPECT_EQ(type1_is_stock() ? SIZE : 0, unmap(c, 0, -PAGE));
}

/* Three mappings of 4, 8 and 4 pages with gaps of 4. */
static int map_three(int c, unsigned char *m)
{
	int rc = container_map(c, DMA_RW, m, 4 * PAGE, AT);

	if (!rc)
		rc = container_map(c, DMA_RW, m, 8 * PAGE, AT + 8 * PAGE);
	if (!rc)
		rc = container_map(c, DMA_RW, m, 4 * PAGE, AT + 20 * PAGE);
	return rc;
}

TEST_F(space, partial_unmap)
{
	bool v1 = variant->type == VFIO_TYPE1_IOMMU;
	int c = self->c;

	ASSERT_EQ(0, map_three(c, self->memory));
	/* Behind the start of one */
	EXPECT_EQ(v1 ? 0 : -EINVAL, unmap(c, AT + 9 * PAGE, PAGE));
	EXPECT_EQ(v1 ? 0 : -EINVAL, unmap(c, AT + 9 * PAGE, 7 * PAGE));
	/* Version 1 does not even look at what comes after it */
	EXPECT_EQ(v1 ? 0 : -EINVAL, unmap(c, AT + 9 * PAGE, 15 * PAGE));
	EXPECT_TRUE(census_settles(self->pins + 16));
	/* The start and not the end */
	EXPECT_EQ(v1 ? 8 * PAGE : -EINVAL, unmap(c, AT + 7 * PAGE, 2 * PAGE));
	EXPECT_TRUE(census_settles(self->pins + (v1 ? 8 : 16)));
	/* Two, of which the second not to the end */
	EXPECT_EQ(v1 ? 8 * PAGE : -EINVAL, unmap(c, AT, 21 * PAGE));
	EXPECT_TRUE(census_settles(self->pins + (v1 ? 0 : 16)));
	/* Gaps do not matter. */
	EXPECT_EQ(v1 ? 0 : 16 * PAGE, unmap(c, AT - PAGE, 32 * PAGE));
}

TEST_F(space, unmap_all)
{
	int c = self->c;

	ASSERT_EQ(0, map_three(c, self->memory));
	EXPECT_EQ(16 * PAGE, unmap_with(c, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(0, unmap_with(c, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
}

/* A device reaches what is mapped, with the access that it is mapped with. */
TEST_F(space, dma)
{
	unsigned char *m = self->memory;
	int log, i;

	ASSERT_EQ(0, type1_start(&self->t));
	memset(m, 0xee, PAGE);
	ASSERT_EQ(0, container_map(self->c, DMA_RW, m, SIZE, AT));
	ASSERT_EQ(0, container_map(self->c, DMA_READ, m, SIZE, AT + SIZE));
	ASSERT_EQ(0, edu_read_memory(&self->t.edu, AT + SIZE, LENGTH));
	memset(m, 0, PAGE);
	ASSERT_EQ(0, edu_write_memory(&self->t.edu, AT + SIZE, LENGTH));
	ASSERT_EQ(0, edu_write_memory(&self->t.edu, AT + 3 * PAGE, LENGTH));
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(i >= 3 * PAGE && i < 3 * PAGE + LENGTH ? 0xee : 0,
			  m[i]);

	ASSERT_EQ(SIZE, unmap(self->c, AT, SIZE));
	memset(m, 0, SIZE);
	log = klog_mark();
	ASSERT_GE(log, 0);
	ASSERT_EQ(0, edu_write_memory(&self->t.edu, AT, LENGTH));
	if (!machine_hides_faults())
		EXPECT_TRUE(klog_has_fault(log, AT));
	close(log);
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(0, m[i]);
}

/* Of an unprivileged process its own limit counts, and its own count. */
TEST_F(space, limit)
{
	struct rlimit limit = { SIZE / 2, SIZE / 2 };
	unsigned char *m = self->memory;
	int c = self->c;

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	EXPECT_EQ(-ENOMEM, container_map(c, DMA_RW, m, SIZE / 2 + PAGE, AT));
	EXPECT_EQ(0, census_locked());
	EXPECT_EQ(0, container_map(c, DMA_RW, m, SIZE / 4, AT));
	EXPECT_EQ(SIZE / 4 / 1024, census_locked());
	EXPECT_EQ(-ENOMEM, container_map(c, DMA_RW, m, SIZE / 4 + PAGE,
					 AT + SIZE));
	EXPECT_EQ(0, container_map(c, DMA_RW, m, SIZE / 4, AT + SIZE));
	EXPECT_EQ(SIZE / 2 / 1024, census_locked());
	EXPECT_EQ(-ENOMEM, container_map(c, DMA_RW, m, PAGE, AT + 2 * SIZE));
	EXPECT_EQ(SIZE / 2, unmap(c, 0, AT + 4 * SIZE));
	EXPECT_EQ(0, census_locked());
}

/* What version 1 unmaps may be more than there was a bitmap for, so it takes none. */
TEST_F(space, bitmap_of_range)
{
	bool v1 = variant->type == VFIO_TYPE1_IOMMU;
	uint64_t size = 32 * PAGE;
	uint64_t bits[4];
	uint32_t ioas;
	int c;

	if (type1_is_stock())
		SKIP(return, "a container has tracking after VFIO_SET_IOMMU only");
	c = iommufd_open();
	ASSERT_GE(c, 0);
	ASSERT_EQ(0, ioas_alloc(c, &ioas));
	ASSERT_EQ(0, vfio_ioas(c, IOMMU_VFIO_IOAS_SET, &ioas));
	ASSERT_EQ(0, container_dirty(c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	ASSERT_EQ(0, container_set_iommu(c, variant->type));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, 16 * PAGE, AT));
	ASSERT_EQ(0, container_map(c, DMA_RW, self->memory, SIZE - 16 * PAGE,
				   AT + 16 * PAGE));
	memset(bits, 0x5a, sizeof(bits));
	EXPECT_EQ(v1 ? -EINVAL : -ENOENT,
		  container_unmap_bitmap(c, AT, &size, PAGE, bits, 8));
	/* Behind the bitmap is what was there before */
	EXPECT_EQ(0x5a5a5a5a5a5a5a5aULL, bits[1]);
	EXPECT_EQ(0x5a5a5a5a5a5a5a5aULL, bits[2]);
	EXPECT_EQ(0x5a5a5a5a5a5a5a5aULL, bits[3]);
	/* It is all still mapped */
	EXPECT_EQ(SIZE, unmap_with(c, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
	close(c);
}

/* Type 1 had a limit that /dev/iommu has not. */
TEST_F_TIMEOUT(space, many, 120)
{
	int i, rc = 0;

	for (i = 0; !rc && i < 66000; i++)
		rc = container_map(self->c, DMA_READ, self->memory, PAGE,
				   AT + i * PAGE);
	if (type1_is_stock()) {
		EXPECT_EQ(-ENOSPC, rc);
		EXPECT_EQ(65536, i);
	} else {
		EXPECT_EQ(0, rc);
	}
	if (rc)
		i--;
	EXPECT_EQ(i * PAGE, unmap_with(self->c, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
}

TEST_HARNESS_MAIN
