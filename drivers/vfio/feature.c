// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE: features that the core implements for all drivers, on
 * operations of theirs, and features that a driver has alone.
 */
#include <linux/uaccess.h>

#include "vfio.h"

#define FEATURE_FLAGS (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | \
		       VFIO_DEVICE_FEATURE_PROBE)

static bool can_migrate(const struct vfio_device *vdev)
{
	return vdev->mig_ops;
}

static bool can_log(const struct vfio_device *vdev)
{
	return vdev->log_ops;
}

/**
 * struct core_feature - A feature that the core implements
 * @feature: number
 * @ops: which of GET and SET it has
 * @size: of the data
 * @offered: does the driver have what it takes?
 * @fn: does it, with a @ops alone that is among @ops
 */
struct core_feature {
	unsigned int feature;
	u32 ops;
	size_t size;
	bool (*offered)(const struct vfio_device *vdev);
	int (*fn)(struct vfio_device *vdev, u32 ops, void __user *data);
};

static const struct core_feature core_features[] = {
	{
		.feature = VFIO_DEVICE_FEATURE_MIGRATION,
		.ops = VFIO_DEVICE_FEATURE_GET,
		.size = sizeof(struct vfio_device_feature_migration),
		.offered = can_migrate,
		.fn = vfio_feature_migration,
	},
	{
		.feature = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
		.ops = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET,
		.size = sizeof(struct vfio_device_feature_mig_state),
		.offered = can_migrate,
		.fn = vfio_feature_mig_state,
	},
	{
		.feature = VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
		.ops = VFIO_DEVICE_FEATURE_SET,
		.size = sizeof(struct vfio_device_feature_dma_logging_control),
		.offered = can_log,
		.fn = vfio_feature_log_start,
	},
	{
		.feature = VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
		.ops = VFIO_DEVICE_FEATURE_SET,
		.offered = can_log,
		.fn = vfio_feature_log_stop,
	},
	{
		.feature = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
		.ops = VFIO_DEVICE_FEATURE_GET,
		.size = sizeof(struct vfio_device_feature_dma_logging_report),
		.offered = can_log,
		.fn = vfio_feature_log_report,
	},
};

static long core_feature(struct vfio_device *vdev,
			 const struct core_feature *core, u32 flags,
			 void __user *data, size_t size)
{
	u32 ops = flags & (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET);

	if (!core->offered(vdev))
		return refuse(-ENOTTY, "the driver %s lacks what feature %u needs",
			      dev_driver_string(vdev->dev), core->feature);
	if (ops & ~core->ops)
		return refuse(-EINVAL, "feature %u has no %s", core->feature,
			      core->ops & VFIO_DEVICE_FEATURE_GET ? "SET" :
								    "GET");
	if (flags & VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	if (!ops)
		return refuse(-EINVAL, "neither GET, SET nor PROBE of feature %u is asked for",
			      core->feature);
	if (size < core->size)
		return refuse(-EINVAL, "the data of feature %u has %zu bytes, and needs %zu",
			      core->feature, size, core->size);
	return core->fn(vdev, ops, data);
}

static long driver_feature(struct vfio_device *vdev, u32 flags,
			   void __user *data, size_t size)
{
	unsigned int feature = flags & VFIO_DEVICE_FEATURE_MASK;
	long ret = -ENOTTY;

	if (vdev->ops->device_feature)
		ret = vdev->ops->device_feature(vdev, flags, data, size);
	if (ret < 0)
		iommufd_refuse(ret, "feature %u is refused by the driver %s",
			       feature, dev_driver_string(vdev->dev));
	return ret;
}

long vfio_device_feature(struct vfio_device *vdev, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_device_feature, flags);
	struct vfio_device_feature __user *arg = uarg;
	struct vfio_device_feature hdr;
	unsigned int i;
	size_t size;

	if (copy_from_user(&hdr, arg, minsz))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (hdr.argsz < minsz)
		return refuse(-EINVAL, ARGSZ_TOO_SMALL, hdr.argsz, minsz);
	if (hdr.flags & ~(VFIO_DEVICE_FEATURE_MASK | FEATURE_FLAGS))
		return refuse(-EINVAL, UNKNOWN_FLAGS, hdr.flags);

	/* Both at once only to ask whether both exist */
	if ((hdr.flags & FEATURE_FLAGS) ==
	    (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET))
		return refuse(-EINVAL, "GET and SET together are for PROBE only");

	size = hdr.argsz - minsz;
	for (i = 0; i < ARRAY_SIZE(core_features); i++)
		if (core_features[i].feature ==
		    (hdr.flags & VFIO_DEVICE_FEATURE_MASK))
			return core_feature(vdev, &core_features[i], hdr.flags,
					    arg->data, size);
	return driver_feature(vdev, hdr.flags, arg->data, size);
}
