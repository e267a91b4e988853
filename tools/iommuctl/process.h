/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes of the machine, and the files that they have open.
 */
#ifndef IOMMUCTL_PROCESS_H
#define IOMMUCTL_PROCESS_H

#include <sys/types.h>

/* "command[PID]" */
char *process_name(pid_t pid);

/* Call @see for each descriptor; @target is the path of what is open */
void process_files(void (*see)(void *context, pid_t pid, int fd,
			       const char *target),
		   void *context);

#endif
