// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices behind the mock IOMMU, each in a group of its own, bound to a file and
 * attached as long as they exist.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <compat.h>

#include "test.h"

/**
 * struct mock_device - A device
 * @dev: on the bus
 * @iommu: what the core looks at
 * @idev: bound to a file
 * @ictx: that file; not a reference
 */
struct mock_device {
	struct device dev;
	struct dev_iommu iommu;
	struct iommufd_device *idev;
	struct iommufd_ctx *ictx;
};

/* Guards devices and what is in them */
static DEFINE_MUTEX(devices_lock);
/* By ID, less MOCK_ID_FIRST */
static DEFINE_XARRAY_ALLOC(devices);

/* Not known to the core as an IOMMU's bus: it would want to probe the devices */
static struct bus_type mock_bus = {
	.name		= "iommufd_test",
	.iommu_ops	= &mock_iommu_ops,
};

int mock_devices_init(void)
{
	return bus_register(&mock_bus);
}

void mock_devices_exit(void)
{
	bus_unregister(&mock_bus);
	WARN_ON(!xa_empty(&devices));
}

static void device_release(struct device *dev)
{
	kfree(container_of(dev, struct mock_device, dev));
}

static int join_group(struct device *dev)
{
	struct iommu_group *group = iommu_group_alloc();
	int rc;

	if (IS_ERR(group))
		return PTR_ERR(group);
	rc = iommu_group_add_device(group, dev);
	iommu_group_put(group);
	return rc;
}

static struct mock_device *device_make(u32 index)
{
	struct mock_device *mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	int rc;

	if (!mock)
		return ERR_PTR(-ENOMEM);
	mutex_init(&mock->iommu.lock);
	mock->iommu.iommu_dev = &mock_iommu;
	device_initialize(&mock->dev);
	mock->dev.bus = &mock_bus;
	mock->dev.iommu = &mock->iommu;
	mock->dev.release = device_release;
	rc = dev_set_name(&mock->dev, "iommufd_test%u", index);
	if (rc)
		goto err_put;
	rc = device_add(&mock->dev);
	if (rc)
		goto err_put;
	rc = join_group(&mock->dev);
	if (rc)
		goto err_del;
	return mock;

err_del:
	device_del(&mock->dev);
err_put:
	put_device(&mock->dev);
	return ERR_PTR(rc);
}

static void device_unmake(struct mock_device *mock)
{
	iommu_group_remove_device(&mock->dev);
	device_unregister(&mock->dev);
}

/*
 * A driver's device keeps the file open until the driver is done with it. This one
 * goes with the file, so it gives that reference back.
 */
static int bind(struct mock_device *mock, struct iommufd_ctx *ictx, u32 *id)
{
	struct iommufd_device *idev;

	idev = iommufd_device_bind(ictx, &mock->dev, id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	mock->idev = idev;
	mock->ictx = ictx;
	iommufd_ctx_put(ictx);
	return 0;
}

static void unbind(struct mock_device *mock)
{
	iommufd_ctx_get(mock->ictx);
	iommufd_device_unbind(mock->idev);
}

static void device_destroy_locked(u32 index, struct mock_device *mock)
{
	lockdep_assert_held(&devices_lock);

	xa_erase(&devices, index);
	iommufd_device_detach(mock->idev, IOMMU_NO_PASID);
	unbind(mock);
	device_unmake(mock);
}

/**
 * mock_device_create - Make a device, bind and attach it
 * @ictx: the file
 * @cmd: mock_domain; its IDs are set
 */
int mock_device_create(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd)
{
	struct mock_device *mock;
	u32 pt_id = cmd->id;
	u32 index;
	int rc;

	if (cmd->mock_domain.dev_flags & ~MOCK_FLAGS_DEVICE_PASID)
		return -EOPNOTSUPP;

	mutex_lock(&devices_lock);
	rc = xa_alloc(&devices, &index, NULL, xa_limit_31b, GFP_KERNEL);
	if (rc)
		goto err_unlock;
	mock = device_make(index);
	if (IS_ERR(mock)) {
		rc = PTR_ERR(mock);
		goto err_erase;
	}
	rc = bind(mock, ictx, &cmd->mock_domain.out_idev_id);
	if (rc)
		goto err_unmake;
	rc = iommufd_device_attach(mock->idev, IOMMU_NO_PASID, &pt_id);
	if (rc)
		goto err_unbind;
	/* The slot is there since xa_alloc() */
	xa_store(&devices, index, mock, GFP_KERNEL);
	mutex_unlock(&devices_lock);
	cmd->mock_domain.out_stdev_id = MOCK_ID_FIRST + index;
	cmd->mock_domain.out_hwpt_id = pt_id;
	return 0;

err_unbind:
	unbind(mock);
err_unmake:
	device_unmake(mock);
err_erase:
	xa_erase(&devices, index);
err_unlock:
	mutex_unlock(&devices_lock);
	return rc;
}

static struct mock_device *device_find(struct iommufd_ctx *ictx, u32 id)
{
	struct mock_device *mock;

	lockdep_assert_held(&devices_lock);

	if (id < MOCK_ID_FIRST)
		return NULL;
	mock = xa_load(&devices, id - MOCK_ID_FIRST);
	return mock && mock->ictx == ictx ? mock : NULL;
}

/**
 * mock_device_replace - Attach a device elsewhere
 * @ictx: the file
 * @cmd: mock_domain_replace; its ID is set
 */
int mock_device_replace(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd)
{
	u32 pt_id = cmd->mock_domain_replace.pt_id;
	struct mock_device *mock;
	int rc = -ENOENT;

	mutex_lock(&devices_lock);
	mock = device_find(ictx, cmd->id);
	if (mock)
		rc = iommufd_device_replace(mock->idev, IOMMU_NO_PASID, &pt_id);
	mutex_unlock(&devices_lock);
	cmd->mock_domain_replace.pt_id = pt_id;
	return rc;
}

/**
 * mock_device_destroy - Detach and unbind a device, and destroy it
 * @ictx: the file
 * @id: the ID of the device
 */
int mock_device_destroy(struct iommufd_ctx *ictx, u32 id)
{
	struct mock_device *mock;

	mutex_lock(&devices_lock);
	mock = device_find(ictx, id);
	if (mock)
		device_destroy_locked(id - MOCK_ID_FIRST, mock);
	mutex_unlock(&devices_lock);
	return mock ? 0 : -ENOENT;
}

/**
 * mock_devices_release - Destroy the devices of a file
 * @ictx: the file, which is being released
 */
void mock_devices_release(struct iommufd_ctx *ictx)
{
	struct mock_device *mock;
	unsigned long index;

	/* The count of a file that is released must not reach zero once more */
	iommufd_ctx_get(ictx);
	mutex_lock(&devices_lock);
	xa_for_each(&devices, index, mock)
		if (mock->ictx == ictx)
			device_destroy_locked(index, mock);
	mutex_unlock(&devices_lock);
}
