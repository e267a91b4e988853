/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices of iommufd_mock.ko, and what it says of itself. */
#ifndef LIB_MOCK_H
#define LIB_MOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mock/iommufd_mock.h"

/* Even numbers need a virtual machine to be opened. */
#define MOCK_MDEV	"/sys/bus/platform/devices/iommufd_mock_mdev.%d"
/* Behind an IOMMU of their own; even numbers can snoop. */
#define MOCK_DEVICE	"/sys/bus/iommufd_mock/devices/mock%d"

/* NULL, or why the module cannot be had. */
const char *mock_missing(void);

/* As its group's file knows a device. */
void mock_name(char *name, size_t size, const char *kind, int nr);

/* Device file or group file of number @nr of a kind. -errno. */
int mock_open(const char *kind, int nr);
int mock_open_group(const char *kind, int nr);
/* The steps after mock_open(), each of which includes those before it. */
int mock_bind(const char *kind, int nr, int iommufd);
int mock_attach(const char *kind, int nr, int iommufd, uint32_t ioas);

/* All return -errno, else what the driver returned. */
int mock_pin(int device, uint64_t iova, uint32_t npage, uint32_t flags);
int mock_unpin(int device, uint64_t iova, uint32_t npage);
int mock_rw(int device, uint64_t iova, void *data, uint32_t length,
	    uint32_t flags);
int mock_touch(int device, uint64_t iova, void *data, uint32_t length,
	       uint32_t flags);
int mock_state(int device, struct mock_state *state);

/* A domain of the IOMMU with devices, in the order in which they were made. */
struct mock_domain {
	unsigned int id;
	unsigned int devices;
	unsigned int enforces;
	unsigned long entries;
	unsigned long snooping;
};

/* How many there are; the first @max are described. */
int mock_domains(struct mock_domain *domains, int max);

/*
 * How often a domain that lets no-snoop DMA pass was used while the virtual machine
 * of an open device was not prepared for it.
 */
long mock_surprises(void);

/*
 * How often a domain that devices used was attached to a device whose IOMMU knows
 * less IOVA. The last MOCK_DEVICE's knows @bits of an address, at first 48.
 */
long mock_narrowed(void);
int mock_set_width(unsigned int bits);

struct mock_opens {
	unsigned int opens;
	unsigned int refused;
	unsigned int closes;
	/* Those at which the machine was still valid */
	unsigned int with_kvm;
};

int mock_opens(struct mock_opens *opens);

/*
 * Leaf entries of a PCI device's table in Intel's IOMMU, and those of them that
 * force snooping. -ENODEV when it has none.
 */
int mock_pci_leaves(const char *name, unsigned long *leaves,
		    unsigned long *snooping);

#endif
