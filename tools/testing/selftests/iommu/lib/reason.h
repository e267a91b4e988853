/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reason that a call which failed leaves in its file's fdinfo.
 *
 * Every ioctl of the tests goes through lib/reason.c, which stops the test when one
 * that failed on a file of /dev/iommu or VFIO left none, or one of another call.
 */
#ifndef LIB_REASON_H
#define LIB_REASON_H

#include <stdio.h>

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

/*
 * The last call that the file refused, by its name, its error, as in "-EINVAL", and its
 * reason, as for printf().
 */
#define EXPECT_REASON(_fd, _call, _error, ...) do { \
	struct reason _reason; \
	char _text[256]; \
	snprintf(_text, sizeof(_text), __VA_ARGS__); \
	EXPECT_EQ(0, reason_of(_fd, &_reason)); \
	EXPECT_STREQ(_call, _reason.call); \
	EXPECT_STREQ(_error, _reason.error); \
	EXPECT_STREQ(_text, _reason.text); \
} while (0)

/* Ioctls that failed and had their reasons checked, in this process. */
unsigned long reasons_checked(void);

#endif
