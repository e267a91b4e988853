/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the processes of the fuzzer share: the programs that are worth keeping, what
 * was reached so far, and what each worker does right now.
 */
#ifndef FUZZ_POOL_H
#define FUZZ_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cover.h"
#include "program.h"

#define MAX_KEPT	3000
#define MAX_WORKERS	2
/* Programs that a worker ran last */
#define HISTORY		24

struct kept {
	struct program program;
	struct edges edges;
};

/**
 * struct worker_state - What others see of a worker
 * @history: what it ran last, the latest at @ran - 1
 * @ran: programs
 * @timeouts: those that did not end in time
 * @paused: it waits, and nothing of its programs is left
 * @done: it will run nothing more
 * @stuck: a program that cannot be killed
 */
struct worker_state {
	struct program history[HISTORY];
	atomic_ulong ran;
	atomic_ulong timeouts;
	atomic_bool paused;
	atomic_bool done;
	atomic_bool stuck;
};

/**
 * struct pool - All of it, in shared memory
 * @lock: guards @nr_kept, @kept, @seen and @blocks
 * @pause: workers are to wait
 * @stop: workers are to exit
 * @imported: how many of the given programs have been taken by workers
 */
struct pool {
	pthread_mutex_t lock;
	atomic_bool pause;
	atomic_bool stop;
	atomic_uint imported;
	atomic_uint nr_kept;
	struct kept kept[MAX_KEPT];
	uint8_t seen[NR_EDGES];
	uint8_t blocks[NR_BLOCKS];
	struct worker_state workers[MAX_WORKERS];
	unsigned int nr_given;
	struct program given[MAX_KEPT];
};

struct pool *pool_create(void);
/* Reads a file of programs into @given; -1 when one is not understood. */
int pool_give(struct pool *pool, const char *path);
void pool_keep(struct pool *pool, const struct program *program,
	       const struct edges *edges);
unsigned int pool_count_blocks(const struct pool *pool);
unsigned int pool_count_edges(const struct pool *pool);
/*
 * Writes programs that together reach all that was reached by any, the shortest
 * that do, as long as there is room for them.
 */
void pool_write(struct pool *pool, FILE *file, size_t room);

#endif
