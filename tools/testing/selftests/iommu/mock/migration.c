// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device that can be migrated does: it changes its state a step at a time,
 * hands its own state over by a file, and notes which pages it has written to. Its own
 * state is the list of the steps that it has taken, a byte for each.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "mock.h"

#define MAX_STEPS	64
#define MAX_RANGES	4

/**
 * struct mock_migration - The only device that can be migrated
 * @lock: guards the rest
 * @state: that it is in
 * @steps: what @state was changed to, oldest first
 * @nr_steps: how many
 * @logging: pages written to are noted
 * @ranges: those in which they are
 * @nr_ranges: how many
 * @written: the pages, by their number
 */
static struct mock_migration {
	struct mutex lock; /* guards all below */
	enum vfio_device_mig_state state;
	u8 steps[MAX_STEPS];
	size_t nr_steps;
	bool logging;
	struct {
		unsigned long first;
		unsigned long last;
	} ranges[MAX_RANGES];
	unsigned int nr_ranges;
	struct xarray written;
} migration = {
	.lock = __MUTEX_INITIALIZER(migration.lock),
	.state = VFIO_DEVICE_STATE_RUNNING,
	.written = XARRAY_INIT(migration.written, 0),
};

static ssize_t stream_read(struct file *file, char __user *buffer, size_t size,
			   loff_t *at)
{
	ssize_t ret;

	mutex_lock(&migration.lock);
	if (migration.state == VFIO_DEVICE_STATE_STOP_COPY)
		ret = simple_read_from_buffer(buffer, size, at, migration.steps,
					      migration.nr_steps);
	else
		ret = -ENODEV;
	mutex_unlock(&migration.lock);
	return ret;
}

static ssize_t stream_write(struct file *file, const char __user *buffer,
			    size_t size, loff_t *at)
{
	ssize_t ret;

	mutex_lock(&migration.lock);
	if (migration.state == VFIO_DEVICE_STATE_RESUMING) {
		ret = simple_write_to_buffer(migration.steps, MAX_STEPS, at,
					     buffer, size);
		if (ret > 0)
			migration.nr_steps = *at;
	} else {
		ret = -ENODEV;
	}
	mutex_unlock(&migration.lock);
	return ret;
}

static const struct file_operations stream_out = {
	.owner	= THIS_MODULE,
	.read	= stream_read,
	.llseek	= no_llseek,
};

static const struct file_operations stream_in = {
	.owner	= THIS_MODULE,
	.write	= stream_write,
	.llseek	= no_llseek,
};

static struct file *open_stream(const struct file_operations *ops, int flags)
{
	return anon_inode_getfile("[iommufd_mock-migration]", ops, NULL, flags);
}

static struct file *take_step(enum vfio_device_mig_state next)
{
	struct file *stream = NULL;

	lockdep_assert_held(&migration.lock);

	if (migration.nr_steps == MAX_STEPS) {
		migration.state = VFIO_DEVICE_STATE_ERROR;
		return ERR_PTR(-EIO);
	}
	if (next == VFIO_DEVICE_STATE_STOP_COPY)
		stream = open_stream(&stream_out, O_RDONLY);
	else if (next == VFIO_DEVICE_STATE_RESUMING)
		stream = open_stream(&stream_in, O_WRONLY);
	if (!IS_ERR(stream)) {
		migration.state = next;
		migration.steps[migration.nr_steps++] = next;
	}
	return stream;
}

static struct file *set_state(struct vfio_device *vdev,
			      enum vfio_device_mig_state wanted)
{
	enum vfio_device_mig_state next;
	struct file *stream = NULL;
	int ret;

	mutex_lock(&migration.lock);
	while (migration.state != wanted) {
		ret = vfio_mig_get_next_state(vdev, migration.state, wanted,
					      &next);
		stream = ret ? ERR_PTR(ret) : take_step(next);
		if (IS_ERR(stream))
			break;
		if (stream && next != wanted) {
			/* It is nobody's: a device would not do so */
			WARN_ON(1);
			fput(stream);
			stream = NULL;
		}
	}
	mutex_unlock(&migration.lock);
	return stream;
}

static int get_state(struct vfio_device *vdev,
		     enum vfio_device_mig_state *state)
{
	mutex_lock(&migration.lock);
	*state = migration.state;
	mutex_unlock(&migration.lock);
	return 0;
}

static const struct vfio_migration_ops migration_ops = {
	.migration_set_state	= set_state,
	.migration_get_state	= get_state,
};

static int log_start(struct vfio_device *vdev, struct rb_root_cached *ranges,
		     u32 nnodes, u64 *page_size)
{
	struct interval_tree_node *node;
	int ret = 0;

	if (nnodes > MAX_RANGES)
		return -EOPNOTSUPP;
	mutex_lock(&migration.lock);
	if (migration.logging) {
		ret = -EALREADY;
		goto out_unlock;
	}
	migration.logging = true;
	migration.nr_ranges = 0;
	for (node = interval_tree_iter_first(ranges, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		migration.ranges[migration.nr_ranges].first = node->start;
		migration.ranges[migration.nr_ranges++].last = node->last;
	}
	WARN_ON(migration.nr_ranges != nnodes);
	*page_size = PAGE_SIZE;
out_unlock:
	mutex_unlock(&migration.lock);
	return ret;
}

static int log_stop(struct vfio_device *vdev)
{
	mutex_lock(&migration.lock);
	migration.logging = false;
	xa_destroy(&migration.written);
	mutex_unlock(&migration.lock);
	return 0;
}

static int log_read_and_clear(struct vfio_device *vdev, unsigned long iova,
			      unsigned long length, struct iova_bitmap *dirty)
{
	unsigned long index;
	void *entry;
	int ret = 0;

	mutex_lock(&migration.lock);
	if (!migration.logging)
		ret = -EINVAL;
	else
		xa_for_each_range(&migration.written, index, entry,
				  iova >> PAGE_SHIFT,
				  (iova + length - 1) >> PAGE_SHIFT) {
			iova_bitmap_set(dirty, index << PAGE_SHIFT, PAGE_SIZE);
			xa_erase(&migration.written, index);
		}
	mutex_unlock(&migration.lock);
	return ret;
}

static const struct vfio_log_ops log_ops = {
	.log_start		= log_start,
	.log_stop		= log_stop,
	.log_read_and_clear	= log_read_and_clear,
};

void mock_migration_wrote(struct vfio_device *vdev, u64 iova, u32 length)
{
	unsigned long index, last;
	unsigned int i;

	if (vdev->log_ops != &log_ops || !length)
		return;
	last = (iova + length - 1) >> PAGE_SHIFT;
	mutex_lock(&migration.lock);
	for (index = iova >> PAGE_SHIFT; migration.logging && index <= last;
	     index++)
		for (i = 0; i < migration.nr_ranges; i++)
			if (index >= migration.ranges[i].first >> PAGE_SHIFT &&
			    index <= migration.ranges[i].last >> PAGE_SHIFT)
				WARN_ON(xa_err(xa_store(&migration.written,
							index, xa_mk_value(1),
							GFP_KERNEL)));
	mutex_unlock(&migration.lock);
}

void mock_migration_init(struct vfio_device *vdev)
{
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P;
	vdev->mig_ops = &migration_ops;
	vdev->log_ops = &log_ops;
}

/* As a reset would */
void mock_migration_close(struct vfio_device *vdev)
{
	if (vdev->mig_ops != &migration_ops)
		return;
	log_stop(vdev);
	mutex_lock(&migration.lock);
	migration.state = VFIO_DEVICE_STATE_RUNNING;
	migration.nr_steps = 0;
	mutex_unlock(&migration.lock);
}
