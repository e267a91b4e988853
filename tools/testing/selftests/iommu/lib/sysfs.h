/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes and devices of sysfs. All return -errno. */
#ifndef LIB_SYSFS_H
#define LIB_SYSFS_H

#include <stddef.h>

int sysfs_write(const char *path, const char *text);
/* The last part of what a link names. */
int sysfs_link(const char *path, char *last, size_t size);

/* Of the device in folder @device: /dev/vfio/devices/vfioN, and /dev/vfio/N. */
int sysfs_open_device_file(const char *device);
int sysfs_open_group(const char *device);

#endif
