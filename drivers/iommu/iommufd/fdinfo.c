// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/fdinfo/FD of a /dev/iommu: its objects, one a line, and who pays.
 *
 * A line is "KEY:<tab>ID" and then pairs of a word and its value. Bytes are
 * meant where there is no other unit.
 */
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/seq_file.h>
#include <linux/uidgid.h>

#include "coherency.h"
#include "uapi.h"

static void show_ioas(struct seq_file *seq, struct iommufd_ioas *ioas)
{
	struct space *space = &ioas->space;
	unsigned long mapped = atomic_long_read(&space->mapped);
	const struct space_domain *member;
	unsigned int nr_domains;
	unsigned long pinned = 0;
	unsigned long bars = 0;

	mutex_lock(&space->lock);
	member = list_first_entry_or_null(&space->domains, struct space_domain,
					  link);
	/* Live areas are pinned as long as there is a domain, BARs excepted */
	if (member) {
		bars = atomic_long_read(&member->bars);
		pinned = mapped - min(bars, mapped);
	}
	nr_domains = space->nr_domains;
	mutex_unlock(&space->lock);
	seq_printf(seq, "ioas:\t%u mapped %lu pinned %lu bars %lu domains %u\n",
		   ioas->obj.id, mapped, pinned, bars, nr_domains);
}

static void show_hwpt(struct seq_file *seq, struct iommufd_hwpt *hwpt)
{
	seq_printf(seq, "hwpt:\t%u ioas %u groups %u automatic %u enforces %s\n",
		   hwpt->obj.id, hwpt->ioas->obj.id, hwpt->nr_groups,
		   hwpt->automatic,
		   !hwpt->nr_groups ? "undecided" :
		   hwpt->enforces ? "yes" : "no");
}

static void show_device(struct seq_file *seq, struct iommufd_device *idev)
{
	if (!idev->dev)
		return;
	seq_printf(seq, "device:\t%u name %s group %d hwpt ", idev->obj.id,
		   dev_name(idev->dev), iommu_group_id(idev->group->group));
	if (idev->attached)
		seq_printf(seq, "%u\n", idev->group->hwpt->obj.id);
	else
		seq_puts(seq, "-\n");
}

/* Under ctx->topology, so nothing that it guards changes */
static void show_object(struct seq_file *seq, struct iommufd_object *obj)
{
	switch (obj->type) {
	case IOMMUFD_OBJ_IOAS:
		show_ioas(seq, container_of(obj, struct iommufd_ioas, obj));
		break;
	case IOMMUFD_OBJ_HWPT:
		show_hwpt(seq, container_of(obj, struct iommufd_hwpt, obj));
		break;
	case IOMMUFD_OBJ_DEVICE:
		show_device(seq, container_of(obj, struct iommufd_device, obj));
		break;
	default:
		iommufd_access_show(seq, obj);
		break;
	}
}

static void show_coherency(struct seq_file *seq, struct iommufd_ctx *ictx)
{
	static const char *const policies[] = {
		[IOMMU_COHERENCY_FOLLOW] = "follow",
		[IOMMU_COHERENCY_REQUIRE] = "require",
		[IOMMU_COHERENCY_ASSUME_NONE] = "assume-none",
	};

	seq_printf(seq, "coherency:\t%s policy %s\n",
		   coherency_state(ictx) ? "non-coherent" : "coherent",
		   policies[coherency_policy(ictx)]);
}

static void show_owners(struct seq_file *seq, struct owner_table *table)
{
	static const char *const modes[] = {
		[OWNER_CHARGE_NONE] = "none",
		[OWNER_CHARGE_USER] = "user",
		[OWNER_CHARGE_MM] = "process",
	};
	struct owner *owner;

	if (mutex_lock_killable(&table->lock))
		return;
	list_for_each_entry(owner, &table->list, link)
		seq_printf(seq, "owner:\t%d uid %u limit-of %s pinned %lu\n",
			   task_tgid_vnr(owner->who.leader),
			   from_kuid_munged(seq_user_ns(seq),
					    owner->who.cred->user->uid),
			   modes[owner->mode],
			   READ_ONCE(owner->pinned) << PAGE_SHIFT);
	mutex_unlock(&table->lock);
}

/**
 * iommufd_show_fdinfo - Describe an open /dev/iommu
 * @seq: where to
 * @file: the file
 */
void iommufd_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;
	struct iommufd_object *obj;
	unsigned long id = 0;
	int rc;

	iommufd_refusal_show(seq, &ictx->refusal);
	for (;;) {
		rcu_read_lock();
		obj = xa_find(&ictx->objects, &id, ULONG_MAX, XA_PRESENT);
		if (obj && !iommufd_object_tryget(obj))
			obj = ERR_PTR(-ENOENT);
		rcu_read_unlock();
		if (!obj)
			break;
		if (!IS_ERR(obj)) {
			/* Whoever attaches may pin for as long as he likes */
			rc = mutex_lock_killable(&ictx->topology);
			if (!rc) {
				show_object(seq, obj);
				mutex_unlock(&ictx->topology);
			}
			iommufd_object_put(obj);
			if (rc)
				return;
		}
		id++;
	}
	show_coherency(seq, ictx);
	show_owners(seq, &ictx->owners);
}
