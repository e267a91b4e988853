/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of our modules a program reached, by the kernel's KCOV. A *block* is a place
 * in a module; an *edge* is one block after another within one call, as a number
 * below NR_EDGES, so that two edges may share one.
 */
#ifndef FUZZ_COVER_H
#define FUZZ_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NR_EDGES	(1U << 20)
/* Of one program */
#define MAX_EDGES	6000
/* Places in one module */
#define MODULE_MAX	(1U << 21)
#define NR_BLOCKS	(2 * MODULE_MAX)

/**
 * struct cover - The traces of two threads
 * @files: kcov's files, -1 without KCOV
 */
struct cover {
	int files[2];
	unsigned long *traces[2];
};

/* A set, sorted. */
struct edges {
	unsigned int nr;
	uint32_t list[MAX_EDGES];
};

/* False when the kernel lacks KCOV, or our modules do. */
bool cover_open(struct cover *cover);
/* The name of a module by its number */
const char *cover_module(unsigned int number);
void cover_reset(struct cover *cover);
/* Adds the blocks of the last program, and gives its edges. */
void cover_collect(const struct cover *cover, uint8_t *blocks,
		   struct edges *edges);
/* In a process that is traced: a call begins. */
void cover_mark(unsigned int thread);
/* This process is not traced, unlike its parent. */
void cover_forget(void);

/* Whether all of @part are in @whole */
bool edges_within(const struct edges *part, const struct edges *whole);
/* Keeps of @edges what is in @other, too. */
void edges_intersect(struct edges *edges, const struct edges *other);
/* Keeps what @seen does not have. */
void edges_unseen(struct edges *edges, const uint8_t *seen);

#endif
