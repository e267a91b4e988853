// SPDX-License-Identifier: GPL-2.0-only
#include "mock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"

#define DEBUGFS	"/sys/kernel/debug/iommufd_mock/"

const char *mock_missing(void)
{
	if (access(DEBUGFS, F_OK) && system("modprobe -q iommufd_mock"))
		return "no module iommufd_mock for this kernel";
	return NULL;
}

/* The kind is one of two constants with one %d each */
static void device_path(char *path, size_t size, const char *kind, int nr,
			const char *rest)
{
	const char *number = strstr(kind, "%d");

	snprintf(path, size, "%.*s%d%s", (int)(number - kind), kind, nr, rest);
}

int mock_open(const char *kind, int nr)
{
	char path[320];
	struct dirent *entry;
	int fd = -ENOENT;
	DIR *dir;

	device_path(path, sizeof(path), kind, nr, "/vfio-dev");
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%.64s",
			 entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		break;
	}
	closedir(dir);
	return fd;
}

int mock_open_group(const char *kind, int nr)
{
	char path[320], target[256];
	ssize_t length;
	int fd;

	device_path(path, sizeof(path), kind, nr, "/iommu_group");
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%s", basename(target));
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
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
	FILE *file = fopen(DEBUGFS "surprises", "r");
	long count;

	if (!file)
		return -errno;
	if (fscanf(file, "%ld", &count) != 1)
		count = -EIO;
	fclose(file);
	return count;
}

int mock_opens(struct mock_opens *opens)
{
	FILE *file = fopen(DEBUGFS "opens", "r");
	int rc = 0;

	if (!file)
		return -errno;
	if (fscanf(file, "opens %u refused %u closes %u with-kvm %u",
		   &opens->opens, &opens->refused, &opens->closes,
		   &opens->with_kvm) != 4)
		rc = -EIO;
	fclose(file);
	return rc;
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
