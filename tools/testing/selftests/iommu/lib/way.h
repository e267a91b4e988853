/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two ways to a device: through its group and a container, which the stock
 * modules have as well, and through its device file. All return -errno.
 */
#ifndef LIB_WAY_H
#define LIB_WAY_H

#include <stddef.h>
#include <stdint.h>

enum way_kind { WAY_GROUP, WAY_DEVICE_FILE };

#define WAY_TOKEN	16

/* @space: a container or a /dev/iommu file; -1 for what is not open */
struct way {
	int space;
	int group;
	int device;
};

/* NULL, or why that way does not exist here. */
const char *way_missing(enum way_kind kind);

/*
 * Opens a device, which the token of its physical function may be needed for
 * (else NULL). When it fails nothing is left open.
 */
int way_open(struct way *way, enum way_kind kind, const char *name,
	     const uint8_t *token);
/* The same for a device of iommufd_mock.ko. */
int way_open_mdev(struct way *way, enum way_kind kind, int nr);
void way_close(struct way *way);

/* VFIO_DEVICE_FEATURE; @flags include the number of the feature. */
int way_feature(const struct way *way, uint32_t flags, void *data, size_t size);

#endif
