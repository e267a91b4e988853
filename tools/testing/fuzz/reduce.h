/* SPDX-License-Identifier: GPL-2.0-only */
/* From what was run before a report to what a human reads. Return the status. */
#ifndef FUZZ_REDUCE_H
#define FUZZ_REDUCE_H

int reduce(const char *path, const char *command);
int write_c(const char *path);

#endif
