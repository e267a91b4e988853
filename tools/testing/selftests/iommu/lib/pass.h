/* SPDX-License-Identifier: GPL-2.0-only */
/* Open files from one process to another, over a Unix socket. -errno. */
#ifndef LIB_PASS_H
#define LIB_PASS_H

#include <stddef.h>

/* At most this many at once */
#define PASS_MAX 4

int pass_files(int socket, const int *fds, size_t count);
int pass_receive(int socket, int *fds, size_t count);

#endif
