/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user interface of floor.ko, /dev/floor: the least that mapping memory can
 * cost. One open file has up to two domains, each with a device of its own.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FLOOR_DOMAINS	2

/* IOVA is given as an offset from here, which no platform reserves */
#define FLOOR_BASE	0x100000000ULL

struct floor_attach {
	__u32 domain;
	__u32 __reserved;
	char device[24];	/* PCI address */
};

/* One pin and one list entry for each 2 MiB, as hugetlb memory allows */
#define FLOOR_HUGE	0x1

struct floor_range {
	__u32 domain;
	__u32 flags;
	__u64 addr;
	__u64 length;
	__u64 offset;
};

#define FLOOR_ATTACH	_IOW('F', 0, struct floor_attach)
/* How many pages can be mapped; before the first map */
#define FLOOR_RESERVE	_IOW('F', 1, __u64)
#define FLOOR_MAP	_IOW('F', 2, struct floor_range)
#define FLOOR_UNMAP	_IOW('F', 3, struct floor_range)
/* What the latest FLOOR_MAP mapped, in another domain; addr is not used */
#define FLOOR_COPY	_IOW('F', 4, struct floor_range)
/* Undo that */
#define FLOOR_UNCOPY	_IOW('F', 5, struct floor_range)

#endif
