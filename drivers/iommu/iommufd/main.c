// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu: I/O address spaces owned by a user process; and /dev/vfio/vfio, the
 * same for users who know VFIO's containers.
 *
 * The files, and the table of ioctls with the sizes of their arguments.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "coherency.h"
#include "uapi.h"

static int destroy_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_destroy *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	int rc;

	obj = iommufd_object_get(ucmd->ictx, cmd->id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	rc = iommufd_object_retire(obj);
	if (rc)
		iommufd_object_refuse_retire(obj, rc);
	iommufd_object_put(obj);
	return rc;
}

/* Part of the ABI, but nothing that the IOMMU drivers of this kernel offer */
static int unsupported_ioctl(struct iommufd_ucmd *ucmd)
{
	return refuse(-EOPNOTSUPP, "the IOMMU drivers of this kernel offer nothing for it");
}

/**
 * struct ioctl_op - An ioctl
 * @name: for the user to read
 * @cmd: number
 * @size: of the argument as known here
 * @min_size: of the argument at least
 * @execute: does it
 */
struct ioctl_op {
	const char *name;
	unsigned int cmd;
	unsigned int size;
	unsigned int min_size;
	int (*execute)(struct iommufd_ucmd *ucmd);
};

#define IOCTL_OP(_cmd, _struct, _last, _execute)			\
	[_IOC_NR(_cmd) - IOMMUFD_CMD_BASE] = {				\
		.name = #_cmd,						\
		.cmd = _cmd,						\
		.size = sizeof(struct _struct) +			\
			BUILD_BUG_ON_ZERO(sizeof(struct _struct) >	\
					  ARGUMENT_MAX),		\
		.min_size = offsetofend(struct _struct, _last),		\
		.execute = _execute,					\
	}

/* The largest argument */
#define ARGUMENT_MAX 64

static const struct ioctl_op ioctl_ops[] = {
	IOCTL_OP(IOMMU_DESTROY, iommu_destroy, id, destroy_ioctl),
	IOCTL_OP(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, out_ioas_id,
		 iommufd_ioas_alloc_ioctl),
	IOCTL_OP(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, allowed_iovas,
		 iommufd_ioas_allow_iovas),
	IOCTL_OP(IOMMU_IOAS_COPY, iommu_ioas_copy, src_iova, iommufd_ioas_copy),
	IOCTL_OP(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges,
		 out_iova_alignment, iommufd_ioas_iova_ranges),
	IOCTL_OP(IOMMU_IOAS_MAP, iommu_ioas_map, iova, iommufd_ioas_map),
	IOCTL_OP(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, length,
		 iommufd_ioas_unmap),
	IOCTL_OP(IOMMU_OPTION, iommu_option, val64, iommufd_option),
	IOCTL_OP(IOMMU_VFIO_IOAS, iommu_vfio_ioas, __reserved,
		 iommufd_vfio_ioas),
	IOCTL_OP(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, __reserved,
		 iommufd_hwpt_alloc_ioctl),
	IOCTL_OP(IOMMU_GET_HW_INFO, iommu_hw_info, __reserved,
		 iommufd_get_hw_info),
	IOCTL_OP(IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking,
		 __reserved, iommufd_hwpt_set_dirty_tracking),
	IOCTL_OP(IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, data,
		 iommufd_hwpt_get_dirty_bitmap),
	IOCTL_OP(IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate, __reserved,
		 unsupported_ioctl),
	IOCTL_OP(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc, out_fault_fd,
		 unsupported_ioctl),
	IOCTL_OP(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, iova,
		 iommufd_ioas_map_file),
	IOCTL_OP(IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, out_viommu_id,
		 unsupported_ioctl),
	IOCTL_OP(IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc, virt_id,
		 unsupported_ioctl),
	IOCTL_OP(IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process,
		 __reserved, iommufd_ioas_change_process),
	IOCTL_OP(IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc, out_veventq_fd,
		 unsupported_ioctl),
	IOCTL_OP(IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc, length,
		 unsupported_ioctl),
};

/* NULL for an ioctl that is not one of the table */
static const struct ioctl_op *find_op(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd) - IOMMUFD_CMD_BASE;

	if (nr >= ARRAY_SIZE(ioctl_ops) || ioctl_ops[nr].cmd != cmd)
		return NULL;
	return &ioctl_ops[nr];
}

/*
 * Most arguments have the size that is known here and consist of whole words: they are
 * fetched without the checks of a copy of any size.
 */
static bool fetch_words(u64 *to, const u64 __user *from, unsigned int size)
{
	unsigned int i;

	if (!user_access_begin(from, size))
		return false;
	for (i = 0; i < size / sizeof(u64); i++)
		unsafe_get_user(to[i], &from[i], fault);
	user_access_end();
	return true;

fault:
	user_access_end();
	return false;
}

static long execute(struct iommufd_ctx *ictx, const struct ioctl_op *op,
		    void __user *uarg)
{
	u64 argument[ARGUMENT_MAX / sizeof(u64)] __uninitialized;
	struct iommufd_ucmd ucmd = {
		.ictx = ictx,
		.user = uarg,
		.cmd = argument,
	};
	int rc;

	/* Every argument begins with its size */
	if (get_user(ucmd.user_size, (u32 __user *)ucmd.user))
		return refuse(-EFAULT, NO_ARGUMENT);
	if (ucmd.user_size < op->min_size)
		return refuse(-EINVAL, "the argument has %u bytes, and needs at least %u",
			      ucmd.user_size, op->min_size);
	if (ucmd.user_size == op->size && op->size % sizeof(u64) == 0)
		rc = fetch_words(argument, ucmd.user, op->size) ? 0 : -EFAULT;
	else
		rc = copy_struct_from_user(ucmd.cmd, op->size, ucmd.user,
					   ucmd.user_size);
	if (rc == -E2BIG)
		return refuse(rc,
			      "the argument has %u bytes, and of those beyond the %u known some are not 0",
			      ucmd.user_size, op->size);
	if (rc)
		return refuse(rc, NO_ARGUMENT);
	return op->execute(&ucmd);
}

static long iommufd_fops_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	struct iommufd_ctx *ictx = file->private_data;
	const struct ioctl_op *op = find_op(cmd);
	long rc;

	if (op)
		rc = execute(ictx, op, (void __user *)arg);
	else
		rc = vfio_compat_ioctl(ictx, cmd, arg);
	if (unlikely(rc < 0))
		iommufd_refusal_keep(&ictx->refusal,
				     op ? op->name : vfio_compat_name(cmd), cmd,
				     rc);
	return rc;
}

static int ctx_open(struct file *file, enum owner_mode mode, bool container)
{
	struct iommufd_ctx *ictx = kzalloc(sizeof(*ictx), GFP_KERNEL_ACCOUNT);

	if (!ictx)
		return iommufd_open_refused(refuse(-ENOMEM, NO_MEMORY_FOR "a file"));
	ictx->file = file;
	xa_init_flags(&ictx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	owner_table_init(&ictx->owners, mode);
	mutex_init(&ictx->topology);
	INIT_LIST_HEAD(&ictx->groups);
	coherency_init(&ictx->coherency);
	vfio_compat_init(&ictx->compat, container);
	file->private_data = ictx;
	return 0;
}

static int iommufd_fops_open(struct inode *inode, struct file *file)
{
	return ctx_open(file, OWNER_CHARGE_USER, false);
}

/* VFIO has always charged the process */
static int container_fops_open(struct inode *inode, struct file *file)
{
	return ctx_open(file, OWNER_CHARGE_MM, true);
}

static int iommufd_fops_release(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;

	iommufd_objects_release(ictx);
	WARN_ON(!list_empty(&ictx->groups));
	coherency_destroy(&ictx->coherency);
	owner_table_destroy(&ictx->owners);
	mutex_destroy(&ictx->topology);
	kfree(ictx);
	return 0;
}

static const struct file_operations iommufd_fops = {
	.owner = THIS_MODULE,
	.open = iommufd_fops_open,
	.release = iommufd_fops_release,
	.unlocked_ioctl = iommufd_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = iommufd_show_fdinfo,
};

static const struct file_operations container_fops = {
	.owner = THIS_MODULE,
	.open = container_fops_open,
	.release = iommufd_fops_release,
	.unlocked_ioctl = iommufd_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = iommufd_show_fdinfo,
};

bool iommufd_file_is(struct file *file)
{
	return file->f_op == &iommufd_fops || file->f_op == &container_fops;
}
EXPORT_SYMBOL_GPL(iommufd_file_is);

struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	struct iommufd_ctx *ictx;

	if (!iommufd_file_is(file))
		return ERR_PTR(refuse(-EBADFD, "the file is neither a /dev/iommu nor a container"));
	ictx = file->private_data;
	iommufd_ctx_get(ictx);
	return ictx;
}
EXPORT_SYMBOL_GPL(iommufd_ctx_from_file);

struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct iommufd_ctx *ictx;

	if (!file)
		return ERR_PTR(refuse(-EBADF, "no file is open at descriptor %d",
				      fd));
	ictx = iommufd_ctx_from_file(file);
	fput(file);
	return ictx;
}
EXPORT_SYMBOL_GPL(iommufd_ctx_from_fd);

void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}
EXPORT_SYMBOL_GPL(iommufd_ctx_get);

void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}
EXPORT_SYMBOL_GPL(iommufd_ctx_put);

static struct miscdevice iommu_misc_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.fops = &iommufd_fops,
	.nodename = "iommu",
	.mode = 0660,
};

/* For everybody: without a group, which has its own node, it gives no access */
static struct miscdevice container_misc_dev = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.fops = &container_fops,
	.nodename = "vfio/vfio",
	.mode = 0666,
};

static int __init iommufd_init(void)
{
	int rc;

	rc = misc_register(&iommu_misc_dev);
	if (rc)
		return rc;
	rc = misc_register(&container_misc_dev);
	if (rc)
		misc_deregister(&iommu_misc_dev);
	return rc;
}

static void __exit iommufd_exit(void)
{
	misc_deregister(&container_misc_dev);
	misc_deregister(&iommu_misc_dev);
}

module_init(iommufd_init);
module_exit(iommufd_exit);

MODULE_DESCRIPTION("I/O address spaces for user processes (/dev/iommu)");
MODULE_LICENSE("GPL");
