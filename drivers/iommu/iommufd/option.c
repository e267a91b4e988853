// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options, and which address space the VFIO ioctls work on.
 */
#include <linux/capability.h>

#include "coherency.h"
#include "uapi.h"

#define NO_OPERATION "the operation %u is not known"

static int set_rlimit_mode(struct iommufd_ctx *ictx, u64 val)
{
	int rc = 0;

	if (!capable(CAP_SYS_RESOURCE))
		return refuse(-EPERM, "the caller lacks CAP_SYS_RESOURCE");

	/* What is charged already would have to be found and moved */
	xa_lock(&ictx->objects);
	if (!xa_empty(&ictx->objects))
		rc = refuse(-EBUSY, "the file has objects already");
	else if (val == 0)
		ictx->owners.mode = OWNER_CHARGE_USER;
	else if (val == 1)
		ictx->owners.mode = OWNER_CHARGE_MM;
	else
		rc = refuse(-EINVAL, "the value %llu is neither 0 nor 1", val);
	xa_unlock(&ictx->objects);
	return rc;
}

static int option_rlimit_mode(struct iommufd_ctx *ictx,
			      struct iommu_option *cmd)
{
	if (cmd->object_id)
		return refuse(-EOPNOTSUPP, "the option is of the file, not of object %u",
			      cmd->object_id);
	if (cmd->op == IOMMU_OPTION_OP_SET)
		return set_rlimit_mode(ictx, cmd->val64);
	cmd->val64 = ictx->owners.mode == OWNER_CHARGE_MM;
	return 0;
}

static int option_huge_pages(struct iommufd_ctx *ictx, struct iommu_option *cmd)
{
	struct iommufd_ioas *ioas = iommufd_ioas_get(ictx, cmd->object_id);
	int rc = 0;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	/* An unknown operation comes after an unknown ID, as on mainline */
	if (cmd->op > IOMMU_OPTION_OP_GET)
		rc = refuse(-EOPNOTSUPP, NO_OPERATION, cmd->op);
	else if (cmd->op == IOMMU_OPTION_OP_GET)
		cmd->val64 = ioas->space.huge;
	else if (cmd->val64 > 1)
		rc = refuse(-EINVAL, "the value %llu is neither 0 nor 1",
			    cmd->val64);
	else
		rc = space_set_huge(&ioas->space, cmd->val64);
	iommufd_ioas_put(ioas);
	return rc;
}

static int option_coherency_policy(struct iommufd_ctx *ictx,
				   struct iommu_option *cmd)
{
	if (cmd->object_id)
		return refuse(-EOPNOTSUPP, "the option is of the file, not of object %u",
			      cmd->object_id);
	if (cmd->op == IOMMU_OPTION_OP_SET)
		return coherency_set_policy(ictx, cmd->val64);
	cmd->val64 = coherency_policy(ictx);
	return 0;
}

static int option_coherency_state(struct iommufd_ctx *ictx,
				  struct iommu_option *cmd)
{
	if (cmd->object_id || cmd->op == IOMMU_OPTION_OP_SET)
		return refuse(-EOPNOTSUPP, "the option is of the file, and only to be read");
	cmd->val64 = coherency_state(ictx);
	return 0;
}

int iommufd_option(struct iommufd_ucmd *ucmd)
{
	struct iommu_option __user *user = ucmd->user;
	struct iommu_option *cmd = ucmd->cmd;
	int rc;

	if (cmd->__reserved)
		return refuse(-EOPNOTSUPP, RESERVED);
	if (cmd->op > IOMMU_OPTION_OP_GET &&
	    cmd->option_id != IOMMU_OPTION_HUGE_PAGES)
		return refuse(-EOPNOTSUPP, NO_OPERATION, cmd->op);
	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		rc = option_rlimit_mode(ucmd->ictx, cmd);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		rc = option_huge_pages(ucmd->ictx, cmd);
		break;
	case IOMMU_OPTION_COHERENCY_POLICY:
		rc = option_coherency_policy(ucmd->ictx, cmd);
		break;
	case IOMMU_OPTION_COHERENCY_STATE:
		rc = option_coherency_state(ucmd->ictx, cmd);
		break;
	default:
		return refuse(-EOPNOTSUPP, "the option %u is not known",
			      cmd->option_id);
	}
	if (rc)
		return rc;
	if (put_user(cmd->val64, &user->val64))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}

int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd)
{
	struct iommu_vfio_ioas *cmd = ucmd->cmd;
	struct iommufd_ctx *ictx = ucmd->ictx;
	struct iommufd_ioas *ioas = NULL;
	int rc;

	if (cmd->__reserved)
		return refuse(-EOPNOTSUPP, RESERVED);
	switch (cmd->op) {
	case IOMMU_VFIO_IOAS_GET:
		rc = vfio_compat_ioas_id(ictx, &cmd->ioas_id);
		return rc ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	case IOMMU_VFIO_IOAS_SET:
		ioas = iommufd_ioas_get(ictx, cmd->ioas_id);
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		break;
	case IOMMU_VFIO_IOAS_CLEAR:
		break;
	default:
		return refuse(-EOPNOTSUPP, NO_OPERATION, cmd->op);
	}

	mutex_lock(&ictx->topology);
	ictx->vfio_ioas = ioas;
	mutex_unlock(&ictx->topology);
	if (ioas)
		iommufd_ioas_put(ioas);
	return 0;
}
