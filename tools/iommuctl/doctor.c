// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuctl doctor: what stands in the way of a passthrough, and what mends it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <libsmartcols/libsmartcols.h>

#include "doctor.h"
#include "sysfs.h"

enum {
	COL_CHECK,
	COL_RESULT,
	COL_CAUSE,
	COL_REMEDY,
};

static const struct column columns[] = {
	[COL_CHECK]	= { "CHECK" },
	[COL_RESULT]	= { "RESULT" },
	[COL_CAUSE]	= { "CAUSE" },
	[COL_REMEDY]	= { "REMEDY" },
};

static const char *const verdicts[] = {
	[VERDICT_OK]		= "ok",
	[VERDICT_WARNING]	= "warning",
	[VERDICT_FAILURE]	= "failure",
	[VERDICT_SKIPPED]	= "skipped",
};

void tell(struct doctor *doctor, const char *check, enum verdict verdict,
	  char *remedy, const char *fmt, ...)
{
	va_list args;
	char *cause;

	va_start(args, fmt);
	if (vasprintf(&cause, fmt, args) < 0)
		err(2, "memory");
	va_end(args);

	if (verdict == VERDICT_FAILURE)
		doctor->status = STATUS_FAILURE;
	else if (verdict == VERDICT_WARNING && doctor->status == STATUS_OK)
		doctor->status = STATUS_WARNING;

	if (doctor->table) {
		struct libscols_line *line = table_line(doctor->table, NULL);

		table_set(doctor->table, line, COL_CHECK, "%s", check);
		table_set(doctor->table, line, COL_RESULT, "%s",
			  verdicts[verdict]);
		table_set(doctor->table, line, COL_CAUSE, "%s", cause);
		if (remedy)
			table_set(doctor->table, line, COL_REMEDY, "%s",
				  remedy);
	} else {
		printf("%-8s %s: %s\n", verdicts[verdict], check, cause);
		if (remedy)
			printf("         -> %s\n", remedy);
	}
	free(cause);
	free(remedy);
}

enum status command_doctor(const struct options *options)
{
	struct devices devices = devices_scan();
	struct doctor doctor = {
		.options = options,
		.devices = &devices,
	};

	if (options->user && !getpwnam(options->user))
		errx(2, "there is no user %s", options->user);
	if (options->device)
		doctor.device = devices_find(&devices, options->device);
	if (options->format.json || options->format.columns)
		doctor.table = table_new("checks", columns,
					 sizeof(columns) / sizeof(*columns),
					 &options->format);

	check_iommu(&doctor);
	check_secure_boot(&doctor);
	check_modules(&doctor);
	/* Its remedy may want the module */
	check_interrupts(&doctor);
	if (doctor.device) {
		check_driver(&doctor);
		check_group(&doctor);
	}
	check_nodes(&doctor);
	check_memlock(&doctor);
	if (doctor.device) {
		check_reserved(&doctor);
		check_width(&doctor);
		check_snoop(&doctor);
		check_virtio(&doctor);
		check_reset(&doctor);
	}

	if (doctor.table)
		table_end(doctor.table);
	devices_free(&devices);
	return doctor.status;
}
