// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuctl config: what to paste where for a device.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "device.h"

static void qemu(const struct device *device)
{
	printf("-object iommufd,id=iommufd0 \\\n"
	       "-device vfio-pci,host=%s,iommufd=iommufd0\n", device->name);
}

static void libvirt(const struct device *device)
{
	unsigned int domain, bus, slot, func;

	sscanf(device->name, "%x:%x:%x.%x", &domain, &bus, &slot, &func);
	printf("<hostdev mode='subsystem' type='pci' managed='no'>\n"
	       "  <driver name='vfio' iommufd='yes'/>\n"
	       "  <source>\n"
	       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n"
	       "  </source>\n"
	       "</hostdev>\n", domain, bus, slot, func);
}

static void cloud_hypervisor(const struct device *device)
{
	printf("--platform iommufd=on \\\n"
	       "--device path=/sys/bus/pci/devices/%s\n", device->name);
}

/* For the cluster, and for the guest */
static void kubevirt(const struct device *device)
{
	char id[16];

	snprintf(id, sizeof(id), "pci-%04x-%04x", device->vendor,
		 device->device);
	printf("apiVersion: kubevirt.io/v1\n"
	       "kind: KubeVirt\n"
	       "spec:\n"
	       "  configuration:\n"
	       "    developerConfiguration:\n"
	       "      featureGates:\n"
	       "      - HostDevices\n"
	       "      - IOMMUFD\n"
	       "    permittedHostDevices:\n"
	       "      pciHostDevices:\n"
	       "      - pciVendorSelector: \"%04X:%04X\"\n"
	       "        resourceName: passthrough.local/%s\n",
	       device->vendor, device->device, id);
	printf("---\n"
	       "apiVersion: kubevirt.io/v1\n"
	       "kind: VirtualMachine\n"
	       "spec:\n"
	       "  template:\n"
	       "    spec:\n"
	       "      domain:\n"
	       "        devices:\n"
	       "          hostDevices:\n"
	       "          - name: %s\n"
	       "            deviceName: passthrough.local/%s\n", id, id);
}

static const struct {
	const char *name;
	void (*print)(const struct device *device);
} targets[] = {
	{ "qemu", qemu },
	{ "libvirt", libvirt },
	{ "cloud-hypervisor", cloud_hypervisor },
	{ "kubevirt", kubevirt },
};

enum status command_config(const struct options *options)
{
	struct devices devices;
	size_t i;

	if (!options->target)
		errx(2, "config wants --for qemu, libvirt, cloud-hypervisor or kubevirt");
	for (i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		if (!strcmp(options->target, targets[i].name))
			break;
	if (i == sizeof(targets) / sizeof(*targets))
		errx(2, "--for %s: not qemu, libvirt, cloud-hypervisor or kubevirt",
		     options->target);
	devices = devices_scan();
	targets[i].print(devices_find(&devices, options->device));
	devices_free(&devices);
	return STATUS_OK;
}
