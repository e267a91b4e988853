/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI devices in sysfs. All return -errno. */
#ifndef LIB_PCI_H
#define LIB_PCI_H

#define PCI_NAME_LEN	16

/* The @nth (from 0) device with these numbers; -ENODEV when there is none. */
int pci_find(unsigned int vendor, unsigned int device, int nth,
	     char name[PCI_NAME_LEN]);
/* Makes @driver drive the device, loading its module if need be. */
int pci_bind_driver(const char *name, const char *driver);
/* Takes the device from its driver, and undoes pci_bind_driver(). */
int pci_unbind_driver(const char *name);
/* Takes the device out of the machine, waiting for its driver; finds what is there again. */
int pci_remove(const char *name);
int pci_rescan(void);
/* Number of the IOMMU group. */
int pci_group(const char *name);
/* Opens /dev/vfio/devices/vfioN. */
int pci_open_device_file(const char *name);
/* Opens /dev/vfio/N. */
int pci_open_group(const char *name);

#endif
