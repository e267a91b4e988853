// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a file has already.
 *
 * A hugetlb page that its file has in memory need not be mapped to be pinned. The
 * result is the same as if it was: the page was in the file at some moment while it was
 * looked up, it is filled, healthy and where it may stay, and it has one pin. Any
 * other page has to be faulted in, by way of a window.
 *
 * What the window checks must have been checked, and nobody may seal the file against
 * writing before what is pinned for that can be seen: resident_begin().
 */
#include <linux/fs.h>
#include <linux/iommufd_refusal.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>

#include <compat.h>

#include "pages.h"

static bool is_hugetlb(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC;
}

/**
 * resident_begin - Begin to pin memory of a file
 * @resident: set up
 * @file: the file
 * @writable: it will be written to
 *
 * Return: 0, or -EPERM when it was sealed against writing.
 */
int resident_begin(struct resident *resident, struct file *file, bool writable)
{
	resident->mapping = is_hugetlb(file) ? file->f_mapping : NULL;
	resident->writable = writable;
	if (!resident->mapping || !writable)
		return 0;
	if (mapping_map_writable(resident->mapping))
		return refuse(-EPERM, "the file is sealed against writing");
	return 0;
}

/**
 * resident_end - Be done with pinning
 * @resident: set up by resident_begin()
 */
void resident_end(struct resident *resident)
{
	if (resident->mapping && resident->writable)
		mapping_unmap_writable(resident->mapping);
}

/**
 * resident_pin - Pin what is there
 * @resident: set up by resident_begin()
 * @offset: page-aligned offset in the file
 * @end: page-aligned offset to which pages are wanted, more than @offset
 * @batch: set to the hugetlb pages from the one at @offset on, each of which is
 *         pinned once
 *
 * Return: how many; 0 when the one at @offset has to be mapped.
 */
unsigned int resident_pin(struct resident *resident, unsigned long offset,
			  unsigned long end, struct folio_batch *batch)
{
	unsigned int shift;
	unsigned int nr;
	unsigned int i;
	pgoff_t index;
	pgoff_t next;

	folio_batch_init(batch);
	if (!resident->mapping)
		return 0;
	shift = hugetlb_index_shift(resident->mapping);
	index = offset >> shift;
	next = index;
	nr = filemap_get_folios(resident->mapping, &next, (end - 1) >> shift,
				batch);
	for (i = 0; i < nr; i++) {
		struct folio *folio = batch->folios[i];

		if (folio->index != index + i || !folio_pin_hugetlb(folio))
			break;
	}
	batch->nr = i;
	while (nr > i)
		folio_put(batch->folios[--nr]);
	return i;
}
