/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine whose guest does nothing but flush its caches (wbinvd), and
 * the count of those flushes that KVM carried out. All return -errno.
 */
#ifndef LIB_GUEST_H
#define LIB_GUEST_H

#include <linux/kvm.h>

/* Flushes in one run of the guest. */
#define GUEST_FLUSHES	100

struct guest {
	int kvm;
	int vm;
	int vcpu;
	/* KVM's VFIO device, to which files are added. */
	int device;
	unsigned char *memory;
	struct kvm_run *run;
	int run_size;
};

/* NULL, or why no guest can run here. */
const char *guest_impossible(void);

int guest_create(struct guest *guest);
/* FILE_ADD and FILE_DEL */
int guest_add(struct guest *guest, int file);
int guest_del(struct guest *guest, int file);
/* Closes KVM's VFIO device, which lets go of all files. */
void guest_close_device(struct guest *guest);
/* Closes what is open. */
void guest_destroy(struct guest *guest);

/*
 * Runs GUEST_FLUSHES flushes; how many of them KVM carried out, by the probe
 * PROBE_FLUSH, which must be set.
 */
long guest_run(struct guest *guest);

/*
 * A guest that flushes until it is told to stop. guest_spin() returns when it has
 * stopped; the others are for other threads. guest_spins() counts the flushes
 * that the guest asked for.
 */
int guest_spin(struct guest *guest);
void guest_stop(struct guest *guest);
unsigned int guest_spins(struct guest *guest);

#endif
