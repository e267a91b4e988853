// SPDX-License-Identifier: GPL-2.0-only
#include "slots.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/census.h"
#include "lib/edu.h"
#include "lib/mock.h"
#include "lib/pci.h"
#include "lib/sysfs.h"

#define INTEL		0x8086
#define E1000E		0x10d3
/* Workers that may have PCI devices */
#define MAX_PCI		4

/* The path behind a descriptor, which is closed; everybody may open it then. */
static void keep_path(int file, char path[64])
{
	char link[32];
	ssize_t length;

	path[0] = 0;
	if (file < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	length = readlink(link, path, 63);
	path[length > 0 ? length : 0] = 0;
	close(file);
	chmod(path, 0666);
}

static void find_mock(struct slot *slot, const char *kind, unsigned int nr)
{
	keep_path(mock_open(kind, nr), slot->device);
	keep_path(mock_open_group(kind, nr), slot->group);
	mock_name(slot->name, sizeof(slot->name), kind, nr);
}

static void find_pci(struct slot *slot, unsigned int vendor,
		     unsigned int device, unsigned int nr)
{
	memset(slot, 0, sizeof(*slot));
	if (pci_find(vendor, device, nr, slot->name) ||
	    pci_bind_driver(slot->name, "vfio-pci"))
		return;
	slot->pci = true;
	keep_path(pci_open_device_file(slot->name), slot->device);
	keep_path(pci_open_group(slot->name), slot->group);
}

/*
 * Enabling a device evaluates ACPI methods, and ACPI itself does not survive it
 * when that runs out of memory. One more user keeps the device enabled.
 */
static void keep_enabled(unsigned int vendor, unsigned int device)
{
	char name[PCI_NAME_LEN], path[128];
	unsigned int nr;
	int file;

	for (nr = 0; nr < MAX_PCI && !pci_find(vendor, device, nr, name); nr++) {
		pci_unbind_driver(name);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable",
			 name);
		file = open(path, O_WRONLY | O_CLOEXEC);
		if (file < 0)
			continue;
		if (write(file, "1", 1) != 1)
			perror(path);
		close(file);
	}
}

void slots_prepare(void)
{
	const char *missing = mock_missing();

	if (missing)
		printf("# %s\n", missing);
	keep_enabled(EDU_VENDOR, EDU_DEVICE);
	keep_enabled(INTEL, E1000E);
	/* A program that dies of what it did to itself is no news. */
	sysfs_write("/proc/sys/debug/exception-trace", "0");
	chmod("/dev/iommu", 0666);
	chmod("/dev/kvm", 0666);
	census_want_hugepages(8);
}

void slots_find(struct slot slots[NR_SLOTS], unsigned int nth)
{
	find_mock(&slots[SLOT_MOCK], MOCK_DEVICE, 2 * nth);
	find_mock(&slots[SLOT_MOCK_NOSNOOP], MOCK_DEVICE, 2 * nth + 1);
	find_mock(&slots[SLOT_MDEV_KVM], MOCK_MDEV, 2 * nth);
	find_mock(&slots[SLOT_MDEV], MOCK_MDEV, 2 * nth + 1);
	slots_restore(slots, nth);
}

void slots_restore(struct slot slots[NR_SLOTS], unsigned int nth)
{
	find_pci(&slots[SLOT_PCI], EDU_VENDOR, EDU_DEVICE, nth);
	find_pci(&slots[SLOT_PCI_OTHER], INTEL, E1000E, nth);
}
