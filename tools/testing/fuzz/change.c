// SPDX-License-Identifier: GPL-2.0-only
#include "change.h"

#include <string.h>

#include "run.h"

/* How many calls may be made for the sake of one */
#define MAX_DEPTH	6

static uint64_t random_state = 1;

void random_seed(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15 | 1;
}

static uint64_t random_next(void)
{
	/* xorshift64* */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

uint64_t random_below(uint64_t limit)
{
	return limit ? (random_next() >> 16) % limit : 0;
}

/* True once in @n times */
static bool one_in(unsigned int n)
{
	return !random_below(n);
}

#define PICK(_array)	((_array)[random_below(sizeof(_array) / sizeof((_array)[0]))])

static uint64_t random_number(void)
{
	static const uint64_t special[] = {
		0, 1, 2, 7, 8, PAGE - 1, PAGE, PAGE + 1, 1 << 21, 1 << 30,
		INT32_MAX, UINT32_MAX, 1ULL << 32, 1ULL << 47, 1ULL << 48,
		INT64_MAX, 1ULL << 63, UINT64_MAX - PAGE + 1, UINT64_MAX,
	};

	switch (random_below(3)) {
	case 0:
		return PICK(special);
	case 1:
		return PICK(special) + PICK(special);
	}
	return random_next() >> random_below(64);
}

static uint64_t random_length(void)
{
	static const uint64_t usual[] = {
		PAGE, PAGE, 2 * PAGE, 3 * PAGE, 8 * PAGE, 16 * PAGE, 64 * PAGE,
		512 * PAGE, 513 * PAGE, 1024 * PAGE,
	};

	if (one_in(12))
		return random_number();
	return PICK(usual) + (one_in(20) ? random_below(PAGE) : 0);
}

static uint64_t random_at(void)
{
	static const uint64_t bad[] = {
		0, PAGE, STATE_AT, STRUCTS_AT, 0x7ffffffff000, 0x800000000000,
		0xffff888000000000, 0xffffffff81000000, UINT64_MAX - PAGE + 1,
	};

	if (one_in(16))
		return one_in(2) ? PICK(bad) : random_number();
	if (one_in(6))
		return WINDOW_AT + random_below(WINDOW_SIZE / PAGE) * PAGE;
	return WINDOW_AT + random_below(80) * PAGE +
	       (one_in(20) ? random_below(PAGE) : 0);
}

static uint64_t random_iova(void)
{
	static const uint64_t bad[] = {
		0, PAGE, 0xfee00000, 0xfeefffff, 0xfd00000000, 0xffffffff,
		0x7ffffffff000, 0x800000000000, 0xffffffffffff, 0x1000000000000,
		UINT64_MAX - PAGE + 1, UINT64_MAX,
	};
	uint64_t iova = 0x10000000 + random_below(20) * PAGE;

	if (one_in(10))
		return one_in(2) ? PICK(bad) : random_number();
	if (one_in(8))
		return 0x10000000 + random_below(8) * (1 << 21);
	/* The end of a range */
	return one_in(10) ? iova - 1 : iova;
}

static uint64_t random_value(const struct arg_type *type)
{
	switch (type->sort) {
	case FLAGS:
		if (one_in(12))
			return type->usual | 1ULL << random_below(64);
		return one_in(3) ? type->usual : random_next() & type->mask;
	case LENGTH:
		return random_length();
	case AT:
		return random_at();
	case AT_IOVA:
		return random_iova();
	case STRUCT_SIZE:
		if (!one_in(12))
			return type->usual;
		return one_in(3) ? random_number() :
			type->usual + random_below(20) * 4 - 40;
	case INNER:
		return one_in(20) ? random_at() : 0;
	default:
		if (type->accepts)
			return one_in(3) ? random_below(8) : type->usual;
		if (one_in(25))
			return random_number();
		return one_in(3) || !type->nr_values ? type->usual :
			type->values[random_below(type->nr_values)];
	}
}

/* Chance, by weight; of those that make one of @kinds, if there are some. */
static unsigned int random_type(uint32_t kinds)
{
	unsigned int pass, i, sum = 0, at = 0;

	for (pass = 0; pass < 2; pass++) {
		at = pass ? random_below(sum) : 0;
		for (i = 0; i < nr_call_types; i++) {
			const struct call_type *type = &call_types[i];

			if (kinds && (type->makes >= NR_KINDS ||
				      !(kinds & 1 << type->makes)))
				continue;
			if (!pass)
				sum += type->weight;
			else if (at < type->weight)
				return i;
			else
				at -= type->weight;
		}
	}
	return 0;
}

/* A call before @end that makes one of @kinds, rather a late one, or NO_REF. */
static int find_made(const struct program *program, unsigned int end,
		     uint32_t kinds)
{
	int found = NO_REF;
	unsigned int i;

	for (i = 0; i < end; i++) {
		enum kind kind = program_makes(program, i);

		if (kind < NR_KINDS && kinds & 1 << kind &&
		    (found == NO_REF || !one_in(3)))
			found = i;
	}
	return found;
}

static int append(struct program *program, unsigned int type,
		  unsigned int depth, const struct choice *choice);

static void random_arg(struct program *program, struct call *call,
		       unsigned int index, unsigned int depth,
		       const struct choice *choice)
{
	const struct arg_type *type = &type_of(call)->args[index];
	struct arg *arg = &call->args[index];
	bool address = type->sort == AT || type->sort == AT_IOVA;

	arg->ref = NO_REF;
	if (type->accepts && !one_in(address ? 2 : 30)) {
		/* Rarely what is of another kind */
		uint32_t kinds = one_in(40) ? ANY_FD | ANY_ID : type->accepts;

		if (address || !one_in(12))
			arg->ref = find_made(program, program->nr, kinds);
		if (arg->ref == NO_REF && !address && depth < MAX_DEPTH)
			arg->ref = append(program, random_type(type->accepts),
					  depth + 1, choice);
	}
	if (arg->ref == NO_REF)
		arg->value = random_value(type);
	else
		arg->value = address && one_in(3) ? random_below(20) * PAGE : 0;
}

static void random_manner(struct call *call, const struct choice *choice)
{
	enum manner manner = random_below(NR_MANNERS);
	uint64_t value = 1;

	switch (manner) {
	case TIMES:
		value = 2 + random_below(one_in(4) ? 40 : 6);
		break;
	case CUT:
		value = 1 + random_below(one_in(4) ? 160 : 16) * 4;
		break;
	case POINTER:
		value = random_at();
		break;
	case FAIL:
		if (!choice->faults)
			return;
		value = 1 + random_below(one_in(4) ? 60 : 12);
		break;
	default:
		break;
	}
	call->manners[manner] = call->manners[manner] ? 0 : value;
}

/* Returns the call's number, or NO_REF when there is no room. */
static int append(struct program *program, unsigned int type,
		  unsigned int depth, const struct choice *choice)
{
	struct call call;
	unsigned int i;

	call_init(&call, type);
	for (i = 0; i < nr_args(&call_types[type]); i++)
		if (call_types[type].args[i].accepts || !one_in(3))
			random_arg(program, &call, i, depth, choice);
	if (program->nr == MAX_CALLS)
		return NO_REF;
	if (!depth && one_in(6))
		random_manner(&call, choice);
	if (!depth && one_in(10))
		call.manners[BESIDE] = 1;
	if (!depth && choice->faults && one_in(12))
		call.manners[FAIL] = 1 + random_below(one_in(4) ? 60 : 12);
	program->calls[program->nr] = call;
	return program->nr++;
}

void program_generate(struct program *program, const struct choice *choice)
{
	unsigned int calls = 3 + random_below(12);

	program->nr = 0;
	while (calls--)
		append(program, random_type(0), 0, choice);
}

/* New calls somewhere in the middle: at the end of the first part. */
static void insert_calls(struct program *program, const struct choice *choice)
{
	unsigned int at = random_below(program->nr + 1), added, i;
	static struct program first;

	first = *program;
	first.nr = at;
	append(&first, random_type(0), 0, choice);
	added = first.nr - at;
	if (!program_insert(program, at, added))
		return;
	for (i = 0; i < added; i++)
		program->calls[at + i] = first.calls[at + i];
}

/* The calls of @other from the start to somewhere, behind some of ours */
static void splice(struct program *program, const struct program *other)
{
	unsigned int at = random_below(program->nr + 1);
	unsigned int nr = 1 + random_below(other->nr), i, k;

	if (!program_insert(program, at, nr))
		return;
	for (i = 0; i < nr; i++) {
		struct call *call = &program->calls[at + i];

		*call = other->calls[i];
		for (k = 0; k < MAX_ARGS; k++) {
			struct arg *arg = &call->args[k];
			uint32_t kinds = type_of(call)->args[k].accepts;
			int ours;

			if (arg->ref == NO_REF)
				continue;
			arg->ref += at;
			/* Let the two meet in the same objects. */
			ours = find_made(program, at, kinds);
			if (ours != NO_REF && one_in(2))
				arg->ref = ours;
		}
	}
}

static void change_arg(struct program *program, const struct choice *choice)
{
	unsigned int at = random_below(program->nr), index;
	struct call *call = &program->calls[at];
	unsigned int nr = nr_args(type_of(call));
	static struct program first;

	if (!nr)
		return;
	index = random_below(nr);
	if (call->args[index].ref == NO_REF && one_in(4)) {
		call->args[index].value += random_below(2) ?
			(random_below(9) - 4) * PAGE : random_below(17) - 8;
		return;
	}
	/* Deep enough to add no call */
	first = *program;
	first.nr = at;
	random_arg(&first, call, index, MAX_DEPTH, choice);
}

void program_mutate(struct program *program, const struct program *other,
		    const struct choice *choice)
{
	do {
		switch (program->nr ? random_below(16) : 0) {
		case 0 ... 4:
			insert_calls(program, choice);
			break;
		case 5 ... 8:
			change_arg(program, choice);
			break;
		case 9 ... 11:
			random_manner(&program->calls[random_below(program->nr)],
				      choice);
			break;
		case 12 ... 13:
			if (other && other->nr)
				splice(program, other);
			break;
		default:
			if (program->nr > 1)
				program_remove(program,
					       random_below(program->nr));
			break;
		}
	} while (!one_in(3));
}
