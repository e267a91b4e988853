// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device is in use for: an interface that is up, a disk that is mounted,
 * swapped to, claimed or open, or a guest that has its file open.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "inuse.h"
#include "process.h"
#include "sysfs.h"

/* Is what a path of sysfs leads to a part of the device? */
static bool leads_to(const struct device *device, const char *path)
{
	char *full = sysfs_path("%s", path);
	char *real = realpath(full, NULL);
	char *part = text("/%s/", device->name);
	bool yes = real && strstr(real, part);

	free(part);
	free(real);
	free(full);
	return yes;
}

/* A namespace of NVMe may hang off the subsystem, not off a controller */
static bool disk_is_of(const struct device *device, const char *disk)
{
	char *path = text("/sys/class/block/%s", disk);
	char *up = text("/sys/class/block/%s/..", disk);
	struct names names = { 0 };
	bool yes = leads_to(device, path);
	size_t i;

	if (!yes && !strncmp(disk, "nvme", 4))
		names = sysfs_list("%s", up);
	for (i = 0; i < names.nr && !yes; i++) {
		char *controller = text("%s/%s/", up, names.list[i]);

		if (!strncmp(names.list[i], "nvme", 4))
			yes = leads_to(device, controller);
		free(controller);
	}
	names_free(&names);
	free(up);
	free(path);
	return yes;
}

static char *net_in_use(const struct device *device)
{
	struct names names = sysfs_list("/sys/class/net");
	char *why = NULL;
	size_t i;

	for (i = 0; i < names.nr && !why; i++) {
		char *path = text("/sys/class/net/%s", names.list[i]);

		if (leads_to(device, path) &&
		    sysfs_number(0, 0, "%s/flags", path) & IFF_UP)
			why = text("network interface %s is up; ip link set %s down",
				   names.list[i], names.list[i]);
		free(path);
	}
	names_free(&names);
	return why;
}

/* sysfs has ! in the place of what is / in the name of a node */
static char *node_of(const char *disk)
{
	char *node = text("/dev/%s", disk);
	char *c;

	for (c = node; *c; c++)
		if (*c == '!')
			*c = '/';
	return node;
}

/* Does a path, which may be a link, lead to the node? */
static bool is_node(const char *path, const char *node)
{
	char *below = sysfs_path("%s", path);
	char *real = realpath(below, NULL);
	char *root = sysfs_path("/");
	char *top = realpath(root, NULL);
	size_t skip = top && strcmp(top, "/") ? strlen(top) : 0;
	bool yes = !strcmp(path, node);

	if (real && strlen(real) > skip)
		yes |= !strcmp(real + skip, node);
	free(top);
	free(root);
	free(real);
	free(below);
	return yes;
}

/* A word of a line, counted from 0, without the kernel's escapes; or NULL */
static char *word(const char *line, unsigned int nr)
{
	unsigned int byte;
	char *out, *from, *to;
	int used;

	while (line && nr--) {
		line = strchr(line, ' ');
		line += line ? 1 : 0;
	}
	if (!line)
		return NULL;
	out = text("%.*s", (int)strcspn(line, " "), line);
	for (from = to = out; *from; to++) {
		if (sscanf(from, "\\%3o%n", &byte, &used) == 1) {
			*to = byte;
			from += used;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
	return out;
}

/*
 * Where is a disk mounted? By its number; and by its name, because file systems that
 * may have several disks, such as btrfs, show a number that is no disk's.
 */
static char *mount_point(const char *disk, const char *node)
{
	char *mounts = sysfs_read("/proc/self/mountinfo");
	char *number = sysfs_read("/sys/class/block/%s/dev", disk);
	char *rest = mounts, *line;
	char *found = NULL;

	while (!found && rest && (line = strsep(&rest, "\n"))) {
		/* Before it there are as many words as the kernel likes */
		char *tail = strstr(line, " - ");
		char *source = tail ? word(tail + 3, 1) : NULL;
		char *device = word(line, 2);

		if ((device && number && !strcmp(device, number)) ||
		    (source && is_node(source, node)))
			found = word(line, 4);
		free(device);
		free(source);
	}
	if (found)
		text_clean(found);
	free(number);
	free(mounts);
	return found;
}

static bool is_swap(const char *node)
{
	char *swaps = sysfs_read("/proc/swaps");
	char *name = text("%s ", node);
	bool yes = swaps && strstr(swaps, name);

	free(name);
	free(swaps);
	return yes;
}

/* The btrfs, which is mounted if it is there, that has the disk among its own */
static char *btrfs_of(const char *disk)
{
	struct names names = sysfs_list("/sys/fs/btrfs");
	char *found = NULL;
	size_t i;

	for (i = 0; i < names.nr && !found; i++)
		if (sysfs_exists("/sys/fs/btrfs/%s/devices/%s", names.list[i],
				 disk))
			found = text("%s", names.list[i]);
	names_free(&names);
	return found;
}

/* The loop device over the node, which does not count as its holder */
static char *loop_of(const char *node)
{
	struct names names = sysfs_list("/sys/class/block");
	char *found = NULL;
	size_t i;

	for (i = 0; i < names.nr && !found; i++) {
		char *file = sysfs_read("/sys/class/block/%s/loop/backing_file",
					names.list[i]);

		if (file && is_node(file, node))
			found = text("%s", names.list[i]);
		free(file);
	}
	names_free(&names);
	return found;
}

/* What the host does with a disk, as far as files tell */
static char *disk_use(const char *disk, const char *node)
{
	struct names holders = sysfs_list("/sys/class/block/%s/holders", disk);
	char *where = mount_point(disk, node);
	char *btrfs = btrfs_of(disk);
	char *loop = loop_of(node);
	char *why = NULL;

	if (where)
		why = text("%s is mounted; umount %s", node, where);
	else if (is_swap(node))
		why = text("%s is swapped to; swapoff %s", node, node);
	else if (holders.nr)
		why = text("%s is part of %s", node, holders.list[0]);
	else if (btrfs)
		why = text("%s is part of the btrfs %s, which is mounted", node,
			   btrfs);
	else if (loop)
		why = text("%s is part of %s", node, loop);
	free(loop);
	free(btrfs);
	free(where);
	names_free(&holders);
	return why;
}

/*
 * Whoever wants a disk for its own claims it, whatever the files above tell: a file
 * system of ZFS or of another mount namespace, an external journal, a target of SCSI.
 * The kernel then refuses it to us.
 */
static char *disk_claim(const char *disk, const char *node)
{
	char *path = sysfs_path("%s", node);
	int fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	char *why = NULL;

	if (fd >= 0)
		close(fd);
	else if (errno == EBUSY)
		why = text("the kernel uses %s", node);
	else if (errno == EACCES || errno == EPERM)
		why = text("only root can see whether the kernel uses %s", node);
	free(path);
	return why;
}

/**
 * struct open_disk - who has a disk open, without a claim
 * @node: of the disk
 * @why: the answer, or NULL
 */
struct open_disk {
	const char *node;
	char *why;
};

static void see_file(void *context, pid_t pid, int fd, const char *target)
{
	struct open_disk *open_disk = context;

	if (!open_disk->why && !strcmp(target, open_disk->node)) {
		char *who = process_name(pid);

		open_disk->why = text("%s has %s open", who, target);
		free(who);
	}
}

static char *disk_opener(const char *disk, const char *node)
{
	struct open_disk open_disk = { .node = node };

	process_files(see_file, &open_disk);
	return open_disk.why;
}

static char *disk_in_use(const struct device *device)
{
	/* The first that has an answer has the best one */
	static char *(*const ask[])(const char *disk, const char *node) = {
		disk_use, disk_opener, disk_claim,
	};
	struct names names = sysfs_list("/sys/class/block");
	char *why = NULL;
	size_t i, j;

	/* Partitions are among them, and hang off their disk */
	for (i = 0; i < sizeof(ask) / sizeof(*ask); i++) {
		for (j = 0; j < names.nr && !why; j++) {
			char *node = node_of(names.list[j]);

			if (disk_is_of(device, names.list[j]))
				why = ask[i](names.list[j], node);
			free(node);
		}
	}
	names_free(&names);
	return why;
}

char *in_use(const struct device *device)
{
	char *why;

	if (device->holders)
		return text("%s has it open", device->holders);
	if (!device->driver)
		return NULL;
	why = net_in_use(device);
	return why ? why : disk_in_use(device);
}
