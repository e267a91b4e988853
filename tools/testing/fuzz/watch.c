// SPDX-License-Identifier: GPL-2.0-only
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/census.h"
#include "run.h"

static const char *const reports[] = {
	"BUG:", "WARNING: CPU", "WARNING: possible", "WARNING: suspicious",
	"WARNING: bad", "Oops", "KASAN", "UBSAN", "general protection fault",
	"refcount_t:", "kernel BUG at", "Kernel panic", "blocked for more than",
	"soft lockup", "hard LOCKUP", "detected stall", "corruption",
	"sleeping function called", "Bad page", "Bad rss-counter", "ODEBUG",
	"scheduling while atomic", "non-zero pgtables",
};

/*
 * Complaints of 6.1 itself: without memory its core cannot take a device from its
 * domain.
 */
static const char *const expected[] = { "at iommu_detach_group+" };

static const char *const modules[] = {
	"iommufd", "vfio", "vfio_pci_core", "vfio_pci",
};

#define NR_MODULES	(sizeof(modules) / sizeof(modules[0]))

struct held {
	long pins;
	int users[NR_MODULES];
	long hugepages;
};

static struct held before;
static int log_file = -1;

static void take(struct held *held)
{
	unsigned int i;

	memset(held, 0, sizeof(*held));
	held->pins = census_pins();
	held->hugepages = census_free_hugepages();
	for (i = 0; i < NR_MODULES; i++)
		held->users[i] = census_module_users(modules[i]);
}

bool watch_start(void)
{
	log_file = out_of_reach(open("/dev/kmsg", O_RDONLY | O_NONBLOCK),
				O_CLOEXEC);
	if (log_file < 0)
		return false;
	lseek(log_file, 0, SEEK_END);
	take(&before);
	return true;
}

static bool matches(const char *text, const char *const *words, size_t nr)
{
	while (nr--)
		if (strstr(text, words[nr]))
			return true;
	return false;
}

#define MATCHES(_text, _words) \
	matches(_text, _words, sizeof(_words) / sizeof((_words)[0]))

bool watch_log(char *line, size_t size)
{
	char record[2048];
	ssize_t length;

	for (;;) {
		length = read(log_file, record, sizeof(record) - 1);
		if (length < 0 && errno == EPIPE)
			continue;
		if (length <= 0)
			return false;
		record[length] = 0;
		if (MATCHES(record, reports) && !MATCHES(record, expected)) {
			const char *text = strchr(record, ';');

			snprintf(line, size, "%.*s",
				 (int)strcspn(text ? text + 1 : record, "\n"),
				 text ? text + 1 : record);
			return true;
		}
	}
}

bool watch_census(char *text, size_t size)
{
	struct held now;
	unsigned int i;
	int tries;

	/* What a process had is given back a moment after it is gone. */
	for (tries = 0; tries < 50; tries++) {
		take(&now);
		if (!memcmp(&now, &before, sizeof(now)))
			return false;
		usleep(100000);
	}
	i = snprintf(text, size, "census: pins %ld, now %ld; free huge pages %ld, now %ld",
		     before.pins, now.pins, before.hugepages, now.hugepages);
	size -= i;
	text += i;
	for (i = 0; i < NR_MODULES; i++) {
		int length = snprintf(text, size, "; users of %s %d, now %d",
				      modules[i], before.users[i],
				      now.users[i]);

		text += length;
		size -= length;
	}
	return true;
}

void watch_say(const char *line)
{
	int file = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return;
	if (write(file, line, strlen(line)) < 0)
		perror("/dev/kmsg");
	close(file);
}
