/* SPDX-License-Identifier: GPL-2.0-only */
/* What the IOMMU of this machine can show to a test. */
#ifndef LIB_MACHINE_H
#define LIB_MACHINE_H

#include <stdbool.h>

bool machine_has_vtd(void);
bool machine_has_amd(void);

/*
 * NULL, or why a blocked access does not get into the kernel log here.
 */
const char *machine_hides_faults(void);

/* NULL, or why a mapping cannot forbid reading here. */
const char *machine_lacks_write_only(void);

#endif
