// SPDX-License-Identifier: GPL-2.0-only
#include "cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"

#define ROOT "/tmp/cgroup-of-test"

const char *cgroup_missing(void)
{
	if (access(ROOT "/cgroup.procs", F_OK)) {
		if (mkdir(ROOT, 0755) && errno != EEXIST)
			return "no room for a mount point";
		if (mount("none", ROOT, "cgroup2", 0, NULL))
			return "the kernel has no cgroup2";
	}
	if (sysfs_write(ROOT "/cgroup.subtree_control", "+memory"))
		return "no memory controller in cgroup2";
	return NULL;
}

int cgroup_create(const char *name, uint64_t max)
{
	char path[256], text[32];

	snprintf(path, sizeof(path), ROOT "/%s", name);
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), ROOT "/%s/memory.max", name);
	snprintf(text, sizeof(text), max ? "%llu" : "max",
		 (unsigned long long)max);
	return sysfs_write(path, text);
}

int cgroup_remove(const char *name)
{
	char path[256];
	int tries;

	snprintf(path, sizeof(path), ROOT "/%s", name);
	/* A process that was waited for may not have left yet */
	for (tries = 0; tries < 50; tries++) {
		if (!rmdir(path))
			return 0;
		if (errno != EBUSY)
			break;
		usleep(100000);
	}
	return -errno;
}

int cgroup_join(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), ROOT "/%s/cgroup.procs", name);
	return sysfs_write(path, "0");
}

long cgroup_read(const char *name, const char *file, const char *key)
{
	char path[256], word[64];
	long value = -ENOENT;
	long found;
	FILE *f;

	snprintf(path, sizeof(path), ROOT "/%s/%s", name, file);
	if (!key)
		return sysfs_scan(path, "%ld", &value) == 1 ? value : -EINVAL;
	f = fopen(path, "r");
	if (!f)
		return -errno;
	while (fscanf(f, "%63s %ld", word, &found) == 2)
		if (!strcmp(word, key))
			value = found;
	fclose(f);
	return value;
}
