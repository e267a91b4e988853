// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/module.h>

#include "mock.h"

static struct dentry *dir;

static int __init mock_init(void)
{
	int ret;

	dir = debugfs_create_dir("iommufd_mock", NULL);
	ret = mock_iommu_init(dir);
	if (ret)
		goto err_dir;
	ret = mock_mdev_init(dir);
	if (ret)
		goto err_iommu;
	mock_pci_tables_init(dir);
	return 0;

err_iommu:
	mock_iommu_exit();
err_dir:
	debugfs_remove(dir);
	return ret;
}

static void __exit mock_exit(void)
{
	debugfs_remove(dir);
	mock_mdev_exit();
	mock_iommu_exit();
}

module_init(mock_init);
module_exit(mock_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Devices and an IOMMU without hardware, for tests of /dev/iommu");
