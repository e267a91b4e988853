/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what was run before a report to what a human reads. Return the status. Of
 * the files that reduce() is given, each what one worker ran, it takes the one that
 * first does it again, and prints the name of what it leaves.
 */
#ifndef FUZZ_REDUCE_H
#define FUZZ_REDUCE_H

int reduce(const char *command, char *const paths[], int nr_paths);
int write_c(const char *path);

#endif
