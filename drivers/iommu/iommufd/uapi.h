/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c: files and the ioctl table
 * ioas_ioctl.c: ioctls on address spaces
 * hwpt_ioctl.c: ioctls on HWPTs and devices
 * option.c: options, and what the VFIO ioctls work on
 * fdinfo.c: /proc/PID/fdinfo
 */
#ifndef __IOMMUFD_UAPI_H
#define __IOMMUFD_UAPI_H

#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "object.h"

struct seq_file;

/* Reasons that many ioctls have */
#define RESERVED "a reserved field is not 0"
#define NOT_KNOWN "0x%x has bits or is a number that is not known"

/**
 * struct iommufd_ucmd - One ioctl
 * @ictx: the file
 * @user: where the argument is
 * @user_size: how long the user says it is
 * @cmd: the argument, zeroed beyond @user_size
 */
struct iommufd_ucmd {
	struct iommufd_ctx *ictx;
	void __user *user;
	u32 user_size;
	void *cmd;
};

/* Copy the argument back, as much of it as the user knows */
static inline int iommufd_ucmd_respond(const struct iommufd_ucmd *ucmd,
				       size_t size)
{
	if (copy_to_user(ucmd->user, ucmd->cmd,
			 min_t(size_t, ucmd->user_size, size)))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}

int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd);
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);
int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd);
int iommufd_ioas_copy(struct iommufd_ucmd *ucmd);
int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd);
int iommufd_ioas_change_process(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_alloc_ioctl(struct iommufd_ucmd *ucmd);
int iommufd_get_hw_info(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd);
int iommufd_option(struct iommufd_ucmd *ucmd);
int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd);
void iommufd_show_fdinfo(struct seq_file *seq, struct file *file);

#endif
