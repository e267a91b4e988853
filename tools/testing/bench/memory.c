// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of memory to map, all of it present. */
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

static void *reserve(size_t length, size_t align)
{
	char *memory = mmap(NULL, length + align, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap: %m");
	return memory + (-(uintptr_t)memory & (align - 1));
}

/*
 * Free pages are mostly handed out in ascending order, so that pages touched in
 * random order have random frames. The same ones in each run.
 */
static void touch(char *memory, size_t length, size_t page)
{
	size_t nr = length / page;
	uint32_t *order = malloc(nr * sizeof(*order));
	uint64_t seed = 1;
	size_t i;

	if (!order)
		die("no memory");
	for (i = 0; i < nr; i++)
		order[i] = i;
	for (i = nr - 1; i > 0; i--) {
		uint32_t swap = order[i];
		size_t with;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		with = (seed >> 33) % (i + 1);
		order[i] = order[with];
		order[with] = swap;
	}
	for (i = 0; i < nr; i++)
		memory[order[i] * page] = 1;
	free(order);
}

void *memory_scattered(size_t length)
{
	char *memory = reserve(length, HUGE);

	if (madvise(memory, length, MADV_NOHUGEPAGE))
		die("MADV_NOHUGEPAGE: %m");
	touch(memory, length, PAGE);
	return memory;
}

static unsigned long thp_bytes(const void *memory)
{
	unsigned long first, last, kib = 0;
	bool inside = false;
	char line[256];
	FILE *file = fopen("/proc/self/smaps", "r");

	if (!file)
		die("smaps: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
			inside = (uintptr_t)memory >= first &&
				 (uintptr_t)memory < last;
		else if (inside && sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			break;
	}
	fclose(file);
	return kib * KIB;
}

void *memory_thp(size_t length)
{
	char *memory = reserve(length, HUGE);

	if (madvise(memory, length, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE: %m");
	touch(memory, length, HUGE);
	if (thp_bytes(memory) < length)
		skip("only %lu MiB of the memory are transparent huge pages",
		     thp_bytes(memory) / MIB);
	return memory;
}

static void want_huge_pages(size_t length, size_t page)
{
	unsigned long want = length / page, have = 0;
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages",
		 page / KIB);
	file = fopen(path, "r+");
	if (!file)
		skip("no huge pages of %lu KiB", page / KIB);
	fprintf(file, "%lu\n", want);
	fflush(file);
	rewind(file);
	if (fscanf(file, "%lu", &have) != 1 || have < want)
		skip("only %lu of %lu huge pages of %lu KiB", have, want,
		     page / KIB);
	fclose(file);
}

void *memory_hugetlb(size_t length)
{
	void *memory;

	want_huge_pages(length, HUGE);
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap of huge pages: %m");
	touch(memory, length, HUGE);
	return memory;
}

/* A memfd of huge pages, all of them present */
int memory_hugetlb_file(size_t length, size_t page)
{
	int size = page == GIB ? MFD_HUGE_1GB : MFD_HUGE_2MB;
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_HUGETLB | size);
	void *memory;

	want_huge_pages(length, page);
	if (fd < 0 || ftruncate(fd, length))
		die("memfd of huge pages: %m");
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die("mmap of huge pages: %m");
	touch(memory, length, page);
	munmap(memory, length);
	return fd;
}
