// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of /dev/iommu and the opening of files, with each thing in them that can
 * fail failing in turn (lib/sweep.h); faults_vfio.c has those of devices, groups and
 * type 1, faults_mdev.c accesses by the CPU, faults_kvm.c what KVM is told.
 *
 * What is in none of them allocates nothing: IOMMU_OPTION_RLIMIT_MODE (a number is set),
 * IOMMU_HWPT_SET_DIRTY_TRACKING and _GET_DIRTY_BITMAP, and the ioctls that no driver of
 * 6.1 has anything for, which are refused; VFIO_GET_API_VERSION, which is a
 * constant. Marked cannot_fail is what the sweep shows to need nothing.
 *
 * Needs a kernel with fault injection (./run debug-kernel).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/pci.h"
#include "lib/probe.h"
#include "lib/sweep.h"
#include "lib/type1.h"
#include "lib/vfio.h"

/* The event of a call that is refused */
#define REFUSAL		"iommufd/iommufd_refusal"

static int op_open(struct world *world)
{
	return world_keep(world, iommufd_open());
}

static int op_ioas_alloc(struct world *world)
{
	uint32_t id;

	return ioas_alloc(world->fd, &id);
}

static int op_ranges(struct world *world)
{
	struct iommu_iova_range ranges[8];
	uint32_t count = 8;
	uint64_t alignment;

	return ioas_ranges(world->fd, world->ioas, ranges, &count, &alignment);
}

static int op_allow(struct world *world)
{
	struct iommu_iova_range ranges[] = {
		{ 0x100000, 0x1fffff }, { 0x300000, 0x3fffff },
		{ 0x500000, 0x5fffff },
	};

	return ioas_allow(world->fd, world->ioas, ranges, 3);
}

static int op_map(struct world *world)
{
	uint64_t iova = 0;

	return ioas_map(world->fd, world->ioas, MAP_RW, world->memory,
			(NR_PAGES - NR_FRESH) * PAGE, &iova);
}

static int prepare_huge(struct world *world)
{
	if (!census_want_hugepages(1))
		return -ENOMEM;
	world->huge = memory_hugetlb(HUGE);
	return world->huge ? 0 : -ENOMEM;
}

/* One run of frames, in one call of the driver, which has several tables to make */
static int op_map_across(struct world *world)
{
	return ioas_map_at(world->fd, world->ioas, MAP_RW, world->huge, HUGE,
			   AT + HUGE / 2);
}

/* An entry in the place of a table that was left empty */
static int prepare_left(struct world *world)
{
	int rc = prepare_huge(world);

	rc = rc ?: ioas_map_at(world->fd, world->ioas, MAP_RW, world->memory,
			       PAGE, AT + PAGE);
	return rc ?: ioas_unmap(world->fd, world->ioas, AT + PAGE, PAGE, NULL);
}

static int op_map_larger(struct world *world)
{
	return ioas_map_at(world->fd, world->ioas, MAP_RW, world->huge, HUGE,
			   AT);
}

static int op_map_fixed(struct world *world)
{
	return world_map(world);
}

static int op_map_fresh(struct world *world)
{
	return ioas_map_at(world->fd, world->ioas, MAP_READ, world->memory +
			   (NR_PAGES - NR_FRESH) * PAGE, NR_FRESH * PAGE, AT);
}

static int op_map_file(struct world *world)
{
	uint64_t iova = 0;

	return ioas_map_file(world->fd, world->ioas, MAP_RW, world->memfd, 0,
			     NR_FRESH * PAGE, &iova);
}

static int op_copy(struct world *world)
{
	uint64_t iova = 0;

	return ioas_copy(world->fd, MAP_RW, world->ioas, &iova, world->ioas,
			 AT + PAGE, 30 * PAGE);
}

static int op_copy_to_other(struct world *world)
{
	uint64_t iova = AT;

	return ioas_copy(world->fd, MAP_RW | MAP_AT, world->other, &iova,
			 world->ioas, AT, 32 * PAGE);
}

static int op_unmap(struct world *world)
{
	return ioas_unmap(world->fd, world->ioas, AT, 32 * PAGE, NULL);
}

static int op_destroy_ioas(struct world *world)
{
	return iommufd_destroy(world->fd, world->other);
}

static int op_destroy_hwpt(struct world *world)
{
	return iommufd_destroy(world->fd, world->hwpt);
}

static int op_huge_pages(struct world *world)
{
	return iommufd_option_set(world->fd, IOMMU_OPTION_HUGE_PAGES,
				  world->other, 0);
}

static int op_option_get(struct world *world)
{
	uint64_t value;

	return iommufd_option_get(world->fd, IOMMU_OPTION_RLIMIT_MODE, 0,
				  &value);
}

static int op_vfio_ioas(struct world *world)
{
	return vfio_ioas(world->fd, IOMMU_VFIO_IOAS_SET, &world->ioas);
}

static int op_change_process(struct world *world)
{
	return ioas_change_process(world->fd);
}

static int op_vfio_ioas_get(struct world *world)
{
	uint32_t ioas;

	return vfio_ioas(world->fd, IOMMU_VFIO_IOAS_GET, &ioas);
}

static int op_vfio_ioas_clear(struct world *world)
{
	return vfio_ioas(world->fd, IOMMU_VFIO_IOAS_CLEAR, &world->ioas);
}

static int op_unmap_all(struct world *world)
{
	return ioas_unmap(world->fd, world->ioas, 0, UINT64_MAX, NULL);
}

static int prepare_huge_mapped(struct world *world)
{
	return prepare_huge(world) ?: op_map_across(world);
}

static int prepare_other_mapped(struct world *world)
{
	return ioas_map_at(world->fd, world->other, MAP_RW, world->memory,
			   64 * PAGE, AT);
}

/*
 * Mapped, and out of the page tables again, which stay: where they cannot be had, the
 * memory management of 6.1 warns of a page frame that it does not find.
 */
static int prepare_bar(struct world *world)
{
	const int device = world->rig.device;
	int rc = vfio_set_command(device, 0, PCI_COMMAND_MEMORY);

	if (rc)
		return rc;
	world->bar = vfio_map_bar(device, 0, &world->bar_size);
	if (!world->bar)
		return -errno;
	(void)*(volatile char *)world->bar;
	return vfio_set_command(device, PCI_COMMAND_MEMORY, 0) ?:
	       vfio_set_command(device, 0, PCI_COMMAND_MEMORY);
}

static int op_map_bar(struct world *world)
{
	return ioas_map_at(world->fd, world->ioas, MAP_RW, world->bar,
			   world->bar_size, AT);
}

static int prepare_bar_mapped(struct world *world)
{
	return prepare_bar(world) ?: op_map_bar(world);
}

static int op_copy_bar(struct world *world)
{
	uint64_t iova = AT;

	return ioas_copy(world->fd, MAP_RW | MAP_AT, world->other, &iova,
			 world->ioas, AT, world->bar_size);
}

static int op_hwpt_alloc(struct world *world)
{
	uint32_t id;

	return hwpt_alloc(world->fd, 0, world->rig.device_id, world->ioas, &id);
}

static int op_hw_info(struct world *world)
{
	struct iommu_hw_info info;
	char data[64];

	return hw_info(world->fd, world->rig.device_id, data, sizeof(data),
		       &info);
}

static int prepare_file_mapped(struct world *world)
{
	return op_map_file(world);
}

/* The path of a file that is opened and closed again. */
static int remember_path(struct world *world, int fd)
{
	char link[32];
	ssize_t length;

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, world->path, sizeof(world->path) - 1);
	close(fd);
	return length < 0 ? -errno : 0;
}

static int prepare_device_path(struct world *world)
{
	return remember_path(world, pci_open_device_file(world->rig.name));
}

static int prepare_group_path(struct world *world)
{
	return remember_path(world, pci_open_group(world->rig.name));
}

static int op_open_path(struct world *world)
{
	int fd = open(world->path, O_RDWR | O_CLOEXEC);

	return world_keep(world, fd < 0 ? -errno : fd);
}

static int op_container_open(struct world *world)
{
	return world_keep(world, container_open());
}

#include "lib/sweep_test.h"

OP(open, NOTHING, NULL, open);
OP(container_open, NOTHING, NULL, container_open);
OP(device_open, NOTHING, prepare_device_path, open_path);
OP(group_open, NOTHING, prepare_group_path, open_path);
OP(ioas_alloc, FILES, NULL, ioas_alloc);
OP(iova_ranges, ATTACHED, NULL, ranges);
OP(allow_iovas, FILES, NULL, allow);
OP(map_unpinned, FILES, NULL, map);
OP(map_file_unpinned, FILES, NULL, map_file);
OP(map_bar_unpinned, BOUND, prepare_bar, map_bar);
OP(copy_unpinned, FILES, world_map_two, copy);
OP(unmap_unpinned, FILES, world_map_two, unmap, .cannot_fail = true);
OP(unmap_file_unpinned, FILES, prepare_file_mapped, unmap_all,
   .cannot_fail = true);
OP(destroy_ioas, FILES, NULL, destroy_ioas, .cannot_fail = true);
OP(destroy_ioas_mapped, FILES, prepare_other_mapped, destroy_ioas,
   .cannot_fail = true);
OP(option_huge_pages, FILES, NULL, huge_pages, .cannot_fail = true);
OP(option_get, FILES, NULL, option_get, .cannot_fail = true);
OP(vfio_ioas, FILES, NULL, vfio_ioas);
OP(vfio_ioas_get, FILES, op_vfio_ioas, vfio_ioas_get);
OP(vfio_ioas_clear, FILES, op_vfio_ioas, vfio_ioas_clear);
OP(change_process, ATTACHED, prepare_file_mapped, change_process,
   .cannot_fail = true);
OP(map, ATTACHED, NULL, map);
OP(map_fixed, ATTACHED, NULL, map_fixed);
OP(map_across, ATTACHED, prepare_huge, map_across);
OP(map_larger, ATTACHED, prepare_left, map_larger);
OP(map_fresh, ATTACHED, NULL, map_fresh);
OP(map_file, ATTACHED, NULL, map_file);
OP(map_bar, ATTACHED, prepare_bar, map_bar);
OP(copy, ATTACHED, world_map_two, copy);
OP(copy_to_other, ATTACHED, world_map_two, copy_to_other);
OP(copy_bar, ATTACHED, prepare_bar_mapped, copy_bar);
OP(unmap, ATTACHED, world_map_two, unmap, .cannot_fail = true);
OP(unmap_across, ATTACHED, prepare_huge_mapped, unmap_all,
   .cannot_fail = true);
OP(unmap_file, ATTACHED, prepare_file_mapped, unmap_all,
   .cannot_fail = true);
OP(unmap_bar, ATTACHED, prepare_bar_mapped, unmap_all, .cannot_fail = true);
OP(attach_bar, BOUND, prepare_bar_mapped, attach);
OP(hwpt_alloc, BOUND, NULL, hwpt_alloc);
OP(hwpt_alloc_mapped, BOUND, world_map_two, hwpt_alloc);
OP(hwpt_destroy, BOUND, NULL, destroy_hwpt, .cannot_fail = true);
OP(hw_info, BOUND, NULL, hw_info);

#define NO_FILE "no kernel memory for a file"

/* Files whose opening takes memory of our own */
FIXTURE(opens)
{
	struct world world;
};

FIXTURE_VARIANT(opens)
{
	int (*prepare)(struct world *world);
	int (*act)(struct world *world);
};

FIXTURE_VARIANT_ADD(opens, iommu)
{
	.act = op_open,
};

FIXTURE_VARIANT_ADD(opens, container)
{
	.act = op_container_open,
};

FIXTURE_VARIANT_ADD(opens, device)
{
	.prepare = prepare_device_path,
	.act = op_open_path,
};

FIXTURE_SETUP(opens)
{
	RIG_SETUP(rig_find, &self->world.rig);
}

FIXTURE_TEARDOWN(opens)
{
}

/* A file that cannot be opened has its reason in the trace alone. */
TEST_F(opens, say_why_not)
{
	struct world *world = &self->world;
	int opened, explained = 0;
	int nth = 0;
	bool hit;

	ASSERT_EQ(0, fault_begin(0));
	do {
		char line[256];
		int at = 0;

		ASSERT_GT(MAX_FAULTS, ++nth);
		ASSERT_EQ(0, world_open(world, NOTHING));
		if (variant->prepare)
			ASSERT_EQ(0, variant->prepare(world));
		ASSERT_EQ(0, trace_start(REFUSAL));
		ASSERT_EQ(0, fault_begin(nth));
		opened = !variant->act(world);
		hit = fault_end();
		ASSERT_EQ(0, trace_stop(REFUSAL));

		/* It may have failed before it came to us. */
		if (trace_find(" iommufd_refusal: ", &at, line, sizeof(line))) {
			explained++;
			EXPECT_FALSE(opened);
			EXPECT_STREQ("call=open cmd=0x0 error=-12 reason=" NO_FILE,
				     line);
			EXPECT_FALSE(trace_find(" iommufd_refusal: ", &at, line,
						sizeof(line)));
		}
		EXPECT_EQ(0, world_close(world));
	} while (hit && _metadata->passed);
	EXPECT_LT(0, explained);
	TH_LOG("%d faults, %d of them explained", nth - 1, explained);
}

