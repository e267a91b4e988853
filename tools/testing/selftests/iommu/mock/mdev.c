// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices whose DMA the CPU does, with the habits of the drivers that there are: they
 * pin page by page, and hold a lock meanwhile that letting go of pins takes as well.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "iommufd_mock.h"
#include "mock.h"

#define NAME		"iommufd_mock_mdev"
#define NR_MDEVS	4
#define STALL_TIME	(20 * HZ)

/**
 * struct mock_mdev - A device
 * @vdev: to VFIO
 * @needs_kvm: does not open without a virtual machine
 * @stalls: the next call of dma_unmap does
 * @stalled: completed by it
 * @resume: it waits for that
 * @lock: guards the rest
 * @pages: what is pinned, by the index of the IOVA
 * @pinned: how many
 * @unmap_calls: calls of dma_unmap
 * @unmap_pages: pages in their ranges
 * @unmap_strays: those that were not pinned
 */
struct mock_mdev {
	struct vfio_device vdev;
	bool needs_kvm;
	bool stalls;
	struct completion stalled;
	struct completion resume;
	struct mutex lock; /* guards all below */
	struct xarray pages;
	u64 pinned;
	u64 unmap_calls;
	u64 unmap_pages;
	u64 unmap_strays;
};

static DEFINE_MUTEX(opens_lock); /* guards what follows */
static u32 opens, refused, closes, closes_with_kvm;
/* The machine that a device is open for; it must be valid all the time */
static struct kvm *opened_kvm;

static struct platform_device *mdevs[NR_MDEVS];

static struct mock_mdev *to_mdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct mock_mdev, vdev);
}

bool mock_mdev_kvm_is_unprepared(void)
{
	bool unprepared;

	mutex_lock(&opens_lock);
	unprepared = opened_kvm &&
		     !atomic_read(&opened_kvm->arch.noncoherent_dma_count);
	mutex_unlock(&opens_lock);
	return unprepared;
}

static int mdev_init(struct vfio_device *vdev)
{
	struct mock_mdev *mdev = to_mdev(vdev);

	init_completion(&mdev->stalled);
	init_completion(&mdev->resume);
	mutex_init(&mdev->lock);
	xa_init(&mdev->pages);
	return 0;
}

static void mdev_release(struct vfio_device *vdev)
{
	struct mock_mdev *mdev = to_mdev(vdev);

	xa_destroy(&mdev->pages);
	mutex_destroy(&mdev->lock);
	vfio_free_device(vdev);
}

static int mdev_open(struct vfio_device *vdev)
{
	struct mock_mdev *mdev = to_mdev(vdev);
	int ret = 0;

	mutex_lock(&opens_lock);
	if (mdev->needs_kvm && !vdev->kvm) {
		refused++;
		ret = -ESRCH;
	} else {
		opens++;
		if (vdev->kvm)
			opened_kvm = vdev->kvm;
	}
	mutex_unlock(&opens_lock);
	return ret;
}

static void let_go(struct mock_mdev *mdev, unsigned long first,
		   unsigned long last, bool told)
{
	struct page *page;
	unsigned long i;

	lockdep_assert_held(&mdev->lock);

	for (i = first; i <= last; i++) {
		page = xa_erase(&mdev->pages, i);
		mdev->unmap_pages += told;
		if (page) {
			mdev->pinned--;
			vfio_unpin_pages(&mdev->vdev, (dma_addr_t)i << PAGE_SHIFT,
					 1);
		} else {
			mdev->unmap_strays += told;
		}
	}
}

static void mdev_close(struct vfio_device *vdev)
{
	struct mock_mdev *mdev = to_mdev(vdev);
	unsigned long index;
	struct page *page;

	mutex_lock(&mdev->lock);
	xa_for_each(&mdev->pages, index, page)
		let_go(mdev, index, index, false);
	mdev->unmap_calls = 0;
	mdev->unmap_pages = 0;
	mdev->unmap_strays = 0;
	mutex_unlock(&mdev->lock);
	mock_migration_close(vdev);

	mutex_lock(&opens_lock);
	closes++;
	/* Drivers use it up to here, without a reference of their own */
	if (vdev->kvm && refcount_read(&vdev->kvm->users_count))
		closes_with_kvm++;
	if (vdev->kvm == opened_kvm)
		opened_kvm = NULL;
	mutex_unlock(&opens_lock);
}

static void mdev_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct mock_mdev *mdev = to_mdev(vdev);

	if (xchg(&mdev->stalls, false)) {
		complete(&mdev->stalled);
		wait_for_completion_timeout(&mdev->resume, STALL_TIME);
	}
	mutex_lock(&mdev->lock);
	mdev->unmap_calls++;
	let_go(mdev, iova >> PAGE_SHIFT, (iova + length - 1) >> PAGE_SHIFT,
	       true);
	mutex_unlock(&mdev->lock);
}

static int pin_pages(struct mock_mdev *mdev, u64 iova, u32 npage, int prot,
		     struct page **pages)
{
	unsigned long index = iova >> PAGE_SHIFT;
	int ret, i;

	lockdep_assert_held(&mdev->lock);

	/* It is for vfio.ko to refuse too many */
	for (i = 0; i < npage; i++)
		if (xa_load(&mdev->pages, index + i))
			return -EEXIST;
	ret = vfio_pin_pages(&mdev->vdev, iova, npage, prot, pages);
	if (ret <= 0)
		return ret;
	for (i = 0; i < ret; i++) {
		if (xa_err(xa_store(&mdev->pages, index + i, pages[i],
				    GFP_KERNEL))) {
			while (i--)
				xa_erase(&mdev->pages, index + i);
			vfio_unpin_pages(&mdev->vdev, iova, ret);
			return -ENOMEM;
		}
	}
	mdev->pinned += ret;
	return ret;
}

static long mdev_pin(struct mock_mdev *mdev, const struct mock_pages *arg)
{
	int prot = IOMMU_READ | (arg->flags & MOCK_WRITE ? IOMMU_WRITE : 0);
	u64 iova = arg->iova;
	struct page **pages;
	long ret = 0;
	u32 done;

	if (arg->npage > 2 * VFIO_PIN_PAGES_MAX_ENTRIES)
		return -EINVAL;
	pages = kvcalloc(max(arg->npage, 1U), sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;

	if (arg->flags & MOCK_AT_ONCE) {
		mutex_lock(&mdev->lock);
		ret = pin_pages(mdev, iova, arg->npage, prot, pages);
		mutex_unlock(&mdev->lock);
		goto out_free;
	}
	for (done = 0; done < arg->npage; done++) {
		mutex_lock(&mdev->lock);
		ret = pin_pages(mdev, iova + (u64)done * PAGE_SIZE, 1, prot,
				pages);
		mutex_unlock(&mdev->lock);
		if (ret < 0)
			goto out_free;
	}
	ret = done;
out_free:
	kvfree(pages);
	return ret;
}

static long mdev_unpin(struct mock_mdev *mdev, const struct mock_pages *arg)
{
	unsigned long index = arg->iova >> PAGE_SHIFT;
	u32 i;

	mutex_lock(&mdev->lock);
	for (i = 0; i < arg->npage; i++) {
		if (!xa_load(&mdev->pages, index + i)) {
			mutex_unlock(&mdev->lock);
			return -ENOENT;
		}
	}
	for (i = 0; i < arg->npage; i++)
		xa_erase(&mdev->pages, index + i);
	mdev->pinned -= arg->npage;
	vfio_unpin_pages(&mdev->vdev, arg->iova, arg->npage);
	mutex_unlock(&mdev->lock);
	return 0;
}

struct rw_work {
	struct work_struct work;
	struct mock_mdev *mdev;
	const struct mock_copy *arg;
	void *data;
	int ret;
};

static void rw(struct rw_work *rw)
{
	rw->ret = vfio_dma_rw(&rw->mdev->vdev, rw->arg->iova, rw->data,
			      rw->arg->length, rw->arg->flags & MOCK_WRITE);
	if (!rw->ret && rw->arg->flags & MOCK_WRITE)
		mock_migration_wrote(&rw->mdev->vdev, rw->arg->iova,
				     rw->arg->length);
}

static void rw_in_kthread(struct work_struct *work)
{
	rw(container_of(work, struct rw_work, work));
}

static long mdev_rw(struct mock_mdev *mdev, const struct mock_copy *arg)
{
	struct rw_work work = { .mdev = mdev, .arg = arg };

	if (arg->length > SZ_1M)
		return -EINVAL;
	work.data = kvzalloc(max(arg->length, 1U), GFP_KERNEL);
	if (!work.data)
		return -ENOMEM;
	if (arg->flags & MOCK_WRITE &&
	    copy_from_user(work.data, u64_to_user_ptr(arg->data), arg->length)) {
		work.ret = -EFAULT;
		goto out_free;
	}
	if (arg->flags & MOCK_KTHREAD) {
		INIT_WORK_ONSTACK(&work.work, rw_in_kthread);
		schedule_work(&work.work);
		flush_work(&work.work);
		destroy_work_on_stack(&work.work);
	} else {
		rw(&work);
	}
	if (!work.ret && !(arg->flags & MOCK_WRITE) &&
	    copy_to_user(u64_to_user_ptr(arg->data), work.data, arg->length))
		work.ret = -EFAULT;
out_free:
	kvfree(work.data);
	return work.ret;
}

static long mdev_touch(struct mock_mdev *mdev, const struct mock_copy *arg)
{
	size_t offset = offset_in_page(arg->iova);
	struct page *page;
	void *buffer;
	long ret = 0;

	if (!arg->length || arg->length > PAGE_SIZE - offset)
		return -EINVAL;
	buffer = memdup_user(u64_to_user_ptr(arg->data), arg->length);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);

	mutex_lock(&mdev->lock);
	page = xa_load(&mdev->pages, arg->iova >> PAGE_SHIFT);
	if (!page)
		ret = -ENOENT;
	else if (arg->flags & MOCK_WRITE)
		memcpy_to_page(page, offset, buffer, arg->length);
	else
		memcpy_from_page(buffer, page, offset, arg->length);
	mutex_unlock(&mdev->lock);

	if (!ret && !(arg->flags & MOCK_WRITE) &&
	    copy_to_user(u64_to_user_ptr(arg->data), buffer, arg->length))
		ret = -EFAULT;
	kfree(buffer);
	return ret;
}

static long mdev_stall(struct mock_mdev *mdev, unsigned int cmd)
{
	switch (cmd) {
	case MOCK_STALL:
		reinit_completion(&mdev->stalled);
		reinit_completion(&mdev->resume);
		xchg(&mdev->stalls, true);
		return 0;
	case MOCK_STALLED:
		return wait_for_completion_timeout(&mdev->stalled, STALL_TIME) ?
			0 : -ETIME;
	default:
		complete(&mdev->resume);
		return 0;
	}
}

static long mdev_state(struct mock_mdev *mdev, void __user *uarg)
{
	struct kvm *kvm = mdev->vdev.kvm;
	struct mock_state state = {};

	mutex_lock(&mdev->lock);
	state.pinned = mdev->pinned;
	state.unmap_calls = mdev->unmap_calls;
	state.unmap_pages = mdev->unmap_pages;
	state.unmap_strays = mdev->unmap_strays;
	mutex_unlock(&mdev->lock);
	if (kvm) {
		state.kvm = 1;
		state.noncoherent =
			atomic_read(&kvm->arch.noncoherent_dma_count);
	}
	return copy_to_user(uarg, &state, sizeof(state)) ? -EFAULT : 0;
}

static long mdev_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long uarg)
{
	struct mock_mdev *mdev = to_mdev(vdev);
	void __user *user = (void __user *)uarg;
	union {
		struct mock_pages pages;
		struct mock_copy copy;
	} arg;

	switch (cmd) {
	case MOCK_STATE:
		return mdev_state(mdev, user);
	case MOCK_STALL:
	case MOCK_STALLED:
	case MOCK_RESUME:
		return mdev_stall(mdev, cmd);
	}
	if (_IOC_TYPE(cmd) != MOCK_TYPE || _IOC_SIZE(cmd) > sizeof(arg))
		return -ENOTTY;
	if (copy_from_user(&arg, user, _IOC_SIZE(cmd)))
		return -EFAULT;
	switch (cmd) {
	case MOCK_PIN:
		return mdev_pin(mdev, &arg.pages);
	case MOCK_UNPIN:
		return mdev_unpin(mdev, &arg.pages);
	case MOCK_RW:
		return mdev_rw(mdev, &arg.copy);
	case MOCK_TOUCH:
		return mdev_touch(mdev, &arg.copy);
	default:
		return -ENOTTY;
	}
}

static const struct vfio_device_ops mdev_ops = {
	.name		= NAME,
	.init		= mdev_init,
	.release	= mdev_release,
	.open_device	= mdev_open,
	.close_device	= mdev_close,
	.dma_unmap	= mdev_dma_unmap,
	.ioctl		= mdev_ioctl,
};

static int mdev_probe(struct platform_device *pdev)
{
	struct mock_mdev *mdev;
	int ret;

	mdev = vfio_alloc_device(mock_mdev, vdev, &pdev->dev, &mdev_ops);
	if (IS_ERR(mdev))
		return PTR_ERR(mdev);
	mdev->needs_kvm = pdev->id % 2 == 0;
	if (pdev->id == NR_MDEVS - 1)
		mock_migration_init(&mdev->vdev);
	ret = vfio_register_emulated_iommu_dev(&mdev->vdev);
	if (ret)
		vfio_put_device(&mdev->vdev);
	else
		platform_set_drvdata(pdev, mdev);
	return ret;
}

static int mdev_remove(struct platform_device *pdev)
{
	struct mock_mdev *mdev = platform_get_drvdata(pdev);

	vfio_unregister_group_dev(&mdev->vdev);
	vfio_put_device(&mdev->vdev);
	return 0;
}

static struct platform_driver mdev_driver = {
	.driver.name	= NAME,
	.probe		= mdev_probe,
	.remove		= mdev_remove,
};

static int opens_show(struct seq_file *seq, void *unused)
{
	mutex_lock(&opens_lock);
	seq_printf(seq, "opens %u refused %u closes %u with-kvm %u\n", opens,
		   refused, closes, closes_with_kvm);
	mutex_unlock(&opens_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(opens);

int mock_mdev_init(struct dentry *dir)
{
	int ret, i;

	ret = platform_driver_register(&mdev_driver);
	if (ret)
		return ret;
	for (i = 0; i < NR_MDEVS; i++) {
		mdevs[i] = platform_device_register_simple(NAME, i, NULL, 0);
		if (IS_ERR(mdevs[i])) {
			ret = PTR_ERR(mdevs[i]);
			goto err_unregister;
		}
	}
	debugfs_create_file("opens", 0400, dir, NULL, &opens_fops);
	return 0;

err_unregister:
	while (i--)
		platform_device_unregister(mdevs[i]);
	platform_driver_unregister(&mdev_driver);
	return ret;
}

void mock_mdev_exit(void)
{
	int i;

	for (i = 0; i < NR_MDEVS; i++)
		platform_device_unregister(mdevs[i]);
	platform_driver_unregister(&mdev_driver);
}
