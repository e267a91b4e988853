// SPDX-License-Identifier: GPL-2.0-only
#include "census.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

/* The number behind @key, which stands at the start of a line of @path. */
static long number(const char *path, const char *key)
{
	size_t length = strlen(key);
	FILE *file = fopen(path, "r");
	char line[256];
	long value = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, length)) {
			if (sscanf(line + length, "%*[: \t]%ld", &value) != 1)
				value = -1;
			break;
		}
	fclose(file);
	return value;
}

long census_pins(void)
{
	/* Each CPU keeps a part of the counters to itself until told. */
	sysfs_write("/proc/sys/vm/stat_refresh", "1");
	return number("/proc/vmstat", "nr_foll_pin_acquired") -
	       number("/proc/vmstat", "nr_foll_pin_released");
}

bool census_settles(long pins)
{
	int tries;

	for (tries = 0; tries < 50; tries++) {
		if (census_pins() == pins)
			return true;
		usleep(100000);
	}
	return false;
}

long census_locked(void)
{
	return number("/proc/self/status", "VmLck");
}

long census_pinned(void)
{
	return number("/proc/self/status", "VmPin");
}

long census_swapped(void)
{
	return number("/proc/self/status", "VmSwap");
}

long census_free(void)
{
	return number("/proc/meminfo", "MemFree");
}

int census_open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

int census_module_users(const char *module)
{
	char path[128];
	int users;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	return sysfs_scan(path, "%d", &users) == 1 ? users : -1;
}

long census_free_hugepages(void)
{
	return number("/proc/meminfo", "HugePages_Free");
}

bool census_want_hugepages(int count)
{
	long total = number("/proc/meminfo", "HugePages_Total");
	long free = census_free_hugepages();

	if (number("/proc/meminfo", "Hugepagesize") != 2048)
		return false;
	if (free < count)
		sysfs_write_number("/proc/sys/vm/nr_hugepages",
				   total + count - free);
	return census_free_hugepages() >= count;
}
