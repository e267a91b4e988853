/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI devices of the machine, and who has them open.
 */
#ifndef IOMMUCTL_DEVICE_H
#define IOMMUCTL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the IOMMU can make no-snoop DMA coherent */
enum coherent {
	COHERENT_UNKNOWN,
	COHERENT_NO,
	COHERENT_YES,
};

/**
 * struct device - a PCI device
 * @name: its address, as sysfs has it
 * @vendor: ID
 * @device: ID
 * @class: base class and subclass
 * @class_name: in words
 * @title: vendor and model in words
 * @driver: in use, or NULL
 * @override: name of the only driver that may have it, or NULL
 * @group: number of the IOMMU group, or -1
 * @iommu: name of the unit, or NULL
 * @node: vfioN, or NULL
 * @coherent: see there
 * @holders: "command[PID]" of everybody who has it or its group open, or NULL
 */
struct device {
	char *name;
	unsigned int vendor;
	unsigned int device;
	unsigned int class;
	char *class_name;
	char *title;
	char *driver;
	char *override;
	int group;
	char *iommu;
	char *node;
	enum coherent coherent;
	char *holders;
};

/**
 * struct devices - all of them, by group and then by address
 * @list: the devices
 * @nr: how many
 */
struct devices {
	struct device *list;
	size_t nr;
};

struct devices devices_scan(void);
void devices_free(struct devices *devices);

/* An address in full: a missing domain means 0000; ends the program if it is none */
char *device_name(const char *name);

/* By address; ends the program if unknown */
struct device *devices_find(struct devices *devices, const char *name);

bool device_is_bridge(const struct device *device);
/* Is it, or may it stay so while others of its group are, in user hands? */
bool driver_is_harmless(const char *driver);
bool device_is_vfio(const struct device *device);

#endif
