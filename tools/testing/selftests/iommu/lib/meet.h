/* SPDX-License-Identifier: GPL-2.0-only */
/* Two things done over and over at the same time. */
#ifndef LIB_MEET_H
#define LIB_MEET_H

/*
 * Each of @a and @b runs on a thread of its own until @ms are over, at least once,
 * with @data. Returns how often the rarer of them ran.
 */
long meet(void (*a)(void *data), void (*b)(void *data), void *data, int ms);

#endif
