// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes away what is not needed for a report: whole programs first, from the oldest
 * on, then calls, then how they are made, then unusual arguments. Whether what is
 * left still does it is for a command to say, which boots a machine each time.
 */
#include "reduce.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "program.h"

#define MAX_PROGRAMS	64
#define MAX_HISTORIES	2
#define STATUS_REPORT	3

struct history {
	const char *path;
	struct program programs[MAX_PROGRAMS];
	unsigned int nr;
};

/* What is left of the one that does it */
static struct program programs[MAX_PROGRAMS];
static unsigned int nr_programs;
static const char *command;
static char try_path[256];

static bool write_programs(const char *path, const struct program *from,
			   unsigned int nr)
{
	FILE *file = fopen(path, "w");
	unsigned int i;

	if (!file) {
		perror(path);
		return false;
	}
	for (i = 0; i < nr; i++)
		program_write(&from[i], file);
	fclose(file);
	return true;
}

static bool still(const struct program *from, unsigned int nr)
{
	char line[1024];
	int status;

	if (!write_programs(try_path, from, nr))
		return false;
	snprintf(line, sizeof(line), "%s %s", command, try_path);
	status = system(line);
	return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_REPORT;
}

/* The last ones of each in turn, twice as many each time, until there are enough */
static const struct history *find_last(const struct history *histories, int count)
{
	unsigned int tried = 0, wanted;
	bool more = true;
	int i;

	for (wanted = 1; more; tried = wanted, wanted *= 2) {
		more = false;
		for (i = 0; i < count; i++) {
			const struct history *from = &histories[i];
			unsigned int nr = wanted < from->nr ? wanted : from->nr;

			if (nr <= tried)
				continue;
			if (still(&from->programs[from->nr - nr], nr)) {
				memcpy(programs, &from->programs[from->nr - nr],
				       nr * sizeof(programs[0]));
				nr_programs = nr;
				return from;
			}
			more |= nr < from->nr;
		}
	}
	return NULL;
}

/* Half of them at once, then a quarter and so on, as most are not needed */
static void drop_programs(void)
{
	static struct program less[MAX_PROGRAMS];
	unsigned int step, nr, i;

	for (step = nr_programs / 2; step; step /= 2) {
		for (i = 0; i + step <= nr_programs && step < nr_programs;) {
			nr = nr_programs - step;
			memcpy(less, programs, i * sizeof(less[0]));
			memcpy(&less[i], &programs[i + step],
			       (nr - i) * sizeof(less[0]));
			if (still(less, nr)) {
				memcpy(programs, less, nr * sizeof(less[0]));
				nr_programs = nr;
			} else {
				i += step;
			}
		}
	}
}

/* Tries programs[at] as @less; keeps it if it will do. */
static bool settle_for(unsigned int at, const struct program *less)
{
	static struct program before;

	before = programs[at];
	programs[at] = *less;
	if (still(programs, nr_programs))
		return true;
	programs[at] = before;
	return false;
}

static void drop_calls(unsigned int at)
{
	static struct program less;
	unsigned int i;

	for (i = programs[at].nr; i-- && programs[at].nr > 1;) {
		less = programs[at];
		program_remove(&less, i);
		settle_for(at, &less);
	}
}

static void simplify(unsigned int at)
{
	static struct program less;
	unsigned int i, k;

	for (i = 0; i < programs[at].nr; i++) {
		const struct call_type *type = type_of(&programs[at].calls[i]);

		for (k = 0; k < NR_MANNERS; k++) {
			if (!programs[at].calls[i].manners[k])
				continue;
			less = programs[at];
			less.calls[i].manners[k] = 0;
			settle_for(at, &less);
		}
		for (k = 0; k < nr_args(type); k++) {
			less = programs[at];
			if (less.calls[i].args[k].ref != NO_REF ||
			    less.calls[i].args[k].value == type->args[k].usual)
				continue;
			less.calls[i].args[k].value = type->args[k].usual;
			settle_for(at, &less);
		}
	}
}

int reduce(const char *with, char *const paths[], int nr_paths)
{
	static struct history histories[MAX_HISTORIES];
	const struct history *from;
	char result[256];
	unsigned int i;
	int nr, k;

	if (nr_paths > MAX_HISTORIES)
		return 2;
	for (k = 0; k < nr_paths; k++) {
		histories[k].path = paths[k];
		nr = programs_read(histories[k].programs, MAX_PROGRAMS, paths[k]);
		if (nr <= 0)
			return 2;
		histories[k].nr = nr;
	}
	command = with;
	snprintf(try_path, sizeof(try_path), "%s.try", paths[0]);
	from = find_last(histories, nr_paths);
	if (!from) {
		fprintf(stderr, "fuzz: it does not happen again\n");
		return 1;
	}
	snprintf(result, sizeof(result), "%s.reduced", from->path);
	drop_programs();
	for (i = 0; i < nr_programs; i++)
		drop_calls(i);
	write_programs(result, programs, nr_programs);
	for (i = 0; i < nr_programs; i++)
		simplify(i);
	remove(try_path);
	if (!write_programs(result, programs, nr_programs))
		return 2;
	puts(result);
	return 0;
}
