/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls of /dev/iommu, one function each. All return -errno. */
#ifndef LIB_IOMMUFD_H
#define LIB_IOMMUFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/iommufd.h>

#define MAP_READ	IOMMU_IOAS_MAP_READABLE
#define MAP_WRITE	IOMMU_IOAS_MAP_WRITEABLE
#define MAP_RW		(MAP_READ | MAP_WRITE)
#define MAP_AT		IOMMU_IOAS_MAP_FIXED_IOVA

int xioctl(int fd, unsigned long number, void *arg);

int iommufd_open(void);
int iommufd_destroy(int fd, uint32_t id);
int ioas_alloc(int fd, uint32_t *id);
int ioas_ranges(int fd, uint32_t ioas, struct iommu_iova_range *ranges,
		uint32_t *count, uint64_t *alignment);
int ioas_allow(int fd, uint32_t ioas, struct iommu_iova_range *ranges,
	       uint32_t count);
int ioas_map(int fd, uint32_t ioas, uint32_t flags, void *memory,
	     uint64_t length, uint64_t *iova);
int ioas_map_at(int fd, uint32_t ioas, uint32_t flags, void *memory,
		uint64_t length, uint64_t iova);
int ioas_map_file(int fd, uint32_t ioas, uint32_t flags, int file,
		  uint64_t start, uint64_t length, uint64_t *iova);
int ioas_copy(int fd, uint32_t flags, uint32_t dst, uint64_t *dst_iova,
	      uint32_t src, uint64_t src_iova, uint64_t length);
/* @unmapped may be NULL */
int ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length,
	       uint64_t *unmapped);
int ioas_change_process(int fd);
int iommufd_option_get(int fd, uint32_t option, uint32_t object,
		       uint64_t *value);
int iommufd_option_set(int fd, uint32_t option, uint32_t object,
		       uint64_t value);
int vfio_ioas(int fd, uint16_t op, uint32_t *ioas);
int hwpt_alloc(int fd, uint32_t flags, uint32_t device, uint32_t pt,
	       uint32_t *hwpt);
int hw_info(int fd, uint32_t device, void *data, uint32_t length,
	    struct iommu_hw_info *info);

/*
 * What /proc/self/fdinfo says about the file: a text that changes when an
 * object, a mapping or a charge does. Empty for -1. Without the last refusal.
 */
void iommufd_describe(int fd, char *text, size_t size);

#endif
