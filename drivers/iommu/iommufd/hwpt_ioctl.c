// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls on HWPTs and devices.
 */
#include <linux/iommu.h>
#include <linux/overflow.h>

#include "device.h"
#include "uapi.h"

/* Is a bound device still there? The driver may unbind it at any time */
static int check_bound(struct iommufd_device *idev)
{
	int rc = 0;

	mutex_lock(&idev->obj.ictx->topology);
	if (!idev->dev)
		rc = refuse(-ENOENT, "DEVICE %u has just been unbound",
			    idev->obj.id);
	mutex_unlock(&idev->obj.ictx->topology);
	return rc;
}

static struct iommufd_device *device_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_device *idev;
	struct iommufd_object *obj;
	int rc;

	obj = iommufd_object_get(ictx, id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	idev = container_of(obj, struct iommufd_device, obj);
	rc = check_bound(idev);
	if (rc) {
		iommufd_object_put(obj);
		return ERR_PTR(rc);
	}
	return idev;
}

/* Make a HWPT on an IOAS; the IOMMU drivers of this kernel offer no other kind */
static int hwpt_alloc(struct iommufd_ucmd *ucmd, struct iommufd_object *parent)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct iommufd_hwpt *hwpt;
	int rc;

	if (parent->type == IOMMUFD_OBJ_HWPT)
		return refuse(-EOPNOTSUPP,
			      "HWPT %u cannot have another within: the IOMMU drivers of this kernel do not nest",
			      parent->id);
	if (parent->type != IOMMUFD_OBJ_IOAS)
		return refuse(-EINVAL, "the ID %u is of type %s, not IOAS",
			      parent->id,
			      iommufd_object_type_name(parent->type));
	if (cmd->flags || cmd->data_len)
		return refuse(-EOPNOTSUPP,
			      "the IOMMU drivers of this kernel offer nothing for flags 0x%x and %u bytes of data",
			      cmd->flags, cmd->data_len);

	hwpt = iommufd_hwpt_alloc(container_of(parent, struct iommufd_ioas, obj),
				  false);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	cmd->out_hwpt_id = hwpt->obj.id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc) {
		iommufd_hwpt_abort(hwpt);
		return rc;
	}
	mutex_lock(&ucmd->ictx->topology);
	iommufd_hwpt_publish(hwpt);
	mutex_unlock(&ucmd->ictx->topology);
	return 0;
}

int iommufd_hwpt_alloc_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct iommufd_object *parent;
	struct iommufd_device *idev;
	int rc;

	/* Nobody has ever looked at __reserved2 */
	if (cmd->__reserved)
		return refuse(-EOPNOTSUPP, RESERVED);
	/* Data of a type, or neither */
	if (!cmd->data_type != !cmd->data_len)
		return refuse(-EINVAL, "data of type %u has %u bytes",
			      cmd->data_type, cmd->data_len);
	idev = device_get(ucmd->ictx, cmd->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	parent = iommufd_object_get(ucmd->ictx, cmd->pt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(parent)) {
		rc = refuse_as(-EINVAL);
		goto out_put_device;
	}
	rc = hwpt_alloc(ucmd, parent);
	iommufd_object_put(parent);
out_put_device:
	iommufd_object_put(&idev->obj);
	return rc;
}

/*
 * The IOMMU drivers of this kernel describe nothing, which the ABI has a type for.
 */
int iommufd_get_hw_info(struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
	struct iommufd_device *idev;
	int rc = 0;

	if (cmd->flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE || cmd->__reserved[0] ||
	    cmd->__reserved[1] || cmd->__reserved[2])
		return refuse(-EOPNOTSUPP, UNKNOWN_FLAGS ", or " RESERVED,
			      cmd->flags);
	idev = device_get(ucmd->ictx, cmd->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);

	if (clear_user(u64_to_user_ptr(cmd->data_uptr), cmd->data_len)) {
		rc = refuse(-EFAULT, "the data cannot be written");
		goto out_put;
	}
	cmd->data_len = 0;
	cmd->out_data_type = IOMMU_HW_INFO_TYPE_NONE;
	cmd->out_max_pasid_log2 = 0;
	cmd->out_capabilities = 0;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
out_put:
	iommufd_object_put(&idev->obj);
	return rc;
}

#define NO_DIRTY "the IOMMU drivers of this kernel do not track what devices write"

int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;
	struct iommufd_object *obj;

	if (cmd->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return refuse(-EOPNOTSUPP, "flags " NOT_KNOWN, cmd->flags);
	obj = iommufd_object_get(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_HWPT);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	iommufd_object_put(obj);
	return refuse(-EOPNOTSUPP, NO_DIRTY);
}

static int check_bitmap(const struct iommu_hwpt_get_dirty_bitmap *cmd,
			unsigned long alignment)
{
	u64 edges;
	u64 last;

	if (check_add_overflow(cmd->iova, cmd->length - 1, &last))
		return refuse(-EOVERFLOW, "0x%llx and 0x%llx bytes go past the last IOVA",
			      cmd->iova, cmd->length);
	edges = cmd->iova | (last + 1);
	if (!cmd->page_size || edges & (alignment - 1) ||
	    edges & (cmd->page_size - 1))
		return refuse(-EINVAL,
			      "0x%llx to 0x%llx is not whole pages of 0x%llx bytes, or 0x%lx of the IOAS",
			      cmd->iova, last, cmd->page_size, alignment);
	return 0;
}

int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	struct iommufd_hwpt *hwpt;
	int rc;

	if (cmd->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR ||
	    cmd->__reserved)
		return refuse(-EOPNOTSUPP, UNKNOWN_FLAGS ", or " RESERVED,
			      cmd->flags);
	obj = iommufd_object_get(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_HWPT);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	hwpt = container_of(obj, struct iommufd_hwpt, obj);
	rc = check_bitmap(cmd, READ_ONCE(hwpt->ioas->space.alignment));
	if (!rc)
		rc = refuse(-EOPNOTSUPP, NO_DIRTY);
	iommufd_object_put(obj);
	return rc;
}
