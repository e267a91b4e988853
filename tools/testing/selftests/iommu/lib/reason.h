/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reason that a call which failed leaves in its file's fdinfo.
 *
 * Every ioctl of the tests goes through lib/reason.c, which stops the test when one
 * that failed on a file of /dev/iommu or VFIO left none, or one of another call.
 */
#ifndef LIB_REASON_H
#define LIB_REASON_H

struct reason {
	/* How many calls have been refused; 0 and nothing else before the first. */
	unsigned long nr;
	char call[64];
	/* As in "-EINVAL" */
	char error[32];
	char text[256];
};

/* -ENOENT when the file is not one that has reasons, as of the stock modules. */
int reason_of(int fd, struct reason *reason);

/* Ioctls that failed and had their reasons checked, in this process. */
unsigned long reasons_checked(void);

#endif
