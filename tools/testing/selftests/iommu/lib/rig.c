// SPDX-License-Identifier: GPL-2.0-only
#include "rig.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "vfio.h"

int rig_find(struct rig *rig)
{
	int rc;

	memset(rig, 0, sizeof(*rig));
	rig->iommufd = -1;
	rig->device = -1;
	rc = pci_find(EDU_VENDOR, EDU_DEVICE, 0, rig->name);
	if (rc)
		return rc;
	return pci_bind_driver(rig->name, "vfio-pci");
}

int rig_open(struct rig *rig)
{
	int rc = rig_find(rig);

	if (rc)
		return rc;
	rig->device = pci_open_device_file(rig->name);
	if (rig->device < 0)
		return rig->device == -ENODEV ? -ENXIO : rig->device;
	rig->iommufd = iommufd_open();
	return rig->iommufd < 0 ? rig->iommufd : 0;
}

int rig_bind(struct rig *rig)
{
	int rc = rig_open(rig);

	if (!rc)
		rc = vfio_bind(rig->device, rig->iommufd, &rig->device_id);
	if (!rc)
		rc = ioas_alloc(rig->iommufd, &rig->ioas);
	return rc;
}

int rig_start(struct rig *rig)
{
	int rc = rig_bind(rig);
	uint32_t pt = rig->ioas;

	if (!rc)
		rc = vfio_attach(rig->device, &pt);
	if (!rc)
		rc = edu_init(&rig->edu, rig->device);
	return rc;
}

int rig_spaces(struct rig *rig, uint32_t *ioas, uint32_t *other)
{
	rig->iommufd = iommufd_open();
	if (rig->iommufd < 0)
		return rig->iommufd;
	return ioas_alloc(rig->iommufd, ioas) ?:
	       ioas_alloc(rig->iommufd, other);
}

int rig_close(struct rig *rig)
{
	int rc = 0;

	edu_fini(&rig->edu);
	if (rig->device >= 0 && close(rig->device))
		rc = -errno;
	if (rig->iommufd >= 0 && close(rig->iommufd))
		rc = -errno;
	rig->device = -1;
	rig->iommufd = -1;
	return rc;
}
