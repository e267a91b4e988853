/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands, and what the command line said.
 */
#ifndef IOMMUCTL_COMMAND_H
#define IOMMUCTL_COMMAND_H

#include "table.h"

/* What the program ends with; wrong usage and errors end it with the last one */
enum status {
	STATUS_OK	= 0,
	STATUS_WARNING	= 1,
	STATUS_FAILURE	= 2,
};

/**
 * struct options - the command line
 * @format: of the output
 * @device: address, or NULL
 * @target: --for
 * @user: --user, or NULL for the caller
 * @memory: --memory in bytes, or 0
 * @persist: --persist
 * @dry_run: --dry-run
 */
struct options {
	struct format format;
	const char *device;
	const char *target;
	const char *user;
	unsigned long long memory;
	bool persist;
	bool dry_run;
};

enum status command_ls(const struct options *options);
enum status command_show(const struct options *options);
enum status command_doctor(const struct options *options);
enum status command_bind(const struct options *options);
enum status command_unbind(const struct options *options);
enum status command_config(const struct options *options);

#endif
