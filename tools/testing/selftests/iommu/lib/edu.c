// SPDX-License-Identifier: GPL-2.0-only
#include "edu.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "vfio.h"

#define EDU_ID			0x00
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_TARGET		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_RUN		0x1
#define EDU_DMA_TO_MEMORY	0x2
#define EDU_BUFFER		0x40000

static uint32_t read32(const struct edu *edu, size_t offset)
{
	return *(volatile uint32_t *)((char *)edu->bar + offset);
}

static uint64_t read64(const struct edu *edu, size_t offset)
{
	return *(volatile uint64_t *)((char *)edu->bar + offset);
}

static void write64(struct edu *edu, size_t offset, uint64_t value)
{
	*(volatile uint64_t *)((char *)edu->bar + offset) = value;
}

int edu_init(struct edu *edu, int device)
{
	int rc;

	rc = vfio_set_command(device, 0,
			      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	if (rc)
		return rc;
	edu->bar = vfio_map_bar(device, VFIO_PCI_BAR0_REGION_INDEX, &edu->size);
	if (!edu->bar)
		return -errno;
	/* Four bits of version on either side of this mark. */
	if ((read32(edu, EDU_ID) & 0xff) != 0xed) {
		edu_fini(edu);
		return -ENODEV;
	}
	return 0;
}

void edu_fini(struct edu *edu)
{
	if (edu->bar)
		munmap(edu->bar, edu->size);
	edu->bar = NULL;
}

int edu_wait(struct edu *edu)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (!(read64(edu, EDU_DMA_COMMAND) & EDU_DMA_RUN))
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

static void start(struct edu *edu, uint64_t source, uint64_t target,
		  size_t length, uint64_t command)
{
	write64(edu, EDU_DMA_SOURCE, source);
	write64(edu, EDU_DMA_TARGET, target);
	write64(edu, EDU_DMA_COUNT, length);
	write64(edu, EDU_DMA_COMMAND, command | EDU_DMA_RUN);
}

void edu_start_write(struct edu *edu, uint64_t iova, size_t length)
{
	start(edu, EDU_BUFFER, iova, length, EDU_DMA_TO_MEMORY);
}

int edu_write_memory(struct edu *edu, uint64_t iova, size_t length)
{
	edu_start_write(edu, iova, length);
	return edu_wait(edu);
}

int edu_read_memory(struct edu *edu, uint64_t iova, size_t length)
{
	start(edu, iova, EDU_BUFFER, length, 0);
	return edu_wait(edu);
}
