// SPDX-License-Identifier: GPL-2.0-only
#include "ops.h"

unsigned long ops_done;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ops_run(data, size);
	return 0;
}
