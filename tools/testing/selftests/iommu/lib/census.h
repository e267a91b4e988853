/* SPDX-License-Identifier: GPL-2.0-only */
/* What of memory the kernel holds on to. */
#ifndef LIB_CENSUS_H
#define LIB_CENSUS_H

#include <stdbool.h>

/* Pins that were taken and not given back, in the whole machine. */
long census_pins(void);

/*
 * Whether the number of pins becomes @pins within a few seconds: other parts
 * of the kernel pin for a moment, and what a killed process had pinned is
 * given back a moment after it can be waited for.
 */
bool census_settles(long pins);

/* Of this process, in KiB: "VmLck" and "VmPin" of /proc/self/status. */
long census_locked(void);
long census_pinned(void);

/* In KiB: swapped out of this process, and free in the machine. */
long census_swapped(void);
long census_free(void);

/* Descriptors that this process has open. */
int census_open_files(void);

/* Users of a module, or -1 when it is not loaded. */
int census_module_users(const char *module);

/*
 * Huge pages of 2 MiB: makes sure that @count are free. False when the machine
 * does not give them.
 */
bool census_want_hugepages(int count);
long census_free_hugepages(void);

#endif
