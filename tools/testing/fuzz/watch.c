// SPDX-License-Identifier: GPL-2.0-only
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/census.h"
#include "lib/klog.h"
#include "run.h"

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

bool watch_log(char *line, size_t size)
{
	while (klog_has_trouble(log_file, line, size))
		if (!klog_is_for_want_of_memory(line))
			return true;
	return false;
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
