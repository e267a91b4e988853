/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices of the machine, prepared for programs. */
#ifndef FUZZ_SLOTS_H
#define FUZZ_SLOTS_H

#include "run.h"

/* Drivers and permissions, once. */
void slots_prepare(void);
/* Finds the devices of the @nth worker, who shares none with the others. */
void slots_find(struct slot slots[NR_SLOTS], unsigned int nth);
/* After an unplug: each device has its driver, and maybe a new path. */
void slots_restore(struct slot slots[NR_SLOTS], unsigned int nth);

#endif
