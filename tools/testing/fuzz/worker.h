/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that runs programs, one after another. */
#ifndef FUZZ_WORKER_H
#define FUZZ_WORKER_H

#include "change.h"
#include "cover.h"
#include "pool.h"
#include "run.h"

/**
 * struct worker - One of them
 * @number: which
 * @file: that keeps @state for the programs
 * @log: a file into which each program is written before it is run, or -1
 * @mutations: how many programs to make up, or 0 for no limit
 */
struct worker {
	struct pool *pool;
	unsigned int number;
	struct state *state;
	int file;
	int log;
	struct cover cover;
	bool has_cover;
	struct choice choice;
	unsigned long mutations;
};

/* Both traces, devices and memory. False when that cannot be had. */
bool worker_init(struct worker *worker, struct pool *pool, unsigned int number,
		 const char *log_folder);
/* Runs one program, and waits until nothing of it is left. */
void worker_run(struct worker *worker, const struct program *program);
/* Runs the given programs, and then makes up others. */
void worker_loop(struct worker *worker);

#endif
