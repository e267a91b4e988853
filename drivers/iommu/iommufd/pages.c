// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a mapping.
 *
 * A pages is a stretch of a process's memory or of a file. Areas of one or
 * more address spaces show it, whole or in slices. It is pinned whole while a
 * domain translates to any of it; otherwise an in-kernel access pins just the
 * pages that it works on.
 *
 * The charge is for the whole stretch while that is pinned, and for each page
 * pinned by an access otherwise; a page that is held in both ways at once is
 * pinned by both and charged for both, as two users of it are.
 */
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/iommufd_refusal.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bar.h"
#include "pages.h"
#include "trace.h"

static struct pages *pages_alloc(struct owner_table *table, struct file *file,
				 unsigned long start, unsigned long length,
				 bool writable)
{
	struct pages *pages;
	unsigned long end;

	if (!length)
		return ERR_PTR(refuse(-EINVAL, "the length is 0"));
	/* The end is checked as well, so that it can be rounded up */
	if (check_add_overflow(start, length, &end) ||
	    end > ULONG_MAX - PAGE_SIZE)
		return ERR_PTR(refuse(-EOVERFLOW, "0x%lx and 0x%lx bytes go past the last address",
				      start, length));

	pages = kmalloc(sizeof(*pages) + PAGES_ROOM, GFP_KERNEL_ACCOUNT);
	if (!pages)
		return ERR_PTR(refuse(-ENOMEM, NO_MEMORY_FOR "a mapping"));
	*pages = (struct pages){
		.refs = REFCOUNT_INIT(1),
		.writable = writable,
		.file = file,
		.base = ALIGN_DOWN(start, PAGE_SIZE),
		.nr_pages = (PAGE_ALIGN(end) - ALIGN_DOWN(start, PAGE_SIZE)) >>
			    PAGE_SHIFT,
	};
	pages->owner = owner_get_current(table, !file);
	if (!pages->owner) {
		kfree(pages);
		return ERR_PTR(refuse(-ENOMEM, NO_MEMORY_FOR "a mapping"));
	}
	mutex_init(&pages->lock);
	runs_init(&pages->runs);
	return pages;
}

/**
 * pages_alloc_user - Stand for memory of the calling process
 * @table: the owners of the file
 * @uaddr: user address, of any alignment
 * @length: bytes
 * @writable: devices may write to it
 *
 * Nothing is pinned yet.
 *
 * Return: the pages, or ERR_PTR of -EINVAL, -EOVERFLOW, -ENOMEM.
 */
struct pages *pages_alloc_user(struct owner_table *table, unsigned long uaddr,
			       unsigned long length, bool writable)
{
	return pages_alloc(table, NULL, uaddr, length, writable);
}

/**
 * pages_alloc_file - Stand for memory of a file
 * @table: the owners of the file
 * @fd: descriptor of a memfd, shmem or hugetlbfs file
 * @start: offset in it, of any alignment
 * @length: bytes
 * @writable: devices may write to it
 *
 * Return: the pages, or an ERR_PTR: -EBADF; -EINVAL for another kind of file, or one
 * that is shorter; -EACCES or -EPERM when the file may not be written, -EOVERFLOW, -ENOMEM.
 */
struct pages *pages_alloc_file(struct owner_table *table, int fd,
			       unsigned long start, unsigned long length,
			       bool writable)
{
	struct file *file = fget(fd);
	struct window window;
	struct pages *pages;
	int rc;

	if (!file)
		return ERR_PTR(refuse(-EBADF, "no file is open at descriptor %d",
				      fd));
	rc = window_check(file);
	if (rc) {
		pages = ERR_PTR(rc);
		goto out_put;
	}
	pages = pages_alloc(table, file, start, length, writable);
	if (IS_ERR(pages))
		goto out_put;

	/* It may be long until it is pinned: find out now what is forbidden */
	rc = window_open(&window, file, pages->base, pages->nr_pages, writable);
	if (rc) {
		pages_put(pages);
		return ERR_PTR(rc);
	}
	window_close(&window);
	return pages;

out_put:
	fput(file);
	return pages;
}

void pages_get(struct pages *pages)
{
	refcount_inc(&pages->refs);
}

/* Give back everything but the owner and the memory of the structure */
static inline void pages_release(struct pages *pages)
{
	WARN_ON(pages->users);
	if (pages->singles)
		singles_free(pages->singles);
	if (pages->file)
		fput(pages->file);
	mutex_destroy(&pages->lock);
}

void pages_put(struct pages *pages)
{
	if (!refcount_dec_and_test(&pages->refs))
		return;
	owner_put(pages->owner, 0, 1, !pages->file);
	pages_release(pages);
	kfree(pages);
}

static void bin_unpin(struct pages_bin *bin)
{
	if (!bin->nr_pages)
		return;
	unpin_user_pages_dirty_lock(bin->page, bin->nr_pages, bin->dirty);
	bin->nr_pages = 0;
}

static void bin_return_owner(struct pages_bin *bin)
{
	bin_unpin(bin);
	if (!bin->owner)
		return;
	owner_put(bin->owner, bin->npages, bin->refs, bin->nr_user);
	bin->owner = NULL;
}

static void bin_change_owner(struct pages_bin *bin, struct owner *owner)
{
	bin_return_owner(bin);
	/* pages_move() may take the owner from under what was unpinned */
	owner_get(owner);
	bin->owner = owner;
	bin->npages = 0;
	bin->refs = 1;
	bin->nr_user = 0;
}

static inline void bin_set_owner(struct pages_bin *bin, struct owner *owner)
{
	if (unlikely(bin->owner != owner))
		bin_change_owner(bin, owner);
}

static inline void bin_unpin_page(struct pages_bin *bin, unsigned long pfn, bool dirty)
{
	if (bin->nr_pages == ARRAY_SIZE(bin->page) || bin->dirty != dirty)
		bin_unpin(bin);
	bin->dirty = dirty;
	bin->page[bin->nr_pages++] = pfn_to_page(pfn);
}

/**
 * pages_bin_empty - Give back what is in a bin
 * @bin: the bin; empty and usable afterwards
 */
void pages_bin_empty(struct pages_bin *bin)
{
	bin_return_owner(bin);
	if (bin->nr == 1)
		kfree(bin->memory[0]);
	else
		kfree_bulk(bin->nr, bin->memory);
	bin->nr = 0;
}

/**
 * pages_bin_free - kfree() by way of a bin
 * @bin: the bin
 * @memory: to be freed
 */
void pages_bin_free(struct pages_bin *bin, void *memory)
{
	if (bin->nr == ARRAY_SIZE(bin->memory)) {
		kfree_bulk(bin->nr, bin->memory);
		bin->nr = 0;
	}
	bin->memory[bin->nr++] = memory;
}

static inline void bin_put_last(struct pages_bin *bin, struct pages *pages)
{
	bin_set_owner(bin, pages->owner);
	bin->refs++;
	bin->nr_user += !pages->file;
	pages_release(pages);
	pages_bin_free(bin, pages);
}

/**
 * pages_bin_put - pages_put() by way of a bin
 * @bin: the bin
 * @pages: the caller has a reference
 */
void pages_bin_put(struct pages_bin *bin, struct pages *pages)
{
	if (refcount_dec_and_test(&pages->refs))
		bin_put_last(bin, pages);
}

static int __cold pin_failed(const struct pages *pages, int error)
{
	trace_iommufd_pin_failed(pages->base, pages->nr_pages, pages->file,
				 pages->writable, error);
	return error;
}

static int use_whole(struct pages *pages)
{
	int rc;

	lockdep_assert_held(&pages->lock);

	if (!pages->users) {
		rc = owner_charge(pages->owner, pages->nr_pages);
		if (rc)
			return pin_failed(pages, rc);
		rc = pin_runs(pages, &pages->runs);
		if (rc) {
			owner_uncharge(pages->owner, pages->nr_pages);
			if (rc != -EFAULT || pages->file)
				return pin_failed(pages, rc);
			rc = bar_create(pages);
			if (rc)
				return pin_failed(pages, rc);
			iommufd_refusal_forget();
		}
	}
	if (pages->users == USERS_MAX)
		return refuse(-EOVERFLOW, "the memory is mapped too often");
	pages->users++;
	return 0;
}

/* It is pinned for nobody any more */
static inline void end_whole(struct pages_bin *bin, struct pages *pages)
{
	struct run tail __uninitialized;

	if (unlikely(pages->is_bar)) {
		bar_destroy(pages);
		return;
	}
	tail = run_unpack(pages->runs.tail);
	if (likely(!pages->runs.head && tail.count == 1)) {
		bin_unpin_page(bin, tail.pfn, pages->writable);
		runs_init(&pages->runs);
	} else {
		unpin_runs(&pages->runs, pages->writable);
		runs_free(&pages->runs);
	}
	bin_set_owner(bin, pages->owner);
	bin->npages += pages->nr_pages;
}

static void unuse_whole(struct pages_bin *bin, struct pages *pages)
{
	lockdep_assert_held(&pages->lock);

	if (!--pages->users)
		end_whole(bin, pages);
}

/**
 * pages_pin - Have all of it pinned
 * @pages: the memory
 *
 * Until pages_unpin(), @pages->is_bar and @pages->runs do not change and may be
 * read without a lock. Of a BAR nothing is pinned.
 *
 * Return: 0; -ENOMEM also when the owner's limit is exceeded; -EFAULT; -EINTR;
 * -EOVERFLOW when it is mapped too often.
 */
int pages_pin(struct pages *pages)
{
	int rc;

	mutex_lock(&pages->lock);
	rc = use_whole(pages);
	mutex_unlock(&pages->lock);
	return rc;
}

/**
 * pages_bin_unpin - pages_unpin() by way of a bin
 * @bin: the bin
 * @pages: as for pages_unpin()
 */
void pages_bin_unpin(struct pages_bin *bin, struct pages *pages)
{
	mutex_lock(&pages->lock);
	unuse_whole(bin, pages);
	mutex_unlock(&pages->lock);
}

/**
 * pages_bin_unpin_put - pages_bin_unpin(), then pages_bin_put()
 * @bin: the bin
 * @pages: as for both
 */
void pages_bin_unpin_put(struct pages_bin *bin, struct pages *pages)
{
	/* The end of a BAR takes locks inside this one */
	if (refcount_read(&pages->refs) != 1 || pages->is_bar) {
		pages_bin_unpin(bin, pages);
		pages_bin_put(bin, pages);
		return;
	}
	/* Nobody else can take the lock. Sees what the others did who put theirs */
	smp_acquire__after_ctrl_dep();
	if (!--pages->users)
		end_whole(bin, pages);
	bin_put_last(bin, pages);
}

/**
 * pages_unpin - Undo one pages_pin()
 * @pages: the memory; no domain may translate to it on the caller's behalf
 */
void pages_unpin(struct pages *pages)
{
	struct pages_bin bin __uninitialized;

	pages_bin_init(&bin);
	pages_bin_unpin(&bin, pages);
	pages_bin_empty(&bin);
}

/* The pages that @pages->runs has from @index on */
static void whole_pages(struct pages *pages, unsigned long index,
			unsigned long nr, struct page **out)
{
	struct runs_iter iter;
	unsigned long skip;
	struct run run;

	skip = runs_seek(&iter, &pages->runs, pages->nr_pages, index);
	while (nr && runs_next(&iter, &run)) {
		for (; nr && skip < run.count; skip++, nr--)
			*out++ = pfn_to_page(run.pfn + skip);
		skip = 0;
	}
}

/*
 * Hold pages for accesses: by the whole if that is pinned, since what devices see
 * is what the access must see. Returns how many, with their word in @word.
 */
static long hold_singles(struct pages *pages, unsigned long index,
			 unsigned long nr, struct page **out, u64 *word)
{
	long got;
	int rc;

	/* It has no pages, and what else may be at its addresses is not it */
	if (pages->is_bar)
		return -EFAULT;
	*word = SINGLE_ONCE;
	if (pages->users) {
		if (nr > USERS_MAX - pages->users)
			return -EOVERFLOW;
		whole_pages(pages, index, nr, out);
		pages->users += nr;
		return nr;
	}
	*word |= SINGLE_OWN;
	rc = owner_charge(pages->owner, nr);
	if (rc)
		return rc;
	got = pin_some(pages, index, nr, out);
	if (got < (long)nr)
		owner_uncharge(pages->owner, nr - max(got, 0L));
	return got;
}

/* Pin pages, none of which is pinned by an access, if there is room for them */
static long new_singles(struct singles_cursor *cursor, struct pages *pages,
			unsigned long index, unsigned long nr,
			struct page **out)
{
	long got;
	u64 word;
	long i;

	nr = singles_reserve(cursor, index, nr);
	if (!nr)
		return -ENOMEM;
	got = hold_singles(pages, index, nr, out, &word);
	for (i = 0; i < got; i++)
		singles_set(cursor, index + i, page_to_pfn(out[i]) | word);
	return got;
}

static void unpin_singles(struct pages_bin *bin, struct pages *pages,
			  unsigned long index, unsigned long nr)
{
	struct singles_cursor cursor;

	lockdep_assert_held(&pages->lock);

	singles_begin(&cursor, pages->singles);
	for (; nr; nr--, index++) {
		u64 word = singles_get(&cursor, index);

		if (WARN_ON(word < SINGLE_ONCE))
			continue;
		word -= SINGLE_ONCE;
		if (word >= SINGLE_ONCE) {
			singles_set(&cursor, index, word);
			continue;
		}
		singles_set(&cursor, index, 0);
		if (word & SINGLE_OWN) {
			bin_set_owner(bin, pages->owner);
			bin_unpin_page(bin, single_pfn(word), pages->writable);
			bin->npages++;
		} else {
			unuse_whole(bin, pages);
		}
	}
	singles_end(&cursor);
}

static bool make_singles(struct pages *pages)
{
	struct singles *singles = pages->singles;

	if (!singles) {
		singles = singles_alloc();
		/* Pairs with pages_next_single() */
		smp_store_release(&pages->singles, singles);
	}
	return singles;
}

/**
 * pages_pin_singles - Pin pages for an access, once more
 * @pages: the memory
 * @index: the first page
 * @nr: how many
 * @out: set to them
 *
 * Return: 0; -EOVERFLOW when a page is pinned too often; otherwise as pages_pin().
 * Nothing is changed on failure.
 */
int pages_pin_singles(struct pages *pages, unsigned long index,
		      unsigned long nr, struct page **out)
{
	struct pages_bin bin __uninitialized;
	struct singles_cursor cursor;
	unsigned long done = 0;
	long got = 0;

	mutex_lock(&pages->lock);
	if (!make_singles(pages)) {
		mutex_unlock(&pages->lock);
		return -ENOMEM;
	}
	singles_begin(&cursor, pages->singles);
	for (; done < nr; done += got) {
		u64 word = singles_get(&cursor, index + done);

		if (!word) {
			got = new_singles(&cursor, pages, index + done,
					  nr - done, out + done);
		} else if (word <= U64_MAX - SINGLE_ONCE) {
			singles_set(&cursor, index + done, word + SINGLE_ONCE);
			out[done] = pfn_to_page(single_pfn(word));
			got = 1;
		} else {
			got = -EOVERFLOW;
		}
		if (got < 0)
			break;
	}
	singles_end(&cursor);
	if (got < 0) {
		pages_bin_init(&bin);
		unpin_singles(&bin, pages, index, done);
		pages_bin_empty(&bin);
	}
	mutex_unlock(&pages->lock);
	return min(got, 0L);
}

/**
 * pages_unpin_singles - Undo pages_pin_singles()
 * @pages: the memory
 * @index: the first page
 * @nr: how many; each is pinned so
 */
void pages_unpin_singles(struct pages *pages, unsigned long index,
			 unsigned long nr)
{
	struct pages_bin bin __uninitialized;

	pages_bin_init(&bin);
	mutex_lock(&pages->lock);
	unpin_singles(&bin, pages, index, nr);
	mutex_unlock(&pages->lock);
	pages_bin_empty(&bin);
}

/**
 * pages_next_single - Find the next page that accesses have pinned
 * @pages: the memory
 * @index: where to begin, set to the page found
 * @last: where to end, inclusive
 *
 * Return: false when there is none.
 */
bool pages_next_single(struct pages *pages, unsigned long *index,
		       unsigned long last)
{
	/* Pairs with make_singles() */
	return singles_next(smp_load_acquire(&pages->singles), index, last);
}

/* Pages charged for: the whole, and singles that are pinned for themselves */
static unsigned long charged(const struct pages *pages)
{
	unsigned long npages = pages->users && !pages->is_bar ?
			       pages->nr_pages : 0;

	lockdep_assert_held(&pages->lock);

	return npages + (pages->singles ? pages->singles->nr_own : 0);
}

/**
 * pages_move - Find the memory at another address of perhaps another process
 * @pages: memory of a process, referenced by the caller
 * @uaddr: user address in the calling process of its first byte
 *
 * The memory must be the same; what is pinned stays so. The calling process pays
 * from now on.
 *
 * Return: 0; -EINVAL when @pages is of a file or @uaddr is not its place in a page;
 * -ENOMEM when it exceeds the limit of the caller.
 */
int pages_move(struct pages *pages, unsigned long uaddr)
{
	struct owner *former = NULL;
	struct owner *owner;
	int rc = 0;

	if (pages->file || !PAGE_ALIGNED(uaddr))
		return refuse(-EINVAL,
			      "the memory is of a file, or 0x%lx is not its place in a page",
			      uaddr);

	mutex_lock(&pages->lock);
	owner = owner_get_current(pages->owner->table, true);
	if (!owner) {
		rc = refuse(-ENOMEM, NO_MEMORY_FOR "a mapping");
		goto out_unlock;
	}
	former = owner;
	if (owner != pages->owner) {
		rc = owner_charge(owner, charged(pages));
		if (rc)
			goto out_unlock;
		owner_uncharge(pages->owner, charged(pages));
		former = pages->owner;
		pages->owner = owner;
	}
	pages->base = uaddr;
	if (pages->is_bar)
		rc = bar_move(pages, uaddr);
out_unlock:
	mutex_unlock(&pages->lock);
	if (former)
		owner_put(former, 0, 1, 1);
	return rc;
}

/* The page that is held at @index, by an access or a domain; NULL for none */
static struct page *held_page(struct pages *pages, unsigned long index)
{
	struct singles_cursor cursor;
	struct page *page = NULL;
	u64 word;

	lockdep_assert_held(&pages->lock);

	if (pages->singles && !singles_empty(pages->singles)) {
		singles_begin(&cursor, pages->singles);
		word = singles_get(&cursor, index);
		if (word)
			return pfn_to_page(single_pfn(word));
	}
	if (pages->users)
		whole_pages(pages, index, 1, &page);
	return page;
}

static void rw_page(struct page *page, unsigned long in_page, void *data,
		    unsigned long count, bool write)
{
	if (write)
		memcpy_to_page(page, in_page, data, count);
	else
		memcpy_from_page(data, page, in_page, count);
}

static int rw_pinned(struct pages *pages, unsigned long offset, void *data,
		     unsigned long count, bool write)
{
	struct page *page;
	long got = pin_some(pages, offset >> PAGE_SHIFT, 1, &page);

	if (got < 0)
		return got;
	rw_page(page, offset_in_page(offset), data, count, write);
	unpin_user_pages_dirty_lock(&page, 1, write);
	return 0;
}

static int rw_user(struct pages *pages, unsigned long offset, void *data,
		   unsigned long count, bool write)
{
	void __user *user = (void __user *)(pages->base + offset);

	if (write ? copy_to_user(user, data, count) :
		    copy_from_user(data, user, count))
		return -EFAULT;
	return 0;
}

/**
 * pages_rw - Copy to or from the memory
 * @pages: the memory
 * @offset: bytes from the start of its first page
 * @data: kernel memory
 * @length: bytes
 * @write: copy to the memory, which is @pages->writable
 *
 * A page that is held is the one that devices and accesses see, whatever the
 * process has at its address by now. Any other one is the process's.
 *
 * Return: 0, or an error as pages_pin(), after part was copied.
 */
int pages_rw(struct pages *pages, unsigned long offset, void *data,
	     unsigned long length, bool write)
{
	int rc = 0;

	mutex_lock(&pages->lock);
	while (length && !rc) {
		unsigned long in_page = offset_in_page(offset);
		unsigned long count = min(length, PAGE_SIZE - in_page);
		struct page *page;

		/* It has no pages, and what is at its addresses may not be it */
		if (pages->is_bar) {
			rc = -EFAULT;
			break;
		}
		page = held_page(pages, offset >> PAGE_SHIFT);
		if (page)
			rw_page(page, in_page, data, count, write);
		else if (!pages->file && current->mm == pages->owner->who.mm)
			rc = rw_user(pages, offset, data, count, write);
		else
			rc = rw_pinned(pages, offset, data, count, write);
		offset += count;
		data += count;
		length -= count;
	}
	mutex_unlock(&pages->lock);
	return rc;
}
