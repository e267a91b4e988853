// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a mapping that accesses have pinned.
 *
 * A page takes 8 bytes of a chunk that it shares with its neighbours, so pinning
 * a page seldom allocates and finding one is a look-up in a small array. Chunks are
 * freed with their last page, after a grace period for those who only look.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "singles.h"

/* Fills 512 bytes */
#define SINGLES_PER_CHUNK 61

struct singles_chunk {
	struct rcu_head rcu;
	unsigned int nr;
	u64 word[SINGLES_PER_CHUNK];
};

/**
 * singles_alloc - Begin to remember pages
 *
 * Return: an empty set, or NULL for lack of memory.
 */
struct singles *singles_alloc(void)
{
	struct singles *singles;

	BUILD_BUG_ON(sizeof(struct singles_chunk) != 512);
	singles = kmalloc(sizeof(*singles), GFP_KERNEL_ACCOUNT);
	if (singles) {
		xa_init_flags(&singles->chunks, XA_FLAGS_ACCOUNT);
		singles->nr_own = 0;
	}
	return singles;
}

/**
 * singles_free - Undo singles_alloc()
 * @singles: without pages
 */
void singles_free(struct singles *singles)
{
	WARN_ON(!singles_empty(singles));
	xa_destroy(&singles->chunks);
	kfree(singles);
}

/* Leave a chunk, which goes if there is nothing in it */
static void leave_chunk(struct singles_cursor *cursor)
{
	struct singles_chunk *chunk = cursor->chunk;

	if (!chunk || chunk->nr)
		return;
	xa_erase(&cursor->singles->chunks, cursor->nr);
	kfree_rcu(chunk, rcu);
}

static struct singles_chunk *goto_chunk(struct singles_cursor *cursor,
					unsigned long index)
{
	unsigned long nr = index / SINGLES_PER_CHUNK;

	if (!cursor->chunk || cursor->nr != nr) {
		leave_chunk(cursor);
		cursor->nr = nr;
		cursor->chunk = xa_load(&cursor->singles->chunks, nr);
	}
	return cursor->chunk;
}

/**
 * singles_get - Look a page up
 * @cursor: set up by singles_begin()
 * @index: which
 *
 * Return: its word, 0 for none.
 */
u64 singles_get(struct singles_cursor *cursor, unsigned long index)
{
	struct singles_chunk *chunk = goto_chunk(cursor, index);

	return chunk ? chunk->word[index % SINGLES_PER_CHUNK] : 0;
}

/**
 * singles_reserve - Have room for pages that are not there
 * @cursor: set up by singles_begin()
 * @index: the first of them; singles_get() has said 0
 * @nr: how many would be useful
 *
 * Until the cursor is moved to other pages, singles_set() can set them.
 *
 * Return: for how many there is room, all not there; 0 for lack of memory.
 */
unsigned long singles_reserve(struct singles_cursor *cursor,
			      unsigned long index, unsigned long nr)
{
	struct singles_chunk *chunk = goto_chunk(cursor, index);
	unsigned long at = index % SINGLES_PER_CHUNK;
	unsigned long room;

	if (!chunk) {
		chunk = kzalloc(sizeof(*chunk), GFP_KERNEL_ACCOUNT);
		if (!chunk)
			return 0;
		if (xa_err(xa_store(&cursor->singles->chunks, cursor->nr, chunk,
				    GFP_KERNEL))) {
			kfree(chunk);
			return 0;
		}
		cursor->chunk = chunk;
	}
	nr = min(nr, SINGLES_PER_CHUNK - at);
	for (room = 1; room < nr && !chunk->word[at + room]; room++)
		;
	return room;
}

/**
 * singles_set - Change what is known of a page
 * @cursor: at this page by one of the above
 * @index: which page
 * @word: its new word, 0 to forget it
 */
void singles_set(struct singles_cursor *cursor, unsigned long index, u64 word)
{
	struct singles_chunk *chunk = cursor->chunk;
	u64 *at = &chunk->word[index % SINGLES_PER_CHUNK];

	chunk->nr += !*at;
	chunk->nr -= !word;
	cursor->singles->nr_own += !!(word & SINGLE_OWN);
	cursor->singles->nr_own -= !!(*at & SINGLE_OWN);
	/* Pairs with singles_next() */
	WRITE_ONCE(*at, word);
}

/**
 * singles_end - Be done with a cursor
 * @cursor: set up by singles_begin()
 */
void singles_end(struct singles_cursor *cursor)
{
	leave_chunk(cursor);
}

/**
 * singles_next - Find the next page, with no lock needed
 * @singles: where; NULL has none
 * @index: where to begin, set to the page found
 * @last: where to end, inclusive
 *
 * Return: false when there is none.
 */
bool singles_next(struct singles *singles, unsigned long *index,
		  unsigned long last)
{
	unsigned long nr = *index / SINGLES_PER_CHUNK;
	unsigned long at = *index % SINGLES_PER_CHUNK;
	const struct singles_chunk *chunk;
	unsigned long found;
	bool any = false;

	if (!singles)
		return false;
	rcu_read_lock();
	xa_for_each_range(&singles->chunks, found, chunk, nr,
			  last / SINGLES_PER_CHUNK) {
		if (found != nr)
			at = 0;
		for (; at < SINGLES_PER_CHUNK && !any; at++) {
			/* Pairs with singles_set() */
			any = READ_ONCE(chunk->word[at]);
			*index = found * SINGLES_PER_CHUNK + at;
		}
		if (any)
			break;
	}
	rcu_read_unlock();
	return any && *index <= last;
}
