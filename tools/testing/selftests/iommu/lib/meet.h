/* SPDX-License-Identifier: GPL-2.0-only */
/* Two things done over and over at the same time. */
#ifndef LIB_MEET_H
#define LIB_MEET_H

/*
 * Each of @a and @b runs on a thread of its own, with @data, until @ms are over and
 * both have run @least times, or a minute has gone. Returns how often the rarer of
 * them ran.
 */
long meet(void (*a)(void *data), void (*b)(void *data), void *data, int ms,
	  long least);

#endif
