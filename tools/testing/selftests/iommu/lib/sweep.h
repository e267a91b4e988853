/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An operation with the first thing in it that can fail failing, then the second, until
 * one run has none left: every allocation, and every access to the caller's memory.
 * A run that fails must have changed nothing, and the same call must succeed once
 * nothing fails.
 */
#ifndef LIB_SWEEP_H
#define LIB_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest.h"
#include "rig.h"

#define PAGE		4096UL
#define AT		0x10000000UL
/* Enough 4 KiB pages for more than one chunk of runs */
#define NR_PAGES	1200
#define HUGE		(2UL << 20)
/* Pages that nobody has touched: each costs allocations of its own */
#define NR_FRESH	8
/* No operation has so many places to fail */
#define MAX_FAULTS	3000

/* What an operation works on. What is not open is -1, or NULL. */
struct world {
	struct rig rig;
	int fd;
	uint32_t ioas;
	uint32_t other;
	uint32_t hwpt;
	int group;
	int memfd;
	/* What an interrupt or a write would signal */
	int event;
	char *memory;
	char *huge;
	void *bar;
	size_t bar_size;
	bool has_reset;
	char path[64];
	struct guest guest;
	/* The file that the guest is told of */
	int told;
	/* A descriptor that the operation made */
	int made;
};

/* How far the world is prepared. Each includes those before it. */
enum stage {
	NOTHING,	/* no file */
	FILES,		/* /dev/iommu with two IOAS */
	DEVICE,		/* and the device file, open */
	BOUND,		/* and bound */
	ATTACHED,	/* and attached to the first IOAS */
};

/* All return 0 or -errno, and so do operations. */
int world_open(struct world *world, enum stage stage);
int world_close(struct world *world);
/* Keeps the descriptor that an operation returned. */
int world_keep(struct world *world, int fd);
/* 16 pages at AT, and as many behind them, in an area of their own */
int world_map(struct world *world);
int world_map_two(struct world *world);

/* What several programs sweep, or prepare by */
int op_bind(struct world *world);
int op_attach(struct world *world);
/* To the other IOAS */
int op_replace(struct world *world);
int op_detach(struct world *world);
int op_set_container(struct world *world);

struct operation {
	enum stage stage;
	int (*prepare)(struct world *world);
	int (*act)(struct world *world);
	/*
	 * It cannot be undone when only its answer does not reach the caller,
	 * which -EFAULT says.
	 */
	bool no_way_back;
	/* It needs nothing that could be refused, or tries again */
	bool cannot_fail;
	/* What has to be possible then, whatever failed on the way */
	int (*then)(struct world *world);
	/* What others make of -ENOMEM */
	int also;
};

struct sweep {
	int faults;
	int failed;
	/* Empty when all was as it should be */
	char trouble[256];
};

void sweep(struct world *world, const struct operation *op,
	   struct sweep *sweep);

/*
 * Enabling a device evaluates ACPI methods, and ACPI itself does not survive it
 * when that runs out of memory. One more user keeps the device enabled, by "1".
 */
int sweep_keep_enabled(const char *name, const char *yes);

#endif
