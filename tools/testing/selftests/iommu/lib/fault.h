/* SPDX-License-Identifier: GPL-2.0-only */
/* Failures that the kernel makes up (fault-injection in its documentation). */
#ifndef LIB_FAULT_H
#define LIB_FAULT_H

#include <stdbool.h>

/*
 * Whether the kernel can do it. Lets every allocation fail that is not marked
 * as one that must not.
 */
bool fault_available(void);

/* From now on the @nth thing fails that this thread asks of the kernel. */
int fault_begin(int nth);

/* Nothing fails from fault_pause() to fault_resume(), which gets what that returned. */
int fault_pause(void);
void fault_resume(int left);

/* No longer; true when it came to that. */
bool fault_end(void);

#endif
