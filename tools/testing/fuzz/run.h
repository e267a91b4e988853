/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a program in a process of its own, which may do what it likes to itself. A
 * second thread makes the calls that are to be made beside others.
 *
 * The process knows these places:
 *
 *	STATE_AT	the program and what its calls made
 *	STRUCTS_AT	structures of ioctls: for each thread two pages, and no
 *			memory behind them
 *	READ_ONLY_AT	the same memory, where it cannot be written
 *	WINDOW_AT	the memory that programs map and change
 *
 * All are below 4 GiB, for the calls of 32-bit programs.
 */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include <sys/types.h>

#include "program.h"

#define PAGE		4096UL
#define STATE_AT	0x08000000UL
#define STRUCTS_AT	0x0a000000UL
#define READ_ONLY_AT	0x0b000000UL
#define WINDOW_AT	0x20000000UL
#define WINDOW_SIZE	0x00800000UL
/* What of it is there at the start */
#define WINDOW_START	(64 * PAGE)
/* The largest structure with what it points to */
#define STRUCT_MAX	512

/* The devices that a program knows, by number. */
enum slot_name {
	SLOT_MOCK,		/* behind the mock IOMMU, can snoop */
	SLOT_MOCK_NOSNOOP,
	SLOT_MDEV_KVM,		/* emulated, wants a virtual machine */
	SLOT_MDEV,
	SLOT_PCI,		/* edu */
	SLOT_PCI_OTHER,		/* e1000e */
	NR_SLOTS
};

/**
 * struct slot - A device
 * @device: path of its device file, empty when the machine lacks it
 * @group: path of its group
 * @name: that its group knows it by
 * @pci: it is on the PCI bus
 */
struct slot {
	char device[64];
	char group[64];
	char name[32];
	bool pci;
};

/**
 * struct state - What outlives exec
 * @program: what to do
 * @made: what the calls made
 * @slots: the devices
 * @next: the call to go on with after exec
 * @end: behind the last one
 * @cover: kcov's files of both threads, or -1
 * @unplugged: a device was taken from its driver
 */
struct state {
	struct program program;
	uint64_t made[MAX_CALLS];
	struct slot slots[NR_SLOTS];
	unsigned int next;
	unsigned int end;
	int cover[2];
	bool unplugged;
};

struct thread {
	struct state *state;
	unsigned int number;
	int fail;
	const struct call *call;
};

/* Where a call's structure is for the kernel, and where for us. */
struct place {
	uint64_t user;
	uint8_t *here;
	size_t room;
};

struct place struct_place(struct thread *thread);

/*
 * Moves a descriptor to a number that programs do not come upon. A negative one, an
 * error, is returned as it is.
 */
int out_of_reach(int file, int flags);

/* A file that keeps a state; @*state is mapped. */
int state_create(struct state **state);
/* For main(): goes on after exec with the file's state. */
int state_resume(int file);

/* Makes the places of this process and its children; false without memory. */
bool run_prepare(struct state *state);
/* A child that runs the state's program from the start and exits. */
pid_t run_start(struct state *state, int file);

#endif
