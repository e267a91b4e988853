/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IOMMUCTL_INUSE_H
#define IOMMUCTL_INUSE_H

struct device;

/* Why a device must not be taken from its driver now; NULL if it may */
char *in_use(const struct device *device);

#endif
