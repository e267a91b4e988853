/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that the runner makes by itself, and their arguments. */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include "run.h"

/* How a process is forked. */
#define FORK_BESIDE	1	/* its calls are made beside the following ones */
#define FORK_KILLED	2	/* it does not exit by itself */

int64_t call_fork(struct thread *thread, const uint64_t *args);
int64_t call_exec(struct thread *thread, const uint64_t *args);

/* The other calls that are no ioctl with a structure. */
int64_t call_open(struct thread *thread, const uint64_t *args);
int64_t call_open_device(struct thread *thread, const uint64_t *args);
int64_t call_open_group(struct thread *thread, const uint64_t *args);
int64_t call_group_device(struct thread *thread, const uint64_t *args);
int64_t call_value_ioctl(struct thread *thread, const uint64_t *args);
int64_t call_any_ioctl(struct thread *thread, const uint64_t *args);
int64_t call_vm(struct thread *thread, const uint64_t *args);
int64_t call_eventfd(struct thread *thread, const uint64_t *args);
int64_t call_close(struct thread *thread, const uint64_t *args);
int64_t call_dup(struct thread *thread, const uint64_t *args);
int64_t call_pass(struct thread *thread, const uint64_t *args);
int64_t call_fdinfo(struct thread *thread, const uint64_t *args);
int64_t call_pread(struct thread *thread, const uint64_t *args);
int64_t call_pwrite(struct thread *thread, const uint64_t *args);
int64_t call_dma(struct thread *thread, const uint64_t *args);
int64_t call_mmap(struct thread *thread, const uint64_t *args);
int64_t call_munmap(struct thread *thread, const uint64_t *args);
int64_t call_mremap(struct thread *thread, const uint64_t *args);
int64_t call_madvise(struct thread *thread, const uint64_t *args);
int64_t call_mprotect(struct thread *thread, const uint64_t *args);
int64_t call_touch(struct thread *thread, const uint64_t *args);
int64_t call_memfd(struct thread *thread, const uint64_t *args);
int64_t call_truncate(struct thread *thread, const uint64_t *args);
int64_t call_fallocate(struct thread *thread, const uint64_t *args);
int64_t call_seal(struct thread *thread, const uint64_t *args);
int64_t call_user(struct thread *thread, const uint64_t *args);
int64_t call_unplug(struct thread *thread, const uint64_t *args);

#endif
