// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "sysfs.h"
#include "table.h"

/**
 * struct table - a table of libsmartcols, and where our columns are in it
 * @scols: the table
 * @shown: for each of our columns its own one, or NULL
 */
struct table {
	struct libscols_table *scols;
	struct libscols_column **shown;
};

static void show(struct table *table, const struct column *columns, size_t i,
		 const struct format *format)
{
	struct libscols_column *column;
	char *name = text("%s", columns[i].name);
	char *c;

	if (table->shown[i])
		errx(2, "column %s is named twice", name);
	if (format->json)
		for (c = name; *c; c++)
			*c = tolower(*c);
	column = scols_table_new_column(table->scols, name, 0,
					columns[i].flags);
	if (!column)
		err(2, "memory");
	scols_column_set_json_type(column, columns[i].json);
	table->shown[i] = column;
	free(name);
}

static void show_chosen(struct table *table, const struct column *columns,
			size_t nr, const struct format *format)
{
	char *list = text("%s", format->columns);
	char *known = NULL;
	char *name, *rest = list;
	size_t i;

	while ((name = strsep(&rest, ","))) {
		for (i = 0; i < nr; i++)
			if (!strcasecmp(name, columns[i].name))
				break;
		if (i == nr) {
			for (i = 0; i < nr; i++)
				text_add(&known, ",", columns[i].name);
			errx(2, "no column \"%s\"; there are %s", name, known);
		}
		show(table, columns, i, format);
	}
	free(list);
}

struct table *table_new(const char *name, const struct column *columns,
			size_t nr, const struct format *format)
{
	struct table *table = grow(NULL, 0, sizeof(*table));
	size_t i;

	table->scols = scols_new_table();
	table->shown = calloc(nr, sizeof(*table->shown));
	if (!table->scols || !table->shown)
		err(2, "memory");
	scols_table_set_name(table->scols, name);
	scols_table_enable_json(table->scols, format->json);
	scols_table_enable_noheadings(table->scols, format->noheadings);
	if (format->columns) {
		show_chosen(table, columns, nr, format);
	} else {
		for (i = 0; i < nr; i++)
			if (format->json || !columns[i].hidden)
				show(table, columns, i, format);
	}
	return table;
}

struct libscols_line *table_line(struct table *table,
				 struct libscols_line *parent)
{
	struct libscols_line *line = scols_table_new_line(table->scols, parent);

	if (!line)
		err(2, "memory");
	return line;
}

void table_set(struct table *table, struct libscols_line *line, size_t column,
	       const char *fmt, ...)
{
	va_list args;
	char *value;

	if (!fmt || !table->shown[column])
		return;
	va_start(args, fmt);
	if (vasprintf(&value, fmt, args) < 0)
		err(2, "memory");
	va_end(args);
	if (scols_line_refer_column_data(line, table->shown[column], value))
		err(2, "memory");
}

void table_end(struct table *table)
{
	char *out = NULL;
	char *body;

	if (scols_print_table_to_string(table->scols, &out))
		err(2, "memory");
	body = out ? strchr(out, '{') : NULL;
	/* The library's JSON is an object with the table; ours has a version too */
	if (!scols_table_is_json(table->scols))
		fputs(out && *out ? out : "", stdout);
	else if (body)
		printf("{\n   \"version\": %d,%s", JSON_VERSION, body + 1);
	else
		printf("{\n   \"version\": %d,\n   \"%s\": []\n}",
		       JSON_VERSION, scols_table_get_name(table->scols));
	/* It leaves the last line open */
	if (scols_table_is_json(table->scols) || (out && *out))
		putchar('\n');
	free(out);
	free(table->shown);
	scols_unref_table(table->scols);
	free(table);
}
