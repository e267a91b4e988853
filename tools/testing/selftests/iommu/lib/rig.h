/* SPDX-License-Identifier: GPL-2.0-only */
/* The edu device bound to a /dev/iommu file, with an address space. */
#ifndef LIB_RIG_H
#define LIB_RIG_H

#include <stdint.h>

#include "edu.h"
#include "pci.h"

struct rig {
	char name[PCI_NAME_LEN];
	int iommufd;
	int device;
	uint32_t device_id;
	uint32_t ioas;
	struct edu edu;
};

/*
 * The steps, each of which includes those before it. -ENODEV when the machine
 * has no edu device, else -errno.
 */
int rig_find(struct rig *rig);		/* driven by vfio-pci */
int rig_open(struct rig *rig);		/* both files open */
int rig_bind(struct rig *rig);		/* bound, with an empty IOAS */
int rig_start(struct rig *rig);		/* attached to it, DMA can be started */

/* After rig_find(), without the device: the file open, with two IOAS. */
int rig_spaces(struct rig *rig, uint32_t *ioas, uint32_t *other);

/* Closes what is open, the device first. Returns 0 or -errno. */
int rig_close(struct rig *rig);

/* For a fixture, see EDU_SETUP(). */
#define RIG_SETUP(_step, _rig) EDU_SETUP(_step(_rig))

#endif
