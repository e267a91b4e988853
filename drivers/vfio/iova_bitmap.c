// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bitmap in user memory with a bit for each page of a range of IOVA.
 *
 * The bitmap is pinned and handed to the driver a *window* at a time, so that a
 * bitmap of any size takes one page of memory here. Bit n of the bitmap is bit
 * n % 8 of its byte n / 8, wherever in a page it begins.
 *
 * A driver may set a range that reaches beyond the window, if its own pages are
 * larger than the user's; what is left of it goes into the windows to come.
 */
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/iommufd_refusal.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* Pages pinned at a time: as many as fit into a page of pointers */
#define WINDOW_PAGES	(PAGE_SIZE / sizeof(struct page *))
#define PAGE_BITS	(PAGE_SIZE * BITS_PER_BYTE)

/**
 * struct iova_bitmap - A bitmap and its present window
 * @base: address of the byte with bit 0
 * @iova: IOVA of bit 0
 * @last: last IOVA of the range
 * @shift: log2 of the bytes of IOVA that a bit stands for
 * @bit: first bit of the window, the first of a byte
 * @nbits: bits of the window
 * @offset: offset of @bit's byte in the first of @pages
 * @carry: last IOVA of what the driver has set, if beyond earlier windows
 * @carry_valid: @carry is set
 * @pages: pinned pages of the window
 * @npages: how many
 */
struct iova_bitmap {
	unsigned long base;
	unsigned long iova;
	unsigned long last;
	unsigned int shift;

	unsigned long bit;
	unsigned long nbits;
	unsigned int offset;

	unsigned long carry;
	bool carry_valid;

	struct page **pages;
	unsigned long npages;
};

static unsigned long total_bits(struct iova_bitmap *bitmap)
{
	return ((bitmap->last - bitmap->iova) >> bitmap->shift) + 1;
}

static unsigned long window_iova(struct iova_bitmap *bitmap)
{
	return bitmap->iova + (bitmap->bit << bitmap->shift);
}

static unsigned long window_last(struct iova_bitmap *bitmap)
{
	if (bitmap->bit + bitmap->nbits >= total_bits(bitmap))
		return bitmap->last;
	return window_iova(bitmap) + (bitmap->nbits << bitmap->shift) - 1;
}

/* Set bits of the window, counted from its first one */
static void window_set(struct iova_bitmap *bitmap, unsigned long first,
		       unsigned long last)
{
	unsigned long bit = bitmap->offset * BITS_PER_BYTE + first;
	unsigned long left = last - first + 1;

	while (left) {
		unsigned long offset = bit % PAGE_BITS;
		unsigned long n = min(left, PAGE_BITS - offset);
		void *addr = kmap_local_page(bitmap->pages[bit / PAGE_BITS]);

		bitmap_set(addr, offset, n);
		kunmap_local(addr);
		bit += n;
		left -= n;
	}
}

static void window_unpin(struct iova_bitmap *bitmap)
{
	if (bitmap->npages)
		unpin_user_pages_dirty_lock(bitmap->pages, bitmap->npages,
					    true);
	bitmap->npages = 0;
}

/* Pin the window that begins at @bitmap->bit */
static int window_pin(struct iova_bitmap *bitmap)
{
	unsigned long left = total_bits(bitmap) - bitmap->bit;
	unsigned long addr = bitmap->base + bitmap->bit / BITS_PER_BYTE;
	unsigned long npages;
	int pinned;

	bitmap->offset = offset_in_page(addr);
	npages = DIV_ROUND_UP(bitmap->offset + DIV_ROUND_UP(left, BITS_PER_BYTE),
			      PAGE_SIZE);
	npages = min(npages, WINDOW_PAGES);

	pinned = pin_user_pages_fast(addr & PAGE_MASK, npages, FOLL_WRITE,
				     bitmap->pages);
	if (pinned <= 0)
		return refuse(-EFAULT, "the bitmap's page at 0x%lx cannot be pinned for writing",
			      addr & PAGE_MASK);

	bitmap->npages = pinned;
	bitmap->nbits = min(left, pinned * PAGE_BITS -
				  bitmap->offset * BITS_PER_BYTE);

	if (bitmap->carry_valid && bitmap->carry >= window_iova(bitmap)) {
		unsigned long last = min(bitmap->carry, window_last(bitmap));

		window_set(bitmap, 0,
			   (last - window_iova(bitmap)) >> bitmap->shift);
	}
	return 0;
}

/**
 * iova_bitmap_alloc - Make a bitmap
 * @iova: first IOVA
 * @length: bytes, not 0 and not beyond the end of the address space
 * @page_size: bytes of IOVA for each bit, a power of 2
 * @data: the bitmap in user memory
 */
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size, u64 __user *data)
{
	struct iova_bitmap *bitmap;

	bitmap = kzalloc(sizeof(*bitmap), GFP_KERNEL);
	if (!bitmap)
		return ERR_PTR(-ENOMEM);
	bitmap->pages = (void *)__get_free_page(GFP_KERNEL);
	if (!bitmap->pages) {
		kfree(bitmap);
		return ERR_PTR(-ENOMEM);
	}

	bitmap->base = (unsigned long)data;
	bitmap->iova = iova;
	bitmap->last = iova + length - 1;
	bitmap->shift = ilog2(page_size);
	return bitmap;
}

void iova_bitmap_free(struct iova_bitmap *bitmap)
{
	free_page((unsigned long)bitmap->pages);
	kfree(bitmap);
}

/* Call @fn for each window, until it fails */
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque,
			 iova_bitmap_fn_t fn)
{
	int ret = 0;

	for (bitmap->bit = 0; !ret && bitmap->bit < total_bits(bitmap);
	     bitmap->bit += bitmap->nbits) {
		unsigned long iova = window_iova(bitmap);

		ret = window_pin(bitmap);
		if (ret)
			break;
		ret = fn(bitmap, iova, window_last(bitmap) - iova + 1, opaque);
		window_unpin(bitmap);
	}
	return ret;
}

/**
 * iova_bitmap_set - Note that pages have been written to
 * @bitmap: as passed to the function that is being called for a window
 * @iova: first IOVA
 * @length: bytes
 */
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova,
		     size_t length)
{
	unsigned long begin = window_iova(bitmap);
	unsigned long first = max(iova, begin);
	unsigned long last = window_last(bitmap);

	if (!length || iova > last)
		return;

	if (iova + length - 1 > last) {
		unsigned long carry = iova + length - 1;

		bitmap->carry = bitmap->carry_valid ?
			max(bitmap->carry, carry) : carry;
		bitmap->carry_valid = true;
	} else {
		last = iova + length - 1;
	}

	if (first <= last)
		window_set(bitmap, (first - begin) >> bitmap->shift,
			   (last - begin) >> bitmap->shift);
}
