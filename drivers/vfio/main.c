// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "vfio.h"

static int __init vfio_init(void)
{
	int ret;

	ret = vfio_group_init();
	if (ret)
		return ret;
	ret = vfio_device_init();
	if (ret) {
		vfio_group_exit();
		return ret;
	}
	vfio_bar_init();
	return 0;
}

static void __exit vfio_exit(void)
{
	vfio_bar_exit();
	vfio_device_exit();
	vfio_group_exit();
}

module_init(vfio_init);
module_exit(vfio_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO core: device files and groups on /dev/iommu");
/* Above the 0.3 of the stock module: DKMS does not replace one by an older one */
MODULE_VERSION("0.4");
/* The node of iommufd.ko that users of groups open; loading this loads it */
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
