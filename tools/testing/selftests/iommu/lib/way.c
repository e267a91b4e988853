// SPDX-License-Identifier: GPL-2.0-only
#include "way.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "mock.h"
#include "pci.h"
#include "type1.h"
#include "vfio.h"

#define FEATURE_ROOM	64

const char *way_missing(enum way_kind kind)
{
	return kind == WAY_DEVICE_FILE && type1_is_stock() ?
		"the stock modules have no device files" : NULL;
}

/* From here on the group, or the device file, is open, or is an error. */
static int go_by_group(struct way *way, const char *name, const uint8_t *token)
{
	char text[128];
	int length, i, rc;

	if (way->group < 0)
		return way->group;
	way->space = container_open();
	if (way->space < 0)
		return way->space;
	rc = group_set_container(way->group, way->space);
	if (!rc)
		rc = container_set_iommu(way->space, VFIO_TYPE1v2_IOMMU);
	if (rc)
		return rc;

	length = snprintf(text, sizeof(text), "%s", name);
	if (token)
		length += snprintf(text + length, sizeof(text) - length,
				   " vf_token=");
	for (i = 0; token && i < WAY_TOKEN; i++)
		length += snprintf(text + length, sizeof(text) - length, "%s%02x",
				   i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				   token[i]);
	way->device = group_device(way->group, text);
	return way->device < 0 ? way->device : 0;
}

static int go_by_device_file(struct way *way, const uint8_t *token)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = token ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0,
		.token_uuid_ptr = (uintptr_t)token,
	};

	if (way->device < 0)
		return way->device;
	way->space = iommufd_open();
	if (way->space < 0)
		return way->space;
	bind.iommufd = way->space;
	return xioctl(way->device, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static int go(struct way *way, enum way_kind kind, const char *name,
	      const uint8_t *token)
{
	int rc = kind == WAY_GROUP ? go_by_group(way, name, token) :
				     go_by_device_file(way, token);

	if (rc)
		way_close(way);
	return rc;
}

int way_open(struct way *way, enum way_kind kind, const char *name,
	     const uint8_t *token)
{
	*way = (struct way){
		.space = -1,
		.group = kind == WAY_GROUP ? pci_open_group(name) : -1,
		.device = kind == WAY_GROUP ? -1 : pci_open_device_file(name),
	};
	return go(way, kind, name, token);
}

int way_open_mdev(struct way *way, enum way_kind kind, int nr)
{
	char name[32];

	mock_name(name, sizeof(name), MOCK_MDEV, nr);
	*way = (struct way){
		.space = -1,
		.group = kind == WAY_GROUP ? mock_open_group(MOCK_MDEV, nr) : -1,
		.device = kind == WAY_GROUP ? -1 : mock_open(MOCK_MDEV, nr),
	};
	return go(way, kind, name, NULL);
}

void way_close(struct way *way)
{
	if (way->device >= 0)
		close(way->device);
	if (way->group >= 0)
		close(way->group);
	if (way->space >= 0)
		close(way->space);
	*way = (struct way){ .space = -1, .group = -1, .device = -1 };
}

int way_feature(const struct way *way, uint32_t flags, void *data, size_t size)
{
	struct {
		struct vfio_device_feature header;
		uint8_t data[FEATURE_ROOM];
	} arg = {
		.header.argsz = sizeof(arg.header) + size,
		.header.flags = flags,
	};
	int rc;

	if (size)
		memcpy(arg.data, data, size);
	rc = xioctl(way->device, VFIO_DEVICE_FEATURE, &arg);
	if (size)
		memcpy(data, arg.data, size);
	return rc;
}
