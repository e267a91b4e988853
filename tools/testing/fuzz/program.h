/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program: a list of calls, each with typed arguments, which may refer to what
 * an earlier call made. In memory it has no pointers, so that processes can share
 * it; on paper a call is a line:
 *
 *	r1: ioas_map fd=r0 flags=0x7 ioas_id=r3 length=0x2000 @fail=2
 *
 * The label is there when the result is used; an argument that has its usual value
 * is left out; what begins with @ says how the call is made.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_CALLS	40
#define MAX_ARGS	16
#define NO_REF		(-1)
/* What a call makes that fails */
#define NOTHING_MADE	UINT64_MAX

/* What a call can make, for others to use. */
enum kind {
	IOMMU_FD, DEVICE_FD, GROUP_FD, VM_FD, KVM_VFIO_FD, FILE_FD, EVENT_FD,
	IOAS_ID, HWPT_ID, DEVICE_ID,
	ADDRESS, IOVA,
	NR_KINDS,
	/* The same as its first argument */
	AS_GIVEN = NR_KINDS,
	NO_KIND
};

#define ANY_FD		(1 << IOMMU_FD | 1 << DEVICE_FD | 1 << GROUP_FD | \
			 1 << VM_FD | 1 << KVM_VFIO_FD | 1 << FILE_FD | \
			 1 << EVENT_FD)
#define ANY_ID		(1 << IOAS_ID | 1 << HWPT_ID | 1 << DEVICE_ID)

/* What an argument is when it refers to nothing. */
enum sort {
	NUMBER,		/* one of a few values, and rarely another one */
	FLAGS,		/* bits of a mask */
	LENGTH,		/* of memory */
	AT,		/* an address of memory */
	AT_IOVA,	/* an address for a device */
	STRUCT_SIZE,	/* of the structure */
	INNER,		/* the address of a part of the same buffer */
};

/**
 * struct arg_type - An argument
 * @name: on paper
 * @sort: what it is
 * @accepts: kinds, as bits, that it may refer to
 * @size: bytes of it in the structure; 0 when it is an argument of the call itself
 * @offset: there
 * @usual: its value when none is given
 * @mask: bits, for FLAGS; offset in the buffer, for INNER
 * @values: for NUMBER, @nr_values of them
 */
struct arg_type {
	const char *name;
	uint8_t sort;
	uint8_t size;
	uint16_t offset;
	uint32_t accepts;
	uint64_t usual;
	uint64_t mask;
	const uint64_t *values;
	unsigned int nr_values;
};

struct thread;

/**
 * struct call_type - A call
 * @name: on paper
 * @weight: how often it is chosen, compared with others
 * @makes: a kind
 * @request: of an ioctl whose first argument is the file and whose others are in
 *	a structure, unless @run does it
 * @made_offset: where in the structure the kernel puts what it makes
 * @made_size: bytes of it; 0 when it returns that
 * @run: does it
 * @args: up to the first without a name
 */
struct call_type {
	const char *name;
	uint8_t weight;
	uint8_t makes;
	uint32_t request;
	uint16_t made_offset;
	uint16_t made_size;
	int64_t (*run)(struct thread *thread, const uint64_t *args);
	struct arg_type args[MAX_ARGS + 1];
};

extern const struct call_type call_types[];
extern const unsigned int nr_call_types;

/* How a call is made. */
enum manner {
	BESIDE,		/* by a second thread, while the first one goes on */
	TIMES,		/* how often, if more than once */
	CUT,		/* the memory of the structure ends after so many bytes */
	READ_ONLY,	/* the structure cannot be written to */
	POINTER,	/* where the kernel is told that the structure is */
	SMALL,		/* as a 32-bit program does */
	FAIL,		/* the Nth thing fails that it asks of the kernel */
	NR_MANNERS
};

extern const char *const manner_names[NR_MANNERS];

struct arg {
	uint64_t value;
	int ref;
};

struct call {
	unsigned int type;
	uint64_t manners[NR_MANNERS];
	struct arg args[MAX_ARGS];
};

struct program {
	unsigned int nr;
	struct call calls[MAX_CALLS];
};

static inline const struct call_type *type_of(const struct call *call)
{
	return &call_types[call->type];
}

unsigned int nr_args(const struct call_type *type);
/* A call with usual arguments, which refer to nothing. */
void call_init(struct call *call, unsigned int type);
int call_type_by_name(const char *name);
/* What the call makes, as seen from its program. */
enum kind program_makes(const struct program *program, unsigned int index);

/* Makes room for @nr calls at @index; references follow. */
bool program_insert(struct program *program, unsigned int index,
		    unsigned int nr);
/* References to what is gone become the usual value. */
void program_remove(struct program *program, unsigned int index);

void program_write(const struct program *program, FILE *file);
/*
 * Reads the first @max programs of a file, between which lines are empty: how many, or
 * -1 for what is not one, as told on stderr.
 */
int programs_read(struct program *programs, unsigned int max, const char *path);
/* Its length on paper. */
size_t program_length(const struct program *program);

#endif
