// SPDX-License-Identifier: GPL-2.0-only
#include "held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "census.h"
#include "memory.h"

#define SCRATCH	0x8000UL

int held_start(struct held *held)
{
	int rc;

	held->access = -1;
	rc = rig_start(&held->rig);
	if (rc)
		return rc;
	if (mock_missing())
		return -ENOENT;
	held->access = mock_attach(MOCK_MDEV, 1, held->rig.iommufd,
				   held->rig.ioas);
	if (held->access < 0)
		return held->access;
	held->pins = census_pins();
	held->scratch = memory_anonymous(PAGE);
	held->view = malloc(HELD_VIEW);
	if (!held->scratch || !held->view)
		return -ENOMEM;
	return ioas_map_at(held->rig.iommufd, held->rig.ioas, MAP_RW,
			   held->scratch, PAGE, SCRATCH);
}

int held_close(struct held *held)
{
	int rc;

	if (held->access >= 0)
		close(held->access);
	rc = rig_close(&held->rig);
	if (rc)
		return rc;
	return census_settles(held->pins) ? 0 : -EBUSY;
}

unsigned char *held_anonymous(unsigned long size)
{
	unsigned char *memory = memory_of_pages(size);

	if (memory)
		pattern_fill(memory, size, 1);
	return memory;
}

unsigned char *held_aligned(unsigned long size, bool huge)
{
	unsigned char *memory = memory_anonymous(size + HUGE);

	if (!memory)
		return NULL;
	memory += -(unsigned long)memory & (HUGE - 1);
	madvise(memory, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	pattern_fill(memory, size, 1);
	return memory;
}

static unsigned char byte_at(unsigned long offset, unsigned int seed)
{
	return offset * 7 + (offset >> 12) * 31 + seed;
}

void pattern_fill(unsigned char *memory, unsigned long size, unsigned int seed)
{
	unsigned long i;

	for (i = 0; i < size; i++)
		memory[i] = byte_at(i, seed);
}

long pattern_differs(const unsigned char *memory, unsigned long offset,
		     unsigned long size, unsigned int seed)
{
	unsigned long i;

	for (i = 0; i < size; i++)
		if (memory[i] != byte_at(offset + i, seed))
			return offset + i;
	return -1;
}

int held_map(struct held *held, uint32_t flags, unsigned char *memory,
	     unsigned long size)
{
	held->memory = memory;
	held->size = size;
	return ioas_map_at(held->rig.iommufd, held->rig.ioas, flags, memory,
			   size, HELD_AT);
}

int held_unmap(struct held *held)
{
	return ioas_unmap(held->rig.iommufd, held->rig.ioas, HELD_AT,
			  held->size, NULL);
}

int held_launch(struct held *held)
{
	int rc = held_load(held, HELD_IN_FLIGHT);

	if (!rc)
		edu_start_write(&held->rig.edu,
				HELD_AT + held_flight_page(held), HELD_DMA);
	return rc;
}

int held_load(struct held *held, unsigned char byte)
{
	memset(held->scratch, byte, HELD_DMA);
	return edu_read_memory(&held->rig.edu, SCRATCH, HELD_DMA);
}

int held_transfer(struct held *held, unsigned long offset, bool device)
{
	return device ?
	       edu_write_memory(&held->rig.edu, HELD_AT + offset, HELD_DMA) :
	       edu_read_memory(&held->rig.edu, HELD_AT + offset, HELD_DMA);
}

long held_device_differs(struct held *held, unsigned int seed)
{
	const unsigned long samples[] = { 0, held->size - 2 * PAGE };
	unsigned long done, length;
	long where;
	int i, rc;

	for (done = 0; done < held_flight_page(held); done += length) {
		length = held_flight_page(held) - done;
		if (length > HELD_VIEW)
			length = HELD_VIEW;
		rc = mock_rw(held->access, HELD_AT + done, held->view, length,
			     0);
		if (rc < 0)
			return rc - 1000;
		where = pattern_differs(held->view, done, length, seed);
		if (where >= 0)
			return where;
	}
	for (i = 0; i < 2; i++) {
		rc = held_transfer(held, samples[i], false);
		if (!rc)
			rc = edu_write_memory(&held->rig.edu, SCRATCH,
					      HELD_DMA);
		if (rc)
			return rc - 1000;
		where = pattern_differs(held->scratch, samples[i], HELD_DMA,
					seed);
		if (where >= 0)
			return where;
	}
	return -1;
}
