// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM is told of files, what changes while it knows them, and what a user can say of
 * coherency, with each thing in it that can fail failing in turn (lib/sweep.h). What
 * makes KVM carry out its guests' flushes must be counted down where it was
 * counted up.
 *
 * Memory that KVM has no way to be refused is asked for as such that cannot fail; then
 * nothing but KVM's own note of a file can.
 */
#include <errno.h>

#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/pci.h"
#include "lib/probe.h"
#include "lib/sweep.h"
#include "lib/type1.h"
#include "lib/vfio.h"

static int prepare_guest(struct world *world)
{
	int rc = guest_create(&world->guest);

	/* Once for all runs */
	if (!rc && probe_hits(PROBE_DESTROY) < 0)
		rc = probes_set();
	return rc;
}

static int prepare_iommu(struct world *world)
{
	world->told = world->fd;
	return prepare_guest(world);
}

static int prepare_device(struct world *world)
{
	world->told = world->rig.device;
	return prepare_guest(world);
}

/* A group whose device is open and translates */
static int prepare_group(struct world *world)
{
	int rc = prepare_guest(world);

	if (rc)
		return rc;
	world->group = pci_open_group(world->rig.name);
	if (world->group < 0)
		return world->group;
	world->told = world->group;
	return op_set_container(world) ?:
	       container_set_iommu(world->fd, VFIO_TYPE1v2_IOMMU);
}

static int op_device_fd(struct world *world)
{
	return world_keep(world, group_device(world->group, world->rig.name));
}

static int prepare_group_used(struct world *world)
{
	return prepare_group(world) ?: op_device_fd(world);
}

static int op_add(struct world *world)
{
	return guest_add(&world->guest, world->told);
}

static int op_del(struct world *world)
{
	return guest_del(&world->guest, world->told);
}

static int prepare_iommu_added(struct world *world)
{
	return prepare_iommu(world) ?: op_add(world);
}

static int prepare_device_added(struct world *world)
{
	return prepare_device(world) ?: op_add(world);
}

static int prepare_group_added(struct world *world)
{
	return prepare_group(world) ?: op_add(world);
}

static int prepare_group_used_added(struct world *world)
{
	return prepare_group_used(world) ?: op_add(world);
}

static int policy(struct world *world, uint64_t value)
{
	return iommufd_option_set(world->fd, IOMMU_OPTION_COHERENCY_POLICY, 0,
				  value);
}

static int op_require(struct world *world)
{
	return policy(world, IOMMU_COHERENCY_REQUIRE);
}

static int op_assume_none(struct world *world)
{
	return policy(world, IOMMU_COHERENCY_ASSUME_NONE);
}

static int op_follow(struct world *world)
{
	return policy(world, IOMMU_COHERENCY_FOLLOW);
}

static int prepare_assume_none(struct world *world)
{
	return prepare_iommu_added(world) ?: op_assume_none(world);
}

static int op_state(struct world *world)
{
	uint64_t value;

	return iommufd_option_get(world->fd, IOMMU_OPTION_COHERENCY_STATE, 0,
				  &value);
}

#include "lib/sweep_test.h"

OP(add_iommu, ATTACHED, prepare_iommu, add);
OP(add_device, ATTACHED, prepare_device, add);
OP(add_group, FILES, prepare_group_used, add);
OP(del_iommu, ATTACHED, prepare_iommu_added, del);
OP(del_device, ATTACHED, prepare_device_added, del);
OP(del_group, FILES, prepare_group_used_added, del);
OP(bind_iommu_added, DEVICE, prepare_iommu_added, bind);
OP(bind_device_added, DEVICE, prepare_device_added, bind);
OP(attach_iommu_added, BOUND, prepare_iommu_added, attach);
OP(attach_device_added, BOUND, prepare_device_added, attach);
OP(replace_iommu_added, ATTACHED, prepare_iommu_added, replace,
   .no_way_back = true);
OP(detach_device_added, ATTACHED, prepare_device_added, detach);
OP(device_fd_group_added, FILES, prepare_group_added, device_fd);
OP(require, BOUND, prepare_iommu_added, require, .cannot_fail = true);
OP(assume_none, BOUND, prepare_iommu_added, assume_none, .cannot_fail = true);
OP(follow, BOUND, prepare_assume_none, follow, .cannot_fail = true);
OP(state, ATTACHED, prepare_iommu_added, state, .cannot_fail = true);
