// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interface with groups, as older programs use it: with /dev/iommu in the
 * place of the container, and with the container's own node.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/type1.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define SIZE	(16 * PAGE)
#define AT	0x100000UL
#define LENGTH	1024

FIXTURE(group)
{
	struct rig rig;
	int group;
	int container;
	unsigned char *memory;
	long pins;
};

FIXTURE_VARIANT(group)
{
	const char *node;
};

FIXTURE_VARIANT_ADD(group, iommufd)
{
	.node = "/dev/iommu",
};

FIXTURE_VARIANT_ADD(group, container)
{
	.node = "/dev/vfio/vfio",
};

FIXTURE_SETUP(group)
{
	RIG_SETUP(rig_find, &self->rig);
	self->container = open(variant->node, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->container, 0);
	self->group = pci_open_group(self->rig.name);
	ASSERT_GE(self->group, 0);
	self->memory = memory_anonymous(SIZE);
	ASSERT_NE(NULL, self->memory);
	memset(self->memory, 0xee, SIZE);
	self->pins = census_pins();
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_EQ(0, close(self->group));
	EXPECT_EQ(0, close(self->container));
	EXPECT_TRUE(census_settles(self->pins));
}

static int set_container(int group, int container)
{
	return xioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
}

static int set_type(int container, unsigned long type)
{
	int rc = ioctl(container, VFIO_SET_IOMMU, type);

	return rc < 0 ? -errno : rc;
}

static int open_device(FIXTURE_DATA(group) *self)
{
	return xioctl(self->group, VFIO_GROUP_GET_DEVICE_FD, self->rig.name);
}

static int unmap_dma(int container, uint64_t iova, uint64_t size)
{
	uint64_t unmapped = size;
	int rc = container_unmap(container, 0, iova, &unmapped);

	return rc ? rc : unmapped == size ? 0 : -EIO;
}

/* The steps in which each file gets what it needs, and what goes wrong before. */
TEST_F(group, order)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	bool is_container = strcmp(variant->node, "/dev/iommu");
	int null;

	ASSERT_EQ(0, xioctl(self->group, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, status.flags);
	EXPECT_EQ(-EBUSY, pci_open_group(self->rig.name));
	EXPECT_EQ(-EINVAL, open_device(self));
	EXPECT_EQ(-EINVAL, xioctl(self->group, VFIO_GROUP_UNSET_CONTAINER,
				  NULL));
	EXPECT_EQ(-EBADF, set_container(self->group, 999));
	EXPECT_EQ(-EBADF, set_container(self->group, -1));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(null, 0);
	EXPECT_EQ(-EBADFD, set_container(self->group, null));
	close(null);

	ASSERT_EQ(0, set_container(self->group, self->container));
	EXPECT_EQ(-EINVAL, set_container(self->group, self->container));
	ASSERT_EQ(0, xioctl(self->group, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET,
		  status.flags);
	EXPECT_EQ(is_container ? -ENODEV : -EINVAL,
		  set_type(self->container, 99));
	EXPECT_EQ(0, set_type(self->container, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(is_container ? -EINVAL : 0,
		  set_type(self->container, VFIO_TYPE1v2_IOMMU));

	EXPECT_EQ(-ENODEV, xioctl(self->group, VFIO_GROUP_GET_DEVICE_FD,
				  "0000:ff:1f.7"));
	self->rig.device = open_device(self);
	ASSERT_GE(self->rig.device, 0);
	EXPECT_EQ(-EBUSY, xioctl(self->group, VFIO_GROUP_UNSET_CONTAINER,
				 NULL));
	ASSERT_EQ(0, close(self->rig.device));
	self->rig.device = -1;
	EXPECT_EQ(0, xioctl(self->group, VFIO_GROUP_UNSET_CONTAINER, NULL));
	EXPECT_EQ(0, set_container(self->group, self->container));
}

/* DMA reaches what the container has mapped, and only that. */
TEST_F(group, dma)
{
	const uint32_t rw = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	int log, i;

	ASSERT_EQ(0, set_container(self->group, self->container));
	ASSERT_EQ(0, set_type(self->container, VFIO_TYPE1v2_IOMMU));
	self->rig.device = open_device(self);
	ASSERT_GE(self->rig.device, 0);
	ASSERT_EQ(0, edu_init(&self->rig.edu, self->rig.device));
	ASSERT_EQ(0, container_map(self->container, rw, self->memory, SIZE,
				   AT));
	EXPECT_EQ(-EEXIST, container_map(self->container, rw, self->memory, PAGE,
				   AT));
	ASSERT_EQ(0, edu_read_memory(&self->rig.edu, AT, LENGTH));
	memset(self->memory, 0, SIZE);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT + PAGE, LENGTH));
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(i >= PAGE && i < PAGE + LENGTH ? 0xee : 0,
			  self->memory[i]);

	ASSERT_EQ(0, unmap_dma(self->container, AT, SIZE));
	memset(self->memory, 0, SIZE);
	log = klog_mark();
	ASSERT_GE(log, 0);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, LENGTH));
	if (!machine_hides_faults())
		EXPECT_TRUE(klog_has_fault(log, AT));
	close(log);
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(0, self->memory[i]);
}

/* What a container tells about itself. */
TEST_F(group, info)
{
	struct {
		struct vfio_iommu_type1_info head;
		char capabilities[1024];
	} info = { .head.argsz = sizeof(info) };
	struct vfio_info_cap_header *header;
	bool ranges = false;
	uint32_t next;

	ASSERT_EQ(0, set_container(self->group, self->container));
	ASSERT_EQ(0, set_type(self->container, VFIO_TYPE1v2_IOMMU));
	self->rig.device = open_device(self);
	ASSERT_GE(self->rig.device, 0);
	EXPECT_EQ(VFIO_API_VERSION, ioctl(self->container,
					  VFIO_GET_API_VERSION));
	EXPECT_EQ(1, ioctl(self->container, VFIO_CHECK_EXTENSION,
			   VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, xioctl(self->container, VFIO_IOMMU_GET_INFO, &info.head));
	EXPECT_EQ(VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
		  info.head.flags);
	EXPECT_TRUE(info.head.iova_pgsizes & PAGE);
	for (next = info.head.cap_offset; next; next = header->next) {
		struct vfio_iommu_type1_info_cap_iova_range *cap;

		ASSERT_LT(next, sizeof(info));
		header = (void *)((char *)&info + next);
		if (header->id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		cap = (void *)header;
		ranges = true;
		ASSERT_GE(cap->nr_iovas, 2);
		EXPECT_EQ(0, cap->iova_ranges[0].start);
		EXPECT_EQ(0xfedfffff, cap->iova_ranges[0].end);
	}
	EXPECT_TRUE(ranges);
}

/* A device that came through its group is not bound or attached by hand. */
TEST_F(group, no_device_file_ioctls)
{
	uint32_t id = 1;
	int iommufd;

	ASSERT_EQ(0, set_container(self->group, self->container));
	ASSERT_EQ(0, set_type(self->container, VFIO_TYPE1v2_IOMMU));
	self->rig.device = open_device(self);
	ASSERT_GE(self->rig.device, 0);
	iommufd = iommufd_open();
	ASSERT_GE(iommufd, 0);
	EXPECT_EQ(-EINVAL, vfio_bind(self->rig.device, iommufd, &id));
	EXPECT_EQ(-ENOTTY, vfio_attach(self->rig.device, &id));
	EXPECT_EQ(-ENOTTY, vfio_detach(self->rig.device));
	close(iommufd);
}

/* The IOAS behind a container is one like any other. */
TEST_F(group, ioas_of_container)
{
	uint32_t ioas = 0;

	EXPECT_EQ(-ENODEV, vfio_ioas(self->container, IOMMU_VFIO_IOAS_GET,
				     &ioas));
	ASSERT_EQ(0, set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_ioas(self->container, IOMMU_VFIO_IOAS_GET, &ioas));
	ASSERT_NE(0, ioas);
	ASSERT_EQ(0, set_type(self->container, VFIO_TYPE1v2_IOMMU));
	self->rig.device = open_device(self);
	ASSERT_GE(self->rig.device, 0);
	ASSERT_EQ(0, edu_init(&self->rig.edu, self->rig.device));
	EXPECT_EQ(-EBUSY, iommufd_destroy(self->container, ioas));
	ASSERT_EQ(0, ioas_map_at(self->container, ioas, MAP_RW, self->memory,
				 SIZE, AT));
	ASSERT_EQ(0, edu_read_memory(&self->rig.edu, AT, LENGTH));
	memset(self->memory, 0, SIZE);
	ASSERT_EQ(0, edu_write_memory(&self->rig.edu, AT, LENGTH));
	EXPECT_EQ(0xee, self->memory[LENGTH - 1]);
	EXPECT_EQ(0, unmap_dma(self->container, AT, SIZE));
}

#define NVME_VENDOR	0x1b36
#define NVME_DEVICE	0x0010
/* Takes seconds to be pinned */
#define LONG	(768UL << 20)

struct leaving {
	const char *name;
	const char *other;
	int container;
	void *memory;
	int mapped;
	int unbound;
	int opened;
	atomic_bool has_mapped;
	/* Before that */
	atomic_bool has_opened;
};

static void *map_memory(void *arg)
{
	struct leaving *leaving = arg;

	leaving->mapped = container_map(leaving->container, DMA_RW,
					leaving->memory, LONG, AT);
	atomic_store(&leaving->has_mapped, true);
	return NULL;
}

static void *unbind(void *arg)
{
	struct leaving *leaving = arg;

	leaving->unbound = pci_unbind_driver(leaving->name);
	return NULL;
}

static void *open_other(void *arg)
{
	struct leaving *leaving = arg;

	leaving->opened = pci_open_group(leaving->other);
	atomic_store(&leaving->has_opened, !atomic_load(&leaving->has_mapped));
	return NULL;
}

/* Whether it became true within ten seconds. */
#define COMES_TRUE(_what) ({ \
	unsigned int _tries = 0; \
	while (!(_what) && _tries++ < 10000) \
		usleep(1000); \
	(_what); \
})

/*
 * The last device of a group goes, and the group has to leave a container that its
 * user keeps busy. That is nothing to users of other groups.
 */
TEST_F(group, others_while_leaving)
{
	struct leaving leaving = {
		.name = self->rig.name,
		.container = self->container,
		.memory = memory_of_pages(LONG),
	};
	char other[PCI_NAME_LEN], node[32];
	pthread_t threads[3];
	int i;

	if (pci_find(NVME_VENDOR, NVME_DEVICE, 0, other))
		SKIP(return, "no other device in this machine");
	ASSERT_NE(NULL, leaving.memory);
	ASSERT_EQ(0, pci_bind_driver(other, "vfio-pci"));
	leaving.other = other;
	snprintf(node, sizeof(node), "/dev/vfio/%d",
		 pci_group(self->rig.name));
	ASSERT_EQ(0, access(node, F_OK));
	ASSERT_EQ(0, set_container(self->group, self->container));
	ASSERT_EQ(0, set_type(self->container, VFIO_TYPE1v2_IOMMU));

	ASSERT_EQ(0, pthread_create(&threads[0], NULL, map_memory, &leaving));
	ASSERT_TRUE(COMES_TRUE(census_pinned() > 0));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, unbind, &leaving));
	EXPECT_TRUE(COMES_TRUE(access(node, F_OK)));
	ASSERT_EQ(0, pthread_create(&threads[2], NULL, open_other, &leaving));
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_TRUE(atomic_load(&leaving.has_opened));
	EXPECT_EQ(0, leaving.mapped);
	EXPECT_EQ(0, leaving.unbound);
	EXPECT_LE(0, leaving.opened);
	close(leaving.opened);
	munmap(leaving.memory, LONG);
}

TEST_HARNESS_MAIN
