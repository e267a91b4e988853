// SPDX-License-Identifier: GPL-2.0-only
#include "klog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reports.h"

/*
 * Both drivers log a limited number of messages in 5 seconds; on VT-d three
 * faults use it up.
 */
#define LIMIT_FAULTS	3
#define LIMIT_US	5500000

/* Page of the fault that a record tells of. */
static bool parse_fault(const char *record, uint64_t *page)
{
	static const char * const forms[][2] = {
		{ "DMAR: [DMA ", "fault addr " },
		{ "IO_PAGE_FAULT", "address=" },
	};
	const char *address;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!strstr(record, forms[i][0]))
			continue;
		address = strstr(record, forms[i][1]);
		if (!address)
			continue;
		*page = strtoull(address + strlen(forms[i][1]), NULL, 16) &
			~0xfffULL;
		return true;
	}
	return false;
}

static uint64_t record_time_us(const char *record)
{
	/* priority,sequence,microseconds,flags;text */
	const char *field = strchr(record, ',');

	field = field ? strchr(field + 1, ',') : NULL;
	return field ? strtoull(field + 1, NULL, 10) : 0;
}

/* The next record, or false when there is none yet. */
static bool next_record(int log, char *record, size_t size)
{
	ssize_t length;

	do {
		length = read(log, record, size - 1);
		/* EPIPE: records were overwritten; go on with the oldest. */
	} while (length < 0 && errno == EPIPE);
	if (length < 0)
		return false;
	record[length] = 0;
	return true;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

int klog_mark(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uint64_t page, first = 0;
	char record[2048];
	int faults = 0;

	if (log < 0)
		return -errno;
	while (next_record(log, record, sizeof(record))) {
		if (!parse_fault(record, &page) ||
		    record_time_us(record) + LIMIT_US < now_us())
			continue;
		if (!faults++)
			first = record_time_us(record);
	}
	if (faults >= LIMIT_FAULTS)
		while (first + LIMIT_US > now_us())
			usleep(100000);
	return log;
}

bool klog_has_fault(int log, uint64_t iova)
{
	char record[2048];
	uint64_t page;
	int tries;

	for (tries = 0; tries < 40; tries++) {
		while (next_record(log, record, sizeof(record)))
			if (parse_fault(record, &page) &&
			    page == (iova & ~0xfffULL))
				return true;
		usleep(50000);
	}
	return false;
}

static bool has_any(const char *text, const char *const *words, size_t nr)
{
	while (nr--)
		if (strstr(text, words[nr]))
			return true;
	return false;
}

#define HAS_ANY(_text, _words) \
	has_any(_text, _words, sizeof(_words) / sizeof((_words)[0]))

bool klog_has_trouble(int log, char *line, unsigned long size)
{
	char record[2048];

	while (next_record(log, record, sizeof(record))) {
		const char *text = strchr(record, ';');

		text = text ? text + 1 : record;
		if (!HAS_ANY(text, reports) || HAS_ANY(text, no_reports))
			continue;
		snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
		return true;
	}
	return false;
}

bool klog_is_for_want_of_memory(const char *line)
{
	return HAS_ANY(line, no_reports_in_faults);
}
