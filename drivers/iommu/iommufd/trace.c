// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommu.h>

#define CREATE_TRACE_POINTS
#include "trace.h"
