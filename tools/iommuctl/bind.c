// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuctl bind, unbind: a whole IOMMU group to vfio-pci, and back.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "device.h"
#include "inuse.h"
#include "sysfs.h"

#define PCI "/sys/bus/pci/devices/"
#define RULES "/etc/udev/rules.d/"

/* A write, which --dry-run prints; frees @path */
static int do_step(const struct options *options, const char *value, char *path)
{
	int rc = 0;

	if (options->dry_run)
		printf("echo '%s' >%s\n", value, path);
	else
		rc = sysfs_write(*value ? value : "\n", "%s", path);
	if (rc)
		warnx("%s: %s", path, strerror(-rc));
	free(path);
	return rc;
}

/* Give a device to the driver that its override names, or to its own, or to none */
static int move(const struct options *options, const struct device *device,
		const char *driver, bool probe)
{
	int rc;

	rc = do_step(options, driver,
		     text(PCI "%s/driver_override", device->name));
	if (!rc && device->driver)
		rc = do_step(options, device->name,
			     text(PCI "%s/driver/unbind", device->name));
	if (!rc && probe)
		rc = do_step(options, device->name,
			     text("/sys/bus/pci/drivers_probe"));
	return rc;
}

static char *rule_path(const char *device)
{
	return text(RULES "75-iommuctl-%s.rules", device);
}

/*
 * The rule is read before the one that loads drivers by alias (80-drivers.rules),
 * so the device's own driver finds the override there. Where vfio-pci is loaded
 * already nothing but the probe brings it to the device.
 */
static void persist(const struct options *options, const struct device *device)
{
	char *name = rule_path(device->name);
	char *rule = text("ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"%s\", "
			  "ATTR{vendor}==\"0x%04x\", ATTR{device}==\"0x%04x\", "
			  "ATTR{driver_override}=\"vfio-pci\", "
			  "RUN{builtin}+=\"kmod load vfio-pci\", "
			  "RUN+=\"/bin/sh -c 'echo %s >/sys/bus/pci/drivers_probe'\"\n",
			  device->name, device->vendor, device->device,
			  device->name);
	char *path = sysfs_path("%s", name);
	FILE *file;

	if (options->dry_run) {
		printf("cat >%s <<'EOF'\n%sEOF\n", name, rule);
	} else {
		file = fopen(path, "we");
		if (!file)
			err(2, "%s", path);
		fputs(rule, file);
		if (fclose(file))
			err(2, "%s", path);
	}
	free(path);
	free(rule);
	free(name);
}

static bool forget(const struct options *options, const char *device)
{
	char *name = rule_path(device);
	char *path = sysfs_path("%s", name);
	bool there = !access(path, F_OK);

	if (there && options->dry_run)
		printf("rm %s\n", name);
	else if (there && unlink(path))
		err(2, "%s", path);
	free(path);
	free(name);
	return there;
}

static void hint_initramfs(const struct options *options)
{
	if (options->dry_run)
		puts("update-initramfs -u");
	else
		puts("run update-initramfs -u if a driver of the initramfs takes the device");
}

static void load_driver(const struct options *options)
{
	int status;
	pid_t pid;

	if (sysfs_exists("/sys/bus/pci/drivers/vfio-pci"))
		return;
	if (options->dry_run) {
		puts("modprobe vfio-pci");
		return;
	}
	pid = fork();
	if (!pid) {
		execlp("modprobe", "modprobe", "vfio-pci", NULL);
		err(127, "modprobe");
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		err(2, "modprobe");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		errx(2, "vfio-pci cannot be loaded; try iommuctl doctor");
}

/*
 * The devices that have to go together, and whether those can that will be moved: those
 * that vfio-pci has, or the others
 */
static struct device **members(struct devices *devices,
			       const struct device *device, bool vfio,
			       size_t *nr)
{
	struct device **list = NULL;
	bool used = false;
	size_t i;

	if (device->group < 0)
		errx(2, "%s is in no IOMMU group; try iommuctl doctor",
		     device->name);
	if (device_is_bridge(device))
		errx(2, "%s is a bridge, which cannot be given away",
		     device->name);
	*nr = 0;
	for (i = 0; i < devices->nr; i++) {
		struct device *other = &devices->list[i];
		char *why;

		if (other->group != device->group || device_is_bridge(other))
			continue;
		why = device_is_vfio(other) == vfio ? in_use(other) : NULL;
		if (why) {
			warnx("%s is in use: %s", other->name, why);
			used = true;
		}
		free(why);
		list = grow(list, *nr, sizeof(*list));
		list[(*nr)++] = other;
	}
	if (used)
		exit(2);
	return list;
}

/* Who has the device now is what the kernel says, not what was written */
static bool same_driver(const struct device *device, const char *driver)
{
	char *now = sysfs_link(PCI "%s/driver", device->name);
	bool same = driver ? now && !strcmp(now, driver) : !now;

	free(now);
	return same;
}

static bool took_vfio(const struct device *device)
{
	bool yes = same_driver(device, "vfio-pci");

	if (!yes)
		warnx("%s did not take vfio-pci; see dmesg", device->name);
	return yes;
}

/* Are they as they were? What vfio-pci had before was not touched */
static bool give_back(const struct options *options, struct device **list,
		      size_t nr)
{
	bool done = true;

	while (nr--) {
		const struct device *before = list[nr];
		struct device now = *before;

		if (device_is_vfio(before))
			continue;
		now.driver = sysfs_link(PCI "%s/driver", now.name);
		if (move(options, &now, before->override ? before->override : "",
			 before->driver) ||
		    !same_driver(before, before->driver))
			done = false;
		free(now.driver);
	}
	return done;
}

enum status command_bind(const struct options *options)
{
	struct devices devices = devices_scan();
	struct device *device = devices_find(&devices, options->device);
	struct device **list;
	size_t nr;
	size_t i;

	list = members(&devices, device, false, &nr);
	load_driver(options);
	for (i = 0; i < nr; i++) {
		if (device_is_vfio(list[i]))
			continue;
		if (move(options, list[i], "vfio-pci", true) ||
		    (!options->dry_run && !took_vfio(list[i]))) {
			bool done = give_back(options, list, i + 1);

			free(list);
			errx(2, "group %d is %sas it was before", device->group,
			     done ? "" : "not ");
		}
	}
	for (i = 0; options->persist && i < nr; i++)
		persist(options, list[i]);
	if (options->persist)
		hint_initramfs(options);
	free(list);
	devices_free(&devices);
	return STATUS_OK;
}

/* A rule outlives its device, and the IOMMU that gave the device its group */
static bool forget_alone(const struct options *options)
{
	char *device = device_name(options->device);
	bool forgotten = options->persist &&
			 !sysfs_exists(PCI "%s/iommu_group", device) &&
			 forget(options, device);

	if (forgotten)
		hint_initramfs(options);
	free(device);
	return forgotten;
}

enum status command_unbind(const struct options *options)
{
	struct devices devices;
	struct device *device;
	bool forgotten = false;
	struct device **list;
	int rc = 0;
	size_t nr;
	size_t i;

	if (forget_alone(options))
		return STATUS_OK;
	devices = devices_scan();
	device = devices_find(&devices, options->device);
	list = members(&devices, device, true, &nr);
	for (i = 0; i < nr; i++) {
		if (device_is_vfio(list[i]))
			rc |= move(options, list[i], "", true);
		if (options->persist)
			forgotten |= forget(options, list[i]->name);
	}
	if (forgotten)
		hint_initramfs(options);
	free(list);
	devices_free(&devices);
	return rc ? STATUS_FAILURE : STATUS_OK;
}
