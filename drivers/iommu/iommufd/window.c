// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reaching the memory of a file.
 *
 * Memory of a memfd, of shmem or of hugetlbfs is pinned through a mapping of
 * the file that exists only while its pages are being pinned. It is made in the
 * calling process, by the same path as mmap(), so the file's mode and seals
 * are checked as for any other mapping. A process that changes the mapping at
 * that moment can only replace it by other memory of its own.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd_refusal.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/overflow.h>
#include <linux/sched.h>

#include "pages.h"

#define NO_MEMORY_FILE "the file is neither a memfd nor on tmpfs or hugetlbfs"

/**
 * window_check - Is this a file whose memory may be pinned?
 * @file: any file
 *
 * Return: 0, or -EINVAL.
 */
int window_check(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!S_ISREG(inode->i_mode))
		return refuse(-EINVAL, NO_MEMORY_FILE);
	if (inode->i_sb->s_magic != TMPFS_MAGIC &&
	    inode->i_sb->s_magic != HUGETLBFS_MAGIC)
		return refuse(-EINVAL, NO_MEMORY_FILE);
	return 0;
}

/**
 * window_open - Map a part of a file for a moment
 * @window: to be given to window_close()
 * @file: passed window_check()
 * @base: offset, page-aligned
 * @nr_pages: pages
 * @writable: map it for writing
 *
 * Return: 0; -EINVAL when the file is shorter; -EACCES or -EPERM when its mode or
 * seals forbid it; -EFAULT in a thread without user memory; -EOVERFLOW; -ENOMEM.
 */
int window_open(struct window *window, struct file *file, unsigned long base,
		unsigned long nr_pages, bool writable)
{
	/* On hugetlbfs the block is the huge page, which mmap() counts in */
	unsigned long block = file_inode(file)->i_sb->s_blocksize;
	unsigned long start = ALIGN_DOWN(base, block);
	unsigned long end;

	if (!current->mm)
		return refuse(-EFAULT, "a kernel thread has no user memory");
	if (check_add_overflow(base, nr_pages << PAGE_SHIFT, &end) ||
	    check_add_overflow(end, block - 1, &end))
		return refuse(-EOVERFLOW, "0x%lx and 0x%lx pages go past the last offset",
			      base, nr_pages);
	if (base + (nr_pages << PAGE_SHIFT) >
	    PAGE_ALIGN(i_size_read(file_inode(file))))
		return refuse(-EINVAL,
			      "the file has %lld bytes, and offset 0x%lx with 0x%lx pages is asked for",
			      i_size_read(file_inode(file)), base, nr_pages);
	window->length = ALIGN_DOWN(end, block) - start;
	window->start = vm_mmap(file, 0, window->length,
				writable ? PROT_READ | PROT_WRITE : PROT_READ,
				MAP_SHARED, start);
	if (IS_ERR_VALUE(window->start))
		return refuse((long)window->start,
			      "the file may not be mapped for %s: its mode, its seals or a limit forbid it",
			      writable ? "writing" : "reading");
	window->addr = window->start + (base - start);
	return 0;
}

/**
 * window_close - Take the mapping away again
 * @window: set up by window_open()
 */
void window_close(struct window *window)
{
	vm_munmap(window->start, window->length);
}
