// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a step costs. Under QEMU's -icount the time-stamp counter counts executed
 * instructions. Flushes are counted by a kprobe and memory by the kernel's own
 * statistics, in a repetition of its own that is not timed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

#define TRACING		"/sys/kernel/tracing/"
#define PROBE		"bench_flush"
#define MAX_STEPS	16
#define MAX_REPETITIONS	9

struct step {
	const char *name;
	unsigned long count;
	enum record_unit unit;
	uint64_t cost[MAX_REPETITIONS];
	long flushes;
	long kept;
};

static struct step steps[MAX_STEPS];
static struct step *step;
static unsigned int nr_steps, repetition;
static bool counting, by_clock;
static const char *marked;
static uint64_t start;

static void write_to(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s: %m", path);
	close(fd);
}

/* Invalidations that were queued to the IOMMU */
static long read_flushes(void)
{
	FILE *file = fopen(TRACING "kprobe_profile", "r");
	unsigned long hits, missed;
	char name[64];
	long sum = -1;

	if (!file)
		die("kprobe_profile: %m");
	while (fscanf(file, "%63s %lu %lu", name, &hits, &missed) == 3)
		if (!strcmp(name, PROBE))
			sum = hits + missed;
	fclose(file);
	return sum;
}

/* Bytes in slabs and in allocations that are too large for one */
static long read_slab(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = 0;

	if (!file)
		die("meminfo: %m");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

static void count_begin(void)
{
	write_to(TRACING "kprobe_events", O_APPEND, "p:" PROBE " qi_flush_iotlb\n");
	write_to(TRACING "events/kprobes/" PROBE "/enable", 0, "1\n");
}

static void count_end(void)
{
	write_to(TRACING "events/kprobes/" PROBE "/enable", 0, "0\n");
	write_to(TRACING "kprobe_events", O_APPEND, "-:" PROBE "\n");
}

/* A profiling plugin of QEMU looks for these two instructions, which do nothing */
static inline void mark_start(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long 0x62656e01" : : : "memory");
}

static inline void mark_stop(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long 0x62656e00" : : : "memory");
}

static uint64_t now(void)
{
	struct timespec time;

	if (!by_clock)
		return __rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

void begin(const char *name)
{
	for (step = steps; step < steps + nr_steps; step++)
		if (!strcmp(step->name, name))
			break;
	if (step == steps + MAX_STEPS)
		die("too many steps");
	if (step == steps + nr_steps) {
		nr_steps++;
		step->name = name;
	}
	if (counting) {
		step->kept = read_slab();
		step->flushes = read_flushes();
		return;
	}
	if (marked && !strcmp(marked, name))
		mark_start();
	start = now();
}

void end(unsigned long count, enum record_unit unit)
{
	uint64_t stop = now();

	if (counting) {
		step->flushes = read_flushes() - step->flushes;
		step->kept = read_slab() - step->kept;
		return;
	}
	if (marked)
		mark_stop();
	step->cost[repetition] = stop - start;
	step->count = count;
	step->unit = unit;
}

static void print_step(const char *name, const char *side,
		       unsigned int repetitions)
{
	static const char * const units[] = {
		[PER_PAGE] = "page",
		[PER_OPERATION] = "operation",
	};
	unsigned int i;

	printf("{\"case\":\"%s\",\"step\":\"%s\",\"side\":\"%s\",",
	       name, step->name, side);
	printf("\"unit\":\"%s\",\"count\":%lu,\"%s\":[",
	       units[step->unit], step->count,
	       by_clock ? "nanoseconds" : "instructions");
	for (i = 0; i < repetitions; i++)
		printf("%s%llu", i ? "," : "",
		       (unsigned long long)step->cost[i]);
	printf("],\"flushes\":%ld,\"kept\":%ld}\n", step->flushes, step->kept);
}

void record(const char *name, const char *side, void (*body)(void),
	    unsigned int repetitions, bool wall_clock)
{
	if (repetitions > MAX_REPETITIONS)
		die("at most %d repetitions", MAX_REPETITIONS);
	by_clock = wall_clock;
	for (repetition = 0; repetition < repetitions; repetition++)
		body();
	counting = true;
	count_begin();
	body();
	count_end();
	for (step = steps; step < steps + nr_steps; step++)
		print_step(name, side, repetitions);
	fflush(stdout);
}

void record_profile(void (*body)(void), const char *profiled)
{
	/* Caches of the kernel are filled the first time */
	body();
	marked = profiled;
	body();
	for (step = steps; step < steps + nr_steps; step++)
		if (!strcmp(step->name, profiled))
			printf("%lu\n", step->count);
}
