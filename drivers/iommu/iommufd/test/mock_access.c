// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses, each with a descriptor.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "test.h"

/* More than any test asks for, less than kvmalloc() warns of */
#define LENGTH_MAX (16UL << 20)

/**
 * struct mock_pin - What one call has pinned
 * @node: in mock_access.pins
 * @id: for the user
 * @iova: first IOVA
 * @length: bytes
 */
struct mock_pin {
	struct list_head node;
	u32 id;
	unsigned long iova;
	unsigned long length;
};

/**
 * struct mock_access - An access
 * @access: in the file
 * @pinning: it may pin
 * @lock: guards what follows; held over pinning, so that what is pinned is in the
 *        list whenever unmap() looks
 * @pins: struct mock_pin
 * @next_id: of a pin
 */
struct mock_access {
	struct iommufd_access *access;
	bool pinning;
	struct mutex lock; /* guards the members below */
	struct list_head pins;
	u32 next_id;
};

static void unpin_locked(struct mock_access *mock, struct mock_pin *pin)
{
	lockdep_assert_held(&mock->lock);

	list_del(&pin->node);
	iommufd_access_unpin_pages(mock->access, pin->iova, pin->length);
	kfree(pin);
}

static void mock_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct mock_access *mock = data;
	unsigned long last = iova + length - 1;
	struct mock_pin *pin, *next;

	mutex_lock(&mock->lock);
	list_for_each_entry_safe(pin, next, &mock->pins, node)
		if (pin->iova <= last && iova <= pin->iova + pin->length - 1)
			unpin_locked(mock, pin);
	mutex_unlock(&mock->lock);
}

static const struct iommufd_access_ops pinning_ops = {
	.needs_pin_pages = 1,
	.unmap = mock_unmap,
};

static const struct iommufd_access_ops copying_ops = {};

static int access_release(struct inode *inode, struct file *file)
{
	struct mock_access *mock = file->private_data;

	/* Absent if the file was never given to the user */
	if (mock->access)
		iommufd_access_destroy(mock->access);
	WARN_ON(!list_empty(&mock->pins));
	kfree(mock);
	return 0;
}

static const struct file_operations access_fops = {
	.release = access_release,
};

static struct mock_access *access_get(u32 fd, struct file **file)
{
	*file = fget(fd);
	if (!*file)
		return ERR_PTR(-EBADFD);
	if ((*file)->f_op != &access_fops) {
		fput(*file);
		return ERR_PTR(-EBADFD);
	}
	return (*file)->private_data;
}

static struct file *access_file(bool pinning)
{
	struct mock_access *mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!mock)
		return ERR_PTR(-ENOMEM);
	mock->pinning = pinning;
	mutex_init(&mock->lock);
	INIT_LIST_HEAD(&mock->pins);
	file = anon_inode_getfile("[iommufd_test_access]", &access_fops, mock,
				  O_RDWR);
	if (IS_ERR(file))
		kfree(mock);
	return file;
}

/**
 * mock_access_create - Make an access with a descriptor
 * @ictx: the file
 * @cmd: create_access
 * @user: where it is copied back to
 */
int mock_access_create(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd,
		       void __user *user)
{
	unsigned int flags = cmd->create_access.flags;
	struct iommufd_access *access;
	struct mock_access *mock;
	struct file *file;
	int fd, rc;
	u32 id;

	if (flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return -EOPNOTSUPP;
	file = access_file(flags);
	if (IS_ERR(file))
		return PTR_ERR(file);
	mock = file->private_data;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		rc = fd;
		goto err_fput;
	}
	access = iommufd_access_create(ictx, mock->pinning ? &pinning_ops :
				       &copying_ops, mock, &id);
	if (IS_ERR(access)) {
		rc = PTR_ERR(access);
		goto err_fd;
	}
	mock->access = access;
	rc = iommufd_access_attach(access, cmd->id);
	if (rc)
		goto err_fd;
	cmd->create_access.out_access_fd = fd;
	if (copy_to_user(user, cmd, sizeof(*cmd))) {
		rc = -EFAULT;
		goto err_fd;
	}
	fd_install(fd, file);
	return 0;

err_fd:
	put_unused_fd(fd);
err_fput:
	/* Destroys the access, too */
	fput(file);
	return rc;
}

/**
 * mock_access_replace - Attach an access elsewhere
 * @cmd: access_replace_ioas
 */
int mock_access_replace(const struct iommu_test_cmd *cmd)
{
	struct mock_access *mock;
	struct file *file;
	int rc;

	mock = access_get(cmd->id, &file);
	if (IS_ERR(mock))
		return PTR_ERR(mock);
	rc = iommufd_access_replace(mock->access,
				    cmd->access_replace_ioas.ioas_id);
	fput(file);
	return rc;
}

/* Are these the pages that the caller has at an address? */
static int check_pages(unsigned long address, struct page **pages,
		       unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		struct page *page;
		bool same;
		int got;

		got = get_user_pages_fast(address + i * PAGE_SIZE, 1, 0, &page);
		if (got != 1)
			return got < 0 ? got : -EFAULT;
		same = page == pages[i];
		put_page(page);
		if (!same)
			return -EBADE;
	}
	return 0;
}

static int pin_locked(struct mock_access *mock, struct iommu_test_cmd *cmd,
		      struct mock_pin *pin, void __user *user)
{
	bool write = cmd->access_pages.flags & MOCK_FLAGS_ACCESS_WRITE;
	unsigned long nr = PFN_UP(offset_in_page(pin->iova) + pin->length);
	struct page **pages;
	int rc;

	lockdep_assert_held(&mock->lock);

	pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	rc = iommufd_access_pin_pages(mock->access, pin->iova, pin->length,
				      pages, write ? IOMMUFD_ACCESS_RW_WRITE :
				      IOMMUFD_ACCESS_RW_READ);
	if (rc)
		goto out_free;
	rc = check_pages(cmd->access_pages.uptr - offset_in_page(pin->iova),
			 pages, nr);
	if (rc)
		goto err_unpin;
	pin->id = mock->next_id;
	cmd->access_pages.out_access_pages_id = pin->id;
	if (copy_to_user(user, cmd, sizeof(*cmd))) {
		rc = -EFAULT;
		goto err_unpin;
	}
	mock->next_id++;
	list_add_tail(&pin->node, &mock->pins);
	goto out_free;

err_unpin:
	iommufd_access_unpin_pages(mock->access, pin->iova, pin->length);
out_free:
	kvfree(pages);
	return rc;
}

/**
 * mock_access_pin - Pin what is mapped, which has to be memory of the caller
 * @cmd: access_pages
 * @user: where it is copied back to
 *
 * Return: 0; -EBADE when it is other memory; otherwise as
 * iommufd_access_pin_pages().
 */
int mock_access_pin(struct iommu_test_cmd *cmd, void __user *user)
{
	struct mock_access *mock;
	struct mock_pin *pin;
	struct file *file;
	int rc;

	if (cmd->access_pages.flags & ~MOCK_FLAGS_ACCESS_WRITE)
		return -EOPNOTSUPP;
	if (cmd->access_pages.length > LENGTH_MAX)
		return -ENOMEM;
	mock = access_get(cmd->id, &file);
	if (IS_ERR(mock))
		return PTR_ERR(mock);
	if (!mock->pinning) {
		rc = -EOPNOTSUPP;
		goto out_fput;
	}
	pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	if (!pin) {
		rc = -ENOMEM;
		goto out_fput;
	}
	pin->iova = cmd->access_pages.iova;
	pin->length = cmd->access_pages.length;
	mutex_lock(&mock->lock);
	rc = pin_locked(mock, cmd, pin, user);
	mutex_unlock(&mock->lock);
	if (rc)
		kfree(pin);
out_fput:
	fput(file);
	return rc;
}

/**
 * mock_access_unpin - Unpin what one call has pinned
 * @cmd: destroy_access_pages
 *
 * Return: 0; -ENOENT when it is unpinned already.
 */
int mock_access_unpin(const struct iommu_test_cmd *cmd)
{
	struct mock_access *mock;
	struct mock_pin *pin;
	struct file *file;
	int rc = -ENOENT;

	mock = access_get(cmd->id, &file);
	if (IS_ERR(mock))
		return PTR_ERR(mock);
	mutex_lock(&mock->lock);
	list_for_each_entry(pin, &mock->pins, node) {
		if (pin->id == cmd->destroy_access_pages.access_pages_id) {
			unpin_locked(mock, pin);
			rc = 0;
			break;
		}
	}
	mutex_unlock(&mock->lock);
	fput(file);
	return rc;
}

/**
 * mock_access_rw - Copy between what is mapped and the caller's memory
 * @cmd: access_rw. There is one path only, so that a flag which asks for
 *       the slow one changes nothing
 */
int mock_access_rw(const struct iommu_test_cmd *cmd)
{
	void __user *user = u64_to_user_ptr(cmd->access_rw.uptr);
	bool write = cmd->access_rw.flags & MOCK_ACCESS_RW_WRITE;
	size_t length = cmd->access_rw.length;
	struct mock_access *mock;
	struct file *file;
	void *data;
	int rc;

	if (cmd->access_rw.flags &
	    ~(MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH))
		return -EOPNOTSUPP;
	if (cmd->access_rw.length > LENGTH_MAX)
		return -ENOMEM;
	mock = access_get(cmd->id, &file);
	if (IS_ERR(mock))
		return PTR_ERR(mock);
	data = kvzalloc(length, GFP_KERNEL_ACCOUNT);
	if (!data) {
		rc = -ENOMEM;
		goto out_fput;
	}
	if (write && copy_from_user(data, user, length)) {
		rc = -EFAULT;
		goto out_free;
	}
	rc = iommufd_access_rw(mock->access, cmd->access_rw.iova, data, length,
			       write ? IOMMUFD_ACCESS_RW_WRITE :
			       IOMMUFD_ACCESS_RW_READ);
	if (!rc && !write && copy_to_user(user, data, length))
		rc = -EFAULT;
out_free:
	kvfree(data);
out_fput:
	fput(file);
	return rc;
}
