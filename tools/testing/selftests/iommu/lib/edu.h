/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's edu device (docs/specs/edu) as a source of DMA: it copies between
 * memory and a buffer of its own, at whatever address it is told.
 */
#ifndef LIB_EDU_H
#define LIB_EDU_H

#include <stddef.h>
#include <stdint.h>

#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8

struct edu {
	void *bar;
	size_t size;
};

/* Maps BAR 0 of a bound device file and lets the device be a bus master. */
int edu_init(struct edu *edu, int device);
void edu_fini(struct edu *edu);

/*
 * Transfers to and from memory. They wait until the device is done (at least
 * 100 ms) and return -ETIMEDOUT when it never is. The device tells nothing
 * about a transfer that the IOMMU blocked.
 */
int edu_read_memory(struct edu *edu, uint64_t iova, size_t length);
int edu_write_memory(struct edu *edu, uint64_t iova, size_t length);

/* Starts a transfer and does not wait. */
void edu_start_write(struct edu *edu, uint64_t iova, size_t length);
int edu_wait(struct edu *edu);

/*
 * For a fixture: takes a step that says -ENODEV where no such device is, or skips
 * the test, or fails it.
 */
#define EDU_SETUP(_step) do { \
	int _rc = (_step); \
	if (_rc == -ENODEV) \
		SKIP(return, "no edu device in this machine"); \
	ASSERT_EQ(0, _rc); \
} while (0)

#endif
