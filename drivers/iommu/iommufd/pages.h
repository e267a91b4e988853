/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.c: the memory of a mapping
 * pin.c: pinning it
 * window.c: reaching the memory of a file
 */
#ifndef __IOMMUFD_PAGES_H
#define __IOMMUFD_PAGES_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "owner.h"
#include "runs.h"

struct file;

/**
 * struct pages - The memory of a mapping, shared by the areas that show it
 * @refs: one for each area, and for each ioctl that is making one
 * @writable: devices may write to it, so its pages are pinned for writing
 * @lock: guards @users, @runs and @singles
 * @owner: who pays; as @base, changed with @lock held by pages_move() alone
 * @file: memory of this file (a reference); NULL for memory of @owner's process
 * @base: page-aligned user address, or page-aligned offset in @file
 * @nr_pages: length
 * @users: domains and accesses that need all of it pinned; pinned while not 0
 * @runs: what is pinned
 * @singles: index -> struct single, pages that accesses pinned; NULL till first.
 *           pages_has_single() looks into it without the lock
 */
struct pages {
	refcount_t refs;
	bool writable;
	struct mutex lock; /* guards users, runs and singles */
	struct owner *owner;
	struct file *file;
	unsigned long base;
	unsigned long nr_pages;

	unsigned int users;
	struct runs runs;
	struct xarray *singles;
};

struct pages *pages_alloc_user(struct owner_table *table, unsigned long uaddr,
			       unsigned long length, bool writable);
struct pages *pages_alloc_file(struct owner_table *table, int fd,
			       unsigned long start, unsigned long length,
			       bool writable);
void pages_get(struct pages *pages);
void pages_put(struct pages *pages);

int pages_pin(struct pages *pages);
void pages_unpin(struct pages *pages);

int pages_pin_single(struct pages *pages, unsigned long index,
		     struct page **out);
void pages_unpin_single(struct pages *pages, unsigned long index);
bool pages_has_single(struct pages *pages, unsigned long index);
int pages_move(struct pages *pages, unsigned long uaddr);
int pages_rw(struct pages *pages, unsigned long offset, void *data,
	     unsigned long length, bool write);

/* pin.c */
int pin_runs(struct pages *pages, struct runs *runs);
void unpin_runs(const struct runs *runs, bool dirty);
int pin_one(struct pages *pages, unsigned long index, struct page **out);
void unpin_one(struct page *page, bool dirty);

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

#endif
