/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a device uses while something is done to it, and what the device then
 * has: compared byte by byte through an in-kernel access, which has the pages that
 * are pinned, and in samples by DMA.
 */
#ifndef LIB_HELD_H
#define LIB_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "iommufd.h"
#include "mock.h"
#include "rig.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define PAGES	64
#define SIZE	(PAGES * PAGE)

#define HELD_AT		0x10000000UL
#define HELD_VIEW	(64UL * 1024)	/* what one call of the access copies */
#define HELD_DMA	1024UL
#define HELD_IN_FLIGHT	0xd5

struct held {
	struct rig rig;
	int access;
	/* For the device's own content to come and go */
	unsigned char *scratch;
	unsigned char *view;
	/* What is mapped at HELD_AT */
	unsigned char *memory;
	unsigned long size;
	long pins;
};

/* As rig_start(), see there, with the access beside the device. */
int held_start(struct held *held);
/* Returns 0 or -errno, or -EBUSY when memory stays pinned. */
int held_close(struct held *held);

/* Memory of 4 KiB pages with pattern 1, or NULL. */
unsigned char *held_anonymous(unsigned long size);
/* The same at a multiple of 2 MiB, as one huge page if @huge and there is one. */
unsigned char *held_aligned(unsigned long size, bool huge);

/* Each @seed is another pattern. */
void pattern_fill(unsigned char *memory, unsigned long size, unsigned int seed);
/* Where bytes at @offset of a pattern are not as they should be; -1 for nowhere. */
long pattern_differs(const unsigned char *memory, unsigned long offset,
		     unsigned long size, unsigned int seed);

/* At HELD_AT. Return 0 or -errno. */
int held_map(struct held *held, uint32_t flags, unsigned char *memory,
	     unsigned long size);
int held_unmap(struct held *held);

/* Starts a transfer to the last page, of bytes HELD_IN_FLIGHT. */
int held_launch(struct held *held);
static inline unsigned long held_flight_page(const struct held *held)
{
	return held->size - PAGE;
}

/* Fills the device's buffer. */
int held_load(struct held *held, unsigned char byte);
/* @device: bytes come from its buffer, else go to it. */
int held_transfer(struct held *held, unsigned long offset, bool device);
/*
 * Whether the device has the pattern, everywhere but on the page of the transfer:
 * -1, or where it has not, or -1000 less an error.
 */
long held_device_differs(struct held *held, unsigned int seed);

/* The others are for tests whose fixture has a struct held "held". */
#define EXPECT_DEVICE_HAS(_seed) \
	EXPECT_EQ(-1, held_device_differs(&self->held, _seed))

/* Maps @_memory, which is filled with pattern 1, and starts the transfer. */
#define HOLD(_memory, _size) do { \
	ASSERT_EQ(0, held_map(&self->held, MAP_RW, _memory, _size)); \
	ASSERT_EQ(0, held_launch(&self->held)); \
} while (0)

/* The transfer has arrived where it was to go. */
#define ASSERT_LANDED() do { \
	struct held *_held = &self->held; \
	ASSERT_EQ(0, edu_wait(&_held->rig.edu)); \
	ASSERT_LE(0, mock_rw(_held->access, \
			     HELD_AT + held_flight_page(_held), _held->view, \
			     HELD_DMA, 0)); \
	for (unsigned long _i = 0; _i < HELD_DMA; _i++) \
		ASSERT_EQ(HELD_IN_FLIGHT, _held->view[_i]); \
} while (0)

/* The process and the device have the same pages; the process has them at @_at. */
#define EXPECT_SHARED(_at) do { \
	struct held *_whole = &self->held; \
	unsigned char *_here = (_at); \
	ASSERT_LANDED(); \
	for (unsigned long _j = 0; _j < HELD_DMA; _j++) \
		ASSERT_EQ(HELD_IN_FLIGHT, \
			  _here[held_flight_page(_whole) + _j]); \
	EXPECT_DEVICE_HAS(1); \
	pattern_fill(_here, _whole->size, 2); \
	EXPECT_DEVICE_HAS(2); \
	ASSERT_EQ(0, held_load(_whole, 0x77)); \
	ASSERT_EQ(0, held_transfer(_whole, PAGE, true)); \
	for (unsigned long _j = 0; _j < HELD_DMA; _j++) \
		ASSERT_EQ(0x77, _here[PAGE + _j]); \
	EXPECT_EQ(-1, pattern_differs(_here, 0, PAGE, 2)); \
	EXPECT_EQ(-1, pattern_differs(_here + PAGE + HELD_DMA, \
				      PAGE + HELD_DMA, \
				      _whole->size - PAGE - HELD_DMA, 2)); \
} while (0)

/*
 * The device has what it had; at @_at the process has other pages, and neither
 * sees what the other writes.
 */
#define EXPECT_APART(_at, _length) do { \
	unsigned char *_here = (_at); \
	unsigned long _bytes = (_length); \
	ASSERT_LANDED(); \
	EXPECT_DEVICE_HAS(1); \
	pattern_fill(_here, _bytes, 3); \
	EXPECT_DEVICE_HAS(1); \
	ASSERT_EQ(0, held_load(&self->held, 0x66)); \
	ASSERT_EQ(0, held_transfer(&self->held, PAGE, true)); \
	EXPECT_EQ(-1, pattern_differs(_here, 0, _bytes, 3)); \
} while (0)

#endif
