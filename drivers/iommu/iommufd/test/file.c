// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu with one ioctl more.
 *
 * The linker hands the registration of the device to this file, which registers
 * operations of its own in the place of the product's and calls those for all that
 * it does not answer itself.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/overflow.h>

#include "../ioas.h"
#include "../uapi.h"
#include "test.h"

static const struct file_operations *product_fops;

static int add_reserved(struct iommufd_ctx *ictx,
			const struct iommu_test_cmd *cmd)
{
	unsigned long first = cmd->add_reserved.start;
	struct iommufd_ioas *ioas;
	unsigned long last;
	int rc;

	if (!cmd->add_reserved.length ||
	    check_add_overflow(first,
			       (unsigned long)cmd->add_reserved.length - 1,
			       &last))
		return -EINVAL;
	ioas = iommufd_ioas_get(ictx, cmd->id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ioas->space.lock);
	rc = iova_reserve(&ioas->space, first, last, ictx);
	mutex_unlock(&ioas->space.lock);
	iommufd_ioas_put(ioas);
	return rc;
}

/* An answer that cannot be given is an error although the work is done */
static int respond(void __user *user, const struct iommu_test_cmd *cmd, int rc)
{
	if (!rc && copy_to_user(user, cmd, sizeof(*cmd)))
		return -EFAULT;
	return rc;
}

static int create_device(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd,
			 void __user *user)
{
	int rc = mock_device_create(ictx, cmd);

	if (rc)
		return rc;
	rc = respond(user, cmd, 0);
	if (rc)
		mock_device_destroy(ictx, cmd->mock_domain.out_stdev_id);
	return rc;
}

static int test_cmd(struct iommufd_ctx *ictx, void __user *user)
{
	struct iommu_test_cmd cmd;
	u32 size;
	int rc;

	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < offsetofend(struct iommu_test_cmd, last))
		return -EINVAL;
	rc = copy_struct_from_user(&cmd, sizeof(cmd), user, size);
	if (rc)
		return rc;

	switch (cmd.op) {
	case IOMMU_TEST_OP_ADD_RESERVED:
		return add_reserved(ictx, &cmd);
	case IOMMU_TEST_OP_MOCK_DOMAIN:
		cmd.mock_domain.dev_flags = 0;
		return create_device(ictx, &cmd, user);
	case IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS:
		return create_device(ictx, &cmd, user);
	case IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE:
		rc = mock_device_replace(ictx, &cmd);
		return respond(user, &cmd, rc);
	case IOMMU_TEST_OP_MD_CHECK_MAP:
		return mock_check_map(ictx, &cmd);
	case IOMMU_TEST_OP_MD_CHECK_REFS:
		return mock_check_refs(&cmd);
	case IOMMU_TEST_OP_CREATE_ACCESS:
		return mock_access_create(ictx, &cmd, user);
	case IOMMU_TEST_OP_ACCESS_REPLACE_IOAS:
		return mock_access_replace(&cmd);
	case IOMMU_TEST_OP_ACCESS_PAGES:
		return mock_access_pin(&cmd, user);
	case IOMMU_TEST_OP_DESTROY_ACCESS_PAGES:
		return mock_access_unpin(&cmd);
	case IOMMU_TEST_OP_ACCESS_RW:
		return mock_access_rw(&cmd);
	case IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT:
		/* The buffers of this implementation have one size */
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* The ID of a mock device if that is what shall be destroyed, or 0 */
static u32 mock_to_destroy(unsigned int ioctl, void __user *user)
{
	struct iommu_destroy cmd;

	if (ioctl != IOMMU_DESTROY || copy_from_user(&cmd, user, sizeof(cmd)) ||
	    cmd.size != sizeof(cmd) || cmd.id < MOCK_ID_FIRST)
		return 0;
	return cmd.id;
}

static long test_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct iommufd_ctx *ictx = file->private_data;
	void __user *user = (void __user *)arg;
	u32 id;

	if (cmd == IOMMU_TEST_CMD)
		return test_cmd(ictx, user);
	id = mock_to_destroy(cmd, user);
	if (id)
		return mock_device_destroy(ictx, id);
	return product_fops->unlocked_ioctl(file, cmd, arg);
}

static int test_open(struct inode *inode, struct file *file)
{
	return product_fops->open(inode, file);
}

static int test_release(struct inode *inode, struct file *file)
{
	mock_devices_release(file->private_data);
	return product_fops->release(inode, file);
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.open = test_open,
	.release = test_release,
	.unlocked_ioctl = test_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = iommufd_show_fdinfo,
};

static bool is_dev_iommu(const struct miscdevice *misc)
{
	return !strcmp(misc->name, "iommu");
}

int __wrap_misc_register(struct miscdevice *misc)
{
	int rc;

	if (!is_dev_iommu(misc))
		return __real_misc_register(misc);

	rc = mock_devices_init();
	if (rc)
		return rc;
	product_fops = misc->fops;
	misc->fops = &test_fops;
	rc = __real_misc_register(misc);
	if (rc)
		mock_devices_exit();
	return rc;
}

void __wrap_misc_deregister(struct miscdevice *misc)
{
	__real_misc_deregister(misc);
	if (is_dev_iommu(misc))
		mock_devices_exit();
}
