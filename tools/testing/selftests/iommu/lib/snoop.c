// SPDX-License-Identifier: GPL-2.0-only
#include "snoop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "edu.h"
#include "iommufd.h"
#include "machine.h"
#include "sysfs.h"
#include "vfio.h"

#define VTD_ECAP	"/sys/class/iommu/dmar0/intel-iommu/ecap"
#define VTD_ECAP_SC	(1UL << 7)

const char *const file_kind_names[NR_FILE_KINDS] = {
	[FILE_IOMMU] = "/dev/iommu file",
	[FILE_DEVICE] = "device file",
	[FILE_GROUP] = "group file",
};

bool machine_lets_nosnoop_pass(void)
{
	unsigned long ecap;

	/* AMD's always turns it into ordinary DMA */
	if (!machine_has_vtd())
		return false;
	return sysfs_scan(VTD_ECAP, "%lx", &ecap) == 1 &&
	       !(ecap & VTD_ECAP_SC);
}

int snoop_find(struct snoop *snoop, enum file_kind kind)
{
	int rc;

	memset(snoop, 0, sizeof(*snoop));
	snoop->kind = kind;
	snoop->iommufd = -1;
	snoop->group = -1;
	snoop->device = -1;
	rc = pci_find(EDU_VENDOR, EDU_DEVICE, 0, snoop->name);
	return rc ? rc : pci_bind_driver(snoop->name, "vfio-pci");
}

int snoop_open(struct snoop *snoop)
{
	snoop->iommufd = iommufd_open();
	if (snoop->iommufd < 0)
		return snoop->iommufd;
	if (snoop->kind == FILE_GROUP) {
		snoop->group = pci_open_group(snoop->name);
		return snoop->group < 0 ? snoop->group : 0;
	}
	snoop->device = pci_open_device_file(snoop->name);
	return snoop->device < 0 ? snoop->device : 0;
}

int snoop_file(const struct snoop *snoop)
{
	switch (snoop->kind) {
	case FILE_IOMMU:
		return snoop->iommufd;
	case FILE_DEVICE:
		return snoop->device;
	default:
		return snoop->group;
	}
}

static int set_container(struct snoop *snoop)
{
	int rc = xioctl(snoop->group, VFIO_GROUP_SET_CONTAINER,
			&snoop->iommufd);

	if (rc)
		return rc;
	snoop->bound = true;
	return ioctl(snoop->iommufd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) ?
	       -errno : 0;
}

static int attach_group(struct snoop *snoop)
{
	int rc;

	if (!snoop->bound) {
		rc = set_container(snoop);
		if (rc)
			return rc;
	}
	snoop->device = xioctl(snoop->group, VFIO_GROUP_GET_DEVICE_FD,
			       snoop->name);
	return snoop->device < 0 ? snoop->device : 0;
}

int snoop_bind(struct snoop *snoop)
{
	int rc;

	if (snoop->bound)
		return 0;
	rc = vfio_bind(snoop->device, snoop->iommufd, &snoop->device_id);
	if (!rc)
		rc = ioas_alloc(snoop->iommufd, &snoop->ioas);
	snoop->bound = !rc;
	return rc;
}

int snoop_attach(struct snoop *snoop)
{
	uint32_t pt;
	int rc;

	if (snoop->kind == FILE_GROUP)
		return attach_group(snoop);

	rc = snoop_bind(snoop);
	if (rc)
		return rc;
	pt = snoop->ioas;
	return vfio_attach(snoop->device, &pt);
}

void snoop_close_device(struct snoop *snoop)
{
	if (snoop->device >= 0)
		close(snoop->device);
	snoop->device = -1;
}

int snoop_detach(struct snoop *snoop)
{
	/* Groups have no call for it */
	if (snoop->kind == FILE_GROUP) {
		snoop_close_device(snoop);
		return 0;
	}
	return vfio_detach(snoop->device);
}

/* The old interface can only leave one container and enter another */
static int replace_container(struct snoop *snoop)
{
	int rc;

	snoop_close_device(snoop);
	rc = xioctl(snoop->group, VFIO_GROUP_UNSET_CONTAINER, NULL);
	if (rc)
		return rc;
	snoop->bound = false;
	close(snoop->iommufd);
	snoop->iommufd = iommufd_open();
	return snoop->iommufd < 0 ? snoop->iommufd : attach_group(snoop);
}

int snoop_replace(struct snoop *snoop)
{
	uint32_t pt;
	int rc;

	if (snoop->kind == FILE_GROUP)
		return replace_container(snoop);
	rc = ioas_alloc(snoop->iommufd, &snoop->ioas);
	pt = snoop->ioas;
	return rc ? rc : vfio_attach(snoop->device, &pt);
}

void snoop_close(struct snoop *snoop)
{
	snoop_close_device(snoop);
	if (snoop->group >= 0)
		close(snoop->group);
	snoop->group = -1;
	if (snoop->iommufd >= 0)
		close(snoop->iommufd);
	snoop->iommufd = -1;
	snoop->bound = false;
}
