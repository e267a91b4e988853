// SPDX-License-Identifier: GPL-2.0-only
/* /dev/iommu: each space is an IOAS, all of them in one file. */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"
#include "lib/edu.h"
#include "lib/iommufd.h"
#include "lib/mock.h"
#include "lib/pci.h"
#include "lib/vfio.h"

static int file;
static int device[2];
static uint32_t device_id[2], ioas[2], hwpt;

static void bind_device(int n)
{
	char name[PCI_NAME_LEN];

	if (pci_find(EDU_VENDOR, EDU_DEVICE, n, name))
		die("no edu device %d", n);
	if (pci_bind_driver(name, "vfio-pci"))
		die("%s: cannot be bound to vfio-pci", name);
	device[n] = pci_open_device_file(name);
	if (device[n] < 0)
		die("%s: no device file", name);
	if (vfio_bind(device[n], file, &device_id[n]))
		die("%s: BIND failed", name);
}

static void open_space(int n)
{
	uint32_t pt;

	bind_device(n);
	if (ioas_alloc(file, &ioas[n]))
		die("IOAS_ALLOC failed");
	pt = ioas[n];
	if (vfio_attach(device[n], &pt))
		die("ATTACH failed");
}

static void open_spaces(int nr_spaces, uint64_t length, bool huge)
{
	int i;

	file = iommufd_open();
	if (file < 0)
		die("/dev/iommu: error %d", -file);
	for (i = 0; i < nr_spaces; i++)
		open_space(i);
}

static void open_late(void)
{
	bind_device(1);
	if (hwpt_alloc(file, 0, device_id[1], ioas[0], &hwpt))
		die("HWPT_ALLOC failed");
}

static int open_mediated(void)
{
	uint32_t pt;

	file = iommufd_open();
	if (file < 0)
		die("/dev/iommu: error %d", -file);
	device[0] = mock_open(MOCK_MDEV, 1);
	if (device[0] < 0 || vfio_bind(device[0], file, &device_id[0]) ||
	    ioas_alloc(file, &ioas[0]))
		die("the mock device cannot be bound");
	pt = ioas[0];
	if (vfio_attach(device[0], &pt))
		die("ATTACH of the mock device failed");
	return device[0];
}

static int attach(void)
{
	uint32_t pt = hwpt;

	return vfio_attach(device[1], &pt);
}

static int detach(void)
{
	return vfio_detach(device[1]);
}

static int map(int space, void *memory, uint64_t length, uint64_t iova)
{
	return ioas_map_at(file, ioas[space], MAP_RW, memory, length, iova);
}

static int map_file(int space, int fd, uint64_t length, uint64_t iova)
{
	return ioas_map_file(file, ioas[space], MAP_RW | MAP_AT, fd, 0, length,
			     &iova);
}

static int map_anywhere(int space, void *memory, uint64_t length,
			uint64_t *iova)
{
	return ioas_map(file, ioas[space], MAP_RW, memory, length, iova);
}

static int unmap(int space, uint64_t iova, uint64_t length)
{
	uint64_t unmapped;
	int rc = ioas_unmap(file, ioas[space], iova, length, &unmapped);

	return rc ? rc : unmapped == length ? 0 : -EIO;
}

static int copy(void *memory, uint64_t length, uint64_t iova)
{
	return ioas_copy(file, MAP_RW | MAP_AT, ioas[1], &iova, ioas[0], iova,
			 length);
}

static int uncopy(uint64_t length, uint64_t iova)
{
	return unmap(1, iova, length);
}

const struct side side_iommufd = {
	.name = "iommufd",
	.open = open_spaces,
	.map = map,
	.unmap = unmap,
	.copy = copy,
	.uncopy = uncopy,
	.map_file = map_file,
	.map_anywhere = map_anywhere,
	.open_late = open_late,
	.attach = attach,
	.detach = detach,
	.open_mediated = open_mediated,
};
