// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of one device.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "sysfs.h"

#define PCI "/sys/bus/pci/devices/"
#define GIB (1ULL << 30)

/* Guests have their first memory below 2 GiB or so, and the rest from 4 GiB on */
#define GUEST_LOW (2 * GIB)
#define GUEST_HIGH (4 * GIB)

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_F_ACCESS_PLATFORM 33

void check_driver(struct doctor *doctor)
{
	const struct device *device = doctor->device;

	if (device->node)
		tell(doctor, "driver", VERDICT_OK, NULL,
		     "%s: %s, file /dev/vfio/devices/%s", device->name,
		     device->driver ? device->driver : "?", device->node);
	else if (device_is_vfio(device))
		tell(doctor, "driver", VERDICT_FAILURE,
		     text(RELOAD_VFIO),
		     "%s: %s, but the device has no file, so the stock vfio.ko is loaded",
		     device->name, device->driver);
	else
		tell(doctor, "driver", VERDICT_FAILURE,
		     text("iommuctl bind %s", device->name), "%s: %s%s",
		     device->name,
		     device->driver ? "the host uses it, by driver " :
				      "no driver, where vfio-pci should be",
		     device->driver ? device->driver : "");
}

/* Those of the group, besides the device, that a driver of the host has */
static char *blockers(const struct device *device)
{
	struct names names;
	char *found = NULL;
	size_t i;

	names = sysfs_list("/sys/kernel/iommu_groups/%d/devices",
			   device->group);
	for (i = 0; i < names.nr; i++) {
		char *driver;

		if (!strcmp(names.list[i], device->name))
			continue;
		driver = sysfs_link("/sys/kernel/iommu_groups/%d/devices/%s/driver",
				    device->group, names.list[i]);
		if (!driver_is_harmless(driver)) {
			char *one = text("%s (driver %s)", names.list[i],
					 driver);

			text_add(&found, ", ", one);
			free(one);
		}
		free(driver);
	}
	names_free(&names);
	return found;
}

void check_group(struct doctor *doctor)
{
	const struct device *device = doctor->device;
	char *found;

	if (device->group < 0) {
		tell(doctor, "group", VERDICT_FAILURE,
		     text("see the check of the IOMMU"),
		     "%s is in no IOMMU group, so nothing confines its DMA",
		     device->name);
		return;
	}
	if (device_is_bridge(device)) {
		tell(doctor, "group", VERDICT_FAILURE,
		     text("choose a device behind it; see iommuctl ls"),
		     "%s is a bridge, which cannot be given away", device->name);
		return;
	}
	found = blockers(device);
	if (found)
		tell(doctor, "group", VERDICT_FAILURE,
		     text("iommuctl bind %s", device->name),
		     "group %d is not viable because of %s", device->group,
		     found);
	else
		tell(doctor, "group", VERDICT_OK, NULL,
		     "group %d has no device that the host uses besides",
		     device->group);
	free(found);
}

/* Does a range meet the memory of a guest of this size? */
static bool meets_guest(unsigned long long first, unsigned long long last,
			unsigned long long memory)
{
	unsigned long long low = memory < GUEST_LOW ? memory : GUEST_LOW;

	return first < low ||
	       (last >= GUEST_HIGH && memory > GUEST_LOW &&
		first < GUEST_HIGH + memory - GUEST_LOW);
}

void check_reserved(struct doctor *doctor)
{
	unsigned long long memory = doctor->options->memory;
	unsigned long long first, last;
	char *line, *rest, *all;
	char type[32];
	bool clean = true;

	all = sysfs_read("/sys/kernel/iommu_groups/%d/reserved_regions",
			 doctor->device->group);
	for (rest = all; rest && (line = strsep(&rest, "\n"));) {
		if (sscanf(line, "%llx %llx %31s", &first, &last, type) != 3)
			continue;
		if (!strcmp(type, "direct")) {
			clean = false;
			tell(doctor, "reserved regions", VERDICT_FAILURE,
			     text("turn off in the firmware's setup what uses it (remote management, USB emulation)"),
			     "the firmware keeps 0x%llx to 0x%llx of the device for itself",
			     first, last);
		} else if (!strcmp(type, "reserved") && memory &&
			   meets_guest(first, last, memory)) {
			clean = false;
			tell(doctor, "reserved regions", VERDICT_FAILURE,
			     text("give the guest less memory, or a hole there"),
			     "0x%llx to 0x%llx is reserved, where the guest has memory",
			     first, last);
		}
	}
	free(all);
	if (clean)
		tell(doctor, "reserved regions", VERDICT_OK, NULL,
		     "none in the way");
}

void check_width(struct doctor *doctor)
{
	const char *iommu = doctor->device->iommu;
	unsigned long long memory = doctor->options->memory;
	unsigned long long cap;
	unsigned int width;

	if (!iommu || !sysfs_exists("/sys/class/iommu/%s/intel-iommu/cap",
				    iommu)) {
		tell(doctor, "address width", VERDICT_SKIPPED, NULL,
		     "the IOMMU does not tell its own");
		return;
	}
	cap = sysfs_number(0, 16, "/sys/class/iommu/%s/intel-iommu/cap", iommu);
	/* MGAW */
	width = ((cap >> 16) & 0x3f) + 1;
	if (!memory || memory + GUEST_HIGH <= 1ULL << width)
		tell(doctor, "address width", VERDICT_OK, NULL, "%u bits",
		     width);
	else
		tell(doctor, "address width", VERDICT_FAILURE,
		     text("give the guest at most %llu GiB",
			  ((1ULL << width) - GUEST_HIGH) / GIB),
		     "%s has %u bits, too few for the guest's memory", iommu,
		     width);
}

void check_snoop(struct doctor *doctor)
{
	switch (doctor->device->coherent) {
	case COHERENT_YES:
		tell(doctor, "snoop control", VERDICT_OK, NULL,
		     "the IOMMU makes all DMA coherent");
		break;
	case COHERENT_NO:
		tell(doctor, "snoop control", VERDICT_WARNING,
		     text("none is needed; a VMM that must not have it sets IOMMU_OPTION_COHERENCY_POLICY, see iommufd(4)"),
		     "%s cannot force snooping, so KVM carries out each wbinvd of a guest with this device, which is slow",
		     doctor->device->iommu);
		break;
	case COHERENT_UNKNOWN:
		tell(doctor, "snoop control", VERDICT_SKIPPED, NULL,
		     "the IOMMU does not tell");
		break;
	}
}

void check_virtio(struct doctor *doctor)
{
	const struct device *device = doctor->device;
	struct names names;
	char *features = NULL;
	size_t i;

	if (device->vendor != VIRTIO_VENDOR)
		return;
	names = sysfs_list(PCI "%s", device->name);
	for (i = 0; i < names.nr; i++)
		if (!strncmp(names.list[i], "virtio", 6) && !features)
			features = sysfs_read(PCI "%s/%s/features",
					      device->name, names.list[i]);
	names_free(&names);
	/* All zero before a driver has agreed on them */
	if (!features || !strchr(features, '1') ||
	    strlen(features) <= VIRTIO_F_ACCESS_PLATFORM)
		tell(doctor, "virtio", VERDICT_SKIPPED, NULL,
		     "no virtio driver has read the device's features");
	else if (features[VIRTIO_F_ACCESS_PLATFORM] == '1')
		tell(doctor, "virtio", VERDICT_OK, NULL,
		     "its DMA goes through the IOMMU");
	else
		tell(doctor, "virtio", VERDICT_FAILURE,
		     text("give this machine the device with iommu_platform=on"),
		     "without VIRTIO_F_ACCESS_PLATFORM its DMA goes past the IOMMU");
	free(features);
}

/* Those on the same bus that a reset of it hits while the host uses them */
static char *reset_victims(const struct doctor *doctor)
{
	const struct device *device = doctor->device;
	size_t bus = strrchr(device->name, ':') - device->name;
	char *found = NULL;
	size_t i;

	for (i = 0; i < doctor->devices->nr; i++) {
		const struct device *other = &doctor->devices->list[i];

		if (other != device && !driver_is_harmless(other->driver) &&
		    !strncmp(other->name, device->name, bus + 1))
			text_add(&found, " ", other->name);
	}
	return found;
}

void check_reset(struct doctor *doctor)
{
	const struct device *device = doctor->device;
	char *methods = sysfs_read(PCI "%s/reset_method", device->name);
	char *victims = NULL;

	if (!methods || !*methods) {
		tell(doctor, "reset", VERDICT_WARNING,
		     text("power off the host between guests"),
		     "%s cannot be reset, so a guest finds what the one before left in it",
		     device->name);
		goto out;
	}
	if (strcmp(methods, "bus")) {
		tell(doctor, "reset", VERDICT_OK, NULL, "by %s", methods);
		goto out;
	}
	victims = reset_victims(doctor);
	if (victims)
		tell(doctor, "reset", VERDICT_FAILURE,
		     text("for d in %s; do iommuctl bind $d; done", victims),
		     "%s is reset by its bus alone, and the host uses others there: %s",
		     device->name, victims);
	else
		tell(doctor, "reset", VERDICT_OK, NULL,
		     "by its bus, on which the host uses nothing");
out:
	free(victims);
	free(methods);
}
