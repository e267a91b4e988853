/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs made up, and made out of others. */
#ifndef FUZZ_CHANGE_H
#define FUZZ_CHANGE_H

#include "program.h"

void random_seed(uint64_t seed);
/* From 0 to @limit - 1 */
uint64_t random_below(uint64_t limit);

struct choice {
	/* What changes may use; none when the kernel cannot do it */
	bool faults;
};

/* A program of nothing but chance. */
void program_generate(struct program *program, const struct choice *choice);
/* A few changes, of which one may be to go on with a part of @other. */
void program_mutate(struct program *program, const struct program *other,
		    const struct choice *choice);

#endif
