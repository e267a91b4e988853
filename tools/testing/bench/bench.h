/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.c: the cases, run one at a time
 * record.c: what a step costs: instructions, IOTLB flushes, memory kept
 * memory.c: kinds of memory to map
 * side_*.c: the implementations that are compared
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIB		1024UL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define PAGE		(4 * KIB)
#define HUGE		(2 * MIB)

/* Where cases map; above what any platform here reserves */
#define IOVA_BASE	0x100000000ULL

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* The case cannot run here, for this reason */
void skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Two address spaces, each with a device of its own. All return 0 or -errno. */
struct side {
	const char *name;
	/*
	 * Both, or only space 0. Up to @length bytes will be mapped, and all of
	 * it is hugetlb memory if @huge.
	 */
	void (*open)(int nr_spaces, uint64_t length, bool huge);
	int (*map)(int space, void *memory, uint64_t length, uint64_t iova);
	int (*unmap)(int space, uint64_t iova, uint64_t length);
	/* Map in space 1 what is in space 0 at the same IOVA; @memory shows it too */
	int (*copy)(void *memory, uint64_t length, uint64_t iova);
	int (*uncopy)(uint64_t length, uint64_t iova);
	/* NULL where there is no such thing: */
	int (*map_file)(int space, int fd, uint64_t length, uint64_t iova);
	int (*map_anywhere)(int space, void *memory, uint64_t length,
			    uint64_t *iova);
	/* A second domain on space 0, by device 1; without device 1 in space 1 */
	void (*open_late)(void);
	int (*attach)(void);
	int (*detach)(void);
	/* Space 0 without a domain, but with a mediated device, which is returned */
	int (*open_mediated)(void);
};

extern const struct side side_iommufd, side_type1, side_floor;

/* memory.c: frames in random order, in pages of 4 KiB, or of 2 MiB and so on */
void *memory_scattered(size_t length);
void *memory_thp(size_t length);
void *memory_hugetlb(size_t length);
int memory_hugetlb_file(size_t length, size_t page);

/* record.c */
enum record_unit { PER_PAGE, PER_OPERATION };

/*
 * A step of a case is what happens between begin() and end(). It is done once
 * in each repetition, and once more for counting, which is not timed.
 */
void begin(const char *step);
void end(unsigned long count, enum record_unit unit);
/* Run @body as often as is wanted, and print the results */
void record(const char *name, const char *side, void (*body)(void),
	    unsigned int repetitions, bool wall_clock);
/*
 * Run @body twice, the second time with a profiler looking at one step, and
 * print by what to divide the result.
 */
void record_profile(void (*body)(void), const char *profiled);

#endif
