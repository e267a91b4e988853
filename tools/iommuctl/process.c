// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "process.h"
#include "sysfs.h"

/* A process names itself as it likes */
char *process_name(pid_t pid)
{
	char *comm = sysfs_read("/proc/%d/comm", pid);
	char *name = text("%s[%d]", comm ? comm : "?", pid);

	text_clean(name);
	free(comm);
	return name;
}

void process_files(void (*see)(void *context, pid_t pid, int fd,
			       const char *target),
		   void *context)
{
	struct names processes = sysfs_list("/proc");
	size_t i, j;

	for (i = 0; i < processes.nr; i++) {
		const char *pid = processes.list[i];
		struct names fds;

		if (!isdigit((unsigned char)pid[0]))
			continue;
		fds = sysfs_list("/proc/%s/fd", pid);
		for (j = 0; j < fds.nr; j++) {
			char *path = sysfs_path("/proc/%s/fd/%s", pid,
						fds.list[j]);
			char target[PATH_MAX];
			ssize_t got = readlink(path, target, sizeof(target) - 1);

			free(path);
			if (got < 0)
				continue;
			target[got] = 0;
			see(context, atoi(pid), atoi(fds.list[j]), target);
		}
		names_free(&fds);
	}
	names_free(&processes);
}
