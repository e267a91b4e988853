// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device files, groups and type 1, with each thing that can fail in their ioctls failing
 * in turn (lib/sweep.h). faults.c says what allocates nothing.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <linux/pci_regs.h>

#include "lib/iommufd.h"
#include "lib/pci.h"
#include "lib/sweep.h"
#include "lib/type1.h"
#include "lib/vfio.h"

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

static int prepare_both_mapped(struct world *world)
{
	int rc = world_map_two(world);

	return rc ? rc : ioas_map_at(world->fd, world->other, MAP_RW,
				     world->memory + 64 * PAGE, 64 * PAGE, AT);
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

static int prepare_container(struct world *world)
{
	int rc = prepare_group(world);

	if (!rc)
		rc = world_map_two(world);
	if (!rc)
		rc = vfio_ioas(world->fd, IOMMU_VFIO_IOAS_SET, &world->ioas);
	return rc ? rc : op_set_container(world);
}

static int op_device_fd(struct world *world)
{
	return world_keep(world, group_device(world->group, world->rig.name));
}

static int op_set_iommu(struct world *world)
{
	return container_set_iommu(world->fd, VFIO_TYPE1v2_IOMMU);
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

static int prepare_group_used(struct world *world)
{
	return prepare_set_iommu(world) ?: op_set_iommu(world);
}

static int op_unset_container(struct world *world)
{
	return group_unset_container(world->group);
}

static int set_again(struct world *world)
{
	return op_set_container(world) ?: op_set_iommu(world);
}

static int op_type1_map(struct world *world)
{
	return container_map(world->fd, DMA_RW, world->memory, 64 * PAGE, AT);
}

static int prepare_type1_mapped(struct world *world)
{
	int rc = prepare_type1(world);

	return rc ? rc : op_type1_map(world);
}

static int op_type1_unmap(struct world *world)
{
	uint64_t size = 64 * PAGE;

	return container_unmap(world->fd, 0, AT, &size);
}

static int op_type1_info(struct world *world)
{
	struct {
		struct vfio_iommu_type1_info info;
		char caps[512];
	} arg;

	return container_info(world->fd, &arg.info, sizeof(arg));
}

/* Whether all domains enforce snooping, which asks each */
static int op_type1_extension(struct world *world)
{
	int rc = container_extension(world->fd, VFIO_DMA_CC_IOMMU);

	return rc < 0 ? rc : 0;
}

static int op_type1_dirty_start(struct world *world)
{
	return container_dirty(world->fd, VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
}

static int op_type1_dirty_stop(struct world *world)
{
	return container_dirty(world->fd, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
}

static int prepare_type1_dirty(struct world *world)
{
	return prepare_type1_mapped(world) ?: op_type1_dirty_start(world);
}

static int op_type1_dirty_get(struct world *world)
{
	uint64_t bits = 0;

	return container_get_bitmap(world->fd, AT, 64 * PAGE, PAGE, &bits,
				    sizeof(bits));
}

static int op_type1_unmap_dirty(struct world *world)
{
	uint64_t bits = 0, size = 64 * PAGE;

	return container_unmap_bitmap(world->fd, AT, &size, PAGE, &bits,
				      sizeof(bits));
}

static int op_type1_map_dirty(struct world *world)
{
	return container_map(world->fd, DMA_RW, world->memory, 64 * PAGE,
			     2 * AT);
}

static int op_group_status(struct world *world)
{
	uint32_t flags;

	return group_status(world->group, &flags);
}

static int prepare_event(struct world *world)
{
	world->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return world->event < 0 ? -errno : 0;
}

static int set_irqs(struct world *world, uint32_t index, uint32_t action)
{
	struct {
		struct vfio_irq_set set;
		int32_t event;
	} arg = {
		.set = {
			.argsz = sizeof(arg),
			.flags = action | VFIO_IRQ_SET_DATA_EVENTFD,
			.index = index,
			.count = 1,
		},
		.event = world->event,
	};

	return xioctl(world->rig.device, VFIO_DEVICE_SET_IRQS, &arg);
}

static int op_set_msi(struct world *world)
{
	return set_irqs(world, VFIO_PCI_MSI_IRQ_INDEX,
			VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int op_set_intx(struct world *world)
{
	return set_irqs(world, VFIO_PCI_INTX_IRQ_INDEX,
			VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int op_set_request(struct world *world)
{
	return set_irqs(world, VFIO_PCI_REQ_IRQ_INDEX,
			VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int prepare_intx(struct world *world)
{
	return prepare_event(world) ?: op_set_intx(world);
}

static int op_unmask_intx(struct world *world)
{
	return set_irqs(world, VFIO_PCI_INTX_IRQ_INDEX,
			VFIO_IRQ_SET_ACTION_UNMASK);
}

static int prepare_msi(struct world *world)
{
	return prepare_event(world) ?: op_set_msi(world);
}

static int op_unset_msi(struct world *world)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSI_IRQ_INDEX,
	};

	return xioctl(world->rig.device, VFIO_DEVICE_SET_IRQS, &set);
}

static int op_irq_info(struct world *world)
{
	struct vfio_irq_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_MSI_IRQ_INDEX,
	};

	return xioctl(world->rig.device, VFIO_DEVICE_GET_IRQ_INFO, &info);
}

/* A write to edu's factorial register */
static int op_ioeventfd(struct world *world)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = 8,
		.data = 1,
		.fd = world->event,
	};

	return xioctl(world->rig.device, VFIO_DEVICE_IOEVENTFD, &arg);
}

static int prepare_reset(struct world *world)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int rc = world_map_two(world) ?:
		 xioctl(world->rig.device, VFIO_DEVICE_GET_INFO, &info);

	world->has_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
	return rc;
}

static int op_reset(struct world *world)
{
	int rc = xioctl(world->rig.device, VFIO_DEVICE_RESET, NULL);

	return rc == -EINVAL && !world->has_reset ? 0 : rc;
}

static int op_hot_reset(struct world *world)
{
	struct vfio_pci_hot_reset arg = { .argsz = sizeof(arg) };
	int rc = xioctl(world->rig.device, VFIO_DEVICE_PCI_HOT_RESET, &arg);

	/* The device may be on a bus that has no reset. */
	return rc == -ENODEV ? 0 : rc;
}

static int op_mmap_bar(struct world *world)
{
	world->bar = vfio_map_bar(world->rig.device, 0, &world->bar_size);
	return world->bar ? 0 : -errno;
}

static int op_set_command(struct world *world)
{
	return vfio_set_command(world->rig.device, 0, PCI_COMMAND_MEMORY);
}

#include "lib/sweep_test.h"

OP(device_bind, DEVICE, NULL, bind, .then = attach_coherent);
OP(device_attach, BOUND, world_map_two, attach);
OP(device_attach_hwpt, BOUND, world_map_two, attach_hwpt);
OP(device_replace, ATTACHED, prepare_both_mapped, replace,
   .no_way_back = true);
OP(device_detach, ATTACHED, world_map_two, detach);
OP(device_info, BOUND, NULL, info);
OP(device_region, BOUND, NULL, region);
OP(device_irq_info, BOUND, NULL, irq_info);
OP(device_set_msi, ATTACHED, prepare_event, set_msi, .also = -ENOSPC);
OP(device_unset_msi, ATTACHED, prepare_msi, unset_msi);
OP(device_set_intx, ATTACHED, prepare_event, set_intx);
OP(device_unmask_intx, ATTACHED, prepare_intx, unmask_intx);
OP(device_set_request, BOUND, prepare_event, set_request);
OP(device_ioeventfd, BOUND, prepare_event, ioeventfd, .also = -EBUSY);
OP(device_reset, ATTACHED, prepare_reset, reset, .cannot_fail = true);
OP(device_hot_reset_info, BOUND, NULL, hot_reset_info);
OP(device_hot_reset, ATTACHED, world_map_two, hot_reset);
OP(device_mmap, BOUND, NULL, mmap_bar, .also = -EBUSY);
OP(device_config, BOUND, NULL, set_command, .also = -EIO);
OP(group_set_container, FILES, prepare_group, set_container);
OP(group_unset_container, FILES, prepare_group_used, unset_container,
   .cannot_fail = true, .then = set_again);
OP(group_status, FILES, prepare_group, group_status);
OP(group_device_fd, FILES, prepare_container, device_fd);
OP(type1_set_iommu, FILES, prepare_set_iommu, set_iommu);
OP(type1_map, FILES, prepare_type1, type1_map);
OP(type1_unmap, FILES, prepare_type1_mapped, type1_unmap,
   .no_way_back = true);
OP(type1_info, FILES, prepare_type1_mapped, type1_info);
OP(type1_extension, FILES, prepare_type1, type1_extension,
   .cannot_fail = true);
OP(type1_dirty_start, FILES, prepare_type1_mapped, type1_dirty_start);
OP(type1_dirty_stop, FILES, prepare_type1_dirty, type1_dirty_stop);
OP(type1_dirty_get, FILES, prepare_type1_dirty, type1_dirty_get);
OP(type1_map_dirty, FILES, prepare_type1_dirty, type1_map_dirty);
OP(type1_unmap_dirty, FILES, prepare_type1_dirty, type1_unmap_dirty,
   .no_way_back = true);
