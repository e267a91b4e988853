/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A data structure and a plain model of it do what a string of bytes says, and
 * are compared after each step. The bytes are random numbers in the unit tests
 * and libFuzzer's choice in the fuzzers.
 */
#ifndef UNIT_OPS_H
#define UNIT_OPS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs until the bytes are used up; aborts where the two differ. */
void ops_run(const uint8_t *data, size_t size);

/* Calls ops_run() with strings of random bytes, @bytes in all. */
void ops_random(uint64_t seed, size_t bytes);

/* Steps that ops_run() has done so far. */
extern unsigned long ops_done;

struct bytes {
	const uint8_t *at;
	const uint8_t *end;
};

/* The next @count bytes as a number; zeros behind the end. */
static inline uint64_t take(struct bytes *bytes, unsigned int count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 8 |
			(bytes->at < bytes->end ? *bytes->at++ : 0);
	return value;
}

#define CHECK(_condition, ...) do {					\
	if (!(_condition)) {						\
		fprintf(stderr, "# %s:%d: not true: %s: ", __FILE__,	\
			__LINE__, #_condition);				\
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		abort();						\
	}								\
} while (0)

#endif
