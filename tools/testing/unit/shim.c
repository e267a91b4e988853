// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "shim.h"

unsigned long shim_allocated;
size_t shim_largest;
unsigned long shim_fail;

void *kmalloc(size_t size, int flags)
{
	void *memory;

	if (shim_fail && !--shim_fail)
		return NULL;
	memory = malloc(size);
	if (!memory)
		abort();
	/* As the kernel's, it is not cleared */
	memset(memory, 0xa5, size);
	shim_allocated++;
	shim_largest = max(shim_largest, size);
	return memory;
}

void kfree(const void *memory)
{
	if (memory)
		shim_allocated--;
	free((void *)memory);
}
