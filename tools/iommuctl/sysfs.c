// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "sysfs.h"

static const char *root = "";

void sysfs_set_root(const char *path)
{
	root = path;
}

bool sysfs_root_is_real(void)
{
	return !*root;
}

static char *vtext(const char *fmt, va_list args)
{
	char *out;

	if (vasprintf(&out, fmt, args) < 0)
		err(2, "memory");
	return out;
}

char *text(const char *fmt, ...)
{
	va_list args;
	char *out;

	va_start(args, fmt);
	out = vtext(fmt, args);
	va_end(args);
	return out;
}

void text_add(char **line, const char *between, const char *more)
{
	char *out = *line ? text("%s%s%s", *line, between, more) :
			    text("%s", more);

	free(*line);
	*line = out;
}

void text_clean(char *line)
{
	/* Whatever the user's locale is: JSON has but one encoding */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = uselocale(utf8);

	while (*line) {
		mbstate_t state = { 0 };
		wchar_t c;
		size_t nr = mbrtowc(&c, line, strlen(line), &state);

		if (nr <= MB_LEN_MAX && iswprint(c))
			line += nr;
		else
			*line++ = '?';
	}
	uselocale(before);
	if (utf8)
		freelocale(utf8);
}

void *grow(void *array, size_t nr, size_t size)
{
	array = reallocarray(array, nr + 1, size);
	if (!array)
		err(2, "memory");
	memset((char *)array + nr * size, 0, size);
	return array;
}

static char *vpath(const char *fmt, va_list args)
{
	char *tail = vtext(fmt, args);
	char *path = text("%s%s", root, tail);

	free(tail);
	return path;
}

/* The path that a function's format and arguments make */
#define PATH_OF(fmt) ({					\
	va_list _args;					\
	char *_path;					\
							\
	va_start(_args, fmt);				\
	_path = vpath(fmt, _args);			\
	va_end(_args);					\
	_path;						\
})

char *sysfs_path(const char *fmt, ...)
{
	return PATH_OF(fmt);
}

bool sysfs_exists(const char *fmt, ...)
{
	char *path = PATH_OF(fmt);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

/* The whole file, and a zero behind it */
static char *read_bytes(const char *path, size_t *nr)
{
	size_t length = 0;
	char *out = NULL;
	ssize_t got;
	int fd;

	*nr = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		out = realloc(out, length + 4097);
		if (!out)
			err(2, "memory");
		got = read(fd, out + length, 4096);
		if (got > 0)
			length += got;
	} while (got > 0);
	close(fd);
	if (got < 0) {
		free(out);
		return NULL;
	}
	out[length] = 0;
	*nr = length;
	return out;
}

static char *read_path(const char *path)
{
	size_t length;
	char *out = read_bytes(path, &length);

	while (length && isspace((unsigned char)out[length - 1]))
		out[--length] = 0;
	return out;
}

char *sysfs_bytes(size_t *nr, const char *fmt, ...)
{
	char *path = PATH_OF(fmt);
	char *out = read_bytes(path, nr);

	free(path);
	return out;
}

char *sysfs_read(const char *fmt, ...)
{
	char *path = PATH_OF(fmt);
	char *out = read_path(path);

	free(path);
	return out;
}

unsigned long long sysfs_number(unsigned long long fallback, int base,
				const char *fmt, ...)
{
	char *path = PATH_OF(fmt);
	char *value = read_path(path);
	unsigned long long number = fallback;
	char *end;

	if (value && *value) {
		number = strtoull(value, &end, base);
		if (*end)
			number = fallback;
	}
	free(value);
	free(path);
	return number;
}

char *sysfs_link(const char *fmt, ...)
{
	char *path = PATH_OF(fmt);
	char target[PATH_MAX];
	char *last;
	ssize_t got;

	got = readlink(path, target, sizeof(target) - 1);
	free(path);
	if (got < 0)
		return NULL;
	target[got] = 0;
	last = strrchr(target, '/');
	return text("%s", last ? last + 1 : target);
}

int sysfs_write(const char *value, const char *fmt, ...)
{
	char *path = PATH_OF(fmt);
	size_t length = strlen(value);
	int rc = 0;
	int fd;

	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return -errno;
	if (write(fd, value, length) != (ssize_t)length)
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

struct names sysfs_list(const char *fmt, ...)
{
	char *path = PATH_OF(fmt);
	struct names names = { 0 };
	struct dirent **entries;
	int nr;
	int i;

	nr = scandir(path, &entries, is_name, versionsort);
	free(path);
	if (nr < 0)
		return names;
	for (i = 0; i < nr; i++) {
		names.list = grow(names.list, names.nr, sizeof(*names.list));
		names.list[names.nr++] = text("%s", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return names;
}

void names_free(struct names *names)
{
	while (names->nr)
		free(names->list[--names->nr]);
	free(names->list);
	names->list = NULL;
}
