// SPDX-License-Identifier: GPL-2.0-only
#include "ops.h"

unsigned long ops_done;

/* xorshift64*: the same on every machine */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

void ops_random(uint64_t seed, size_t bytes)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
	uint8_t string[4096];

	while (bytes) {
		/* Short strings and long ones: each starts with nothing */
		size_t size = 16ULL << random_next(&state) % 9;
		size_t i;

		if (size > bytes)
			size = bytes;
		for (i = 0; i < size; i++)
			string[i] = random_next(&state) >> 56;
		ops_run(string, size);
		bytes -= size;
	}
}
