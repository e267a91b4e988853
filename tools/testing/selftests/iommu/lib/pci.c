// SPDX-License-Identifier: GPL-2.0-only
#include "pci.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

#define SYSFS_PCI	"/sys/bus/pci"

static unsigned long read_hex(const char *name, const char *attribute)
{
	unsigned long value;
	char path[256];

	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s/%s", name,
		 attribute);
	return sysfs_scan(path, "%lx", &value) == 1 ? value : 0;
}

static int device_link(const char *name, const char *link, char *last,
		       size_t size)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s/%s", name, link);
	return sysfs_link(path, last, size);
}

int pci_find(unsigned int vendor, unsigned int device, int nth,
	     char name[PCI_NAME_LEN])
{
	struct dirent **entries;
	int count, i, rc = -ENODEV;

	count = scandir(SYSFS_PCI "/devices", &entries, NULL, alphasort);
	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		const char *entry = entries[i]->d_name;

		if (rc && read_hex(entry, "vendor") == vendor &&
		    read_hex(entry, "device") == device && nth-- == 0) {
			snprintf(name, PCI_NAME_LEN, "%.15s", entry);
			rc = 0;
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int pci_unbind_driver(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s/driver_override",
		 name);
	sysfs_write(path, "\n");
	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s/driver/unbind",
		 name);
	return sysfs_write(path, name);
}

int pci_bind_driver(const char *name, const char *driver)
{
	char path[256], now[64];
	int rc;

	if (!device_link(name, "driver", now, sizeof(now))) {
		if (!strcmp(now, driver))
			return 0;
		rc = pci_unbind_driver(name);
		if (rc)
			return rc;
	}
	snprintf(path, sizeof(path), SYSFS_PCI "/drivers/%s", driver);
	if (access(path, F_OK)) {
		char command[128];

		snprintf(command, sizeof(command), "modprobe %s", driver);
		if (system(command))
			return -ENOENT;
	}
	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s/driver_override",
		 name);
	rc = sysfs_write(path, driver);
	if (!rc)
		rc = sysfs_write(SYSFS_PCI "/drivers_probe", name);
	if (!rc)
		rc = device_link(name, "driver", now, sizeof(now));
	return rc ? rc : strcmp(now, driver) ? -EBUSY : 0;
}

int pci_remove(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s/remove", name);
	return sysfs_write(path, "1");
}

int pci_rescan(void)
{
	return sysfs_write(SYSFS_PCI "/rescan", "1");
}

int pci_group(const char *name)
{
	char number[16];
	int rc = device_link(name, "iommu_group", number, sizeof(number));

	return rc ? rc : atoi(number);
}

int pci_open_device_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s", name);
	return sysfs_open_device_file(path);
}

int pci_open_group(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS_PCI "/devices/%s", name);
	return sysfs_open_group(path);
}
