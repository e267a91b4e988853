// SPDX-License-Identifier: GPL-2.0-only
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sysfs.h"

#define TRACING	"/sys/kernel/tracing/"
#define GROUP	PROBE_GROUP

static const struct {
	const char *event;
	const char *function;
} probes[NR_PROBES] = {
	[PROBE_FLUSH] = { "test_flush", "kvm:wbinvd_ipi" },
	[PROBE_REGISTER] = { "test_register",
			     "kvm:kvm_arch_register_noncoherent_dma" },
	[PROBE_UNREGISTER] = { "test_unregister",
			       "kvm:kvm_arch_unregister_noncoherent_dma" },
	[PROBE_DESTROY] = { "test_destroy", "kvm:kvm_arch_destroy_vm" },
};

void probes_clear(void)
{
	char text[128];
	int i;

	sysfs_write(TRACING "events/" GROUP "/enable", "0");
	for (i = 0; i < NR_PROBES; i++) {
		snprintf(text, sizeof(text), "-:" GROUP "/%s\n",
			 probes[i].event);
		sysfs_write(TRACING "kprobe_events", text);
	}
}

int probes_set(void)
{
	char text[128];
	int i, rc;

	/* Those of a test that was killed */
	probes_clear();
	for (i = 0; i < NR_PROBES; i++) {
		snprintf(text, sizeof(text), "p:" GROUP "/%s %s\n",
			 probes[i].event, probes[i].function);
		rc = sysfs_write(TRACING "kprobe_events", text);
		if (rc) {
			probes_clear();
			return rc;
		}
	}
	return sysfs_write(TRACING "events/" GROUP "/enable", "1");
}

long probe_hits(enum probe probe)
{
	FILE *file = fopen(TRACING "kprobe_profile", "r");
	char line[256], event[64];
	long hits, found = -ENOENT;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " %63s %ld", event, &hits) == 2 &&
		    !strcmp(event, probes[probe].event))
			found = hits;
	fclose(file);
	return found;
}

int probe_add(const char *event, const char *function)
{
	char text[128];

	snprintf(text, sizeof(text), "p:" GROUP "/%s %s\n", event, function);
	return sysfs_write(TRACING "kprobe_events", text);
}

void probe_remove(const char *event)
{
	char text[128];

	snprintf(text, sizeof(text), "-:" GROUP "/%s\n", event);
	sysfs_write(TRACING "kprobe_events", text);
}

void trace_letters(const char *const *events, char *letters, size_t size)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512], thread[32], event[80];
	size_t nr = 0;
	int i;

	letters[0] = 0;
	if (!file)
		return;
	/* COMMAND-THREAD */
	snprintf(thread, sizeof(thread), "-%ld ", syscall(SYS_gettid));
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || !strstr(line, thread))
			continue;
		for (i = 0; events[i] && nr + 1 < size; i++) {
			snprintf(event, sizeof(event), " %s: ", events[i]);
			if (strstr(line, event))
				letters[nr++] = 'a' + i;
		}
	}
	letters[nr] = 0;
	fclose(file);
}

static int trace_switch(const char *event, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), TRACING "events/%s/enable", event);
	return sysfs_write(path, value);
}

int trace_start(const char *event)
{
	/* Opening it so is what empties it. */
	int trace = open(TRACING "trace", O_WRONLY | O_CLOEXEC | O_TRUNC);

	if (trace < 0)
		return -errno;
	close(trace);
	return trace_switch(event, "1");
}

int trace_stop(const char *event)
{
	return trace_switch(event, "0");
}

int trace_find(const char *what, int *at, char *rest, size_t size)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512];
	int number = 0, found = 0;

	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file)) {
		const char *match = line[0] == '#' ? NULL : strstr(line, what);

		if (number++ < *at || !match)
			continue;
		found = 1;
		*at = number;
		line[strcspn(line, "\n")] = 0;
		snprintf(rest, size, "%s", match + strlen(what));
	}
	fclose(file);
	return found;
}
