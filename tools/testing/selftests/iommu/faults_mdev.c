// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose DMA the CPU does, and which can be migrated, with each thing that can
 * fail in what its driver asks of the core failing in turn (lib/sweep.h).
 */
#include <errno.h>
#include <string.h>

#include "lib/iommufd.h"
#include "lib/mock.h"
#include "lib/sweep.h"
#include "lib/type1.h"
#include "lib/vfio.h"
#include "lib/way.h"

/* Of iommufd_mock.ko's */
#define MIGRATABLE	3
/* Pages that are pinned, more than one chunk of anything takes */
#define NR_PINNED	64

/* The mock device takes the place of the PCI device. */
static int prepare_open(struct world *world)
{
	if (mock_missing())
		return -ENOENT;
	world->rig.device = mock_open(MOCK_MDEV, MIGRATABLE);
	return world->rig.device < 0 ? world->rig.device : 0;
}

static int prepare_bound(struct world *world)
{
	return prepare_open(world) ?: op_bind(world);
}

static int prepare_attached(struct world *world)
{
	int rc = prepare_bound(world) ?: op_attach(world);

	/* The last of it is untouched memory. */
	return rc ?: ioas_map_at(world->fd, world->ioas, MAP_RW,
				 world->memory + (NR_PAGES - NR_PINNED) * PAGE,
				 NR_PINNED * PAGE, AT);
}

static int op_pin(struct world *world)
{
	int rc = mock_pin(world->rig.device, AT, NR_PINNED,
			  MOCK_WRITE | MOCK_AT_ONCE);

	return rc < 0 ? rc : rc == NR_PINNED ? 0 : -EIO;
}

static int prepare_pinned(struct world *world)
{
	return prepare_attached(world) ?: op_pin(world);
}

static int op_unpin(struct world *world)
{
	return mock_unpin(world->rig.device, AT, NR_PINNED);
}

static int op_write(struct world *world)
{
	char data[3 * PAGE];

	memset(data, 1, sizeof(data));
	return mock_rw(world->rig.device, AT + PAGE / 2, data, sizeof(data),
		       MOCK_WRITE);
}

static int op_read(struct world *world)
{
	char data[3 * PAGE];

	return mock_rw(world->rig.device, AT + (NR_PINNED - NR_FRESH) * PAGE,
		       data, sizeof(data), 0);
}

/* The driver has to let go first. */
static int op_unmap(struct world *world)
{
	return ioas_unmap(world->fd, world->ioas, AT, NR_PINNED * PAGE, NULL);
}

static int feature(struct world *world, uint32_t flags, void *data, size_t size)
{
	const struct way way = { .device = world->rig.device };

	return way_feature(&way, flags, data, size);
}

static int op_mig_features(struct world *world)
{
	struct vfio_device_feature_migration arg = {};

	return feature(world, VFIO_DEVICE_FEATURE_MIGRATION |
		       VFIO_DEVICE_FEATURE_GET, &arg, sizeof(arg));
}

static int op_mig_state(struct world *world)
{
	struct vfio_device_feature_mig_state arg = {};

	return feature(world, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE |
		       VFIO_DEVICE_FEATURE_GET, &arg, sizeof(arg));
}

/* A file comes back, by which the device hands its state over. */
static int op_mig_set_state(struct world *world)
{
	struct vfio_device_feature_mig_state arg = {
		.device_state = VFIO_DEVICE_STATE_STOP_COPY,
		.data_fd = -1,
	};
	int rc = feature(world, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE |
			 VFIO_DEVICE_FEATURE_SET, &arg, sizeof(arg));

	return rc ?: world_keep(world, arg.data_fd);
}

static int op_log_start(struct world *world)
{
	const struct vfio_device_feature_dma_logging_range ranges[] = {
		{ AT, 8 * PAGE }, { AT + 16 * PAGE, 8 * PAGE },
	};
	struct vfio_device_feature_dma_logging_control arg = {
		.page_size = PAGE,
		.num_ranges = 2,
		.ranges = (uintptr_t)ranges,
	};

	return feature(world, VFIO_DEVICE_FEATURE_DMA_LOGGING_START |
		       VFIO_DEVICE_FEATURE_SET, &arg, sizeof(arg));
}

static int prepare_logging(struct world *world)
{
	return prepare_attached(world) ?: op_log_start(world) ?:
	       op_write(world);
}

static int op_log_report(struct world *world)
{
	uint64_t bits = 0;
	struct vfio_device_feature_dma_logging_report arg = {
		.iova = AT,
		.length = 64 * PAGE,
		.page_size = PAGE,
		.bitmap = (uintptr_t)&bits,
	};

	return feature(world, VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT |
		       VFIO_DEVICE_FEATURE_GET, &arg, sizeof(arg));
}

static int op_log_stop(struct world *world)
{
	return feature(world, VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP |
		       VFIO_DEVICE_FEATURE_SET, NULL, 0);
}

static int prepare_group(struct world *world)
{
	if (mock_missing())
		return -ENOENT;
	world->group = mock_open_group(MOCK_MDEV, MIGRATABLE);
	return world->group < 0 ? world->group : 0;
}

static int prepare_container(struct world *world)
{
	return prepare_group(world) ?: op_set_container(world) ?:
	       container_set_iommu(world->fd, VFIO_TYPE1v2_IOMMU);
}

static int op_device_fd(struct world *world)
{
	char name[32];

	mock_name(name, sizeof(name), MOCK_MDEV, MIGRATABLE);
	return world_keep(world, group_device(world->group, name));
}

#include "lib/sweep_test.h"

OP(bind, FILES, prepare_open, bind);
OP(attach, FILES, prepare_bound, attach);
OP(replace, FILES, prepare_attached, replace, .no_way_back = true);
OP(detach, FILES, prepare_attached, detach);
OP(detach_pinned, FILES, prepare_pinned, detach);
OP(pin, FILES, prepare_attached, pin);
OP(unpin, FILES, prepare_pinned, unpin);
OP(write, FILES, prepare_attached, write);
OP(read, FILES, prepare_attached, read);
OP(unmap, FILES, prepare_pinned, unmap, .cannot_fail = true);
OP(mig_features, FILES, prepare_bound, mig_features);
OP(mig_state, FILES, prepare_bound, mig_state);
OP(mig_set_state, FILES, prepare_bound, mig_set_state, .no_way_back = true);
OP(log_start, FILES, prepare_attached, log_start);
OP(log_report, FILES, prepare_logging, log_report);
OP(log_stop, FILES, prepare_logging, log_stop);
OP(group_set_container, FILES, prepare_group, set_container);
OP(group_device_fd, FILES, prepare_container, device_fd);
