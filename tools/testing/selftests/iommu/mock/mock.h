/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A module for tests: devices and an IOMMU without hardware behind them.
 *
 * mdev.c: devices whose DMA the CPU does; the even ones need a virtual machine
 * migration.c: what makes the last of them one that can be migrated
 * iommu.c: an IOMMU that records what it is told, and devices behind it; the even
 *	ones can snoop
 * pci_tables.c: what is in the page tables of Intel's IOMMU
 */
#ifndef MOCK_H
#define MOCK_H

#include <linux/types.h>

struct dentry;
struct kvm;
struct vfio_device;

int mock_mdev_init(struct dentry *dir);
void mock_mdev_exit(void);
/*
 * Is there a virtual machine that an open device was opened for, and is it not
 * prepared for DMA that is not coherent?
 */
bool mock_mdev_kvm_is_unprepared(void);

void mock_migration_init(struct vfio_device *vdev);
/* It has written to memory. */
void mock_migration_wrote(struct vfio_device *vdev, u64 iova, u32 length);
void mock_migration_close(struct vfio_device *vdev);

int mock_iommu_init(struct dentry *dir);
void mock_iommu_exit(void);

void mock_pci_tables_init(struct dentry *dir);

#endif
