// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pci/pci.h>

#include "device.h"
#include "process.h"
#include "sysfs.h"

#define PCI "/sys/bus/pci/devices/"

/* Bit 7 of VT-d's Extended Capability Register: Snoop Control */
#define VTD_ECAP_SC (1ULL << 7)

/* libpci complains through these, about its configuration access for one */
static void no_message(char *msg, ...)
{
}

static __attribute__((noreturn)) void fatal(char *msg, ...)
{
	errx(2, "cannot read the PCI devices: %s", msg);
}

static enum coherent coherent_of(const char *iommu)
{
	unsigned long long ecap;

	if (!iommu)
		return COHERENT_UNKNOWN;
	/* AMD's forces snooping on any DMA that it translates */
	if (!strncmp(iommu, "ivhd", 4))
		return COHERENT_YES;
	if (strncmp(iommu, "dmar", 4))
		return COHERENT_UNKNOWN;
	if (!sysfs_exists("/sys/class/iommu/%s/intel-iommu/ecap", iommu))
		return COHERENT_UNKNOWN;
	ecap = sysfs_number(0, 16, "/sys/class/iommu/%s/intel-iommu/ecap",
			    iommu);
	return ecap & VTD_ECAP_SC ? COHERENT_YES : COHERENT_NO;
}

static char *node_of(const char *name)
{
	struct names names = sysfs_list(PCI "%s/vfio-dev", name);
	char *node = names.nr ? text("%s", names.list[0]) : NULL;

	names_free(&names);
	return node;
}

static char *override_of(const char *name)
{
	char *override = sysfs_read(PCI "%s/driver_override", name);

	if (override && (!*override || !strcmp(override, "(null)"))) {
		free(override);
		override = NULL;
	}
	return override;
}

static int group_of(const char *name)
{
	char *group = sysfs_link(PCI "%s/iommu_group", name);
	int number = group ? atoi(group) : -1;

	free(group);
	return number;
}

static void fill(struct device *device, struct pci_access *access,
		 struct pci_dev *pci)
{
	char name[256];

	pci_fill_info(pci, PCI_FILL_IDENT | PCI_FILL_CLASS);
	device->name = text("%04x:%02x:%02x.%d", pci->domain, pci->bus,
			    pci->dev, pci->func);
	device->vendor = pci->vendor_id;
	device->device = pci->device_id;
	device->class = pci->device_class;
	device->class_name = text("%s", pci_lookup_name(access, name,
							sizeof(name),
							PCI_LOOKUP_CLASS,
							pci->device_class));
	device->title = text("%s", pci_lookup_name(access, name, sizeof(name),
						   PCI_LOOKUP_VENDOR |
						   PCI_LOOKUP_DEVICE,
						   pci->vendor_id,
						   pci->device_id));
	device->driver = sysfs_link(PCI "%s/driver", device->name);
	device->override = override_of(device->name);
	device->group = group_of(device->name);
	device->iommu = sysfs_link(PCI "%s/iommu", device->name);
	device->node = node_of(device->name);
	device->coherent = coherent_of(device->iommu);
}

static int by_group(const void *left, const void *right)
{
	const struct device *a = left, *b = right;

	/* Those without a group come last */
	if (a->group != b->group)
		return (unsigned int)a->group < (unsigned int)b->group ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Does an open file at @target keep the device in somebody's hands? */
static bool is_file_of(const struct device *device, const char *target)
{
	char *end;

	if (device->node && !strncmp(target, "/dev/vfio/devices/", 18))
		return !strcmp(target + 18, device->node);
	if (!strncmp(target, "/dev/vfio/", 10) && isdigit(target[10]))
		return strtol(target + 10, &end, 10) == device->group && !*end;
	return false;
}

static void find_holder(void *context, pid_t pid, int fd, const char *target)
{
	struct devices *devices = context;
	struct device *device;
	char *who;

	for (device = devices->list; device < devices->list + devices->nr;
	     device++) {
		if (!is_file_of(device, target))
			continue;
		who = process_name(pid);
		if (!device->holders || !strstr(device->holders, who))
			text_add(&device->holders, ", ", who);
		free(who);
	}
}

struct devices devices_scan(void)
{
	struct pci_access *access = pci_alloc();
	char *path = sysfs_path("/sys/bus/pci");
	struct devices devices = { 0 };
	struct pci_dev *pci;

	access->method = PCI_ACCESS_SYS_BUS_PCI;
	access->error = fatal;
	access->warning = no_message;
	access->debug = no_message;
	if (pci_set_param(access, "sysfs.path", path))
		errx(2, "libpci does not read sysfs");
	/* Without the bus there are no devices, which is no error here */
	if (sysfs_exists("/sys/bus/pci/devices")) {
		pci_init(access);
		pci_scan_bus(access);
		for (pci = access->devices; pci; pci = pci->next) {
			devices.list = grow(devices.list, devices.nr,
					    sizeof(*devices.list));
			fill(&devices.list[devices.nr++], access, pci);
		}
	}
	pci_cleanup(access);
	free(path);

	if (devices.nr)
		qsort(devices.list, devices.nr, sizeof(*devices.list), by_group);
	process_files(find_holder, &devices);
	return devices;
}

void devices_free(struct devices *devices)
{
	while (devices->nr) {
		struct device *device = &devices->list[--devices->nr];

		free(device->name);
		free(device->class_name);
		free(device->title);
		free(device->driver);
		free(device->override);
		free(device->iommu);
		free(device->node);
		free(device->holders);
	}
	free(devices->list);
	devices->list = NULL;
}

char *device_name(const char *name)
{
	unsigned int domain = 0, bus, slot, func;
	int used = 0;

	if (sscanf(name, "%x:%x:%x.%x%n", &domain, &bus, &slot, &func, &used) != 4 ||
	    name[used]) {
		domain = 0;
		used = 0;
		if (sscanf(name, "%x:%x.%x%n", &bus, &slot, &func, &used) != 3 ||
		    name[used])
			errx(2, "%s: not a PCI address such as 0000:01:00.0",
			     name);
	}
	return text("%04x:%02x:%02x.%x", domain, bus, slot, func);
}

struct device *devices_find(struct devices *devices, const char *name)
{
	char *full = device_name(name);
	struct device *found = NULL;
	size_t i;

	for (i = 0; i < devices->nr; i++)
		if (!strcmp(devices->list[i].name, full))
			found = &devices->list[i];
	if (!found)
		errx(2, "%s: there is no such PCI device", full);
	free(full);
	return found;
}

bool device_is_bridge(const struct device *device)
{
	return device->class >> 8 == 0x06;
}

bool driver_is_harmless(const char *driver)
{
	return !driver || strstr(driver, "vfio") ||
	       !strcmp(driver, "pci-stub") || !strcmp(driver, "pcieport");
}

bool device_is_vfio(const struct device *device)
{
	return device->node || (device->driver && strstr(device->driver, "vfio"));
}
