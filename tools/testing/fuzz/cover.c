// SPDX-License-Identifier: GPL-2.0-only
#include "cover.h"

#include <fcntl.h>
#include <linux/kcov.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run.h"

#define TRACE_WORDS	(1UL << 17)

static const char *const names[] = { "iommufd", "vfio" };
static struct { uint64_t base, size; } modules[2];
/* Of this process's children, too */
static unsigned long *traces[2];

static bool find_modules(void)
{
	char line[512], name[64];
	uint64_t base, size;
	FILE *file = fopen("/proc/modules", "r");
	int i;

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lu %*s %*s %*s %lx", name, &size,
			   &base) != 3)
			continue;
		for (i = 0; i < 2; i++)
			if (!strcmp(name, names[i])) {
				modules[i].base = base;
				modules[i].size = size < MODULE_MAX ? size :
						  MODULE_MAX;
			}
	}
	fclose(file);
	return modules[0].size && modules[1].size;
}

const char *cover_module(unsigned int number)
{
	return names[number];
}

static bool open_one(struct cover *cover, int i)
{
	void *trace;
	int file = out_of_reach(open("/sys/kernel/debug/kcov", O_RDWR),
				O_CLOEXEC);

	if (file < 0)
		return false;
	cover->files[i] = file;
	if (ioctl(file, KCOV_INIT_TRACE, TRACE_WORDS))
		return false;
	trace = mmap(NULL, TRACE_WORDS * sizeof(long), PROT_READ | PROT_WRITE,
		     MAP_SHARED, file, 0);
	if (trace == MAP_FAILED)
		return false;
	cover->traces[i] = trace;
	traces[i] = trace;
	return true;
}

bool cover_open(struct cover *cover)
{
	cover->files[0] = -1;
	cover->files[1] = -1;
	return find_modules() && open_one(cover, 0) && open_one(cover, 1);
}

void cover_reset(struct cover *cover)
{
	int i;

	for (i = 0; i < 2; i++)
		if (cover->traces[i])
			cover->traces[i][0] = 0;
}

void cover_mark(unsigned int thread)
{
	unsigned long *trace = traces[thread];
	unsigned long at;

	if (!trace)
		return;
	at = trace[0];
	if (at + 1 < TRACE_WORDS) {
		trace[at + 1] = 0;
		trace[0] = at + 1;
	}
}

void cover_forget(void)
{
	traces[0] = NULL;
	traces[1] = NULL;
}

/* Returns the block's number, or NR_BLOCKS when it is not in our modules. */
static uint32_t block_of(uint64_t place)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (place - modules[i].base < modules[i].size)
			return i * MODULE_MAX + (place - modules[i].base);
	return NR_BLOCKS;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort(struct edges *edges)
{
	unsigned int i, nr = 0;

	qsort(edges->list, edges->nr, sizeof(edges->list[0]), compare);
	for (i = 0; i < edges->nr; i++)
		if (!nr || edges->list[nr - 1] != edges->list[i])
			edges->list[nr++] = edges->list[i];
	edges->nr = nr;
}

void cover_collect(const struct cover *cover, uint8_t *blocks,
		   struct edges *edges)
{
	/* Which of them are in the list; loops run through the same ones again. */
	static uint8_t listed[NR_EDGES];
	unsigned int i;

	edges->nr = 0;
	for (i = 0; i < 2; i++) {
		const unsigned long *trace = cover->traces[i];
		unsigned long k, nr = trace ? trace[0] : 0;
		uint32_t last = 0;

		for (k = 1; k <= nr && k < TRACE_WORDS; k++) {
			uint32_t block = block_of(trace[k]), edge;

			if (!trace[k])
				last = 0;
			if (block == NR_BLOCKS)
				continue;
			blocks[block] = 1;
			edge = (last * 31 ^ block * 0x9e3779b1U) >> 3;
			edge %= NR_EDGES;
			last = block + 1;
			if (listed[edge] || edges->nr == MAX_EDGES)
				continue;
			listed[edge] = 1;
			edges->list[edges->nr++] = edge;
		}
	}
	for (i = 0; i < edges->nr; i++)
		listed[edges->list[i]] = 0;
	sort(edges);
}

static bool has(const struct edges *edges, uint32_t edge)
{
	return bsearch(&edge, edges->list, edges->nr, sizeof(edge), compare);
}

bool edges_within(const struct edges *part, const struct edges *whole)
{
	unsigned int i;

	for (i = 0; i < part->nr; i++)
		if (!has(whole, part->list[i]))
			return false;
	return true;
}

void edges_intersect(struct edges *edges, const struct edges *other)
{
	unsigned int i, nr = 0;

	for (i = 0; i < edges->nr; i++)
		if (has(other, edges->list[i]))
			edges->list[nr++] = edges->list[i];
	edges->nr = nr;
}

void edges_unseen(struct edges *edges, const uint8_t *seen)
{
	unsigned int i, nr = 0;

	for (i = 0; i < edges->nr; i++)
		if (!seen[edges->list[i]])
			edges->list[nr++] = edges->list[i];
	edges->nr = nr;
}
