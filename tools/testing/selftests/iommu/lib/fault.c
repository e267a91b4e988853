// SPDX-License-Identifier: GPL-2.0-only
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sysfs.h"

#define DEBUGFS	"/sys/kernel/debug/"

static int fail_nth = -1;
static pid_t opened_by;

bool fault_available(void)
{
	static const char * const settings[][2] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
		{ DEBUGFS "fail_usercopy/verbose", "0" },
	};
	size_t i;

	if (access("/proc/thread-self/fail-nth", W_OK))
		return false;
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (sysfs_write(settings[i][0], settings[i][1]))
			return false;
	return true;
}

int fault_begin(int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", nth);

	/* The file belongs to the thread that opened it. */
	if (opened_by != gettid()) {
		fail_nth = open("/proc/thread-self/fail-nth",
				O_RDWR | O_CLOEXEC);
		if (fail_nth < 0)
			return -errno;
		opened_by = gettid();
	}
	return pwrite(fail_nth, text, length, 0) == length ? 0 : -errno;
}

int fault_pause(void)
{
	char text[16] = "";
	int left;

	if (opened_by != gettid())
		return 0;
	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	left = atoi(text);
	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return left;
}

void fault_resume(int left)
{
	if (left)
		fault_begin(left);
}

bool fault_end(void)
{
	char text[16] = "";
	bool hit;

	/* If nothing has failed yet, it may well be this. */
	hit = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return hit;
}
