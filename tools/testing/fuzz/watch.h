/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the kernel is still well. */
#ifndef FUZZ_WATCH_H
#define FUZZ_WATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Begins with what the kernel log says from now on, and with what is held now. */
bool watch_start(void);
/* True when the log has a report; its first line is copied. */
bool watch_log(char *line, size_t size);
/* While nobody runs a program: true when something is held that was not before. */
bool watch_census(char *text, size_t size);

#endif
