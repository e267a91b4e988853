/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a call was refused.
 *
 * Whoever finds out that a call cannot be served knows the reason and the numbers; the
 * user gets an errno. So the finder leaves a line, in words for an administrator,
 * and the ioctl that fails keeps it with its file, where fdinfo shows it:
 *
 *	return refuse(-EINVAL, "the IOVA 0x%lx is not aligned to %lu bytes", ...);
 *
 * Nothing is done, reset or looked at as long as calls succeed.
 */
#ifndef __LINUX_IOMMUFD_REFUSAL_H
#define __LINUX_IOMMUFD_REFUSAL_H

#include <linux/compiler.h>
#include <linux/types.h>

struct seq_file;

/* Reasons that many calls have */
#define NO_ARGUMENT "the argument cannot be read"
#define NO_ANSWER "the answer cannot be written"
#define ARGSZ_TOO_SMALL "argsz %u is less than %zu"
#define UNKNOWN_FLAGS "flags 0x%x have bits that are not known"
#define NO_MEMORY_FOR "no kernel memory for "
#define NO_PASIDS "the IOMMU drivers of this kernel offer no PASIDs"
#define KILLED "the process is being killed"

/* A line, with its end */
#define IOMMUFD_REFUSAL_LINE 192

/**
 * struct iommufd_refusal - The last call on a file that was refused
 * @nr: how many were
 * @call: name of the call; lives as long as the file. NULL for an unknown ioctl
 * @cmd: number of the ioctl
 * @error: negative errno
 * @reason: the line
 *
 * Part of what belongs to the file; zeroed at first, and needs no end.
 */
struct iommufd_refusal {
	unsigned long nr;
	const char *call;
	unsigned int cmd;
	int error;
	char reason[IOMMUFD_REFUSAL_LINE];
};

/**
 * struct iommufd_call - An ioctl by its name
 * @cmd: number
 * @name: name
 */
struct iommufd_call {
	unsigned int cmd;
	const char *name;
};

#define IOMMUFD_CALL(_cmd) { .cmd = (_cmd), .name = #_cmd }

/**
 * iommufd_call_name - What an ioctl is called
 * @calls: those of a kind of file
 * @nr: how many
 * @cmd: number
 *
 * Return: the name, or NULL for an ioctl that is not among them.
 */
const char * __cold iommufd_call_name(const struct iommufd_call *calls,
				      unsigned int nr, unsigned int cmd);

/**
 * iommufd_refuse - Leave the reason why the calling task's call fails
 * @error: negative errno that it will fail with
 * @format: of the line; it must neither show an address of the kernel nor text that the
 *          user made up
 *
 * The last of several reasons counts. May be called under any lock, but not from an
 * interrupt.
 */
void __cold __printf(2, 3) iommufd_refuse(int error, const char *format, ...);

/**
 * iommufd_refuse_as - Give the reason that was left another errno
 * @error: what the call fails with after all
 */
void __cold iommufd_refuse_as(int error);

/**
 * iommufd_refusal_forget - What was refused was only tried
 */
void __cold iommufd_refusal_forget(void);

/**
 * iommufd_refusal_keep - Keep the reason why a call fails with its file
 * @refusal: of the file; NULL when there is no file, which is for the trace alone
 * @call: name of the call, a constant; NULL when there is none for @cmd
 * @cmd: number of the ioctl, 0 for another call
 * @error: negative errno
 */
void __cold iommufd_refusal_keep(struct iommufd_refusal *refusal,
				 const char *call, unsigned int cmd, int error);

/**
 * iommufd_open_refused - Give the reason why a file cannot be opened to the trace
 * @error: negative errno
 *
 * A file that could not be opened has no fdinfo.
 *
 * Return: @error.
 */
int __cold iommufd_open_refused(int error);

/**
 * iommufd_refusal_show - Tell in a file's fdinfo of its last call that was refused
 * @seq: where to
 * @refusal: of the file
 */
void iommufd_refusal_show(struct seq_file *seq,
			  struct iommufd_refusal *refusal);

/* As a value: @error, which the compiler knows this way */
#define refuse(error, ...)						\
({									\
	const int __error = (error);					\
									\
	iommufd_refuse(__error, __VA_ARGS__);				\
	__error;							\
})

#define refuse_as(error)						\
({									\
	const int __error = (error);					\
									\
	iommufd_refuse_as(__error);					\
	__error;							\
})

#endif
