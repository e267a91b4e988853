// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning the memory of a mapping.
 *
 * Frames come from the kernel one pointer a page, and leave here as runs. A
 * hugetlb page is asked for by its first page only: such a page is mapped whole
 * or not at all, and one pin holds all of it. A transparent huge page may be
 * mapped in parts, so each of its pages is asked for.
 *
 * Memory that devices only read is pinned as if for writing where the mapping
 * allows that. Pinned for reading, a page that is still shared (the zero page, or
 * a page of a private file mapping) would be left behind by the process's next
 * write, and the device would go on reading the old one.
 */
#include <linux/hugetlb.h>
#include <linux/iommufd_refusal.h>
#include <linux/mm.h>
#include <linux/pagevec.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <compat.h>

#include "pages.h"

/* Page pointers on the stack: enough for small mappings */
#define PIN_FEW 8
/* Page pointers in one allocation, which is an order 3 one at the most */
#define PIN_MANY (SZ_32K / sizeof(struct page *))
/* Page pointers on the stack for unpinning */
#define UNPIN_BATCH 32

/**
 * struct pin_source - Where the pages of a mapping are found at present
 * @mm: the address space
 * @addr: user address in @mm of the first page
 * @flags: for pinning
 * @window: open when @mm shows a file for the moment
 * @resident: begun when there is a window
 * @file: there is a window
 * @remote: @mm is not the caller's; a reference on its users is held
 */
struct pin_source {
	struct mm_struct *mm;
	unsigned long addr;
	unsigned int flags;
	struct window window;
	struct resident resident;
	bool file;
	bool remote;
};

/* Pinning for writing with force would go past a mapping that is not readable */
static int check_readable(struct mm_struct *mm, unsigned long addr,
			  unsigned long nr_pages)
{
	unsigned long end = addr + (nr_pages << PAGE_SHIFT);
	struct vm_area_struct *vma;
	int rc = 0;

	mmap_read_lock(mm);
	while (addr < end) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start > addr ||
		    !(vma->vm_flags & VM_READ)) {
			rc = refuse(-EFAULT, "the memory at 0x%lx is not mapped, or not readable",
				    addr);
			break;
		}
		addr = vma->vm_end;
	}
	mmap_read_unlock(mm);
	return rc;
}

static void source_close(struct pin_source *source)
{
	if (source->file) {
		resident_end(&source->resident);
		window_close(&source->window);
	} else if (source->remote) {
		mmput(source->mm);
	}
}

static int source_open_file(struct pin_source *source,
			    const struct pages *pages, unsigned long base,
			    unsigned long nr_pages)
{
	int rc;

	rc = window_open(&source->window, pages->file, base, nr_pages,
			 pages->writable);
	if (rc)
		return rc;
	rc = resident_begin(&source->resident, pages->file, pages->writable);
	if (rc) {
		window_close(&source->window);
		return rc;
	}
	source->mm = current->mm;
	source->remote = false;
	source->addr = source->window.addr;
	return 0;
}

static int source_open(struct pin_source *source, struct pages *pages,
		       unsigned long index, unsigned long nr_pages)
{
	unsigned long base = pages->base + (index << PAGE_SHIFT);
	int rc;

	source->flags = FOLL_LONGTERM;
	if (pages->writable)
		source->flags |= FOLL_WRITE;

	source->file = pages->file;
	if (source->file)
		return source_open_file(source, pages, base, nr_pages);

	/* The identity stays while user memory is mapped, see owner.h */
	source->mm = pages->owner->who.mm;
	source->addr = base;
	source->remote = source->mm != current->mm;
	if (source->remote && !mmget_not_zero(source->mm))
		return refuse(-EFAULT, "the process whose memory it is has ended");
	if (!pages->writable) {
		rc = check_readable(source->mm, base, nr_pages);
		if (rc) {
			source_close(source);
			return rc;
		}
		source->flags |= FOLL_WRITE | FOLL_FORCE;
	}
	return 0;
}

static long source_pin(struct pin_source *source, unsigned long addr,
		       unsigned long nr, unsigned int flags,
		       struct page **batch)
{
	long got;

	if (!source->remote)
		return pin_user_pages_fast(addr, nr, flags, batch);

	mmap_read_lock(source->mm);
	got = pin_user_pages_remote(source->mm, addr, nr, flags, batch, NULL);
	mmap_read_unlock(source->mm);
	return got;
}

/* How many pages from @addr on, up to @nr, are in one mapping of the process */
static unsigned long in_one_vma(struct mm_struct *mm, unsigned long addr,
				unsigned long nr)
{
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma)
		nr = min(nr, (vma->vm_end - addr) >> PAGE_SHIFT);
	mmap_read_unlock(mm);
	return vma ? nr : 1;
}

static long source_get(struct pin_source *source, unsigned long index,
		       unsigned long nr, struct page **batch)
{
	unsigned long addr = source->addr + (index << PAGE_SHIFT);
	long got = source_pin(source, addr, nr, source->flags, batch);

	/*
	 * A shared mapping of a file that may not be written has no other copy. What
	 * lies behind it may have.
	 */
	if (got == -EFAULT && (source->flags & FOLL_FORCE))
		got = source_pin(source, addr,
				 in_one_vma(source->mm, addr, nr),
				 source->flags & ~(FOLL_WRITE | FOLL_FORCE),
				 batch);
	return got ?: -EFAULT;
}

/* Frames from @page to the end of its hugetlb page */
static unsigned long huge_rest(struct page *page)
{
	struct page *head = compound_head(page);

	return compound_nr(head) - (page - head);
}

/*
 * How many of the batch continue the physical memory at its first page. The
 * memory map is contiguous where frames are (SPARSEMEM_VMEMMAP).
 */
static unsigned long contiguous(struct page **batch, unsigned long nr)
{
	struct page *page = batch[0];
	unsigned long i = 0;

	/* Most of what a large mapping costs is here: eight pages a round */
	for (; nr - i >= 8; i += 8, page += 8)
		if (batch[i] != page || batch[i + 1] != page + 1 ||
		    batch[i + 2] != page + 2 || batch[i + 3] != page + 3 ||
		    batch[i + 4] != page + 4 || batch[i + 5] != page + 5 ||
		    batch[i + 6] != page + 6 || batch[i + 7] != page + 7)
			break;
	for (; i < nr && batch[i] == page; i++, page++)
		;
	return i;
}

/*
 * Turn a batch into runs. A hugetlb page is recorded to its end, or to that of
 * the mapping, even if the batch ends in it, and what the batch pinned
 * of it beyond the first page is unpinned.
 *
 * On failure nothing of what was not recorded stays pinned.
 */
static int absorb(struct runs_builder *builder, struct page **batch,
		  unsigned long got, bool *huge)
{
	unsigned long i = 0;

	while (i < got) {
		struct page *page = batch[i];
		unsigned long in_batch;
		unsigned long count;
		int rc;

		*huge = PageCompound(page) && PageHuge(page);
		if (*huge) {
			count = min(huge_rest(page),
				    builder->total - builder->nr_pages);
			in_batch = min(count, got - i);
			if (in_batch > 1)
				unpin_user_page_range_dirty_lock(page + 1,
								 in_batch - 1,
								 false);
		} else {
			count = contiguous(batch + i, got - i);
			in_batch = count;
		}

		rc = runs_append(builder, page_to_pfn(page), count, *huge);
		if (rc) {
			unpin_user_page(page);
			i++;
			if (*huge)
				i += in_batch - 1;
			unpin_user_pages(batch + i, got - i);
			return rc;
		}
		i += in_batch;
	}
	return 0;
}

/*
 * Pin and record hugetlb pages that come next and that their file has in memory.
 * Returns how many, 0 when the next one is none of those.
 */
static int pin_resident(struct pin_source *source, const struct pages *pages,
			struct runs_builder *builder)
{
	unsigned long at = pages->base + (builder->nr_pages << PAGE_SHIFT);
	unsigned long end = pages->base + (pages->nr_pages << PAGE_SHIFT);
	struct folio_batch batch;
	unsigned int nr;
	unsigned int i;
	int rc;

	if (fatal_signal_pending(current))
		return -EINTR;
	nr = resident_pin(&source->resident, at, end, &batch);
	for (i = 0; i < nr; i++) {
		struct folio *folio = batch.folios[i];
		unsigned long skip = offset_in_folio(folio, at) >> PAGE_SHIFT;
		unsigned long count = min(folio_nr_pages(folio) - skip,
					  (end - at) >> PAGE_SHIFT);

		rc = runs_append(builder, folio_pfn(folio) + skip, count, true);
		if (rc) {
			for (; i < nr; i++)
				unpin_user_page(&batch.folios[i]->page);
			return rc;
		}
		at += count << PAGE_SHIFT;
	}
	return nr;
}

/*
 * Pin and record some pages more. @probe: ask for one page, as a hugetlb page may begin
 * there; set to whether one did.
 */
static int pin_next(struct pin_source *source, const struct pages *pages,
		    struct runs_builder *builder, struct page **batch,
		    unsigned long capacity, bool *probe)
{
	unsigned long want = min(pages->nr_pages - builder->nr_pages,
				 *probe ? 1UL : capacity);
	long got = 0;

	if (source->file)
		got = pin_resident(source, pages, builder);
	if (got)
		return min(got, 0L);

	got = source_get(source, builder->nr_pages, want, batch);
	if (got < 0)
		return fatal_signal_pending(current) ? -EINTR : got;
	return absorb(builder, batch, got, probe);
}

static void __cold refuse_pin(const struct pages *pages, unsigned long index,
			      int error)
{
	unsigned long at = pages->base + (index << PAGE_SHIFT);

	if (error == -EINTR)
		iommufd_refuse(error, KILLED);
	else if (error == -ENOMEM)
		iommufd_refuse(error, "no memory left to pin page 0x%lx of 0x%lx",
			       index, pages->nr_pages);
	else
		iommufd_refuse(error, "the %s 0x%lx cannot be pinned for %s: error %d",
			       pages->file ? "file at offset" : "memory at", at,
			       pages->writable ? "writing" : "reading", error);
}

/* What pin_runs() comes to for one page, as most mappings of some users have */
static int pin_one(struct pages *pages, struct runs *runs)
{
	struct pin_source source __uninitialized;
	struct page *page;
	bool huge;
	long got;
	int rc;

	runs_init(runs);
	rc = source_open(&source, pages, 0, 1);
	if (rc)
		return rc;
	got = source_get(&source, 0, 1, &page);
	if (likely(got > 0)) {
		huge = PageCompound(page) && PageHuge(page);
		runs->tail = run_pack(page_to_pfn(page), 1,
				      huge ? RUN_BY_FOLIO : 0);
	} else {
		rc = fatal_signal_pending(current) ? -EINTR : got;
		refuse_pin(pages, 0, rc);
	}
	source_close(&source);
	return rc;
}

/**
 * pin_runs - Pin all of the memory of a mapping
 * @pages: with its lock held; nothing of it is pinned
 * @runs: set to what is pinned
 *
 * Return: 0; -EFAULT when there is no memory that may be used so; -EINTR when
 * the process is being killed; -ENOMEM. On failure nothing stays pinned.
 */
int pin_runs(struct pages *pages, struct runs *runs)
{
	unsigned long capacity = PIN_FEW;
	struct page *few[PIN_FEW] __uninitialized;
	struct page **batch = few;
	struct pin_source source __uninitialized;
	struct runs_builder builder;
	bool probe;
	int rc;

	lockdep_assert_held(&pages->lock);

	if (pages->nr_pages == 1)
		return pin_one(pages, runs);

	runs_begin(&builder, runs, pages->nr_pages);
	rc = source_open(&source, pages, 0, pages->nr_pages);
	if (rc)
		return rc;

	if (pages->nr_pages > PIN_FEW) {
		capacity = min(pages->nr_pages, PIN_MANY);
		batch = kmalloc_array(capacity, sizeof(*batch),
				      GFP_KERNEL_ACCOUNT);
		if (!batch) {
			rc = refuse(-ENOMEM, "no kernel memory to pin 0x%lx pages",
				    pages->nr_pages);
			goto out_close;
		}
	}

	/* Ask for one page where a hugetlb page may begin, for many elsewhere */
	probe = pages->nr_pages >= PMD_SIZE / PAGE_SIZE;
	while (builder.nr_pages < pages->nr_pages) {
		rc = pin_next(&source, pages, &builder, batch, capacity,
			      &probe);
		if (rc) {
			refuse_pin(pages, builder.nr_pages, rc);
			break;
		}
		cond_resched();
	}

	if (batch != few)
		kfree(batch);
	if (rc) {
		unpin_runs(runs, false);
		runs_free(runs);
	} else {
		runs_finish(&builder);
	}
out_close:
	source_close(&source);
	return rc;
}

/*
 * Put a page among those that are unpinned together, of which there are fewer than
 * UNPIN_BATCH before and after. Returns how many there are then.
 */
static inline unsigned int unpin_later(struct page **batch, unsigned int nr,
				       struct page *page, bool dirty)
{
	batch[nr++] = page;
	if (nr < UNPIN_BATCH)
		return nr;
	unpin_user_pages_dirty_lock(batch, nr, dirty);
	cond_resched();
	return 0;
}

/* Unpin a run of several frames, as unpin_later() if it is of hugetlb pages */
static noinline unsigned int unpin_run(struct page **batch, unsigned int nr,
				       struct run run, bool dirty)
{
	struct page *page = pfn_to_page(run.pfn);
	unsigned long step;

	if (!run.by_folio) {
		unpin_user_page_range_dirty_lock(page, run.count, dirty);
		return nr;
	}
	for (; run.count; run.count -= step, page += step) {
		step = min(huge_rest(page), run.count);
		nr = unpin_later(batch, nr, page, dirty);
	}
	return nr;
}

/**
 * unpin_runs - Unpin what pin_runs() pinned
 * @runs: the runs; they are not changed
 * @dirty: the pages may have been written to
 */
void unpin_runs(const struct runs *runs, bool dirty)
{
	struct page *batch[UNPIN_BATCH] __uninitialized;
	struct runs_iter iter;
	unsigned int nr = 0;
	struct run run;

	runs_start(&iter, runs);
	while (runs_next(&iter, &run)) {
		if (run.count > 1)
			nr = unpin_run(batch, nr, run, dirty);
		else
			nr = unpin_later(batch, nr, pfn_to_page(run.pfn),
					 dirty);
	}
	unpin_user_pages_dirty_lock(batch, nr, dirty);
}

/**
 * pin_some - Pin some pages of a mapping
 * @pages: with its lock held
 * @index: the first
 * @nr: how many
 * @out: set to the pages, each of which is pinned for itself
 *
 * Return: how many were pinned, at least one; or as pin_runs().
 */
long pin_some(struct pages *pages, unsigned long index, unsigned long nr,
	      struct page **out)
{
	struct pin_source source;
	long got;
	int rc;

	lockdep_assert_held(&pages->lock);

	rc = source_open(&source, pages, index, nr);
	if (rc)
		return rc;
	got = source_get(&source, 0, nr, out);
	source_close(&source);
	return got;
}
