// SPDX-License-Identifier: GPL-2.0-only
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "census.h"
#include "fault.h"
#include "iommufd.h"
#include "memory.h"
#include "pci.h"
#include "probe.h"
#include "type1.h"
#include "vfio.h"

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

int op_bind(struct world *world)
{
	return vfio_bind(world->rig.device, world->fd, &world->rig.device_id);
}

static int attach_to(struct world *world, uint32_t pt)
{
	return vfio_attach(world->rig.device, &pt);
}

int op_attach(struct world *world)
{
	return attach_to(world, world->ioas);
}

int op_replace(struct world *world)
{
	return attach_to(world, world->other);
}

int op_detach(struct world *world)
{
	return vfio_detach(world->rig.device);
}

int op_set_container(struct world *world)
{
	return group_set_container(world->group, world->fd);
}

int world_open(struct world *world, enum stage stage)
{
	int rc;

	memset(world, 0, sizeof(*world));
	world->made = -1;
	world->group = -1;
	world->fd = -1;
	world->memfd = -1;
	world->event = -1;
	world->told = -1;
	world->guest = (struct guest){
		.kvm = -1, .vm = -1, .vcpu = -1, .device = -1,
	};
	rc = rig_find(&world->rig);
	if (!rc)
		rc = make_memory(world);
	if (rc || stage == NOTHING)
		return rc;

	rc = rig_spaces(&world->rig, &world->ioas, &world->other);
	world->fd = world->rig.iommufd;
	if (rc || stage == FILES)
		return rc;

	world->rig.device = pci_open_device_file(world->rig.name);
	if (world->rig.device < 0 || stage == DEVICE)
		return world->rig.device < 0 ? world->rig.device : 0;

	rc = op_bind(world);
	if (!rc)
		rc = hwpt_alloc(world->fd, 0, world->rig.device_id, world->ioas,
				&world->hwpt);
	if (rc || stage == BOUND)
		return rc;

	return op_attach(world);
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

int world_close(struct world *world)
{
	int rc;

	if (world->bar)
		munmap(world->bar, world->bar_size);
	guest_destroy(&world->guest);
	rc = rig_close(&world->rig);
	close_one(world->made);
	close_one(world->group);
	close_one(world->memfd);
	close_one(world->event);
	munmap(world->memory, NR_PAGES * PAGE);
	if (world->huge)
		munmap(world->huge, HUGE);
	return rc;
}

int world_keep(struct world *world, int fd)
{
	if (fd < 0)
		return fd;
	world->made = fd;
	return 0;
}

int world_map(struct world *world)
{
	return ioas_map_at(world->fd, world->ioas, MAP_RW, world->memory,
			   16 * PAGE, AT);
}

int world_map_two(struct world *world)
{
	int rc = world_map(world);

	return rc ?: ioas_map_at(world->fd, world->ioas, MAP_RW, world->memory,
				 16 * PAGE, AT + 16 * PAGE);
}

/* What a failed call must leave as it was. */
struct state {
	char fdinfo[4096];
	long pins;
	long pinned;
	long files;
	/* What makes KVM carry out its guests' flushes, if there are probes */
	long noncoherent;
};

/* 0 without probes */
static long hits(enum probe probe)
{
	long hits = probe_hits(probe);

	return hits < 0 ? 0 : hits;
}

static long noncoherent(void)
{
	return hits(PROBE_REGISTER) - hits(PROBE_UNREGISTER);
}

static void state_take(struct state *state, struct world *world)
{
	iommufd_describe(world->fd, state->fdinfo, sizeof(state->fdinfo));
	state->pins = census_pins();
	state->pinned = census_pinned();
	state->files = census_open_files();
	state->noncoherent = noncoherent();
}

/* The first trouble is kept. */
static void expect(struct sweep *sweep, const char *what, long was, long is)
{
	if (was != is && !*sweep->trouble)
		snprintf(sweep->trouble, sizeof(sweep->trouble),
			 "fault %d: %s: expected %ld, not %ld", sweep->faults,
			 what, was, is);
}

static void expect_state(struct sweep *sweep, const struct state *was,
			 struct world *world)
{
	struct state is;

	state_take(&is, world);
	if (strcmp(was->fdinfo, is.fdinfo) && !*sweep->trouble)
		snprintf(sweep->trouble, sizeof(sweep->trouble),
			 "fault %d: the file was %.100s, and is %.100s",
			 sweep->faults, was->fdinfo, is.fdinfo);
	expect(sweep, "pins", was->pins, is.pins);
	expect(sweep, "pinned", was->pinned, is.pinned);
	expect(sweep, "open files", was->files, is.files);
	expect(sweep, "non-coherent", was->noncoherent, is.noncoherent);
}

/* One run; whether something failed in it. */
static bool run(struct world *world, const struct operation *op,
		struct sweep *sweep)
{
	struct state before;
	bool hit;
	int rc;

	expect(sweep, "opening", 0, world_open(world, op->stage));
	if (op->prepare && !*sweep->trouble)
		expect(sweep, "preparing", 0, op->prepare(world));
	if (*sweep->trouble)
		return false;
	state_take(&before, world);

	expect(sweep, "injection", 0, fault_begin(sweep->faults));
	rc = op->act(world);
	hit = fault_end();

	if (rc) {
		sweep->failed++;
		/* Nothing but what was injected makes it fail. */
		expect(sweep, "hit", true, hit);
		if (rc != -EFAULT && (!op->also || rc != op->also))
			expect(sweep, "error", -ENOMEM, rc);
	}
	if (rc && !(rc == -EFAULT && op->no_way_back)) {
		expect_state(sweep, &before, world);
		expect(sweep, "once more", 0, op->act(world));
	}
	if (op->then)
		expect(sweep, "then", 0, op->then(world));
	return hit;
}

void sweep(struct world *world, const struct operation *op,
	   struct sweep *sweep)
{
	long pins = census_pins(), pinned = census_pinned();
	int users = census_module_users("iommufd");
	bool hit;

	memset(sweep, 0, sizeof(*sweep));
	/* Open what it takes now, as open files are counted */
	expect(sweep, "injection", 0, fault_begin(0));
	do {
		long destroyed = hits(PROBE_DESTROY);
		bool machine;

		sweep->faults++;
		hit = run(world, op, sweep);
		machine = world->guest.vm >= 0;
		expect(sweep, "closing", 0, world_close(world));
		expect(sweep, "pins settle", true, census_settles(pins));
		expect(sweep, "pinned at the end", pinned, census_pinned());
		expect(sweep, "non-coherent at the end", 0, noncoherent());
		expect(sweep, "machines destroyed", destroyed + machine,
		       hits(PROBE_DESTROY));
		expect(sweep, "users of iommufd", users,
		       census_module_users("iommufd"));
	} while (hit && !*sweep->trouble && sweep->faults < MAX_FAULTS);
	expect(sweep, "a run without any fault", false, hit);
	probes_clear();
	/* Another operation in which nothing failed would not be tested. */
	expect(sweep, "fails never", op->cannot_fail, !sweep->failed);
}

int sweep_keep_enabled(const char *name, const char *yes)
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
