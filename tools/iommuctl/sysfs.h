/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel says in files, below a root that tests put elsewhere.
 *
 * Paths begin with /sys, /proc, /dev or the like. What is returned is the caller's
 * to free; NULL means that there is no such thing.
 */
#ifndef IOMMUCTL_SYSFS_H
#define IOMMUCTL_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

void sysfs_set_root(const char *root);
bool sysfs_root_is_real(void);

char *sysfs_path(const char *fmt, ...) printf_like(1, 2);
bool sysfs_exists(const char *fmt, ...) printf_like(1, 2);
/* The whole file, without white space at its end */
char *sysfs_read(const char *fmt, ...) printf_like(1, 2);
/* The whole file, which need not be text, and how many bytes it has: 0 for NULL */
char *sysfs_bytes(size_t *nr, const char *fmt, ...) printf_like(2, 3);
/* The text as a number in any base that strtoull() sees, or @fallback */
unsigned long long sysfs_number(unsigned long long fallback, int base,
				const char *fmt, ...) printf_like(3, 4);
/* The last component of what a link points to */
char *sysfs_link(const char *fmt, ...) printf_like(1, 2);
/* 0 or -errno */
int sysfs_write(const char *value, const char *fmt, ...) printf_like(2, 3);

/**
 * struct names - the entries of a folder, sorted by version
 * @list: the names
 * @nr: how many
 */
struct names {
	char **list;
	size_t nr;
};

struct names sysfs_list(const char *fmt, ...) printf_like(1, 2);
void names_free(struct names *names);

/* Text that grows, or the end of the program */
char *text(const char *fmt, ...) printf_like(1, 2);
/* Put @more behind *@line, with @between if there was something before */
void text_add(char **line, const char *between, const char *more);
/* Put ? in the place of each byte that is not part of printable UTF-8 */
void text_clean(char *line);
void *grow(void *array, size_t nr, size_t size);

#endif
