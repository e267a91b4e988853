// SPDX-License-Identifier: GPL-2.0-only
#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;
	int rc = 0;

	if (fd < 0)
		return -errno;
	done = write(fd, text, strlen(text));
	if (done != (ssize_t)strlen(text))
		rc = done < 0 ? -errno : -EIO;
	close(fd);
	return rc;
}

int sysfs_write_number(const char *path, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	return sysfs_write(path, text);
}

int sysfs_scan(const char *path, const char *format, ...)
{
	FILE *file = fopen(path, "r");
	va_list args;
	int got;

	if (!file)
		return -errno;
	va_start(args, format);
	got = vfscanf(file, format, args);
	va_end(args);
	fclose(file);
	return got;
}

int sysfs_link(const char *path, char *last, size_t size)
{
	char target[256];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return -errno;
	target[length] = 0;
	snprintf(last, size, "%s", basename(target));
	return 0;
}

static int open_node(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int sysfs_open_device_file(const char *device)
{
	char path[320];
	struct dirent *entry;
	int fd = -ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vfio-dev", device);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%.64s",
			 entry->d_name);
		fd = open_node(path);
		break;
	}
	closedir(dir);
	return fd;
}

int sysfs_open_group(const char *device)
{
	char path[320], group[64];
	int rc;

	snprintf(path, sizeof(path), "%s/iommu_group", device);
	rc = sysfs_link(path, group, sizeof(group));
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	return open_node(path);
}
