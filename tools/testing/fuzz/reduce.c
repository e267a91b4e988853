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
#define STATUS_REPORT	3

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

/* The last ones, twice as many each time, until there are enough */
static bool find_last(void)
{
	unsigned int nr;

	for (nr = 1;; nr *= 2) {
		if (nr > nr_programs)
			nr = nr_programs;
		if (still(&programs[nr_programs - nr], nr))
			break;
		if (nr == nr_programs)
			return false;
	}
	memmove(programs, &programs[nr_programs - nr], nr * sizeof(programs[0]));
	nr_programs = nr;
	return true;
}

static void drop_programs(void)
{
	static struct program less[MAX_PROGRAMS];
	unsigned int i = 0;

	while (i < nr_programs && nr_programs > 1) {
		memcpy(less, programs, sizeof(less));
		memmove(&less[i], &less[i + 1],
			(nr_programs - i - 1) * sizeof(less[0]));
		if (still(less, nr_programs - 1))
			memcpy(programs, less, --nr_programs * sizeof(less[0]));
		else
			i++;
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

int reduce(const char *path, const char *with)
{
	char result[256];
	unsigned int i;
	int nr;

	command = with;
	snprintf(try_path, sizeof(try_path), "%s.try", path);
	snprintf(result, sizeof(result), "%s.reduced", path);
	nr = programs_read(programs, MAX_PROGRAMS, path);
	if (nr <= 0)
		return 2;
	nr_programs = nr;
	if (!find_last()) {
		fprintf(stderr, "fuzz: %s: it does not happen again\n", path);
		return 1;
	}
	drop_programs();
	for (i = 0; i < nr_programs; i++)
		drop_calls(i);
	write_programs(result, programs, nr_programs);
	for (i = 0; i < nr_programs; i++)
		simplify(i);
	remove(try_path);
	return write_programs(result, programs, nr_programs) ? 0 : 2;
}
