/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes and devices of sysfs; attributes of its like, too. All return -errno. */
#ifndef LIB_SYSFS_H
#define LIB_SYSFS_H

#include <stddef.h>

int sysfs_write(const char *path, const char *text);
int sysfs_write_number(const char *path, long value);
/* As fscanf(): how many of the format's values were read. */
__attribute__((format(scanf, 2, 3)))
int sysfs_scan(const char *path, const char *format, ...);
/* The last part of what a link names. */
int sysfs_link(const char *path, char *last, size_t size);

/* Of the device in folder @device: /dev/vfio/devices/vfioN, and /dev/vfio/N. */
int sysfs_open_device_file(const char *device);
int sysfs_open_group(const char *device);

#endif
