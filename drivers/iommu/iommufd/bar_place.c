// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a process has mapped a BAR, and the frames that are there.
 *
 * iommufd knows no drivers: who maps BARs says of a mapping whether it is one.
 * Frames are read from page table entries, after a page fault if there are none.
 */
#include <linux/iommufd.h>
#include <linux/iommufd_refusal.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <compat.h>
#include <pfnmap.h>

#include "bar_place.h"
#include "runs.h"

static const struct iommufd_bar_source __rcu *bar_source;

void iommufd_bar_source_set(const struct iommufd_bar_source *source)
{
	rcu_assign_pointer(bar_source, source);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(iommufd_bar_source_set);

static const void *device_set_of(const struct vm_area_struct *vma)
{
	const struct iommufd_bar_source *source;
	const void *set = NULL;

	rcu_read_lock();
	source = rcu_dereference(bar_source);
	if (source)
		set = source->device_set(vma);
	rcu_read_unlock();
	return set;
}

/*
 * The mapping of a BAR at the addresses; NULL when it is anything else, with no
 * @place, or when the process may not use it in this way.
 */
static struct vm_area_struct *find_mapping(struct mm_struct *mm,
					   unsigned long uaddr,
					   unsigned long nr_pages,
					   bool writable,
					   struct bar_place *place)
{
	struct vm_area_struct *vma = vma_lookup(mm, uaddr);

	*place = (struct bar_place){};
	if (!vma || (vma->vm_end - uaddr) >> PAGE_SHIFT < nr_pages ||
	    !(vma->vm_flags & VM_PFNMAP))
		return NULL;
	place->set = device_set_of(vma);
	if (!place->set)
		return NULL;
	place->file = vma->vm_file;
	place->pgoff = vma->vm_pgoff + ((uaddr - vma->vm_start) >> PAGE_SHIFT);
	return vma->vm_flags & (writable ? VM_WRITE : VM_READ) ? vma : NULL;
}

static int read_present(struct follow_pfnmap_args *args, bool write,
			unsigned long *pfn)
{
	int rc = 0;

	if (follow_pfnmap_start(args))
		return -ENXIO;
	*pfn = args->pfn;
	if (write && !args->writable)
		rc = -EFAULT;
	follow_pfnmap_end(args);
	return rc;
}

/* The frame at an address, after a page fault if need be */
static int read_frame(struct follow_pfnmap_args *args, bool write,
		      unsigned long *pfn)
{
	int rc = read_present(args, write, pfn);

	if (rc != -ENXIO)
		return rc;
	rc = fixup_user_fault(args->vma->vm_mm, args->address,
			      write ? FAULT_FLAG_WRITE : 0, NULL);
	if (rc)
		return rc == -EFAULT ? -ENXIO : rc;
	return read_present(args, write, pfn);
}

static int read_frames(struct vm_area_struct *vma, unsigned long uaddr,
		       unsigned long nr_pages, bool writable, struct runs *runs)
{
	struct follow_pfnmap_args args = { .vma = vma };
	struct runs_builder builder;
	unsigned long index;
	int rc;

	runs_begin(&builder, runs, nr_pages);
	for (index = 0; index < nr_pages; index++) {
		unsigned long pfn;

		args.address = uaddr + (index << PAGE_SHIFT);
		rc = read_frame(&args, writable, &pfn);
		if (rc)
			goto err_free;
		rc = runs_append(&builder, pfn, 1, false);
		if (rc)
			goto err_free;
		cond_resched();
	}
	runs_finish(&builder);
	return 0;

err_free:
	if (rc != -ENXIO)
		iommufd_refuse(rc, "the BAR mapped at 0x%lx cannot be looked up: error %d",
			       args.address, rc);
	runs_free(runs);
	return rc;
}

/**
 * bar_place_read - Read the frames of a BAR that a process has mapped
 * @mm: the process; with a reference to its users
 * @uaddr: first user address; page-aligned
 * @nr_pages: how many
 * @writable: it must be writable, else readable
 * @patient: wait for the process if it keeps its mappings locked
 * @place: set to what is mapped there, but for -EAGAIN and -EINTR. Empty when it is
 *         no BAR
 * @runs: set to the frames. They are true until the MMU notifiers are called
 *
 * Return: 0; -EFAULT when there is no BAR at the addresses, or none that may be
 * used in this way; -ENXIO when there is, but it cannot be reached at present;
 * -EAGAIN without patience; -EINTR; -ENOMEM.
 */
int bar_place_read(struct mm_struct *mm, unsigned long uaddr,
		   unsigned long nr_pages, bool writable, bool patient,
		   struct bar_place *place, struct runs *runs)
{
	struct vm_area_struct *vma;
	int rc;

	if (!patient && !mmap_read_trylock(mm))
		return -EAGAIN;
	if (patient && mmap_read_lock_killable(mm))
		return refuse(-EINTR, KILLED);
	vma = find_mapping(mm, uaddr, nr_pages, writable, place);
	if (vma)
		rc = read_frames(vma, uaddr, nr_pages, writable, runs);
	else
		rc = refuse(-EFAULT,
			    "the memory at 0x%lx, of 0x%lx pages, can neither be pinned for %s, nor is it a BAR of a VFIO device",
			    uaddr, nr_pages, writable ? "writing" : "reading");
	mmap_read_unlock(mm);
	return rc;
}
