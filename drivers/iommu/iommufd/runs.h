/* SPDX-License-Identifier: GPL-2.0-only */
/* runs.c: what is pinned, as runs of physically contiguous page frames */
#ifndef __IOMMUFD_RUNS_H
#define __IOMMUFD_RUNS_H

#include <linux/bits.h>
#include <linux/types.h>

/*
 * A run in 8 bytes: 40 bits of page frame number (52 bits of address), one bit
 * that says how it was pinned, 23 bits of count less one (up to 32 GiB).
 */
#define RUN_PFN_BITS 40
#define RUN_COUNT_BITS 23
#define RUN_MAX_PAGES BIT(RUN_COUNT_BITS)
#define RUN_BY_FOLIO BIT_ULL(RUN_PFN_BITS)
#define RUN_COUNT_SHIFT (RUN_PFN_BITS + 1)

/**
 * struct run - A run taken apart
 * @pfn: first page frame
 * @count: page frames
 * @by_folio: each hugetlb page in it is pinned once, not each of its frames
 */
struct run {
	unsigned long pfn;
	unsigned long count;
	bool by_folio;
};

/*
 * Runs in the order of the memory they stand for, in chunks of at most a page.
 */
struct run_chunk {
	struct run_chunk *next;
	unsigned long index; /* of the first page that the chunk stands for */
	u32 nr;
	u32 capacity;
	u64 run[];
};

#define RUN_CHUNK_MAX \
	((4096 - sizeof(struct run_chunk)) / sizeof(u64))

/**
 * struct runs - All runs of one pages
 * @tail: the last run, and the only one of most mappings
 * @head: chunks with the runs before @tail
 */
struct runs {
	u64 tail;
	struct run_chunk *head;
};

/**
 * struct runs_builder - Runs that are being collected
 * @runs: where to
 * @last: the chunk that is being filled
 * @nr_pages: page frames appended so far
 * @total: page frames that there will be
 */
struct runs_builder {
	struct runs *runs;
	struct run_chunk *last;
	unsigned long nr_pages;
	unsigned long total;
};

/**
 * struct runs_iter - Where one is in a walk over runs
 * @runs: what is walked
 * @chunk: chunk of the next run; NULL for the tail and at the end
 * @pos: place in @chunk
 * @tail: the tail comes next
 */
struct runs_iter {
	const struct runs *runs;
	const struct run_chunk *chunk;
	u32 pos;
	bool tail;
};

static inline struct run run_unpack(u64 word)
{
	return (struct run){
		.pfn = word & (RUN_BY_FOLIO - 1),
		.count = (word >> RUN_COUNT_SHIFT) + 1,
		.by_folio = word & RUN_BY_FOLIO,
	};
}

static inline u64 run_pack(unsigned long pfn, unsigned long count, u64 flag)
{
	return pfn | flag | (u64)(count - 1) << RUN_COUNT_SHIFT;
}

/* An empty run has no encoding; this is one with a frame that cannot exist */
#define RUN_NONE (~0ULL)

static inline void runs_init(struct runs *runs)
{
	runs->tail = RUN_NONE;
	runs->head = NULL;
}

static inline bool runs_empty(const struct runs *runs)
{
	return runs->tail == RUN_NONE;
}

static inline void runs_begin(struct runs_builder *builder, struct runs *runs,
			      unsigned long total)
{
	runs_init(runs);
	*builder = (struct runs_builder){ .runs = runs, .total = total };
}

int runs_append(struct runs_builder *builder, unsigned long pfn,
		unsigned long count, bool by_folio);
void runs_finish(struct runs_builder *builder);
void runs_free_chunks(struct run_chunk *chunk);
void runs_start(struct runs_iter *iter, const struct runs *runs);
unsigned long runs_seek(struct runs_iter *iter, const struct runs *runs,
			unsigned long nr_pages, unsigned long index);

/**
 * runs_free - Forget all runs
 * @runs: the runs; empty afterwards
 */
static inline void runs_free(struct runs *runs)
{
	if (runs->head)
		runs_free_chunks(runs->head);
	runs_init(runs);
}

/**
 * runs_next - Take the next run
 * @iter: the walk
 * @run: set to the run
 *
 * Return: false after the last one.
 */
static inline bool runs_next(struct runs_iter *iter, struct run *run)
{
	if (iter->chunk) {
		*run = run_unpack(iter->chunk->run[iter->pos]);
		if (++iter->pos == iter->chunk->nr) {
			iter->chunk = iter->chunk->next;
			iter->pos = 0;
		}
		return true;
	}
	if (!iter->tail)
		return false;
	iter->tail = false;
	*run = run_unpack(iter->runs->tail);
	return true;
}

#endif
