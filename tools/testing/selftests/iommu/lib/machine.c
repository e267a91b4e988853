// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

#include <dirent.h>
#include <string.h>

#include "sysfs.h"

static bool has_iommu(const char *prefix)
{
	DIR *dir = opendir("/sys/class/iommu");
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = !strncmp(entry->d_name, prefix, strlen(prefix));
	closedir(dir);
	return found;
}

bool machine_has_vtd(void)
{
	return has_iommu("dmar");
}

bool machine_has_amd(void)
{
	return has_iommu("ivhd");
}

/* QEMU's host bridges have Red Hat's number. A small kernel has no DMI to ask */
static bool is_emulated(void)
{
	unsigned int vendor;

	return sysfs_scan("/sys/bus/pci/devices/0000:00:00.0/subsystem_vendor",
			  "%x", &vendor) == 1 && vendor == 0x1af4;
}

const char *machine_hides_faults(void)
{
	/* An empty entry ends its walk of the table without an event. */
	if (machine_has_amd() && is_emulated())
		return "QEMU's amd-iommu reports no faults";
	return NULL;
}

const char *machine_lacks_write_only(void)
{
	/* Its driver sets "present" of the other format: the read bit. */
	if (machine_has_vtd())
		return "the VT-d driver of 6.1 makes every mapping readable";
	return NULL;
}
