// SPDX-License-Identifier: GPL-2.0-only
#include "memory.h"

#include <sys/mman.h>

static void *map(size_t size, int flags)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void *memory_anonymous(size_t size)
{
	return map(size, 0);
}

void *memory_of_pages(size_t size)
{
	void *memory = map(size, 0);

	if (memory)
		madvise(memory, size, MADV_NOHUGEPAGE);
	return memory;
}

void *memory_hugetlb(size_t size)
{
	return map(size, MAP_HUGETLB);
}
