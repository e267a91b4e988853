/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test build adds, see ../Kbuild.
 *
 * file.c: /dev/iommu with one ioctl more
 * mock_iommu.c: an IOMMU that records what it is told
 * mock_device.c: devices behind it
 * mock_access.c: accesses
 */
#ifndef __IOMMUFD_TEST_H
#define __IOMMUFD_TEST_H

#include "../object.h"
#include "iommufd_test.h"

struct device;
struct dev_iommu;
struct miscdevice;

/* IDs of mock devices, which no object of the file has */
#define MOCK_ID_FIRST BIT(31)

/* The linker puts these in the place of the functions, see ../Kbuild */
int __wrap_misc_register(struct miscdevice *misc);
int __real_misc_register(struct miscdevice *misc);
void __wrap_misc_deregister(struct miscdevice *misc);
void __real_misc_deregister(struct miscdevice *misc);

extern const struct iommu_ops mock_iommu_ops;
extern struct iommu_device mock_iommu;

int mock_check_map(struct iommufd_ctx *ictx, const struct iommu_test_cmd *cmd);
int mock_check_refs(const struct iommu_test_cmd *cmd);

int mock_devices_init(void);
void mock_devices_exit(void);
int mock_device_create(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd);
int mock_device_replace(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd);
int mock_device_destroy(struct iommufd_ctx *ictx, u32 id);
void mock_devices_release(struct iommufd_ctx *ictx);

int mock_access_create(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd,
		       void __user *user);
int mock_access_replace(const struct iommu_test_cmd *cmd);
int mock_access_pin(struct iommu_test_cmd *cmd, void __user *user);
int mock_access_unpin(const struct iommu_test_cmd *cmd);
int mock_access_rw(const struct iommu_test_cmd *cmd);

#endif
