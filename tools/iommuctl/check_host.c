// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the machine as a whole.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "doctor.h"
#include "sysfs.h"

#define TABLES "/sys/firmware/acpi/tables/"
#define GRUB "/etc/default/grub && update-grub && reboot"

static bool on_command_line(const char *word)
{
	char *line = sysfs_read("/proc/cmdline");
	char *rest = line, *one;
	bool found = false;

	while (rest && (one = strsep(&rest, " ")))
		found |= !strcmp(one, word);
	free(line);
	return found;
}

/* The first of some words that is on the kernel's command line */
static const char *first_on_command_line(const char *const *words)
{
	for (; *words; words++)
		if (on_command_line(*words))
			return *words;
	return NULL;
}

static char *remove_word(const char *word)
{
	return text("sed -i 's/ *\\b%s\\b//' " GRUB, word);
}

void check_iommu(struct doctor *doctor)
{
	static const char *const off[] = {
		"iommu=off", "intel_iommu=off", "amd_iommu=off", NULL
	};
	struct names units = sysfs_list("/sys/class/iommu");
	struct names groups = sysfs_list("/sys/kernel/iommu_groups");
	const char *word = first_on_command_line(off);

	if (units.nr && groups.nr)
		tell(doctor, "IOMMU", VERDICT_OK, NULL, "%zu units, %zu groups",
		     units.nr, groups.nr);
	else if (word)
		tell(doctor, "IOMMU", VERDICT_FAILURE, remove_word(word),
		     "%s on the kernel's command line turns it off", word);
	else if (sysfs_exists(TABLES "IVRS"))
		tell(doctor, "IOMMU", VERDICT_FAILURE,
		     text("see what journalctl -k -g AMD-Vi says; an update of the firmware may help"),
		     "the machine has one of AMD's, which the kernel could not start");
	else if (sysfs_exists(TABLES "DMAR"))
		tell(doctor, "IOMMU", VERDICT_FAILURE,
		     text("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' "
			  GRUB),
		     "the machine has one of Intel's, which the kernel does not use");
	else
		tell(doctor, "IOMMU", VERDICT_FAILURE,
		     text("turn on VT-d or AMD-Vi in the firmware's setup"),
		     "the firmware tells of none");
	names_free(&units);
	names_free(&groups);
}

void check_interrupts(struct doctor *doctor)
{
	static const char *const off[] = { "intremap=off", "nointremap", NULL };
	char *interrupts = sysfs_read("/proc/interrupts");
	char *unsafe = sysfs_read("/sys/module/iommufd/parameters/allow_unsafe_interrupts");
	struct names units = sysfs_list("/sys/class/iommu");
	const char *word = first_on_command_line(off);

	/* The kernel puts IR- before the name of a controller that it remaps */
	if (interrupts && strstr(interrupts, " IR-"))
		tell(doctor, "interrupt remapping", VERDICT_OK, NULL, "on");
	else if (unsafe && *unsafe == 'Y')
		tell(doctor, "interrupt remapping", VERDICT_WARNING, NULL,
		     "off, and overridden by iommufd.allow_unsafe_interrupts: a guest can inject interrupts into the host");
	else if (word)
		tell(doctor, "interrupt remapping", VERDICT_FAILURE,
		     remove_word(word),
		     "%s on the kernel's command line turns it off", word);
	else if (!units.nr)
		tell(doctor, "interrupt remapping", VERDICT_FAILURE,
		     text("see the check of the IOMMU"),
		     "it comes with the IOMMU, which is not used");
	else
		tell(doctor, "interrupt remapping", VERDICT_FAILURE,
		     text("echo Y >/sys/module/iommufd/parameters/allow_unsafe_interrupts"),
		     "the machine has none, and without it a guest can inject interrupts into the host; the command takes that risk");
	names_free(&units);
	free(interrupts);
	free(unsafe);
}

static bool built_for(const char *release, const char *module)
{
	static const char *const folders[] = { "updates/dkms", "updates" };
	static const char *const endings[] = { "ko", "ko.xz", "ko.zst" };
	size_t i, j;

	for (i = 0; i < 2; i++)
		for (j = 0; j < 3; j++)
			if (sysfs_exists("/lib/modules/%s/%s/%s.%s", release,
					 folders[i], module, endings[j]))
				return true;
	return false;
}

/* In a tree that a test has made there is no uname() */
static char *running_release(void)
{
	char *release = sysfs_read("/proc/sys/kernel/osrelease");

	return release ? release : text("unknown");
}

void check_modules(struct doctor *doctor)
{
	char *release = running_release();

	if (sysfs_exists("/sys/class/misc/iommu") &&
	    sysfs_exists("/sys/module/vfio/holders/vfio_pci_core") &&
	    !sysfs_exists("/sys/module/iommufd/holders/vfio"))
		tell(doctor, "modules", VERDICT_FAILURE,
		     text(RELOAD_VFIO),
		     "/dev/iommu is there, but the stock vfio.ko is loaded, which has no device files");
	else if (sysfs_exists("/sys/class/misc/iommu"))
		tell(doctor, "modules", VERDICT_OK, NULL, "/dev/iommu is there");
	else if (!built_for(release, "iommufd"))
		tell(doctor, "modules", VERDICT_FAILURE,
		     text("apt install linux-headers-%s && dkms autoinstall -k %s",
			  release, release),
		     "iommufd.ko is not built for the running kernel %s",
		     release);
	else if (sysfs_exists("/sys/module/vfio"))
		tell(doctor, "modules", VERDICT_FAILURE,
		     text(RELOAD_VFIO),
		     "the stock vfio.ko is loaded");
	else
		tell(doctor, "modules", VERDICT_FAILURE,
		     text("modprobe vfio_pci"), "not loaded");
	free(release);
}

/* The soft limit of this process on locked memory; ~0 for none */
static unsigned long long memlock_limit(void)
{
	char *limits = sysfs_read("/proc/self/limits");
	char *at = limits ? strstr(limits, "Max locked memory") : NULL;
	unsigned long long limit = ~0ULL;

	if (at)
		sscanf(at, "Max locked memory %llu", &limit);
	free(limits);
	return limit;
}

static bool may_lock_anything(void)
{
	char *status = sysfs_read("/proc/self/status");
	char *at = status ? strstr(status, "CapEff:") : NULL;
	unsigned long long caps = 0;

	if (at)
		sscanf(at, "CapEff: %llx", &caps);
	free(status);
	/* CAP_IPC_LOCK */
	return caps & (1ULL << 14);
}

void check_memlock(struct doctor *doctor)
{
	unsigned long long memory = doctor->options->memory;
	unsigned long long limit = memlock_limit();

	if (!doctor->options->user && may_lock_anything())
		tell(doctor, "locked memory", VERDICT_OK, NULL,
		     "CAP_IPC_LOCK: nothing is charged");
	else if (!memory)
		tell(doctor, "locked memory", VERDICT_SKIPPED, NULL,
		     "give the guest's memory with --memory SIZE");
	else if (limit == ~0ULL)
		tell(doctor, "locked memory", VERDICT_OK, NULL, "no limit");
	else if (limit >= memory)
		tell(doctor, "locked memory", VERDICT_OK, NULL,
		     "the limit is %llu KiB, the guest takes %llu KiB",
		     limit >> 10, memory >> 10);
	else
		tell(doctor, "locked memory", VERDICT_FAILURE,
		     text("echo '@kvm - memlock %llu' >/etc/security/limits.d/iommufd.conf, and log in again",
			  (memory >> 10) + (64 << 10)),
		     "the limit is %llu KiB, the guest takes %llu KiB",
		     limit >> 10, memory >> 10);
}
