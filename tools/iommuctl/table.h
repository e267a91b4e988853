/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output as lsblk(8) has it: a table, a tree, or JSON, with columns to choose.
 */
#ifndef IOMMUCTL_TABLE_H
#define IOMMUCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Of the JSON; goes up when a program that reads it has to change */
#define JSON_VERSION 1

/**
 * struct column - what a table can show
 * @name: in upper case; in lower case it is the key in JSON
 * @json: one of SCOLS_JSON_*
 * @flags: of libsmartcols
 * @hidden: only with --output
 */
struct column {
	const char *name;
	int json;
	int flags;
	bool hidden;
};

/**
 * struct format - what the user asked for
 * @json: JSON
 * @noheadings: no first line
 * @columns: names with commas between them, or NULL
 */
struct format {
	bool json;
	bool noheadings;
	const char *columns;
};

struct table;
struct libscols_line;

struct table *table_new(const char *name, const struct column *columns,
			size_t nr, const struct format *format);
struct libscols_line *table_line(struct table *table,
				 struct libscols_line *parent);
/* Without effect where the column is not shown, or @fmt is NULL */
__attribute__((format(printf, 4, 5)))
void table_set(struct table *table, struct libscols_line *line, size_t column,
	       const char *fmt, ...);
/* Print and free it */
void table_end(struct table *table);

#endif
