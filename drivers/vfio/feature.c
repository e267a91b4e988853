// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE: features that the core implements for all drivers, on
 * operations of theirs, and features that a driver has alone.
 */
#include <linux/uaccess.h>

#include "vfio.h"

#define FEATURE_FLAGS (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | \
		       VFIO_DEVICE_FEATURE_PROBE)

static const struct {
	u32 feature;
	int (*fn)(struct vfio_device *vdev, u32 flags, void __user *data,
		  size_t size);
} core_features[] = {
	{ VFIO_DEVICE_FEATURE_MIGRATION, vfio_feature_migration },
	{ VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, vfio_feature_mig_state },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_START, vfio_feature_log_start },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, vfio_feature_log_stop },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, vfio_feature_log_report },
};

static long core_feature(struct vfio_device *vdev, unsigned int index,
			 u32 flags, void __user *data, size_t size)
{
	long ret = core_features[index].fn(vdev, flags, data, size);

	if (ret == -ENOTTY)
		iommufd_refuse(ret, "the driver %s lacks what feature %u needs",
			       dev_driver_string(vdev->dev),
			       core_features[index].feature);
	else if (ret < 0)
		iommufd_refuse(ret,
			       "feature %u: wrong flags 0x%x, size %zu or data, or the driver %s refuses",
			       core_features[index].feature, flags, size,
			       dev_driver_string(vdev->dev));
	return ret;
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
			return core_feature(vdev, i, hdr.flags, arg->data,
					    size);
	return driver_feature(vdev, hdr.flags, arg->data, size);
}
