/* SPDX-License-Identifier: GPL-2.0-only */
/* How often functions of KVM are entered, and the trace of /dev/iommu. */
#ifndef LIB_PROBE_H
#define LIB_PROBE_H

#include <stddef.h>
#include <stdio.h>

enum probe {
	PROBE_FLUSH,		/* a guest's cache flush is carried out */
	PROBE_REGISTER,		/* KVM counts up for non-coherent DMA */
	PROBE_UNREGISTER,	/* and down */
	PROBE_DESTROY,		/* a virtual machine is destroyed */
	NR_PROBES
};

/* Returns 0, or -errno when the kernel has no such probes. */
int probes_set(void);
void probes_clear(void);
long probe_hits(enum probe probe);

/*
 * Other functions, as events of the group PROBE_GROUP, which trace_start() takes.
 * -ENOENT when the kernel has no such function.
 */
#define PROBE_GROUP "iommu_tests"
int probe_add(const char *event, const char *function);
void probe_remove(const char *event);

/*
 * What this thread did, from the trace: 'a' for the first of @events (up to a
 * NULL), 'b' for the second … each time it happened.
 */
void trace_letters(const char *const *events, char *letters, size_t size);

/* Turns an event on and empties the trace, or turns it off. */
int trace_start(const char *event);
int trace_stop(const char *event);
/*
 * The first line at or after number @*at (from 0) that has @what in it, cut to
 * what stands behind it, without the newline; @*at is moved behind it. False
 * when there is none.
 */
int trace_find(const char *what, int *at, char *rest, size_t size);

/* For a test: the next line of the trace with this event is exactly so. */
#define EXPECT_EVENT(_at, _event, ...) do { \
	char _rest[256] = "no such event", _text[256]; \
	snprintf(_text, sizeof(_text), __VA_ARGS__); \
	trace_find(" " _event ": ", _at, _rest, sizeof(_rest)); \
	EXPECT_STREQ(_text, _rest); \
} while (0)

#endif
