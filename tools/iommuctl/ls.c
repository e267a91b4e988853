// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuctl ls: the devices by IOMMU group.
 */
#include <stdio.h>
#include <libsmartcols/libsmartcols.h>

#include "command.h"
#include "device.h"
#include "sysfs.h"

enum {
	COL_NAME,
	COL_TYPE,
	COL_GROUP,
	COL_ID,
	COL_DRIVER,
	COL_CLASS,
	COL_MODEL,
	COL_IOMMU,
	COL_COHERENT,
	COL_FILE,
	COL_HOLDER,
};

static const struct column columns[] = {
	[COL_NAME]	= { "NAME", SCOLS_JSON_STRING, SCOLS_FL_TREE },
	[COL_TYPE]	= { "TYPE", .hidden = true },
	[COL_GROUP]	= { "GROUP", SCOLS_JSON_NUMBER, .hidden = true },
	[COL_ID]	= { "ID", .hidden = true },
	[COL_DRIVER]	= { "DRIVER" },
	[COL_CLASS]	= { "CLASS" },
	[COL_MODEL]	= { "MODEL" },
	[COL_IOMMU]	= { "IOMMU", .hidden = true },
	[COL_COHERENT]	= { "COHERENT", SCOLS_JSON_BOOLEAN_OPTIONAL },
	[COL_FILE]	= { "FILE" },
	[COL_HOLDER]	= { "HOLDER" },
};

static struct libscols_line *add_group(struct table *table, int group)
{
	struct libscols_line *line = table_line(table, NULL);

	if (group < 0) {
		table_set(table, line, COL_NAME, "no group");
	} else {
		table_set(table, line, COL_NAME, "group %d", group);
		table_set(table, line, COL_GROUP, "%d", group);
	}
	table_set(table, line, COL_TYPE, "group");
	return line;
}

static void add_device(struct table *table, struct libscols_line *group,
		       const struct device *device, bool json)
{
	struct libscols_line *line = table_line(table, group);

	table_set(table, line, COL_NAME, "%s", device->name);
	table_set(table, line, COL_TYPE, "device");
	if (device->group >= 0)
		table_set(table, line, COL_GROUP, "%d", device->group);
	table_set(table, line, COL_ID, "%04x:%04x", device->vendor,
		  device->device);
	if (device->driver)
		table_set(table, line, COL_DRIVER, "%s", device->driver);
	table_set(table, line, COL_CLASS, "%s", device->class_name);
	table_set(table, line, COL_MODEL, "%s", device->title);
	if (device->iommu)
		table_set(table, line, COL_IOMMU, "%s", device->iommu);
	if (device->coherent != COHERENT_UNKNOWN)
		table_set(table, line, COL_COHERENT, "%s",
			  json ? device->coherent == COHERENT_YES ? "1" : "0" :
			  device->coherent == COHERENT_YES ? "yes" : "no");
	if (device->node)
		table_set(table, line, COL_FILE, "/dev/vfio/devices/%s",
			  device->node);
	if (device->holders)
		table_set(table, line, COL_HOLDER, "%s", device->holders);
}

enum status command_ls(const struct options *options)
{
	struct devices devices = devices_scan();
	struct libscols_line *group = NULL;
	struct device *only = NULL;
	struct table *table;
	int last = -2;
	size_t i;

	if (options->device)
		only = devices_find(&devices, options->device);
	table = table_new("groups", columns, sizeof(columns) / sizeof(*columns),
			  &options->format);
	for (i = 0; i < devices.nr; i++) {
		struct device *device = &devices.list[i];

		if (only && device->group != only->group)
			continue;
		if (device->group != last)
			group = add_group(table, device->group);
		last = device->group;
		add_device(table, group, device, options->format.json);
	}
	table_end(table);
	devices_free(&devices);
	return STATUS_OK;
}
