// SPDX-License-Identifier: GPL-2.0-only
#include "mock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "iommufd.h"
#include "sysfs.h"
#include "vfio.h"

#define DEBUGFS	"/sys/kernel/debug/iommufd_mock/"

/* Among the stock modules there is none of that name, but it goes with them. */
static int load_beside_stock(void)
{
	int fd = open("mock/iommufd_mock.ko", O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return rc;
}

const char *mock_missing(void)
{
	if (!access(DEBUGFS, F_OK) || !system("modprobe -q iommufd_mock") ||
	    !load_beside_stock())
		return NULL;
	return "no module iommufd_mock for this kernel";
}

/* The kind is one of two constants with one %d each */
static void device_path(char *path, size_t size, const char *kind, int nr)
{
	const char *number = strstr(kind, "%d");

	snprintf(path, size, "%.*s%d", (int)(number - kind), kind, nr);
}

void mock_name(char *name, size_t size, const char *kind, int nr)
{
	device_path(name, size, strrchr(kind, '/') + 1, nr);
}

int mock_open(const char *kind, int nr)
{
	char path[256];

	device_path(path, sizeof(path), kind, nr);
	return sysfs_open_device_file(path);
}

int mock_bind(const char *kind, int nr, int iommufd)
{
	int device = mock_open(kind, nr);
	uint32_t id;
	int rc;

	if (device < 0)
		return device;
	rc = vfio_bind(device, iommufd, &id);
	if (rc) {
		close(device);
		return rc;
	}
	return device;
}

int mock_attach(const char *kind, int nr, int iommufd, uint32_t ioas)
{
	int device = mock_bind(kind, nr, iommufd);
	int rc;

	if (device < 0)
		return device;
	rc = vfio_attach(device, &ioas);
	if (rc) {
		close(device);
		return rc;
	}
	return device;
}

int mock_open_group(const char *kind, int nr)
{
	char path[256];

	device_path(path, sizeof(path), kind, nr);
	return sysfs_open_group(path);
}

int mock_pin(int device, uint64_t iova, uint32_t npage, uint32_t flags)
{
	struct mock_pages arg = {
		.iova = iova,
		.npage = npage,
		.flags = flags,
	};

	return xioctl(device, MOCK_PIN, &arg);
}

int mock_unpin(int device, uint64_t iova, uint32_t npage)
{
	struct mock_pages arg = { .iova = iova, .npage = npage };

	return xioctl(device, MOCK_UNPIN, &arg);
}

static int copy(int device, unsigned long number, uint64_t iova, void *data,
		uint32_t length, uint32_t flags)
{
	struct mock_copy arg = {
		.iova = iova,
		.data = (uintptr_t)data,
		.length = length,
		.flags = flags,
	};

	return xioctl(device, number, &arg);
}

int mock_rw(int device, uint64_t iova, void *data, uint32_t length,
	    uint32_t flags)
{
	return copy(device, MOCK_RW, iova, data, length, flags);
}

int mock_touch(int device, uint64_t iova, void *data, uint32_t length,
	       uint32_t flags)
{
	return copy(device, MOCK_TOUCH, iova, data, length, flags);
}

int mock_state(int device, struct mock_state *state)
{
	return xioctl(device, MOCK_STATE, state);
}

int mock_domains(struct mock_domain *domains, int max)
{
	FILE *file = fopen(DEBUGFS "domains", "r");
	struct mock_domain one;
	int count = 0;

	if (!file)
		return -errno;
	while (fscanf(file,
		      " domain %u devices %u enforces %u entries %lu snooping %lu",
		      &one.id, &one.devices, &one.enforces, &one.entries,
		      &one.snooping) == 5) {
		if (count < max)
			domains[count] = one;
		count++;
	}
	fclose(file);
	return count;
}

long mock_surprises(void)
{
	long count;

	return sysfs_scan(DEBUGFS "surprises", "%ld", &count) == 1 ? count : -EIO;
}

long mock_narrowed(void)
{
	long count;

	return sysfs_scan(DEBUGFS "narrowed", "%ld", &count) == 1 ? count : -EIO;
}

int mock_set_width(unsigned int bits)
{
	return sysfs_write_number(DEBUGFS "width", bits);
}

int mock_opens(struct mock_opens *opens)
{
	int rc = sysfs_scan(DEBUGFS "opens",
			    "opens %u refused %u closes %u with-kvm %u",
			    &opens->opens, &opens->refused, &opens->closes,
			    &opens->with_kvm);

	return rc == 4 ? 0 : -EIO;
}

int mock_pci_leaves(const char *name, unsigned long *leaves,
		    unsigned long *snooping)
{
	FILE *file = fopen(DEBUGFS "pci_tables", "r");
	char found[32];
	int rc = -ENODEV;

	if (!file)
		return -errno;
	while (rc && fscanf(file, " %31s leaves %lu snooping %lu", found,
			    leaves, snooping) == 3)
		if (!strcmp(found, name))
			rc = 0;
	fclose(file);
	return rc;
}
