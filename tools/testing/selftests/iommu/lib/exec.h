/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program that is executed does with a file that was mapped before. */
#ifndef LIB_EXEC_H
#define LIB_EXEC_H

#include <stdint.h>

/*
 * Becomes the program anew, which runs no test: it unmaps, and exits with 0 if
 * nothing was charged to it before or after. Returns a status when that fails.
 */
int exec_and_unmap(int iommufd, uint32_t ioas, uint64_t iova, uint64_t length);

#endif
