// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA logging: a device that notes which pages it has written to.
 *
 * The core checks what the user asks for and hands it to the driver; whether
 * logging is on already is for the driver to know.
 */
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vfio.h"

/* The user's list of ranges must fit into a page */
#define LOG_MAX_RANGES \
	(PAGE_SIZE / sizeof(struct vfio_device_feature_dma_logging_range))

static int log_check_range(u64 iova, u64 length)
{
	u64 end;

	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length, &end) || end > ULONG_MAX)
		return -EOVERFLOW;
	return 0;
}

static int log_add_range(struct rb_root_cached *root,
			 struct interval_tree_node *node,
			 const struct vfio_device_feature_dma_logging_range *range,
			 u64 page_size)
{
	int ret;

	if (!IS_ALIGNED(range->iova | range->length, page_size))
		return -EINVAL;
	ret = log_check_range(range->iova, range->length);
	if (ret)
		return ret;

	node->start = range->iova;
	node->last = range->iova + range->length - 1;
	if (interval_tree_iter_first(root, node->start, node->last))
		return -EINVAL;
	interval_tree_insert(node, root);
	return 0;
}

static int log_start(struct vfio_device *vdev,
		     struct vfio_device_feature_dma_logging_control *control,
		     struct interval_tree_node *nodes)
{
	struct vfio_device_feature_dma_logging_range __user *ranges =
		u64_to_user_ptr(control->ranges);
	struct vfio_device_feature_dma_logging_range range;
	struct rb_root_cached root = RB_ROOT_CACHED;
	u32 i;
	int ret;

	for (i = 0; i < control->num_ranges; i++) {
		if (copy_from_user(&range, &ranges[i], sizeof(range)))
			return -EFAULT;
		ret = log_add_range(&root, &nodes[i], &range,
				    control->page_size);
		if (ret)
			return ret;
	}
	return vdev->log_ops->log_start(vdev, &root, control->num_ranges,
					&control->page_size);
}

int vfio_feature_log_start(struct vfio_device *vdev, u32 flags,
			   void __user *data, size_t size)
{
	struct vfio_device_feature_dma_logging_control control;
	struct interval_tree_node *nodes;
	int ret;

	if (!vdev->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, size, VFIO_DEVICE_FEATURE_SET,
				 sizeof(control));
	if (ret != 1)
		return ret;

	if (copy_from_user(&control, data, sizeof(control)))
		return -EFAULT;
	if (!control.num_ranges || !is_power_of_2(control.page_size))
		return -EINVAL;
	if (control.num_ranges > LOG_MAX_RANGES)
		return -E2BIG;

	nodes = kcalloc(control.num_ranges, sizeof(*nodes), GFP_KERNEL);
	if (!nodes)
		return -ENOMEM;
	ret = log_start(vdev, &control, nodes);
	kfree(nodes);
	if (ret)
		return ret;

	/* The driver may have chosen another page size */
	if (copy_to_user(data, &control, sizeof(control))) {
		vdev->log_ops->log_stop(vdev);
		return -EFAULT;
	}
	return 0;
}

int vfio_feature_log_stop(struct vfio_device *vdev, u32 flags,
			  void __user *data, size_t size)
{
	int ret;

	if (!vdev->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, size, VFIO_DEVICE_FEATURE_SET, 0);
	if (ret != 1)
		return ret;
	return vdev->log_ops->log_stop(vdev);
}

static int log_report_window(struct iova_bitmap *bitmap, unsigned long iova,
			     size_t length, void *opaque)
{
	struct vfio_device *vdev = opaque;

	return vdev->log_ops->log_read_and_clear(vdev, iova, length, bitmap);
}

int vfio_feature_log_report(struct vfio_device *vdev, u32 flags,
			    void __user *data, size_t size)
{
	struct vfio_device_feature_dma_logging_report report;
	struct iova_bitmap *bitmap;
	int ret;

	if (!vdev->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, size, VFIO_DEVICE_FEATURE_GET,
				 sizeof(report));
	if (ret != 1)
		return ret;

	if (copy_from_user(&report, data, sizeof(report)))
		return -EFAULT;
	if (report.page_size < SZ_4K || !is_power_of_2(report.page_size))
		return -EINVAL;
	ret = log_check_range(report.iova, report.length);
	if (ret)
		return ret;

	bitmap = iova_bitmap_alloc(report.iova, report.length, report.page_size,
				   u64_to_user_ptr(report.bitmap));
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	ret = iova_bitmap_for_each(bitmap, vdev, log_report_window);
	iova_bitmap_free(bitmap);
	return ret;
}
