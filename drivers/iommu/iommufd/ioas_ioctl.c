// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls on address spaces: what they take and what they refuse.
 */
#include <linux/iommu.h>

#include "ioas.h"
#include "pages.h"
#include "trace.h"
#include "uapi.h"

#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | \
		   IOMMU_IOAS_MAP_READABLE)

int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_alloc *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->flags)
		return refuse(-EOPNOTSUPP, "flags " NOT_KNOWN, cmd->flags);
	ioas = iommufd_ioas_alloc(ucmd->ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	cmd->out_ioas_id = ioas->obj.id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		iommufd_object_abort(&ioas->obj);
	else
		iommufd_object_publish(&ioas->obj);
	return rc;
}

static int copy_ranges(struct space *space, struct iommu_ioas_iova_ranges *cmd)
{
	struct iommu_iova_range __user *out = u64_to_user_ptr(cmd->allowed_iovas);
	u32 room = cmd->num_iovas;
	unsigned long from = 0;
	unsigned long first;
	unsigned long last;

	cmd->num_iovas = 0;
	cmd->out_iova_alignment = space->alignment;
	while (iova_next_free(space, from, &first, &last)) {
		struct iommu_iova_range range = { .start = first, .last = last };

		if (cmd->num_iovas < room &&
		    copy_to_user(&out[cmd->num_iovas], &range, sizeof(range)))
			return refuse(-EFAULT, NO_ANSWER);
		cmd->num_iovas++;
		if (last == ULONG_MAX)
			break;
		from = last + 1;
	}
	if (cmd->num_iovas > room)
		return refuse(-EMSGSIZE, "there are %u ranges, and there is room for %u",
			      cmd->num_iovas, room);
	return 0;
}

int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return refuse(-EOPNOTSUPP, RESERVED);
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	mutex_lock(&ioas->space.lock);
	rc = copy_ranges(&ioas->space, cmd);
	mutex_unlock(&ioas->space.lock);
	/* The number that is needed is told with -EMSGSIZE, too */
	if ((!rc || rc == -EMSGSIZE) && iommufd_ucmd_respond(ucmd, sizeof(*cmd)))
		rc = -EFAULT;
	iommufd_ioas_put(ioas);
	return rc;
}

static int copy_allowed(const struct iommu_ioas_allow_iovas *cmd,
			struct rb_root_cached *allowed)
{
	struct iommu_iova_range __user *in = u64_to_user_ptr(cmd->allowed_iovas);
	u32 i;
	int rc;

	for (i = 0; i < cmd->num_iovas; i++) {
		struct iommu_iova_range range;

		if (copy_from_user(&range, &in[i], sizeof(range)))
			return refuse(-EFAULT, "range %u cannot be read", i);
		rc = iova_allow(allowed, range.start, range.last);
		if (rc)
			return rc;
		cond_resched();
	}
	return 0;
}

int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_allow_iovas *cmd = ucmd->cmd;
	struct rb_root_cached allowed = RB_ROOT_CACHED;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return refuse(-EOPNOTSUPP, RESERVED);
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = copy_allowed(cmd, &allowed);
	if (!rc)
		rc = iova_set_allowed(&ioas->space, &allowed);
	/* The new ranges on failure, the former ones on success */
	iova_free_all(&allowed);
	iommufd_ioas_put(ioas);
	return rc;
}

/*
 * Caches are never bypassed by the mapping itself, as the user has no way to
 * flush them.
 */
static int map_prot(u32 flags)
{
	int prot = IOMMU_CACHE;

	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		prot |= IOMMU_WRITE;
	if (flags & IOMMU_IOAS_MAP_READABLE)
		prot |= IOMMU_READ;
	return prot;
}

/*
 * What MAP, MAP_FILE and COPY refuse alike, in this order. @highest is the largest of
 * the IOVAs and the length, none of which may be the last number there is.
 */
static int check_map(u32 flags, u32 reserved, u64 highest)
{
	if (flags & ~MAP_FLAGS || reserved)
		return refuse(-EOPNOTSUPP, UNKNOWN_FLAGS ", or " RESERVED,
			      flags);
	if (highest >= ULONG_MAX)
		return refuse(-EOVERFLOW, "an IOVA or the length is the last number there is");
	if (!(flags & (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)))
		return refuse(-EINVAL, "neither readable nor writeable is asked for");
	return 0;
}

static struct space_map_args map_args(u32 flags, u64 iova, u64 length, u64 hint)
{
	return (struct space_map_args){
		.iova = iova,
		.length = length,
		.hint = hint,
		.prot = map_prot(flags),
		.fixed = flags & IOMMU_IOAS_MAP_FIXED_IOVA,
	};
}

/* Map @pages, whose first byte is at @start, and let go of them */
static int map_pages(struct iommufd_ioas *ioas, struct pages *pages, u64 start,
		     struct space_map_args *args)
{
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	return space_map(&ioas->space, pages, offset_in_page(start), args);
}

/*
 * Tell the user where it was mapped, which is all that he does not know. One who
 * cannot be told has no mapping.
 */
static int respond_or_unmap(u64 __user *iova, struct iommufd_ioas *ioas,
			    const struct space_map_args *args)
{
	unsigned long unmapped;

	if (!put_user(args->iova, iova)) {
		trace_iommufd_map(ioas->obj.id, args->iova, args->length,
				  args->prot);
		return 0;
	}
	space_unmap(&ioas->space, args->iova, args->iova + args->length - 1,
		    &unmapped);
	return refuse(-EFAULT, NO_ANSWER);
}

int iommufd_ioas_map(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map __user *user = ucmd->user;
	struct iommu_ioas_map *cmd = ucmd->cmd;
	struct space_map_args args;
	struct iommufd_ioas *ioas;
	int rc;

	rc = check_map(cmd->flags, cmd->__reserved,
		       max(cmd->iova, cmd->length));
	if (rc)
		return rc;
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	args = map_args(cmd->flags, cmd->iova, cmd->length, cmd->user_va);
	rc = map_pages(ioas,
		       pages_alloc_user(&ucmd->ictx->owners, cmd->user_va,
					cmd->length, args.prot & IOMMU_WRITE),
		       cmd->user_va, &args);
	if (!rc)
		rc = respond_or_unmap(&user->iova, ioas, &args);
	iommufd_ioas_put(ioas);
	return rc;
}

int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map_file __user *user = ucmd->user;
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct space_map_args args;
	struct iommufd_ioas *ioas;
	int rc;

	rc = check_map(cmd->flags, 0, max(cmd->iova, cmd->length));
	if (rc)
		return rc;
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	args = map_args(cmd->flags, cmd->iova, cmd->length, cmd->start);
	rc = map_pages(ioas,
		       pages_alloc_file(&ucmd->ictx->owners, cmd->fd,
					cmd->start, cmd->length,
					args.prot & IOMMU_WRITE),
		       cmd->start, &args);
	if (!rc)
		rc = respond_or_unmap(&user->iova, ioas, &args);
	iommufd_ioas_put(ioas);
	return rc;
}

int iommufd_ioas_copy(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_copy __user *user = ucmd->user;
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct space_map_args args;
	struct iommufd_ioas *from;
	struct iommufd_ioas *to;
	int rc;

	rc = check_map(cmd->flags, 0,
		       max3(cmd->length, cmd->src_iova, cmd->dst_iova));
	if (rc)
		return rc;
	from = iommufd_ioas_get(ucmd->ictx, cmd->src_ioas_id);
	if (IS_ERR(from))
		return PTR_ERR(from);
	to = iommufd_ioas_get(ucmd->ictx, cmd->dst_ioas_id);
	if (IS_ERR(to)) {
		rc = PTR_ERR(to);
		goto out_put_from;
	}

	args = map_args(cmd->flags, cmd->dst_iova, cmd->length, 0);
	rc = space_copy(&to->space, &from->space, cmd->src_iova, &args);
	if (!rc)
		rc = respond_or_unmap(&user->dst_iova, to, &args);
	iommufd_ioas_put(to);
out_put_from:
	iommufd_ioas_put(from);
	return rc;
}

/* The last IOVA of a range */
static int unmap_last(const struct iommu_ioas_unmap *cmd, unsigned long *last)
{
	bool huge = cmd->iova >= ULONG_MAX || cmd->length >= ULONG_MAX;

	if (!huge && !cmd->length)
		return refuse(-EINVAL, "the length is 0");
	if (huge || check_add_overflow((unsigned long)cmd->iova,
				       (unsigned long)cmd->length - 1, last))
		return refuse(-EOVERFLOW, "0x%llx and 0x%llx bytes go past the last IOVA",
			      cmd->iova, cmd->length);
	return 0;
}

int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_unmap __user *user = ucmd->user;
	struct iommu_ioas_unmap *cmd = ucmd->cmd;
	bool all = !cmd->iova && cmd->length == U64_MAX;
	struct iommufd_ioas *ioas;
	unsigned long unmapped;
	unsigned long last;
	int rc;

	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (all) {
		last = ULONG_MAX;
	} else {
		rc = unmap_last(cmd, &last);
		if (rc)
			goto out_put;
	}

	rc = space_unmap(&ioas->space, cmd->iova, last, &unmapped);
	if (rc)
		goto out_put;
	if (!unmapped && !all) {
		rc = refuse(-ENOENT, "nothing is mapped from 0x%llx to 0x%lx",
			    cmd->iova, last);
		goto out_put;
	}
	trace_iommufd_unmap(ioas->obj.id, cmd->iova, last, unmapped);
	if (put_user(unmapped, &user->length))
		rc = refuse(-EFAULT, NO_ANSWER);
out_put:
	iommufd_ioas_put(ioas);
	return rc;
}

int iommufd_ioas_change_process(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_change_process *cmd = ucmd->cmd;

	if (cmd->__reserved)
		return refuse(-EOPNOTSUPP, RESERVED);
	return owner_table_change(&ucmd->ictx->owners);
}
