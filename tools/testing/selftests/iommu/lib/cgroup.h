/* SPDX-License-Identifier: GPL-2.0-only */
/* A memory cgroup (version 2) of a test's own. */
#ifndef LIB_CGROUP_H
#define LIB_CGROUP_H

#include <stdint.h>

/* NULL, or why the machine has none. Mounts the hierarchy if need be. */
const char *cgroup_missing(void);

/* Makes a group with a limit in bytes (0: none), or changes it. -errno. */
int cgroup_create(const char *name, uint64_t max);
int cgroup_remove(const char *name);
/* The calling process joins; "" is the root. */
int cgroup_join(const char *name);

/*
 * A number of one of the group's files: the only one, or the one behind @key.
 * -errno.
 */
long cgroup_read(const char *name, const char *file, const char *key);

#endif
