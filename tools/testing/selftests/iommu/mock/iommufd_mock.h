/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests ask of the devices of iommufd_mock.ko, by their device files. */
#ifndef IOMMUFD_MOCK_H
#define IOMMUFD_MOCK_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MOCK_TYPE	'!'

#define MOCK_WRITE	0x1
/* One call for all pages, instead of one for each */
#define MOCK_AT_ONCE	0x2
/* By a kernel thread */
#define MOCK_KTHREAD	0x4

/*
 * MOCK_PIN - pin pages: returns how many, or the error of vfio_pin_pages(). A page
 *	is pinned only once.
 * MOCK_UNPIN - unpin pages, all of which must be pinned
 */
struct mock_pages {
	__u64 iova;
	__u32 npage;
	__u32 flags;
};

#define MOCK_PIN	_IOW(MOCK_TYPE, 0, struct mock_pages)
#define MOCK_UNPIN	_IOW(MOCK_TYPE, 1, struct mock_pages)

/*
 * MOCK_RW - copy to or from memory, by vfio_dma_rw()
 * MOCK_TOUCH - the same within one page that is pinned
 */
struct mock_copy {
	__u64 iova;
	__u64 data;
	__u32 length;
	__u32 flags;
};

#define MOCK_RW		_IOW(MOCK_TYPE, 2, struct mock_copy)
#define MOCK_TOUCH	_IOW(MOCK_TYPE, 3, struct mock_copy)

/*
 * MOCK_STATE - what the device knows
 * @pinned: pages that it has pinned
 * @unmap_calls: how often it was told to let go of a range
 * @unmap_pages: pages that these ranges had
 * @unmap_strays: those of them that it had not pinned
 * @kvm: it was opened for a virtual machine
 * @noncoherent: what makes that carry out its guest's cache flushes
 */
struct mock_state {
	__u64 pinned;
	__u64 unmap_calls;
	__u64 unmap_pages;
	__u64 unmap_strays;
	__u32 kvm;
	__s32 noncoherent;
};

#define MOCK_STATE	_IOR(MOCK_TYPE, 4, struct mock_state)

/*
 * MOCK_STALL - the next time that the device is told to let go of a range, it takes
 *	until MOCK_RESUME, at most 20 seconds
 * MOCK_STALLED - wait until it does: -ETIME if it takes longer than that
 */
#define MOCK_STALL	_IO(MOCK_TYPE, 5)
#define MOCK_STALLED	_IO(MOCK_TYPE, 6)
#define MOCK_RESUME	_IO(MOCK_TYPE, 7)

#endif
