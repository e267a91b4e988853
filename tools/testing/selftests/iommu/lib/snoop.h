/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One device given to user space through a file of each kind that KVM can be
 * told about.
 */
#ifndef LIB_SNOOP_H
#define LIB_SNOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "edu.h"
#include "pci.h"

enum file_kind { FILE_IOMMU, FILE_DEVICE, FILE_GROUP, NR_FILE_KINDS };

extern const char *const file_kind_names[NR_FILE_KINDS];

/*
 * @device is a device file, or one that was got from @group; those that are not
 * open are -1.
 */
struct snoop {
	enum file_kind kind;
	char name[PCI_NAME_LEN];
	int iommufd;
	int group;
	int device;
	bool bound;
	uint32_t device_id;
	uint32_t ioas;
};

/*
 * Whether this machine's IOMMU lets no-snoop DMA pass, from what its hardware
 * says of itself.
 */
bool machine_lets_nosnoop_pass(void);

/* All return -errno. -ENODEV: no edu device in this machine. */
int snoop_find(struct snoop *snoop, enum file_kind kind);
/* Opens the files without using them. */
int snoop_open(struct snoop *snoop);
/* The file that KVM is to be told about. */
int snoop_file(const struct snoop *snoop);
/* Binds a device file; the two below do so when it is due. */
int snoop_bind(struct snoop *snoop);
/* Lets the device translate, whatever that takes, or blocks it. */
int snoop_attach(struct snoop *snoop);
int snoop_detach(struct snoop *snoop);
/* Moves it to another address space. */
int snoop_replace(struct snoop *snoop);
/* Closes one, or all. */
void snoop_close_device(struct snoop *snoop);
void snoop_close(struct snoop *snoop);

#endif
