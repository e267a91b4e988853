/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the checks of "iommuctl doctor" share.
 */
#ifndef IOMMUCTL_DOCTOR_H
#define IOMMUCTL_DOCTOR_H

#include "command.h"
#include "device.h"

/* What takes the place of a stock vfio.ko that is loaded */
#define RELOAD_VFIO \
	"modprobe -r vfio_pci vfio_iommu_type1 vfio_virqfd vfio && modprobe vfio_pci"

enum verdict {
	VERDICT_OK,
	VERDICT_WARNING,
	VERDICT_FAILURE,
	/* It cannot be told; the cause says why */
	VERDICT_SKIPPED,
};

/**
 * struct doctor - a run of it
 * @options: the command line
 * @devices: all of them
 * @device: the one in question, or NULL
 * @table: for JSON, else NULL
 * @status: the worst so far
 */
struct doctor {
	const struct options *options;
	struct devices *devices;
	const struct device *device;
	struct table *table;
	enum status status;
};

/**
 * tell - say what a check has found
 * @doctor: the run
 * @check: name of the check
 * @verdict: what it found
 * @remedy: what mends it, a command where one does; freed here; or NULL
 * @fmt: the cause
 */
__attribute__((format(printf, 5, 6)))
void tell(struct doctor *doctor, const char *check, enum verdict verdict,
	  char *remedy, const char *fmt, ...);

/* check_host.c: of the machine */
void check_iommu(struct doctor *doctor);
void check_interrupts(struct doctor *doctor);
void check_modules(struct doctor *doctor);
void check_memlock(struct doctor *doctor);

/* check_secure_boot.c: will the kernel take the modules? */
void check_secure_boot(struct doctor *doctor);

/* check_device.c: of a device */
void check_driver(struct doctor *doctor);
void check_group(struct doctor *doctor);
void check_reserved(struct doctor *doctor);
void check_width(struct doctor *doctor);
void check_snoop(struct doctor *doctor);
void check_virtio(struct doctor *doctor);
void check_reset(struct doctor *doctor);

/* check_node.c: may the user open them? */
void check_nodes(struct doctor *doctor);

#endif
