// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is pinned, as runs of physically contiguous page frames.
 *
 * Runs are only ever appended, walked in order and freed as a whole, so a list
 * of chunks does. The run that is still growing is kept apart: memory that
 * turns out contiguous needs no chunk at all. The caller does the locking.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "runs.h"

static struct run_chunk *chunk_alloc(u32 capacity)
{
	struct run_chunk *chunk;

	chunk = kmalloc(struct_size(chunk, run, capacity), GFP_KERNEL_ACCOUNT);
	if (chunk) {
		chunk->next = NULL;
		chunk->nr = 0;
		chunk->capacity = capacity;
	}
	return chunk;
}

/* Put the tail, which can no longer grow, into a chunk */
static int runs_settle_tail(struct runs_builder *builder, struct run *tail)
{
	struct run_chunk *chunk = builder->last;

	if (!chunk || chunk->nr == chunk->capacity) {
		/* Every further page could be a run of its own */
		unsigned long most = builder->total - builder->nr_pages;

		chunk = chunk_alloc(clamp(most, 1UL, RUN_CHUNK_MAX));
		if (!chunk)
			return -ENOMEM;
		chunk->index = builder->nr_pages - tail->count;
		if (builder->last)
			builder->last->next = chunk;
		else
			builder->runs->head = chunk;
		builder->last = chunk;
	}
	chunk->run[chunk->nr++] = builder->runs->tail;
	return 0;
}

/**
 * runs_append - Add page frames at the end
 * @builder: set up by runs_begin()
 * @pfn: first page frame
 * @count: page frames, at most RUN_MAX_PAGES
 * @by_folio: how they are pinned, see struct run
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int runs_append(struct runs_builder *builder, unsigned long pfn,
		unsigned long count, bool by_folio)
{
	struct runs *runs = builder->runs;

	if (!runs_empty(runs)) {
		struct run tail = run_unpack(runs->tail);
		int rc;

		if (tail.pfn + tail.count == pfn && tail.by_folio == by_folio &&
		    tail.count + count <= RUN_MAX_PAGES) {
			runs->tail += (u64)count << RUN_COUNT_SHIFT;
			builder->nr_pages += count;
			return 0;
		}
		rc = runs_settle_tail(builder, &tail);
		if (rc)
			return rc;
	}
	runs->tail = run_pack(pfn, count, by_folio ? RUN_BY_FOLIO : 0);
	builder->nr_pages += count;
	return 0;
}

/**
 * runs_finish - Give back what was allocated in excess
 * @builder: nothing more will be appended
 */
void runs_finish(struct runs_builder *builder)
{
	struct run_chunk *chunk = builder->runs->head;
	struct run_chunk *small;

	/* Of several chunks only the last has room: less than a page */
	if (!chunk || chunk->next || chunk->nr > chunk->capacity / 2)
		return;
	small = chunk_alloc(chunk->nr);
	if (!small)
		return;
	small->index = chunk->index;
	small->nr = chunk->nr;
	memcpy(small->run, chunk->run, flex_array_size(chunk, run, chunk->nr));
	kfree(chunk);
	builder->runs->head = small;
}

/**
 * runs_free_chunks - What runs_free() does if there are chunks
 * @chunk: the first
 */
void runs_free_chunks(struct run_chunk *chunk)
{
	while (chunk) {
		struct run_chunk *next = chunk->next;

		kfree(chunk);
		chunk = next;
	}
}

/**
 * runs_start - Begin a walk at the first run
 * @iter: set up for runs_next()
 * @runs: must not change during the walk
 */
void runs_start(struct runs_iter *iter, const struct runs *runs)
{
	iter->runs = runs;
	iter->chunk = runs->head;
	iter->pos = 0;
	iter->tail = !runs_empty(runs);
}

/**
 * runs_seek - Begin a walk at the run that holds a page
 * @iter: set up so that runs_next() gives that run
 * @runs: must not change during the walk
 * @nr_pages: page frames in all of @runs
 * @index: page index, less than @nr_pages
 *
 * Return: how many pages of that run come before @index.
 */
unsigned long runs_seek(struct runs_iter *iter, const struct runs *runs,
			unsigned long nr_pages, unsigned long index)
{
	unsigned long tail_index = nr_pages - run_unpack(runs->tail).count;
	const struct run_chunk *chunk;
	unsigned long at;

	runs_start(iter, runs);
	if (index >= tail_index) {
		iter->chunk = NULL;
		return index - tail_index;
	}

	chunk = runs->head;
	while (chunk->next && chunk->next->index <= index)
		chunk = chunk->next;
	iter->chunk = chunk;
	at = chunk->index;
	for (;;) {
		unsigned long count = run_unpack(chunk->run[iter->pos]).count;

		if (index - at < count)
			return index - at;
		at += count;
		iter->pos++;
	}
}
