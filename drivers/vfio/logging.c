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
		return refuse(-EINVAL, "the range from 0x%llx has no bytes",
			      iova);
	if (check_add_overflow(iova, length, &end) || end > ULONG_MAX)
		return refuse(-EOVERFLOW,
			      "the range from 0x%llx, of 0x%llx bytes, goes beyond the last IOVA",
			      iova, length);
	return 0;
}

static int log_add_range(struct rb_root_cached *root,
			 struct interval_tree_node *node,
			 const struct vfio_device_feature_dma_logging_range *range,
			 u64 page_size)
{
	struct interval_tree_node *other;
	int ret;

	if (!IS_ALIGNED(range->iova | range->length, page_size))
		return refuse(-EINVAL,
			      "the range from 0x%llx, of 0x%llx bytes, is not aligned to 0x%llx",
			      range->iova, range->length, page_size);
	ret = log_check_range(range->iova, range->length);
	if (ret)
		return ret;

	node->start = range->iova;
	node->last = range->iova + range->length - 1;
	other = interval_tree_iter_first(root, node->start, node->last);
	if (other)
		return refuse(-EINVAL,
			      "the range from 0x%lx to 0x%lx overlaps the one from 0x%lx to 0x%lx",
			      node->start, node->last, other->start,
			      other->last);
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
	u64 page_size = control->page_size;
	u32 i;
	int ret;

	for (i = 0; i < control->num_ranges; i++) {
		if (copy_from_user(&range, &ranges[i], sizeof(range)))
			return refuse(-EFAULT, "range %u of %u cannot be read",
				      i + 1, control->num_ranges);
		ret = log_add_range(&root, &nodes[i], &range, page_size);
		if (ret)
			return ret;
	}
	ret = vdev->log_ops->log_start(vdev, &root, control->num_ranges,
				       &control->page_size);
	if (ret)
		return refuse(ret,
			      "the driver %s does not begin to log %u ranges by pages of 0x%llx bytes",
			      dev_driver_string(vdev->dev), control->num_ranges,
			      page_size);
	return 0;
}

int vfio_feature_log_start(struct vfio_device *vdev, u32 ops,
			   void __user *data)
{
	struct vfio_device_feature_dma_logging_control control;
	struct interval_tree_node *nodes;
	int ret;

	if (copy_from_user(&control, data, sizeof(control)))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (!control.num_ranges)
		return refuse(-EINVAL, "no ranges are given");
	if (!is_power_of_2(control.page_size))
		return refuse(-EINVAL, "the page size 0x%llx is not a power of 2",
			      control.page_size);
	if (control.num_ranges > LOG_MAX_RANGES)
		return refuse(-E2BIG, "there are %u ranges, and %lu can be",
			      control.num_ranges, LOG_MAX_RANGES);

	nodes = kcalloc(control.num_ranges, sizeof(*nodes), GFP_KERNEL);
	if (!nodes)
		return refuse(-ENOMEM, NO_MEMORY_FOR "%u ranges",
			      control.num_ranges);
	ret = log_start(vdev, &control, nodes);
	kfree(nodes);
	if (ret)
		return ret;

	/* The driver may have chosen another page size */
	if (copy_to_user(data, &control, sizeof(control))) {
		vdev->log_ops->log_stop(vdev);
		return refuse(-EFAULT, NO_ANSWER);
	}
	return 0;
}

int vfio_feature_log_stop(struct vfio_device *vdev, u32 ops,
			  void __user *data)
{
	int ret = vdev->log_ops->log_stop(vdev);

	if (ret)
		return refuse(ret, "the driver %s cannot end its log",
			      dev_driver_string(vdev->dev));
	return 0;
}

static int log_report_window(struct iova_bitmap *bitmap, unsigned long iova,
			     size_t length, void *opaque)
{
	struct vfio_device *vdev = opaque;
	int ret;

	ret = vdev->log_ops->log_read_and_clear(vdev, iova, length, bitmap);
	if (ret)
		return refuse(ret,
			      "the driver %s does not report what was written from 0x%lx to 0x%lx",
			      dev_driver_string(vdev->dev), iova,
			      iova + length - 1);
	return 0;
}

int vfio_feature_log_report(struct vfio_device *vdev, u32 ops,
			    void __user *data)
{
	struct vfio_device_feature_dma_logging_report report;
	struct iova_bitmap *bitmap;
	int ret;

	if (copy_from_user(&report, data, sizeof(report)))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (report.page_size < SZ_4K || !is_power_of_2(report.page_size))
		return refuse(-EINVAL, "the page size 0x%llx is not a power of 2 from 0x%x on",
			      report.page_size, SZ_4K);
	ret = log_check_range(report.iova, report.length);
	if (ret)
		return ret;

	bitmap = iova_bitmap_alloc(report.iova, report.length, report.page_size,
				   u64_to_user_ptr(report.bitmap));
	if (IS_ERR(bitmap))
		return refuse(PTR_ERR(bitmap), NO_MEMORY_FOR "a bitmap");
	ret = iova_bitmap_for_each(bitmap, vdev, log_report_window);
	iova_bitmap_free(bitmap);
	return ret;
}
