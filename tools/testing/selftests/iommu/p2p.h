/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Peer-to-peer DMA: edu, and another device whose BAR is memory (QEMU's
 * ivshmem-plain).
 */
#ifndef P2P_H
#define P2P_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/machine.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PEER_VENDOR	0x1af4
#define PEER_DEVICE	0x1110
#define PEER_BAR	VFIO_PCI_BAR2_REGION_INDEX
#define PAGE	4096UL
#define AT	0x40000000UL
#define CHUNK	1024UL

FIXTURE(p2p)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	/* The device that has the BAR */
	char name[PCI_NAME_LEN];
	int peer;
	unsigned char *bar;
	size_t size;
	/* A page of memory, mapped at @iova, to load and to read edu's buffer */
	unsigned char *page;
	uint64_t iova;
};

FIXTURE_SETUP(p2p)
{
	uint32_t id;

	self->peer = -1;
	if (pci_find(PEER_VENDOR, PEER_DEVICE, 0, self->name))
		SKIP(return, "no ivshmem device in this machine");
	RIG_SETUP(rig_start, &self->rig);
	self->fd = self->rig.iommufd;
	self->ioas = self->rig.ioas;
	ASSERT_EQ(0, pci_bind_driver(self->name, "vfio-pci"));
	self->peer = pci_open_device_file(self->name);
	ASSERT_GE(self->peer, 0);
	ASSERT_EQ(0, vfio_bind(self->peer, self->fd, &id));
	ASSERT_EQ(0, vfio_set_command(self->peer, 0, PCI_COMMAND_MEMORY));
	self->bar = vfio_map_bar(self->peer, PEER_BAR, &self->size);
	ASSERT_NE(NULL, self->bar);
	self->page = memory_anonymous(PAGE);
	ASSERT_NE(NULL, self->page);
	self->iova = 0;
	ASSERT_EQ(0, ioas_map(self->fd, self->ioas, MAP_RW, self->page, PAGE,
			      &self->iova));
}

FIXTURE_TEARDOWN(p2p)
{
	if (self->bar)
		munmap(self->bar, self->size);
	if (self->peer >= 0)
		EXPECT_EQ(0, close(self->peer));
	EXPECT_EQ(0, rig_close(&self->rig));
}

static inline void fill(volatile unsigned char *memory, unsigned int seed)
{
	size_t i;

	for (i = 0; i < CHUNK; i++)
		memory[i] = (i * 7 + (i >> 8) * 13 + seed) & 0xff;
}

static inline bool filled(const volatile unsigned char *memory, unsigned int seed)
{
	size_t i;

	for (i = 0; i < CHUNK; i++)
		if (memory[i] != ((i * 7 + (i >> 8) * 13 + seed) & 0xff))
			return false;
	return true;
}

/* Fills edu's buffer */
static inline int load(FIXTURE_DATA(p2p) *self, unsigned int seed)
{
	fill(self->page, seed);
	return edu_read_memory(&self->rig.edu, self->iova, CHUNK);
}

static inline int map_bar(FIXTURE_DATA(p2p) *self)
{
	return ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT, self->bar,
			   self->size, AT);
}

static inline int set_memory(int device, bool on)
{
	return vfio_set_command(device, PCI_COMMAND_MEMORY,
				on ? PCI_COMMAND_MEMORY : 0);
}

/* edu copies into the BAR at @_iova, which is mapped at @_bar, and out of it. */
#define EXPECT_WORKS(_iova, _bar, _seed) do { \
	unsigned char *_at = (_bar); \
	fill(_at, (_seed) + 100); \
	ASSERT_EQ(0, load(self, (_seed))); \
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, (_iova), CHUNK)); \
	EXPECT_TRUE(filled(_at, (_seed))); \
	fill(_at, (_seed) + 1); \
	EXPECT_EQ(0, edu_read_memory(&self->rig.edu, (_iova), CHUNK)); \
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, self->iova, CHUNK)); \
	EXPECT_TRUE(filled(self->page, (_seed) + 1)); \
} while (0)

/*
 * An access at @_iova is a fault. Nobody looks at the BAR meanwhile; whether it
 * changed is for the caller to see when it is back.
 */
#define EXPECT_BLOCKED(_iova) do { \
	int _log = klog_mark(); \
	ASSERT_GE(_log, 0); \
	ASSERT_EQ(0, load(self, 201)); \
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, (_iova), CHUNK)); \
	if (!machine_hides_faults()) \
		EXPECT_TRUE(klog_has_fault(_log, (_iova))); \
	close(_log); \
} while (0)

#endif
