// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation with the first thing in it that can fail failing, then the
 * second, until one run has none left: every allocation, and every access to
 * the caller's memory. A run that fails must have changed nothing, and the
 * same call must succeed once nothing fails.
 *
 * Needs a kernel with fault injection (./run debug-kernel).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/fault.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/pci.h"
#include "lib/probe.h"
#include "lib/rig.h"
#include "lib/type1.h"
#include "lib/vfio.h"

#define PAGE		4096UL
#define AT		0x10000000UL
/* Enough 4 KiB pages for more than one chunk of runs */
#define NR_PAGES	1200
#define HUGE		(2UL << 20)
/* Pages that nobody has touched: each costs allocations of its own */
#define NR_FRESH	8
/* The event of a call that is refused */
#define REFUSAL		"iommufd/iommufd_refusal"
/* No operation has so many places to fail */
#define MAX_FAULTS	3000

/* What an operation works on. */
struct world {
	struct rig rig;
	int fd;
	uint32_t ioas;
	uint32_t other;
	uint32_t hwpt;
	int group;
	int memfd;
	char *memory;
	char *huge;
	char path[64];
	/* A descriptor that the operation made */
	int made;
};

/* How far the world is prepared. Each includes those before it. */
enum stage {
	NOTHING,	/* no file */
	FILES,		/* /dev/iommu with two IOAS */
	DEVICE,		/* and the device file, open */
	BOUND,		/* and bound */
	ATTACHED,	/* and attached to the first IOAS */
};

static int make_memory(struct world *world)
{
	unsigned int i;

	world->memory = memory_of_pages(NR_PAGES * PAGE);
	if (!world->memory)
		return -errno;
	/* The last pages stay untouched; few of the others are neighbours */
	for (i = 0; i < NR_PAGES - NR_FRESH; i++)
		world->memory[i * 7 % (NR_PAGES - NR_FRESH) * PAGE] = 1;
	world->memfd = memfd_create("faults", MFD_CLOEXEC);
	if (world->memfd < 0 || ftruncate(world->memfd, NR_FRESH * PAGE))
		return -errno;
	return 0;
}

static int world_open(struct world *world, enum stage stage)
{
	uint32_t pt;
	int rc;

	memset(world, 0, sizeof(*world));
	world->made = -1;
	world->group = -1;
	world->fd = -1;
	rc = rig_find(&world->rig);
	if (!rc)
		rc = make_memory(world);
	if (rc || stage == NOTHING)
		return rc;

	world->rig.iommufd = iommufd_open();
	world->fd = world->rig.iommufd;
	if (world->fd < 0)
		return world->fd;
	rc = ioas_alloc(world->fd, &world->ioas);
	if (!rc)
		rc = ioas_alloc(world->fd, &world->other);
	if (rc || stage == FILES)
		return rc;

	world->rig.device = pci_open_device_file(world->rig.name);
	if (world->rig.device < 0 || stage == DEVICE)
		return world->rig.device < 0 ? world->rig.device : 0;

	rc = vfio_bind(world->rig.device, world->fd, &world->rig.device_id);
	if (!rc)
		rc = hwpt_alloc(world->fd, 0, world->rig.device_id, world->ioas,
				&world->hwpt);
	if (rc || stage == BOUND)
		return rc;

	pt = world->ioas;
	return vfio_attach(world->rig.device, &pt);
}

static int world_close(struct world *world)
{
	int rc = rig_close(&world->rig);

	if (world->made >= 0)
		close(world->made);
	if (world->group >= 0)
		close(world->group);
	if (world->memfd >= 0)
		close(world->memfd);
	munmap(world->memory, NR_PAGES * PAGE);
	if (world->huge)
		munmap(world->huge, HUGE);
	return rc;
}

/* Keeps the descriptor that an operation returned. */
static int made(struct world *world, int fd)
{
	if (fd < 0)
		return fd;
	world->made = fd;
	return 0;
}

static int op_open(struct world *world)
{
	return made(world, iommufd_open());
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
	return ioas_map_at(world->fd, world->ioas, MAP_RW, world->memory,
			   16 * PAGE, AT);
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

/* Two areas side by side */
static int prepare_mapped(struct world *world)
{
	int rc = op_map_fixed(world);

	return rc ? rc : ioas_map_at(world->fd, world->ioas, MAP_RW,
				     world->memory, 16 * PAGE, AT + 16 * PAGE);
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

static int prepare_file_mapped(struct world *world)
{
	return op_map_file(world);
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

	return made(world, fd < 0 ? -errno : fd);
}

static int op_container_open(struct world *world)
{
	return made(world, container_open());
}

static int op_bind(struct world *world)
{
	return vfio_bind(world->rig.device, world->fd, &world->rig.device_id);
}

static int op_attach(struct world *world)
{
	uint32_t pt = world->ioas;

	return vfio_attach(world->rig.device, &pt);
}

/* On machines whose IOMMU can see to it */
static int attach_coherent(struct world *world)
{
	int rc = iommufd_option_set(world->fd, IOMMU_OPTION_COHERENCY_POLICY, 0,
				    IOMMU_COHERENCY_REQUIRE);

	return rc ?: op_attach(world);
}

static int op_attach_hwpt(struct world *world)
{
	uint32_t pt = world->hwpt;

	return vfio_attach(world->rig.device, &pt);
}

static int op_replace(struct world *world)
{
	uint32_t pt = world->other;

	return vfio_attach(world->rig.device, &pt);
}

static int prepare_both_mapped(struct world *world)
{
	int rc = prepare_mapped(world);

	return rc ? rc : ioas_map_at(world->fd, world->other, MAP_RW,
				     world->memory + 64 * PAGE, 64 * PAGE, AT);
}

static int op_detach(struct world *world)
{
	return vfio_detach(world->rig.device);
}

static int op_info(struct world *world)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return xioctl(world->rig.device, VFIO_DEVICE_GET_INFO, &info);
}

static int op_region(struct world *world)
{
	struct {
		struct vfio_region_info info;
		char caps[256];
	} arg = { .info = { .argsz = sizeof(arg) } };

	return xioctl(world->rig.device, VFIO_DEVICE_GET_REGION_INFO,
		      &arg.info);
}

static int op_hot_reset_info(struct world *world)
{
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_devid devices[32];
	} info = { .head.argsz = sizeof(info) };
	int rc = xioctl(world->rig.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
			&info);

	/* The device may be on a bus that has no reset. */
	return rc == -ENODEV ? 0 : rc;
}

static int prepare_group(struct world *world)
{
	world->group = pci_open_group(world->rig.name);
	return world->group < 0 ? world->group : 0;
}

static int op_set_container(struct world *world)
{
	return xioctl(world->group, VFIO_GROUP_SET_CONTAINER, &world->fd);
}

static int prepare_container(struct world *world)
{
	int rc = prepare_group(world);

	if (!rc)
		rc = prepare_mapped(world);
	if (!rc)
		rc = op_vfio_ioas(world);
	return rc ? rc : op_set_container(world);
}

static int op_device_fd(struct world *world)
{
	return made(world, xioctl(world->group, VFIO_GROUP_GET_DEVICE_FD,
				  world->rig.name));
}

static int op_set_iommu(struct world *world)
{
	int rc = ioctl(world->fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);

	return rc < 0 ? -errno : rc;
}

/* A group in a container, with its device open. */
static int prepare_type1(struct world *world)
{
	int rc = prepare_group(world);

	if (!rc)
		rc = op_set_container(world);
	if (!rc)
		rc = op_set_iommu(world);
	if (!rc)
		rc = op_device_fd(world);
	return rc;
}

static int prepare_set_iommu(struct world *world)
{
	int rc = prepare_group(world);

	return rc ? rc : op_set_container(world);
}

static int op_type1_map(struct world *world)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)world->memory,
		.iova = AT,
		.size = 64 * PAGE,
	};

	return xioctl(world->fd, VFIO_IOMMU_MAP_DMA, &arg);
}

static int prepare_type1_mapped(struct world *world)
{
	int rc = prepare_type1(world);

	return rc ? rc : op_type1_map(world);
}

static int op_type1_unmap(struct world *world)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg),
		.iova = AT,
		.size = 64 * PAGE,
	};

	return xioctl(world->fd, VFIO_IOMMU_UNMAP_DMA, &arg);
}

static int op_type1_info(struct world *world)
{
	struct {
		struct vfio_iommu_type1_info info;
		char caps[512];
	} arg = { .info = { .argsz = sizeof(arg) } };

	return xioctl(world->fd, VFIO_IOMMU_GET_INFO, &arg.info);
}

FIXTURE(faults)
{
	struct world world;
};

FIXTURE_VARIANT(faults)
{
	enum stage stage;
	int (*prepare)(struct world *world);
	int (*act)(struct world *world);
	/*
	 * It cannot be undone when only its answer does not reach the caller,
	 * which -EFAULT says.
	 */
	bool no_way_back;
	/* It needs nothing that could be refused */
	bool cannot_fail;
	/* What has to be possible then, whatever failed on the way */
	int (*then)(struct world *world);
};

#define OP(_name, _stage, _prepare, ...)	\
FIXTURE_VARIANT_ADD(faults, _name)		\
{						\
	.stage = _stage,			\
	.prepare = _prepare,			\
	.act = op_##__VA_ARGS__			\
}

OP(open, NOTHING, NULL, open);
OP(container_open, NOTHING, NULL, container_open);
OP(ioas_alloc, FILES, NULL, ioas_alloc);
OP(iova_ranges, ATTACHED, NULL, ranges);
OP(allow_iovas, FILES, NULL, allow);
OP(map_unpinned, FILES, NULL, map);
OP(map_file_unpinned, FILES, NULL, map_file);
OP(copy_unpinned, FILES, prepare_mapped, copy);
OP(unmap_unpinned, FILES, prepare_mapped, unmap, .cannot_fail = true);
OP(destroy_ioas, FILES, NULL, destroy_ioas, .cannot_fail = true);
OP(option_huge_pages, FILES, NULL, huge_pages, .cannot_fail = true);
OP(option_get, FILES, NULL, option_get, .cannot_fail = true);
OP(vfio_ioas, FILES, NULL, vfio_ioas);
OP(change_process, ATTACHED, prepare_file_mapped, change_process,
   .cannot_fail = true);
OP(map, ATTACHED, NULL, map);
OP(map_fixed, ATTACHED, NULL, map_fixed);
OP(map_across, ATTACHED, prepare_huge, map_across);
OP(map_larger, ATTACHED, prepare_left, map_larger);
OP(map_fresh, ATTACHED, NULL, map_fresh);
OP(map_file, ATTACHED, NULL, map_file);
OP(copy, ATTACHED, prepare_mapped, copy);
OP(copy_to_other, ATTACHED, prepare_mapped, copy_to_other);
OP(unmap, ATTACHED, prepare_mapped, unmap, .cannot_fail = true);
OP(hwpt_alloc, BOUND, NULL, hwpt_alloc);
OP(hwpt_destroy, BOUND, NULL, destroy_hwpt, .cannot_fail = true);
OP(hw_info, BOUND, NULL, hw_info);
OP(device_open, NOTHING, prepare_device_path, open_path);
OP(device_bind, DEVICE, NULL, bind, .then = attach_coherent);
OP(device_attach, BOUND, prepare_mapped, attach);
OP(device_attach_hwpt, BOUND, prepare_mapped, attach_hwpt);
OP(device_replace, ATTACHED, prepare_both_mapped, replace,
   .no_way_back = true);
OP(device_detach, ATTACHED, prepare_mapped, detach);
OP(device_info, BOUND, NULL, info);
OP(device_region, BOUND, NULL, region);
OP(device_hot_reset_info, BOUND, NULL, hot_reset_info);
OP(group_open, NOTHING, prepare_group_path, open_path);
OP(group_set_container, FILES, prepare_group, set_container);
OP(group_device_fd, FILES, prepare_container, device_fd);
OP(type1_set_iommu, FILES, prepare_set_iommu, set_iommu);
OP(type1_map, FILES, prepare_type1, type1_map);
OP(type1_unmap, FILES, prepare_type1_mapped, type1_unmap,
   .no_way_back = true);
OP(type1_info, FILES, prepare_type1_mapped, type1_info);

/*
 * Enabling a device evaluates ACPI methods, and ACPI itself does not survive it
 * when that runs out of memory. One more user keeps the device enabled.
 */
static int keep_enabled(const char *name, const char *yes)
{
	char path[128];
	ssize_t done;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	pci_unbind_driver(name);
	done = write(fd, yes, 1);
	close(fd);
	return done == 1 ? pci_bind_driver(name, "vfio-pci") : -EIO;
}

FIXTURE_SETUP(faults)
{
	RIG_SETUP(rig_find, &self->world.rig);
	ASSERT_EQ(0, keep_enabled(self->world.rig.name, "1"));
}

FIXTURE_TEARDOWN(faults)
{
	EXPECT_EQ(0, keep_enabled(self->world.rig.name, "0"));
}

/* What a failed call must leave as it was. */
struct state {
	char fdinfo[4096];
	long pins;
	long pinned;
	int files;
};

static void state_take(struct state *state, struct world *world)
{
	memset(state, 0, sizeof(*state));
	iommufd_describe(world->fd, state->fdinfo, sizeof(state->fdinfo));
	state->pins = census_pins();
	state->pinned = census_pinned();
	state->files = census_open_files();
}

TEST_F_TIMEOUT(faults, each_in_turn, 600)
{
	long pins = census_pins(), pinned = census_pinned();
	int users = census_module_users("iommufd");
	struct world *world = &self->world;
	struct state before, after;
	int failed = 0;
	int nth = 0;
	bool hit;
	int rc;

	/* Open what it takes now, as open files are counted */
	ASSERT_EQ(0, fault_begin(0));
	do {
		ASSERT_GT(MAX_FAULTS, ++nth);
		ASSERT_EQ(0, world_open(world, variant->stage));
		if (variant->prepare)
			ASSERT_EQ(0, variant->prepare(world));
		state_take(&before, world);

		ASSERT_EQ(0, fault_begin(nth));
		rc = variant->act(world);
		hit = fault_end();

		if (rc) {
			failed++;
			/* Nothing but what was injected makes it fail. */
			EXPECT_TRUE(hit);
			if (rc != -EFAULT)
				EXPECT_EQ(-ENOMEM, rc);
		}
		if (rc && !(rc == -EFAULT && variant->no_way_back)) {
			state_take(&after, world);
			EXPECT_STREQ(before.fdinfo, after.fdinfo);
			EXPECT_EQ(before.pins, after.pins);
			EXPECT_EQ(before.pinned, after.pinned);
			EXPECT_EQ(before.files, after.files);
			EXPECT_EQ(0, variant->act(world));
		}
		if (variant->then)
			EXPECT_EQ(0, variant->then(world));
		EXPECT_EQ(0, world_close(world));
		EXPECT_TRUE(census_settles(pins));
		EXPECT_EQ(pinned, census_pinned());
		EXPECT_EQ(users, census_module_users("iommufd"));
		if (!_metadata->passed) {
			TH_LOG("fault %d, result %d", nth, rc);
			return;
		}
	} while (hit);
	/* Another operation in which nothing failed would not be tested. */
	EXPECT_EQ(variant->cannot_fail, !failed);
	TH_LOG("%d faults, %d of them made it fail", nth - 1, failed);
}

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

#define main run_tests
TEST_HARNESS_MAIN
#undef main

int main(int argc, char **argv)
{
	if (!fault_available()) {
		puts("TAP version 13");
		puts("1..0 # SKIP the kernel has no fault injection");
		return KSFT_SKIP;
	}
	return run_tests(argc, argv);
}
