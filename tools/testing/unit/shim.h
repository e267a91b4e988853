/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iova_tree.c, runs.c and the red-black tree need of kernel headers. Each
 * <linux/….h> that they name is made at build time and includes this file.
 */
#ifndef UNIT_SHIM_H
#define UNIT_SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif

#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

#define BIT(nr)		(1UL << (nr))
#define BIT_ULL(nr)	(1ULL << (nr))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b) ({							\
	__typeof__(a) _min_a = (a);					\
	__typeof__(b) _min_b = (b);					\
	_min_a < _min_b ? _min_a : _min_b;				\
})
#define max(a, b) ({							\
	__typeof__(a) _max_a = (a);					\
	__typeof__(b) _max_b = (b);					\
	_max_a > _max_b ? _max_a : _max_b;				\
})
#define clamp(value, low, high)	min(max(value, low), high)

#define check_add_overflow(a, b, sum)	__builtin_add_overflow(a, b, sum)
#define flex_array_size(ptr, member, count) \
	(sizeof((ptr)->member[0]) * (size_t)(count))
#define struct_size(ptr, member, count) \
	(sizeof(*(ptr)) + flex_array_size(ptr, member, count))

#define GFP_KERNEL_ACCOUNT	0

void *kmalloc(size_t size, int flags);
void kfree(const void *memory);

/* What a test sees of kmalloc(): */
extern unsigned long shim_allocated;	/* not yet freed */
extern size_t shim_largest;		/* allocation so far */
extern unsigned long shim_fail;		/* the nth from now fails; 0: none */

#endif
