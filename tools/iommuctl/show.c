// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuctl show: every open /dev/iommu, and every container of VFIO, which is one
 * by another name, from the fdinfo of their descriptors; and of all files the
 * last call that was refused, with the reason.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <libsmartcols/libsmartcols.h>

#include "command.h"
#include "process.h"
#include "sysfs.h"

enum {
	COL_NAME,
	COL_TYPE,
	COL_PID,
	COL_FD,
	COL_ID,
	COL_IOAS,
	COL_HWPT,
	COL_GROUP,
	COL_MAPPED,
	COL_PINNED,
	COL_BARS,
	COL_LIMIT,
	COL_CHARGED,
	COL_ENFORCES,
	COL_COHERENCY,
	COL_POLICY,
	COL_CALL,
	COL_ERROR,
	COL_REASON,
};

static const struct column columns[] = {
	[COL_NAME]	= { "NAME", SCOLS_JSON_STRING, SCOLS_FL_TREE },
	[COL_TYPE]	= { "TYPE", .hidden = true },
	[COL_PID]	= { "PID", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT, true },
	[COL_FD]	= { "FD", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT, true },
	[COL_ID]	= { "ID", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT, true },
	[COL_IOAS]	= { "IOAS", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_HWPT]	= { "HWPT", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_GROUP]	= { "GROUP", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_MAPPED]	= { "MAPPED", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_PINNED]	= { "PINNED", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_BARS]	= { "BARS", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_LIMIT]	= { "LIMIT", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_CHARGED]	= { "CHARGED" },
	[COL_ENFORCES]	= { "ENFORCES" },
	[COL_COHERENCY]	= { "COHERENCY" },
	[COL_POLICY]	= { "POLICY" },
	[COL_CALL]	= { "CALL", .hidden = true },
	[COL_ERROR]	= { "ERROR" },
	[COL_REASON]	= { "REASON" },
};

/**
 * struct seen - a descriptor that was shown
 * @pid: whose
 * @fd: which
 */
struct seen {
	pid_t pid;
	int fd;
};

/**
 * struct show - what a run of the command keeps
 * @table: the output
 * @json: numbers as they are, not in units
 * @seen: the files so far, each by one of its descriptors
 * @nr_seen: how many
 */
struct show {
	struct table *table;
	bool json;
	struct seen *seen;
	size_t nr_seen;
};

/* Words of a line that become a column as they are */
static const struct {
	const char *word;
	int column;
} word_columns[] = {
	{ "ioas", COL_IOAS },
	{ "hwpt", COL_HWPT },
	{ "group", COL_GROUP },
	{ "enforces", COL_ENFORCES },
	{ "policy", COL_POLICY },
	{ "limit-of", COL_CHARGED },
};

static void set_bytes(struct show *show, struct libscols_line *line,
		      int column, const char *bytes)
{
	static const char units[] = "BKMGTPE";
	double value = strtod(bytes, NULL);
	size_t unit = 0;

	if (show->json) {
		table_set(show->table, line, column, "%s", bytes);
		return;
	}
	while (value >= 1024 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	table_set(show->table, line, column, "%.*f%c",
		  value == (unsigned long)value ? 0 : 1, value, units[unit]);
}

/* The soft limit of a process on locked memory */
static void set_limit(struct show *show, struct libscols_line *line,
		      const char *pid)
{
	char *limits = sysfs_read("/proc/%s/limits", pid);
	char *at = limits ? strstr(limits, "Max locked memory") : NULL;
	char value[32];

	if (at && sscanf(at + strlen("Max locked memory"), "%31s", value) == 1) {
		if (isdigit((unsigned char)value[0]))
			set_bytes(show, line, COL_LIMIT, value);
		else if (!show->json)
			table_set(show->table, line, COL_LIMIT, "%s", value);
	}
	free(limits);
}

static void set_word(struct show *show, struct libscols_line *line,
		     const char *word, const char *value)
{
	size_t i;

	if (!strcmp(word, "mapped"))
		set_bytes(show, line, COL_MAPPED, value);
	else if (!strcmp(word, "pinned"))
		set_bytes(show, line, COL_PINNED, value);
	else if (!strcmp(word, "bars"))
		set_bytes(show, line, COL_BARS, value);
	/* Where there could be a number */
	if (!strcmp(value, "-"))
		return;
	for (i = 0; i < sizeof(word_columns) / sizeof(*word_columns); i++)
		if (!strcmp(word, word_columns[i].word))
			table_set(show->table, line, word_columns[i].column,
				  "%s", value);
}

/* What a line calls the thing that it is about */
static void set_name(struct show *show, struct libscols_line *line,
		     const char *key, const char *id, const char *device)
{
	table_set(show->table, line, COL_TYPE, "%s", key);
	if (!strcmp(key, "owner")) {
		char *name = process_name(atoi(id));

		table_set(show->table, line, COL_NAME, "owner %s", name);
		table_set(show->table, line, COL_PID, "%s", id);
		free(name);
		return;
	}
	table_set(show->table, line, COL_ID, "%s", id);
	table_set(show->table, line, COL_NAME, "%s %s", key,
		  device ? device : id);
}

/* One line of an fdinfo: "KEY:<tab>ID WORD VALUE WORD VALUE …" */
static void add_object(struct show *show, struct libscols_line *file,
		       const char *key, char *rest)
{
	struct libscols_line *line = NULL;
	char *id = strsep(&rest, " ");
	const char *device = NULL;
	bool charged = false;
	char *word, *value;

	if (!strcmp(key, "coherency")) {
		line = file;
		table_set(show->table, file, COL_COHERENCY, "%s", id);
	} else {
		line = table_line(show->table, file);
	}
	while ((word = strsep(&rest, " ")) && (value = strsep(&rest, " "))) {
		if (!strcmp(word, "name"))
			device = value;
		if (!strcmp(word, "limit-of"))
			charged = strcmp(value, "none");
		set_word(show, line, word, value);
	}
	if (line != file)
		set_name(show, line, key, id, device);
	if (charged)
		set_limit(show, line, id);
}

static bool is_iommu(const char *target)
{
	return !strcmp(target, "/dev/iommu") ||
	       !strcmp(target, "/dev/vfio/vfio");
}

/* A device's file, however it was opened, or a group's */
static bool is_vfio(const char *target)
{
	return !strcmp(target, "anon_inode:[vfio-device]") ||
	       (!strncmp(target, "/dev/vfio/", strlen("/dev/vfio/")) &&
		!is_iommu(target));
}

/*
 * Worth a line: the container of a stock vfio.ko tells nothing, and a file of VFIO only
 * that a call on it was refused.
 */
static bool is_telling(const char *target, const char *fdinfo)
{
	const char *refusal = strstr(fdinfo, "\nrefusal:\t");

	if (is_iommu(target))
		return strstr(fdinfo, "\ncoherency:");
	return refusal && strtoul(refusal + strlen("\nrefusal:\t"), NULL, 10);
}

/* "COUNT call NAME error ERRNO reason TEXT", or just 0 before the first */
static void add_refusal(struct show *show, struct libscols_line *file,
			const char *rest)
{
	struct libscols_line *line;
	char call[64], error[32];
	int at = 0;

	if (sscanf(rest, "%*u call %63s error %31s reason %n", call, error,
		   &at) != 2 || !at)
		return;
	line = table_line(show->table, file);
	table_set(show->table, line, COL_TYPE, "refusal");
	table_set(show->table, line, COL_NAME, "refusal %s", call);
	table_set(show->table, line, COL_CALL, "%s", call);
	table_set(show->table, line, COL_ERROR, "%s", error);
	table_set(show->table, line, COL_REASON, "%s", rest + at);
}

static void add_file(struct show *show, pid_t pid, int fd, const char *target,
		     char *fdinfo)
{
	static const char *const keys[] = {
		"ioas", "hwpt", "device", "access", "coherency", "owner",
	};
	struct libscols_line *file = table_line(show->table, NULL);
	char *name = process_name(pid);
	char *line, *rest;
	size_t i;

	if (is_iommu(target)) {
		table_set(show->table, file, COL_NAME, "%s fd %d", name, fd);
		table_set(show->table, file, COL_TYPE, "file");
	} else {
		table_set(show->table, file, COL_NAME, "%s fd %d %s", name, fd,
			  target);
		table_set(show->table, file, COL_TYPE, "vfio");
	}
	table_set(show->table, file, COL_PID, "%d", pid);
	table_set(show->table, file, COL_FD, "%d", fd);
	free(name);
	while ((line = strsep(&fdinfo, "\n"))) {
		rest = line;
		line = strsep(&rest, ":");
		if (!rest)
			continue;
		rest += strspn(rest, "\t ");
		/* Every descriptor has pos and the like */
		for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (!strcmp(line, keys[i]))
				add_object(show, file, line, rest);
		if (!strcmp(line, "refusal"))
			add_refusal(show, file, rest);
	}
}

/* A file that has been passed on or inherited is open more than once */
static bool is_new(struct show *show, pid_t pid, int fd)
{
	size_t i;

	for (i = 0; sysfs_root_is_real() && i < show->nr_seen; i++)
		if (!syscall(SYS_kcmp, pid, show->seen[i].pid, KCMP_FILE, fd,
			     show->seen[i].fd))
			return false;
	show->seen = grow(show->seen, show->nr_seen, sizeof(*show->seen));
	show->seen[show->nr_seen++] = (struct seen){ pid, fd };
	return true;
}

static void look_at(void *context, pid_t pid, int fd, const char *target)
{
	struct show *show = context;
	char *fdinfo;

	if (!is_iommu(target) && !is_vfio(target))
		return;
	if (!is_new(show, pid, fd))
		return;
	fdinfo = sysfs_read("/proc/%d/fdinfo/%d", pid, fd);
	if (fdinfo && is_telling(target, fdinfo))
		add_file(show, pid, fd, target, fdinfo);
	free(fdinfo);
}

enum status command_show(const struct options *options)
{
	struct show show = { .json = options->format.json };

	show.table = table_new("files", columns,
			       sizeof(columns) / sizeof(*columns),
			       &options->format);
	process_files(look_at, &show);
	free(show.seen);
	table_end(show.table);
	return STATUS_OK;
}
