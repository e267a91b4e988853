// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

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

static bool is_emulated(void)
{
	FILE *file = fopen("/sys/class/dmi/id/sys_vendor", "r");
	char vendor[64] = "";

	if (!file)
		return false;
	if (!fgets(vendor, sizeof(vendor), file))
		vendor[0] = 0;
	fclose(file);
	return !strncmp(vendor, "QEMU", 4);
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
