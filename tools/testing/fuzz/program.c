// SPDX-License-Identifier: GPL-2.0-only
#include "program.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const manner_names[NR_MANNERS] = {
	[BESIDE] = "beside",
	[TIMES] = "times",
	[CUT] = "cut",
	[READ_ONLY] = "read_only",
	[POINTER] = "pointer",
	[SMALL] = "small",
	[FAIL] = "fail",
};

unsigned int nr_args(const struct call_type *type)
{
	unsigned int nr = 0;

	while (type->args[nr].name)
		nr++;
	return nr;
}

void call_init(struct call *call, unsigned int type)
{
	unsigned int i;

	memset(call, 0, sizeof(*call));
	call->type = type;
	for (i = 0; i < MAX_ARGS; i++) {
		call->args[i].ref = NO_REF;
		call->args[i].value = call_types[type].args[i].usual;
	}
}

int call_type_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_call_types; i++)
		if (!strcmp(call_types[i].name, name))
			return i;
	return -1;
}

enum kind program_makes(const struct program *program, unsigned int index)
{
	const struct call *call = &program->calls[index];
	enum kind kind;

	while ((kind = type_of(call)->makes) == AS_GIVEN) {
		if (call->args[0].ref == NO_REF)
			return NO_KIND;
		call = &program->calls[call->args[0].ref];
	}
	return kind;
}

bool program_insert(struct program *program, unsigned int index,
		    unsigned int nr)
{
	unsigned int i, k;

	if (program->nr + nr > MAX_CALLS)
		return false;
	memmove(&program->calls[index + nr], &program->calls[index],
		(program->nr - index) * sizeof(program->calls[0]));
	program->nr += nr;
	for (i = index + nr; i < program->nr; i++)
		for (k = 0; k < MAX_ARGS; k++)
			if (program->calls[i].args[k].ref >= (int)index)
				program->calls[i].args[k].ref += nr;
	return true;
}

void program_remove(struct program *program, unsigned int index)
{
	unsigned int i, k;

	program->nr--;
	memmove(&program->calls[index], &program->calls[index + 1],
		(program->nr - index) * sizeof(program->calls[0]));
	for (i = index; i < program->nr; i++)
		for (k = 0; k < nr_args(type_of(&program->calls[i])); k++) {
			struct arg *arg = &program->calls[i].args[k];

			if (arg->ref == (int)index) {
				arg->ref = NO_REF;
				arg->value = type_of(&program->calls[i])->args[k].usual;
			} else if (arg->ref > (int)index) {
				arg->ref--;
			}
		}
}

static void write_arg(const struct arg_type *type, const struct arg *arg,
		      const int *labels, FILE *file)
{
	if (arg->ref == NO_REF) {
		if (arg->value != type->usual)
			fprintf(file, " %s=%#" PRIx64, type->name, arg->value);
		return;
	}
	fprintf(file, " %s=r%d", type->name, labels[arg->ref]);
	if (arg->value)
		fprintf(file, "+%#" PRIx64, arg->value);
}

void program_write(const struct program *program, FILE *file)
{
	int labels[MAX_CALLS], next = 0;
	unsigned int i, k;

	/* Labels are counted, so that taking out a call changes few lines. */
	memset(labels, -1, sizeof(labels));
	for (i = 0; i < program->nr; i++)
		for (k = 0; k < MAX_ARGS; k++)
			if (program->calls[i].args[k].ref != NO_REF)
				labels[program->calls[i].args[k].ref] = 0;
	for (i = 0; i < program->nr; i++)
		if (!labels[i])
			labels[i] = next++;

	for (i = 0; i < program->nr; i++) {
		const struct call *call = &program->calls[i];
		const struct call_type *type = type_of(call);

		if (labels[i] >= 0)
			fprintf(file, "r%d: ", labels[i]);
		fputs(type->name, file);
		for (k = 0; k < nr_args(type); k++)
			write_arg(&type->args[k], &call->args[k], labels, file);
		for (k = 0; k < NR_MANNERS; k++) {
			if (!call->manners[k])
				continue;
			fprintf(file, " @%s", manner_names[k]);
			if (call->manners[k] != 1)
				fprintf(file, "=%#" PRIx64, call->manners[k]);
		}
		fputc('\n', file);
	}
	fputc('\n', file);
}

static bool read_manner(struct call *call, char *word)
{
	char *value = strchr(word, '=');
	unsigned int i;

	if (value)
		*value++ = 0;
	for (i = 0; i < NR_MANNERS; i++) {
		if (strcmp(word, manner_names[i]))
			continue;
		call->manners[i] = value ? strtoull(value, NULL, 0) : 1;
		return true;
	}
	return false;
}

static bool read_arg(struct call *call, char *word, const int *labels)
{
	const struct call_type *type = type_of(call);
	char *value = strchr(word, '='), *end;
	unsigned int i;
	long label;

	if (!value)
		return false;
	*value++ = 0;
	for (i = 0; i < nr_args(type); i++)
		if (!strcmp(word, type->args[i].name))
			break;
	if (i == nr_args(type))
		return false;
	if (*value != 'r') {
		call->args[i].value = strtoull(value, &end, 0);
		return !*end;
	}
	label = strtol(value + 1, &end, 10);
	if (label < 0 || label >= MAX_CALLS || labels[label] < 0)
		return false;
	call->args[i].ref = labels[label];
	call->args[i].value = *end == '+' ? strtoull(end + 1, &end, 0) : 0;
	return !*end;
}

/* Returns the word that is wrong, or NULL. */
static const char *read_call(struct program *program, char *line, int *labels)
{
	struct call *call = &program->calls[program->nr];
	char *word, *rest = line;
	int label = -1, type;

	word = strtok_r(rest, " \t\n", &rest);
	if (program->nr == MAX_CALLS)
		return "(too many)";
	if (word[0] == 'r' && word[strlen(word) - 1] == ':') {
		label = atoi(word + 1);
		if (label < 0 || label >= MAX_CALLS)
			return word;
		word = strtok_r(rest, " \t\n", &rest);
	}
	type = word ? call_type_by_name(word) : -1;
	if (type < 0)
		return word ? word : "(nothing)";
	call_init(call, type);
	while ((word = strtok_r(rest, " \t\n", &rest)))
		if (word[0] == '@' ? !read_manner(call, word + 1) :
		    !read_arg(call, word, labels))
			return word;
	if (label >= 0)
		labels[label] = program->nr;
	program->nr++;
	return NULL;
}

/*
 * Reads up to an empty line, or the end. 1: a program, 0: none is left, -1: it is
 * not one, as told on stderr.
 */
static int read_one(struct program *program, FILE *file, const char *name,
		    unsigned int *line)
{
	int labels[MAX_CALLS];
	const char *wrong;
	char text[2048];

	memset(labels, -1, sizeof(labels));
	program->nr = 0;
	while (fgets(text, sizeof(text), file)) {
		(*line)++;
		if (text[0] == '#')
			continue;
		if (!text[strspn(text, " \t\n")]) {
			if (program->nr)
				return 1;
			continue;
		}
		wrong = read_call(program, text, labels);
		if (wrong) {
			fprintf(stderr, "%s:%u: %s is not understood\n", name,
				*line, wrong);
			return -1;
		}
	}
	return program->nr > 0;
}

int programs_read(struct program *programs, unsigned int max, const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int line = 0, nr = 0;
	int rc = 0;

	if (!file) {
		perror(path);
		return -1;
	}
	while (nr < max) {
		rc = read_one(&programs[nr], file, path, &line);
		if (rc <= 0)
			break;
		nr++;
	}
	fclose(file);
	return rc < 0 ? -1 : (int)nr;
}

size_t program_length(const struct program *program)
{
	size_t length;
	char *text;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return 0;
	program_write(program, file);
	fclose(file);
	free(text);
	return length;
}
