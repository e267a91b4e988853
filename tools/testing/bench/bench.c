// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: bench [-w] [-r REPETITIONS] [-p STEP] SIDE CASE
 *
 * Run one case of the benchmark against one implementation, and print a line
 * of JSON for each of its steps. With -w, time is taken from the clock. With
 * -p, one step is marked for a profiler, and only its count is printed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "lib/mock.h"

#define LARGE		(256 * MIB)
#define SMALL_MAPS	20000UL
#define MANY_MAPS	1000000UL
#define SAMPLE		1000UL
/* What each of several threads maps and unmaps, and how often */
#define THREADS		4
#define THREAD_LENGTH	(4 * MIB)
#define THREAD_ROUNDS	64

static const struct side *side;
static char *memory;
static int memory_file, mediated;
static size_t length;

void die(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void skip(const char *format, ...)
{
	va_list args;

	fputs("skipped: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(4);
}

#define MUST(_call) do { \
	int _rc = (_call); \
	if (_rc) \
		die("%s: %s", #_call, strerror(-_rc)); \
} while (0)

/* One mapping of everything */
static void whole(void)
{
	begin("map");
	MUST(side->map(0, memory, length, IOVA_BASE));
	end(length / PAGE, PER_PAGE);
	begin("unmap");
	MUST(side->unmap(0, IOVA_BASE, length));
	end(length / PAGE, PER_PAGE);
}

static void open_scattered(void)
{
	length = LARGE;
	memory = memory_scattered(length);
	side->open(1, length, false);
}

static void open_thp(void)
{
	length = LARGE;
	memory = memory_thp(length);
	side->open(1, length, false);
}

static void open_hugetlb(void)
{
	length = LARGE;
	memory = memory_hugetlb(length);
	side->open(1, length, true);
}

static void open_gigabyte(void)
{
	length = GIB;
	memory = memory_hugetlb(length);
	side->open(1, length, true);
}

static void open_small(void)
{
	length = SMALL_MAPS * PAGE;
	memory = memory_scattered(length);
	side->open(1, length, false);
}

static void map_small(void)
{
	size_t i;

	for (i = 0; i < length; i += PAGE)
		MUST(side->map(0, memory + i, PAGE, IOVA_BASE + i));
}

static void small(void)
{
	size_t i;

	begin("map");
	map_small();
	end(SMALL_MAPS, PER_OPERATION);
	begin("unmap");
	for (i = 0; i < length; i += PAGE)
		MUST(side->unmap(0, IOVA_BASE + i, PAGE));
	end(SMALL_MAPS, PER_OPERATION);
}

static void small_at_once(void)
{
	map_small();
	begin("unmap");
	MUST(side->unmap(0, IOVA_BASE, length));
	end(SMALL_MAPS, PER_OPERATION);
}

/* A second address space that shows the same memory */
static void second(void)
{
	MUST(side->map(0, memory, length, IOVA_BASE));
	begin("copy");
	MUST(side->copy(memory, length, IOVA_BASE));
	end(length / PAGE, PER_PAGE);
	begin("unmap");
	MUST(side->uncopy(length, IOVA_BASE));
	end(length / PAGE, PER_PAGE);
	MUST(side->unmap(0, IOVA_BASE, length));
}

static void open_second_scattered(void)
{
	length = LARGE;
	memory = memory_scattered(length);
	side->open(2, length, false);
}

static void open_second_hugetlb(void)
{
	length = LARGE;
	memory = memory_hugetlb(length);
	side->open(2, length, true);
}

static void open_file(void)
{
	length = GIB;
	if (side->map_file)
		memory_file = memory_hugetlb_file(length, HUGE);
	else
		memory = memory_hugetlb(length);
	side->open(1, length, true);
}

static void file_map(void)
{
	begin("map");
	if (side->map_file)
		MUST(side->map_file(0, memory_file, length, IOVA_BASE));
	else
		MUST(side->map(0, memory, length, IOVA_BASE));
	end(length / PAGE, PER_PAGE);
	begin("unmap");
	MUST(side->unmap(0, IOVA_BASE, length));
	end(length / PAGE, PER_PAGE);
}

/* A second domain that shows a populated address space */
static void late(void)
{
	MUST(side->map(0, memory, length, IOVA_BASE));
	begin("attach");
	if (side->attach)
		MUST(side->attach());
	else
		MUST(side->copy(memory, length, IOVA_BASE));
	end(length / PAGE, PER_PAGE);
	begin("detach");
	if (side->detach)
		MUST(side->detach());
	else
		MUST(side->uncopy(length, IOVA_BASE));
	end(length / PAGE, PER_PAGE);
	MUST(side->unmap(0, IOVA_BASE, length));
}

static void open_late(bool huge)
{
	if (!side->attach && side == &side_type1)
		skip("type 1 has no second domain on the same kind of IOMMU");
	length = LARGE;
	side->open(side->open_late ? 1 : 2, length, huge);
	if (side->open_late)
		side->open_late();
}

static void open_late_scattered(void)
{
	memory = memory_scattered(LARGE);
	open_late(false);
}

static void open_late_hugetlb(void)
{
	memory = memory_hugetlb(LARGE);
	open_late(true);
}

/*
 * So many mappings that their number shows: space 0 has a million of them, and
 * space 1 none. The memory under them is used over and over, as the pages are
 * not what is measured.
 */
static void map_range(int space, unsigned long from, unsigned long to)
{
	unsigned long i;

	for (i = from; i < to; i++)
		MUST(side->map(space, memory + i * PAGE % length, PAGE,
			       IOVA_BASE + i * PAGE));
}

static void open_many(void)
{
	if (side == &side_floor)
		skip("the floor remembers no mappings; see case c");
	length = 64 * MIB;
	memory = memory_scattered(length);
	side->open(2, (MANY_MAPS + SAMPLE) * PAGE, false);
	map_range(0, 0, MANY_MAPS);
}

/* The same by the ioctls of type 1, which these modules serve too */
static void open_many_by_container(void)
{
	if (side != &side_iommufd)
		skip("the same as case i");
	side = &side_type1;
	open_many();
}

/* A thousand further ones, at an IOVA of the caller's choice and of the kernel's */
static void sample(int space, unsigned long at, const char *map,
		   const char *map_anywhere, const char *unmap)
{
	uint64_t iova[SAMPLE] = {};
	unsigned long i;

	begin(map);
	map_range(space, at, at + SAMPLE);
	end(SAMPLE, PER_OPERATION);
	begin(unmap);
	for (i = at; i < at + SAMPLE; i++)
		MUST(side->unmap(space, IOVA_BASE + i * PAGE, PAGE));
	end(SAMPLE, PER_OPERATION);

	if (!side->map_anywhere)
		return;
	begin(map_anywhere);
	for (i = 0; i < SAMPLE; i++)
		MUST(side->map_anywhere(space, memory + i * PAGE, PAGE,
					&iova[i]));
	end(SAMPLE, PER_OPERATION);
	for (i = 0; i < SAMPLE; i++)
		MUST(side->unmap(space, iova[i], PAGE));
}

static void many(void)
{
	sample(1, 0, "first-map", "first-anywhere", "first-unmap");
	sample(0, MANY_MAPS, "last-map", "last-anywhere", "last-unmap");
}

/*
 * A guest of 64 GiB: the same huge pages again and again. How often a page is
 * pinned does not change what pinning it costs.
 */
static void open_sparse(size_t page)
{
	int fd = memory_hugetlb_file(GIB, page);
	size_t i;

	length = 64 * GIB;
	memory = mmap(NULL, length + GIB, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap: %m");
	memory += -(uintptr_t)memory & (GIB - 1);
	for (i = 0; i < length; i += GIB)
		if (mmap(memory + i, GIB, PROT_READ | PROT_WRITE, MAP_SHARED |
			 MAP_FIXED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			die("mmap of huge pages at %zu GiB: %m", i / GIB);
	side->open(1, length, true);
}

static void open_sparse_2m(void)
{
	open_sparse(HUGE);
}

static void open_sparse_1g(void)
{
	open_sparse(GIB);
}

/* Threads that map and unmap at the same time */
static void open_threads(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip("one CPU");
	if (side == &side_floor)
		skip("the floor serves one thread");
	length = THREADS * THREAD_LENGTH;
	memory = memory_scattered(length);
	side->open(2, length, false);
}

struct thread {
	pthread_t thread;
	pthread_barrier_t *start;
	int space;
	unsigned long offset;
};

static void *thread_main(void *arg)
{
	struct thread *me = arg;
	int i;

	pthread_barrier_wait(me->start);
	for (i = 0; i < THREAD_ROUNDS; i++) {
		MUST(side->map(me->space, memory + me->offset, THREAD_LENGTH,
			       IOVA_BASE + me->offset));
		MUST(side->unmap(me->space, IOVA_BASE + me->offset,
				 THREAD_LENGTH));
	}
	return NULL;
}

static void run_threads(const char *step, int nr, bool two_spaces)
{
	struct thread threads[THREADS];
	pthread_barrier_t start;
	int i;

	pthread_barrier_init(&start, NULL, nr + 1);
	for (i = 0; i < nr; i++) {
		threads[i].start = &start;
		threads[i].space = two_spaces ? i % 2 : 0;
		threads[i].offset = i * THREAD_LENGTH;
		if (pthread_create(&threads[i].thread, NULL, thread_main,
				   &threads[i]))
			die("no thread");
	}
	begin(step);
	pthread_barrier_wait(&start);
	for (i = 0; i < nr; i++)
		pthread_join(threads[i].thread, NULL);
	end(nr * THREAD_ROUNDS * (THREAD_LENGTH / PAGE), PER_PAGE);
	pthread_barrier_destroy(&start);
}

static void threads(void)
{
	run_threads("1-thread", 1, false);
	run_threads("2-one-space", 2, false);
	run_threads("2-two-spaces", 2, true);
	run_threads("4-one-space", 4, false);
}

/* What a driver in the kernel does with the memory */
static void open_mediated(void)
{
	if (!side->open_mediated)
		skip("the floor has no access from the kernel");
	if (mock_missing())
		skip("%s", mock_missing());
	length = 16 * MIB;
	memory = memory_scattered(length);
	mediated = side->open_mediated();
	MUST(side->map(0, memory, length, IOVA_BASE));
}

/* Pages that the mock device pins and unpins in one call */
#define PIN_PAGES	512

static void pin_all(const char *step, uint32_t flags)
{
	unsigned long i;

	begin(step);
	for (i = 0; i < length; i += PIN_PAGES * PAGE)
		if (mock_pin(mediated, IOVA_BASE + i, PIN_PAGES,
			     MOCK_WRITE | flags) != PIN_PAGES)
			die("pinning failed");
	end(length / PAGE, PER_PAGE);
}

static void unpin_all(void)
{
	unsigned long i;

	for (i = 0; i < length; i += PIN_PAGES * PAGE)
		MUST(mock_unpin(mediated, IOVA_BASE + i, PIN_PAGES));
}

static void access_by_kernel(void)
{
	static char data[PAGE];
	unsigned long i;

	pin_all("pin", 0);
	unpin_all();
	pin_all("pin-at-once", MOCK_AT_ONCE);
	begin("unpin");
	unpin_all();
	end(length / PAGE, PER_PAGE);
	begin("read-64");
	for (i = 0; i < length; i += PAGE)
		MUST(mock_rw(mediated, IOVA_BASE + i, data, 64, 0));
	end(length / PAGE, PER_OPERATION);
	begin("write-page");
	for (i = 0; i < length; i += PAGE)
		MUST(mock_rw(mediated, IOVA_BASE + i, data, PAGE, MOCK_WRITE));
	end(length / PAGE, PER_OPERATION);
}

/* What the way into the kernel and back costs, part of every other case */
static void null_ioctl(void)
{
	int fds[2];
	int i;

	if (pipe(fds))
		die("pipe: %m");
	begin("ioctl");
	for (i = 0; i < SAMPLE; i++)
		ioctl(fds[0], 0, 0);
	end(SAMPLE, PER_OPERATION);
	close(fds[0]);
	close(fds[1]);
}

static void open_nothing(void)
{
}

static const struct bench_case {
	const char *name;
	void (*open)(void);
	void (*body)(void);
} cases[] = {
	{ "null", open_nothing, null_ioctl },
	{ "a", open_scattered, whole },
	{ "b-thp", open_thp, whole },
	{ "b-hugetlb", open_hugetlb, whole },
	{ "c", open_small, small },
	{ "d", open_small, small_at_once },
	{ "e", open_second_scattered, second },
	{ "e-hugetlb", open_second_hugetlb, second },
	{ "f", open_gigabyte, whole },
	{ "g", open_file, file_map },
	{ "h", open_late_scattered, late },
	{ "h-hugetlb", open_late_hugetlb, late },
	{ "i", open_many, many },
	{ "l", open_threads, threads },
	{ "j", open_many_by_container, many },
	{ "m", open_mediated, access_by_kernel },
	{ "k-2m", open_sparse_2m, whole },
	{ "k-1g", open_sparse_1g, whole },
};

int main(int argc, char **argv)
{
	static const struct side * const sides[] = {
		&side_iommufd, &side_type1, &side_floor,
	};
	unsigned int i, repetitions = 3;
	const char *profiled = NULL;
	bool wall_clock = false;
	const char *name;
	int option;

	while ((option = getopt(argc, argv, "wr:p:")) != -1) {
		if (option == 'r')
			repetitions = atoi(optarg);
		else if (option == 'w')
			wall_clock = true;
		else if (option == 'p')
			profiled = optarg;
		else
			return 2;
	}
	if (argc - optind != 2)
		die("expected a side and a case");
	for (i = 0; i < sizeof(sides) / sizeof(*sides); i++)
		if (!strcmp(sides[i]->name, argv[optind]))
			side = sides[i];
	if (!side)
		die("%s: no such side", argv[optind]);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (strcmp(cases[i].name, argv[optind + 1]))
			continue;
		name = side->name;
		cases[i].open();
		if (profiled)
			record_profile(cases[i].body, profiled);
		else
			record(cases[i].name, name, cases[i].body,
			       repetitions, wall_clock);
		return 0;
	}
	die("%s: no such case", argv[optind + 1]);
}
