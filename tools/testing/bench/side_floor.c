// SPDX-License-Identifier: GPL-2.0-only
/* floor.ko: pinning and mapping with no bookkeeping. */
#include <fcntl.h>
#include <stdio.h>

#include "bench.h"
#include "floor/floor.h"
#include "lib/edu.h"
#include "lib/iommufd.h"
#include "lib/pci.h"

static int file;
static uint32_t flags;

static void open_spaces(int nr_spaces, uint64_t length, bool huge)
{
	uint64_t nr_pages = length / PAGE;
	int i;

	flags = huge ? FLOOR_HUGE : 0;
	file = open("/dev/floor", O_RDWR | O_CLOEXEC);
	if (file < 0)
		die("/dev/floor: %m");
	if (xioctl(file, FLOOR_RESERVE, &nr_pages))
		die("FLOOR_RESERVE failed");
	for (i = 0; i < nr_spaces; i++) {
		struct floor_attach arg = { .domain = i };
		char name[PCI_NAME_LEN];
		int rc;

		if (pci_find(EDU_VENDOR, EDU_DEVICE, i, name))
			die("no edu device %d", i);
		pci_unbind_driver(name);
		snprintf(arg.device, sizeof(arg.device), "%s", name);
		rc = xioctl(file, FLOOR_ATTACH, &arg);
		if (rc)
			die("%s: FLOOR_ATTACH: error %d", name, -rc);
	}
}

static int range(unsigned long number, int space, void *memory, uint64_t length,
		 uint64_t iova)
{
	struct floor_range arg = {
		.domain = space,
		.flags = flags,
		.addr = (uintptr_t)memory,
		.length = length,
		.offset = iova - IOVA_BASE,
	};

	return xioctl(file, number, &arg);
}

static int map(int space, void *memory, uint64_t length, uint64_t iova)
{
	return range(FLOOR_MAP, space, memory, length, iova);
}

static int unmap(int space, uint64_t iova, uint64_t length)
{
	return range(FLOOR_UNMAP, space, NULL, length, iova);
}

static int copy(void *memory, uint64_t length, uint64_t iova)
{
	return range(FLOOR_COPY, 1, NULL, length, iova);
}

static int uncopy(uint64_t length, uint64_t iova)
{
	return range(FLOOR_UNCOPY, 1, NULL, length, iova);
}

const struct side side_floor = {
	.name = "floor",
	.open = open_spaces,
	.map = map,
	.unmap = unmap,
	.copy = copy,
	.uncopy = uncopy,
};
