// SPDX-License-Identifier: GPL-2.0-only
#include "reason.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define KEY "refusal:\t"

int __real_ioctl(int fd, unsigned long number, ...);
int __wrap_ioctl(int fd, unsigned long number, ...);

static unsigned long checked;

/* A kernel that is built without the names of errors tells their numbers. */
static void name_error(char *error, size_t size)
{
	char *end;
	long number = strtol(error, &end, 10);
	const char *name = *end ? NULL : strerrorname_np(-number);

	if (name)
		snprintf(error, size, "-%s", name);
}

static int parse(const char *line, struct reason *reason)
{
	int at = 0;

	memset(reason, 0, sizeof(*reason));
	if (sscanf(line, "%lu call %63s error %31s reason %n", &reason->nr,
		   reason->call, reason->error, &at) < 1)
		return -EPROTO;
	if (!reason->nr)
		return *strchrnul(line, '\n') == '\n' && line[1] == '\n' ?
		       0 : -EPROTO;
	if (!at)
		return -EPROTO;
	name_error(reason->error, sizeof(reason->error));
	snprintf(reason->text, sizeof(reason->text), "%.*s",
		 (int)strcspn(line + at, "\n"), line + at);
	return 0;
}

int reason_of(int fd, struct reason *reason)
{
	char path[64], text[2048];
	char *line;
	ssize_t got;
	int info;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -ENOENT;
	got = read(info, text, sizeof(text) - 1);
	close(info);
	if (got < 0)
		return -ENOENT;
	text[got] = 0;
	line = strstr(text, "\n" KEY);
	return line ? parse(line + strlen("\n" KEY), reason) : -ENOENT;
}

unsigned long reasons_checked(void)
{
	return checked;
}

static unsigned int count_threads(pid_t pid)
{
	unsigned int nr = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (readdir(dir))
		nr++;
	closedir(dir);
	/* Without . and .. */
	return nr - 2;
}

/*
 * Else another thread's call may have failed since, or the file be another by now. The
 * threads of the process that this one was forked from have the same file.
 */
static bool is_alone(void)
{
	return count_threads(getpid()) == 1 && count_threads(getppid()) <= 1;
}

static void check(int fd, unsigned long number, int error)
{
	struct reason reason;
	char name[32];
	int rc = reason_of(fd, &reason);

	if (rc == -ENOENT)
		return;
	__atomic_add_fetch(&checked, 1, __ATOMIC_RELAXED);
	snprintf(name, sizeof(name), "-%s", strerrorname_np(error));
	if (!rc && strcmp(reason.text, "unexplained") &&
	    (!strcmp(reason.error, name) || !is_alone()))
		return;
	printf("# ioctl 0x%lx failed with %s and left %lu call %s error %s reason %s\n",
	       number, name, reason.nr, reason.call, reason.error, reason.text);
	fflush(stdout);
	abort();
}

int __wrap_ioctl(int fd, unsigned long number, ...)
{
	va_list args;
	void *arg;
	int left;
	int rc;

	va_start(args, number);
	arg = va_arg(args, void *);
	va_end(args);
	rc = __real_ioctl(fd, number, arg);
	if (rc >= 0)
		return rc;

	rc = errno;
	left = fault_pause();
	check(fd, number, rc);
	fault_resume(left);
	errno = rc;
	return -1;
}
