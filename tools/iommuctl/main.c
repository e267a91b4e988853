// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuctl: /dev/iommu and what stands behind it, for an administrator.
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "sysfs.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

/* Who takes an option */
#define LS	(1 << 0)
#define SHOW	(1 << 1)
#define DOCTOR	(1 << 2)
#define BIND	(1 << 3)
#define UNBIND	(1 << 4)
#define CONFIG	(1 << 5)
#define ALL	(LS | SHOW | DOCTOR | BIND | UNBIND | CONFIG)

static const struct command {
	const char *name;
	unsigned int bit;
	/* Devices on the command line */
	int min, max;
	enum status (*run)(const struct options *options);
} commands[] = {
	{ "ls", LS, 0, 1, command_ls },
	{ "show", SHOW, 0, 0, command_show },
	{ "doctor", DOCTOR, 0, 1, command_doctor },
	{ "bind", BIND, 1, 1, command_bind },
	{ "unbind", UNBIND, 1, 1, command_unbind },
	{ "config", CONFIG, 1, 1, command_config },
};

static const struct option longopts[] = {
	{ "json", no_argument, NULL, 'J' },
	{ "noheadings", no_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "for", required_argument, NULL, 'f' },
	{ "user", required_argument, NULL, 'u' },
	{ "memory", required_argument, NULL, 'm' },
	{ "persist", no_argument, NULL, 'p' },
	{ "dry-run", no_argument, NULL, 'd' },
	{ "sysfs-root", required_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 }
};

static const struct {
	int opt;
	unsigned int commands;
} allowed[] = {
	{ 'J', LS | SHOW | DOCTOR },
	{ 'n', LS | SHOW | DOCTOR },
	{ 'o', LS | SHOW | DOCTOR },
	{ 'f', CONFIG },
	{ 'u', DOCTOR },
	{ 'm', DOCTOR },
	{ 'p', BIND | UNBIND },
	{ 'd', BIND | UNBIND },
	{ 'r', ALL },
};

static void usage(FILE *to)
{
	fputs("usage: iommuctl COMMAND [OPTIONS] [DEVICE]\n"
	      "\n"
	      "  ls [DEVICE]      the PCI devices by IOMMU group\n"
	      "  show             every open /dev/iommu, and what is in it\n"
	      "  doctor [DEVICE]  what stands in the way of a passthrough\n"
	      "  bind DEVICE      give the device's group to vfio-pci\n"
	      "  unbind DEVICE    give it back\n"
	      "  config DEVICE    the lines to paste for a VMM\n"
	      "\n"
	      "  -J, --json            ls, show, doctor: JSON\n"
	      "  -n, --noheadings      ls, show, doctor: no first line\n"
	      "  -o, --output COLUMNS  ls, show, doctor: these columns\n"
	      "      --memory SIZE     doctor: of the guest planned, such as 16G\n"
	      "      --user NAME       doctor: who is to start the guest\n"
	      "      --persist         bind, unbind: for the next starts too\n"
	      "      --dry-run         bind, unbind: print what would be done\n"
	      "      --for VMM         config: qemu, libvirt, cloud-hypervisor, kubevirt\n"
	      "      --sysfs-root DIR  read DIR/sys and so on\n"
	      "  -h, --help            print this\n"
	      "  -V, --version         print the version\n"
	      "\n"
	      "A DEVICE is a PCI address such as 0000:01:00.0. The status is 0, 1 for a\n"
	      "warning, 2 for a failure.\n", to);
}

static unsigned long long parse_size(const char *value)
{
	static const char units[] = "KMGT";
	unsigned long long size;
	const char *unit = NULL;
	unsigned int shift;
	char *end;

	size = strtoull(value, &end, 10);
	if (end != value && *end)
		unit = strchr(units, *end);
	shift = unit ? 10 * (unit - units + 1) : 0;
	if (end == value || *value == '-' || (*end && (!unit || end[1])) ||
	    !size || size > ~0ULL >> (shift + 2))
		errx(2, "--memory %s: not a size such as 16G", value);
	return size << shift;
}

static void check_allowed(const struct command *command, int opt)
{
	size_t i;
	int index;

	for (i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		if (allowed[i].opt != opt || allowed[i].commands & command->bit)
			continue;
		for (index = 0; longopts[index].val != opt; index++)
			;
		errx(2, "%s does not take --%s", command->name,
		     longopts[index].name);
	}
}

static void parse(int argc, char **argv, const struct command *command,
		  struct options *options)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "Jno:hV", longopts, NULL)) != -1) {
		check_allowed(command, opt);
		switch (opt) {
		case 'J':
			options->format.json = true;
			break;
		case 'n':
			options->format.noheadings = true;
			break;
		case 'o':
			options->format.columns = optarg;
			break;
		case 'f':
			options->target = optarg;
			break;
		case 'u':
			options->user = optarg;
			break;
		case 'm':
			options->memory = parse_size(optarg);
			break;
		case 'p':
			options->persist = true;
			break;
		case 'd':
			options->dry_run = true;
			break;
		case 'r':
			sysfs_set_root(optarg);
			break;
		case 'h':
			usage(stdout);
			exit(0);
		case 'V':
			puts("iommuctl " VERSION);
			exit(0);
		default:
			exit(2);
		}
	}
	if (argc - optind < command->min)
		errx(2, "%s wants a DEVICE", command->name);
	if (argc - optind > command->max)
		errx(2, "%s: one argument too many", argv[argc - 1]);
	if (argc > optind)
		options->device = argv[optind];
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	enum status status;
	size_t i;

	/* For the lines of trees; numbers stay as C has them */
	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		usage(stderr);
		return STATUS_FAILURE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("iommuctl " VERSION);
		return STATUS_OK;
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			break;
	if (i == sizeof(commands) / sizeof(*commands))
		errx(2, "%s: no such command; see iommuctl --help", argv[1]);

	parse(argc - 1, argv + 1, &commands[i], &options);
	status = commands[i].run(&options);
	if (fflush(stdout) || ferror(stdout))
		err(2, "output");
	return status;
}
