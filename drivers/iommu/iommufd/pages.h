/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.c: the memory of a mapping
 * pin.c: pinning it
 * window.c: reaching the memory of a file
 * resident.c: memory that a file has already
 */
#ifndef __IOMMUFD_PAGES_H
#define __IOMMUFD_PAGES_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "owner.h"
#include "runs.h"
#include "singles.h"

struct address_space;
struct bar;
struct file;
struct folio_batch;

/*
 * Memory behind each struct pages, for the area that is made with it: most
 * mappings are then one allocation.
 */
#define PAGES_ROOM 96

/* What fits into pages.users */
#define USERS_MAX ((1U << 30) - 1)

/**
 * struct pages - The memory of a mapping, shared by the areas that show it
 * @refs: one for each area, and for each ioctl that is making one
 * @users: areas in domains and accesses that need all of it pinned; pinned while
 *         not 0; up to USERS_MAX
 * @writable: devices may write to it, so its pages are pinned for writing
 * @is_bar: it is a device's BAR; never while @users is 0. Written with @lock held,
 *          read without by those who are one of @users
 * @lock: guards @users, @runs and @singles
 * @owner: who pays; as @base, changed with @lock held by pages_move() alone
 * @file: memory of this file (a reference); NULL for memory of @owner's process
 * @base: page-aligned user address, or page-aligned offset in @file
 * @nr_pages: length
 * @runs: what is pinned, unless @is_bar
 * @bar: what follows the BAR, if @is_bar
 * @singles: pages that accesses pinned; NULL till the first.
 *           pages_next_single() looks into it without the lock
 */
struct pages {
	refcount_t refs;
	unsigned int users : 30;
	unsigned int writable : 1;
	unsigned int is_bar : 1;
	struct mutex lock; /* guards users, runs and singles */
	struct owner *owner;
	struct file *file;
	unsigned long base;
	unsigned long nr_pages;
	union {
		struct runs runs;
		struct bar *bar;
	};
	struct singles *singles;
};

/**
 * struct pages_bin - What is left of mappings that one call takes away
 * @owner: who is to be given back what follows
 * @npages: pages to be uncharged
 * @refs: references on @owner
 * @nr_user: how many of them were for memory of the process
 * @nr: entries in @memory
 * @memory: to be freed
 * @nr_pages: entries in @page
 * @dirty: the pages may have been written to
 * @page: to be unpinned, one pin each
 *
 * Giving back many at once is cheaper than one by one. What is unpinned is
 * uncharged after it.
 */
struct pages_bin {
	struct owner *owner;
	unsigned long npages;
	unsigned long refs;
	unsigned long nr_user;
	unsigned int nr;
	unsigned int nr_pages;
	bool dirty;
	void *memory[16];
	struct page *page[16];
};

static inline void pages_bin_init(struct pages_bin *bin)
{
	bin->owner = NULL;
	bin->nr = 0;
	bin->nr_pages = 0;
	bin->dirty = false;
}

void pages_bin_empty(struct pages_bin *bin);
void pages_bin_free(struct pages_bin *bin, void *memory);
void pages_bin_put(struct pages_bin *bin, struct pages *pages);
void pages_bin_unpin(struct pages_bin *bin, struct pages *pages);
void pages_bin_unpin_put(struct pages_bin *bin, struct pages *pages);

struct pages *pages_alloc_user(struct owner_table *table, unsigned long uaddr,
			       unsigned long length, bool writable);
struct pages *pages_alloc_file(struct owner_table *table, int fd,
			       unsigned long start, unsigned long length,
			       bool writable);
void pages_get(struct pages *pages);
void pages_put(struct pages *pages);

/**
 * pages_room - The memory behind a pages
 * @pages: not yet known to another thread
 *
 * Return: PAGES_ROOM bytes that live as long as @pages.
 */
static inline void *pages_room(struct pages *pages)
{
	return pages + 1;
}

/**
 * pages_is_room - Is this what pages_room() has given?
 * @pages: the pages
 * @room: any memory
 */
static inline bool pages_is_room(const struct pages *pages, const void *room)
{
	return room == pages + 1;
}

int pages_pin(struct pages *pages);
void pages_unpin(struct pages *pages);

int pages_pin_singles(struct pages *pages, unsigned long index,
		      unsigned long nr, struct page **out);
void pages_unpin_singles(struct pages *pages, unsigned long index,
			 unsigned long nr);
bool pages_next_single(struct pages *pages, unsigned long *index,
		       unsigned long last);
int pages_move(struct pages *pages, unsigned long uaddr);
int pages_rw(struct pages *pages, unsigned long offset, void *data,
	     unsigned long length, bool write);

/* pin.c */
int pin_runs(struct pages *pages, struct runs *runs);
void unpin_runs(const struct runs *runs, bool dirty);
long pin_some(struct pages *pages, unsigned long index, unsigned long nr,
	      struct page **out);

/* window.c */

/**
 * struct window - Memory of a file, mapped for a moment to be pinned
 * @addr: user address in the current process at which the wanted page is
 * @start: what was mapped
 * @length: how much of it
 */
struct window {
	unsigned long addr;
	unsigned long start;
	unsigned long length;
};

int window_check(struct file *file);
int window_open(struct window *window, struct file *file, unsigned long base,
		unsigned long nr_pages, bool writable);
void window_close(struct window *window);

/* resident.c */

/**
 * struct resident - A file whose memory is being pinned
 * @mapping: its page cache; NULL if all has to be mapped
 * @writable: pins are for writing, and until resident_end() it cannot be sealed
 */
struct resident {
	struct address_space *mapping;
	bool writable;
};

int resident_begin(struct resident *resident, struct file *file, bool writable);
void resident_end(struct resident *resident);
unsigned int resident_pin(struct resident *resident, unsigned long offset,
			  unsigned long end, struct folio_batch *batch);

#endif
