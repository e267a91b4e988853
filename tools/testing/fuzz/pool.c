// SPDX-License-Identifier: GPL-2.0-only
#include "pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct pool *pool_create(void)
{
	struct pool *pool = mmap(NULL, sizeof(*pool), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
				 -1, 0);
	pthread_mutexattr_t attr;

	if (pool == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&pool->lock, &attr);
	return pool;
}

int pool_give(struct pool *pool, const char *path)
{
	int nr = programs_read(&pool->given[pool->nr_given],
			       MAX_KEPT - pool->nr_given, path);

	if (nr < 0)
		return -1;
	pool->nr_given += nr;
	return 0;
}

void pool_keep(struct pool *pool, const struct program *program,
	       const struct edges *edges)
{
	unsigned int i, nr;

	pthread_mutex_lock(&pool->lock);
	nr = atomic_load(&pool->nr_kept);
	if (nr < MAX_KEPT) {
		pool->kept[nr].program = *program;
		pool->kept[nr].edges = *edges;
		atomic_store(&pool->nr_kept, nr + 1);
	}
	for (i = 0; i < edges->nr; i++)
		pool->seen[edges->list[i]] = 1;
	pthread_mutex_unlock(&pool->lock);
}

static unsigned int count(const uint8_t *bytes, size_t nr)
{
	unsigned int sum = 0;

	while (nr--)
		sum += bytes[nr];
	return sum;
}

unsigned int pool_count_blocks(const struct pool *pool)
{
	return count(pool->blocks, NR_BLOCKS);
}

unsigned int pool_count_edges(const struct pool *pool)
{
	return count(pool->seen, NR_EDGES);
}

void pool_write(struct pool *pool, FILE *file, size_t room)
{
	unsigned int nr = atomic_load(&pool->nr_kept), i;
	uint8_t *seen = calloc(1, NR_EDGES);
	size_t *lengths = calloc(nr, sizeof(*lengths));

	if (!seen || !lengths)
		goto out;
	for (i = 0; i < nr; i++)
		lengths[i] = program_length(&pool->kept[i].program);
	for (;;) {
		struct edges *edges;
		double best = 0, worth;
		unsigned int chosen = 0;

		/* What is left of an entry is what those before it do not have. */
		for (i = 0; i < nr; i++) {
			edges_unseen(&pool->kept[i].edges, seen);
			worth = (double)pool->kept[i].edges.nr / lengths[i];
			if (worth > best && lengths[i] <= room) {
				best = worth;
				chosen = i;
			}
		}
		if (!best)
			break;
		edges = &pool->kept[chosen].edges;
		for (i = 0; i < edges->nr; i++)
			seen[edges->list[i]] = 1;
		program_write(&pool->kept[chosen].program, file);
		room -= lengths[chosen];
	}
out:
	free(seen);
	free(lengths);
}
