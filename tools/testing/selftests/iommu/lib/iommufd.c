// SPDX-License-Identifier: GPL-2.0-only
#include "iommufd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int xioctl(int fd, unsigned long number, void *arg)
{
	int rc = ioctl(fd, number, arg);

	return rc < 0 ? -errno : rc;
}

int iommufd_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int iommufd_destroy(int fd, uint32_t id)
{
	struct iommu_destroy arg = { .size = sizeof(arg), .id = id };

	return xioctl(fd, IOMMU_DESTROY, &arg);
}

int ioas_alloc(int fd, uint32_t *id)
{
	struct iommu_ioas_alloc arg = { .size = sizeof(arg) };
	int rc = xioctl(fd, IOMMU_IOAS_ALLOC, &arg);

	*id = arg.out_ioas_id;
	return rc;
}

int ioas_ranges(int fd, uint32_t ioas, struct iommu_iova_range *ranges,
		uint32_t *count, uint64_t *alignment)
{
	struct iommu_ioas_iova_ranges arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.num_iovas = *count,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int rc = xioctl(fd, IOMMU_IOAS_IOVA_RANGES, &arg);

	*count = arg.num_iovas;
	*alignment = arg.out_iova_alignment;
	return rc;
}

int ioas_allow(int fd, uint32_t ioas, struct iommu_iova_range *ranges,
	       uint32_t count)
{
	struct iommu_ioas_allow_iovas arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.num_iovas = count,
		.allowed_iovas = (uintptr_t)ranges,
	};

	return xioctl(fd, IOMMU_IOAS_ALLOW_IOVAS, &arg);
}

int ioas_map(int fd, uint32_t ioas, uint32_t flags, void *memory,
	     uint64_t length, uint64_t *iova)
{
	struct iommu_ioas_map arg = {
		.size = sizeof(arg),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = length,
		.iova = *iova,
	};
	int rc = xioctl(fd, IOMMU_IOAS_MAP, &arg);

	*iova = arg.iova;
	return rc;
}

int ioas_map_at(int fd, uint32_t ioas, uint32_t flags, void *memory,
		uint64_t length, uint64_t iova)
{
	return ioas_map(fd, ioas, flags | MAP_AT, memory, length, &iova);
}

int ioas_map_file(int fd, uint32_t ioas, uint32_t flags, int file,
		  uint64_t start, uint64_t length, uint64_t *iova)
{
	struct iommu_ioas_map_file arg = {
		.size = sizeof(arg),
		.flags = flags,
		.ioas_id = ioas,
		.fd = file,
		.start = start,
		.length = length,
		.iova = *iova,
	};
	int rc = xioctl(fd, IOMMU_IOAS_MAP_FILE, &arg);

	*iova = arg.iova;
	return rc;
}

int ioas_copy(int fd, uint32_t flags, uint32_t dst, uint64_t *dst_iova,
	      uint32_t src, uint64_t src_iova, uint64_t length)
{
	struct iommu_ioas_copy arg = {
		.size = sizeof(arg),
		.flags = flags,
		.dst_ioas_id = dst,
		.src_ioas_id = src,
		.length = length,
		.dst_iova = *dst_iova,
		.src_iova = src_iova,
	};
	int rc = xioctl(fd, IOMMU_IOAS_COPY, &arg);

	*dst_iova = arg.dst_iova;
	return rc;
}

int ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length,
	       uint64_t *unmapped)
{
	struct iommu_ioas_unmap arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};
	int rc = xioctl(fd, IOMMU_IOAS_UNMAP, &arg);

	if (unmapped)
		*unmapped = arg.length;
	return rc;
}

int ioas_change_process(int fd)
{
	struct iommu_ioas_change_process arg = { .size = sizeof(arg) };

	return xioctl(fd, IOMMU_IOAS_CHANGE_PROCESS, &arg);
}

int iommufd_option_get(int fd, uint32_t option, uint32_t object,
		       uint64_t *value)
{
	struct iommu_option arg = {
		.size = sizeof(arg),
		.option_id = option,
		.op = IOMMU_OPTION_OP_GET,
		.object_id = object,
	};
	int rc = xioctl(fd, IOMMU_OPTION, &arg);

	*value = arg.val64;
	return rc;
}

int iommufd_option_set(int fd, uint32_t option, uint32_t object,
		       uint64_t value)
{
	struct iommu_option arg = {
		.size = sizeof(arg),
		.option_id = option,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = object,
		.val64 = value,
	};

	return xioctl(fd, IOMMU_OPTION, &arg);
}

int vfio_ioas(int fd, uint16_t op, uint32_t *ioas)
{
	struct iommu_vfio_ioas arg = {
		.size = sizeof(arg),
		.ioas_id = *ioas,
		.op = op,
	};
	int rc = xioctl(fd, IOMMU_VFIO_IOAS, &arg);

	*ioas = arg.ioas_id;
	return rc;
}

int hwpt_alloc(int fd, uint32_t flags, uint32_t device, uint32_t pt,
	       uint32_t *hwpt)
{
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.dev_id = device,
		.pt_id = pt,
	};
	int rc = xioctl(fd, IOMMU_HWPT_ALLOC, &arg);

	*hwpt = arg.out_hwpt_id;
	return rc;
}

int hw_info(int fd, uint32_t device, void *data, uint32_t length,
	    struct iommu_hw_info *info)
{
	*info = (struct iommu_hw_info) {
		.size = sizeof(*info),
		.dev_id = device,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
	};
	return xioctl(fd, IOMMU_GET_HW_INFO, info);
}

void iommufd_describe(int fd, char *text, size_t size)
{
	char path[64], line[512];
	size_t used = 0;
	FILE *file;

	text[0] = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		size_t length = strlen(line);

		/* A call that fails leaves its reason, but changes nothing. */
		if (!strncmp(line, "refusal:", strlen("refusal:")))
			continue;
		/* An owner without a charge is kept for the next mapping. */
		if (strstr(line, "owner:") && strstr(line, "pinned 0\n"))
			continue;
		if (used + length >= size)
			break;
		memcpy(text + used, line, length + 1);
		used += length;
	}
	fclose(file);
}
