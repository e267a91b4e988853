// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device is in use for: an interface that is up, a disk that is mounted,
 * swapped to or part of another one, or a guest that has its file open.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "inuse.h"
#include "sysfs.h"

/* Is what a path of sysfs leads to a part of the device? */
static bool leads_to(const struct device *device, const char *path)
{
	char *full = sysfs_path("%s", path);
	char *real = realpath(full, NULL);
	char *part = text("/%s/", device->name);
	bool yes = real && strstr(real, part);

	free(part);
	free(real);
	free(full);
	return yes;
}

/* A namespace of NVMe may hang off the subsystem, not off a controller */
static bool disk_is_of(const struct device *device, const char *disk)
{
	char *path = text("/sys/class/block/%s", disk);
	char *up = text("/sys/class/block/%s/..", disk);
	struct names names = { 0 };
	bool yes = leads_to(device, path);
	size_t i;

	if (!yes && !strncmp(disk, "nvme", 4))
		names = sysfs_list("%s", up);
	for (i = 0; i < names.nr && !yes; i++) {
		char *controller = text("%s/%s/", up, names.list[i]);

		if (!strncmp(names.list[i], "nvme", 4))
			yes = leads_to(device, controller);
		free(controller);
	}
	names_free(&names);
	free(up);
	free(path);
	return yes;
}

static char *net_in_use(const struct device *device)
{
	struct names names = sysfs_list("/sys/class/net");
	char *why = NULL;
	size_t i;

	for (i = 0; i < names.nr && !why; i++) {
		char *path = text("/sys/class/net/%s", names.list[i]);

		if (leads_to(device, path) &&
		    sysfs_number(0, 0, "%s/flags", path) & IFF_UP)
			why = text("network interface %s is up; ip link set %s down",
				   names.list[i], names.list[i]);
		free(path);
	}
	names_free(&names);
	return why;
}

/* Where is a disk mounted? The third word of a line is its number */
static char *mount_point(const char *number)
{
	char *mounts = sysfs_read("/proc/self/mountinfo");
	char *rest = mounts, *line;
	char where[256], dev[32];
	char *found = NULL;

	while (rest && (line = strsep(&rest, "\n")))
		if (sscanf(line, "%*s %*s %31s %*s %255s", dev, where) == 2 &&
		    !strcmp(dev, number) && !found)
			found = text("%s", where);
	free(mounts);
	return found;
}

static bool is_swap(const char *disk)
{
	char *swaps = sysfs_read("/proc/swaps");
	char *name = text("/dev/%s ", disk);
	bool yes = swaps && strstr(swaps, name);

	free(name);
	free(swaps);
	return yes;
}

static char *disk_use(const char *disk)
{
	struct names holders = sysfs_list("/sys/class/block/%s/holders", disk);
	char *number = sysfs_read("/sys/class/block/%s/dev", disk);
	char *where = number ? mount_point(number) : NULL;
	char *why = NULL;

	if (where)
		why = text("/dev/%s is mounted; umount %s", disk, where);
	else if (is_swap(disk))
		why = text("/dev/%s is swapped to; swapoff /dev/%s", disk, disk);
	else if (holders.nr)
		why = text("/dev/%s is part of %s", disk, holders.list[0]);
	free(where);
	free(number);
	names_free(&holders);
	return why;
}

static char *disk_in_use(const struct device *device)
{
	struct names names = sysfs_list("/sys/class/block");
	char *why = NULL;
	size_t i;

	/* Partitions are among them, and hang off their disk */
	for (i = 0; i < names.nr && !why; i++)
		if (disk_is_of(device, names.list[i]))
			why = disk_use(names.list[i]);
	names_free(&names);
	return why;
}

char *in_use(const struct device *device)
{
	char *why;

	if (device->holders)
		return text("%s has it open", device->holders);
	if (!device->driver)
		return NULL;
	why = net_in_use(device);
	return why ? why : disk_in_use(device);
}
