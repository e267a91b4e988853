// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM needs to know of the devices of a virtual machine.
 *
 * The stock kvm.ko owns the KVM device to which a VMM adds files, and knows three
 * functions of VFIO: may this file be added, which machine does it belong to, and
 * does it enforce coherency. It asks the last one when a file is added or removed,
 * which is before anything is attached and so always too early. So the answer
 * there is "yes", and the true one is pushed from here, by the two functions that
 * KVM exports to count what makes it carry out its guest's cache flushes.
 *
 * A file that may be added has a *slot*: a /dev/iommu file stands for all its
 * devices, a device file for one, a group file for those of the group. Each machine
 * that the slot belongs to is a *link*, and each link watches the slot's devices:
 *
 *	FILE_ADD   vfio_file_set_kvm(file, kvm)    link added, watch begins
 *	attach     iommufd: before a domain that does not enforce snooping can
 *	           translate, watch->change(true):  count up
 *	detach     after the last such domain is gone, change(false): count down
 *	FILE_DEL   vfio_file_set_kvm(file, NULL)   watch ends (count down), link gone
 *
 * FILE_DEL is also what closing the KVM device amounts to, however the process
 * ends. It does not say which machine is meant; see link_of_caller(). A machine
 * with links is referenced, which cannot keep it for ever: the KVM device is a file
 * of its own, and its release ends all links of its machine.
 *
 * A device that is opened gets the machine of its file, of its group, or of the
 * /dev/iommu file that it is bound to, with a reference until it is closed.
 *
 * Locks, outermost first:
 *
 *	vfio_state::lock  a device is opened or closed
 *	kvm->lock	held by KVM when it closes its device, not for FILE_ADD
 *	slot->lock	the links of a slot, and what its devices are
 *	(iommufd)	its topology when a watch begins, its coherency lock
 *	kvm->mmu_lock	in change(), by way of KVM's MMU notifier
 *
 * iommufd's topology may be held until a user's memory has been read in, so no lock
 * that users share is held around it: machines_lock, files_lock and dev_set->lock
 * are not.
 */
#include <linux/iommufd.h>
#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <compat.h>

#include "../../drivers/vfio/vfio.h"

/**
 * struct machine - A virtual machine with links
 * @node: in machines
 * @kvm: a reference
 * @nr_links: how many
 * @doubtful: one of them may be of a file that was removed
 */
struct machine {
	struct list_head node;
	struct kvm *kvm;
	unsigned int nr_links;
	bool doubtful;
};

static DEFINE_MUTEX(machines_lock); /* guards machines and what is in them */
static LIST_HEAD(machines);

/**
 * struct vfio_kvm_link - A machine that a slot belongs to
 * @node: in slot->links
 * @machine: the machine
 * @watch: of the slot's devices; in use while the slot has any
 */
struct vfio_kvm_link {
	struct list_head node;
	struct machine *machine;
	struct iommufd_watch watch;
};

/**
 * struct kvm_iommu_file - A /dev/iommu file that KVM knows; keeps this module
 * @node: in iommu_files
 * @users: links of @slot, and callers that look at it
 * @ictx: the file; KVM has a reference while there is a link
 * @slot: its links
 */
struct kvm_iommu_file {
	struct list_head node;
	unsigned int users;
	struct iommufd_ctx *ictx;
	struct vfio_kvm_slot slot;
};

static DEFINE_MUTEX(files_lock); /* guards iommu_files and their users */
static LIST_HEAD(iommu_files);

/*
 * kvm.ko is not linked against, because VFIO has users without it. It is there as
 * long as it has given us a machine, and each reference on a machine keeps it.
 */
static bool kvm_get(struct kvm *kvm)
{
	bool (*get)(struct kvm *kvm) = symbol_get(kvm_get_kvm_safe);

	if (!get)
		return false;
	if (get(kvm))
		return true;
	symbol_put(kvm_get_kvm_safe);
	return false;
}

static void kvm_put(struct kvm *kvm)
{
	void (*put)(struct kvm *kvm) = symbol_get(kvm_put_kvm);

	if (!WARN_ON(!put)) {
		put(kvm);
		symbol_put(kvm_put_kvm);
	}
	symbol_put(kvm_get_kvm_safe);
}

/*
 * What the guest has touched so far was mapped with memory types that fit the
 * former answer, and KVM looks at the new one only when it maps. So have it unmap
 * everything, as if all of its process's memory had changed.
 */
static void remap_guest(struct kvm *kvm)
{
	struct mmu_notifier *mn = &kvm->mmu_notifier;
	struct mmu_notifier_range range = {
		.mm = kvm->mm,
		.start = 0,
		.end = TASK_SIZE_MAX,
		.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
		.event = MMU_NOTIFY_CLEAR,
	};

	mn->ops->invalidate_range_start(mn, &range);
	mn->ops->invalidate_range_end(mn, &range);
}

static void link_change(struct iommufd_watch *watch, bool noncoherent)
{
	struct vfio_kvm_link *link = container_of(watch, struct vfio_kvm_link,
						  watch);
	struct kvm *kvm = link->machine->kvm;
	void (*count)(struct kvm *kvm);

	if (noncoherent) {
		count = symbol_get(kvm_arch_register_noncoherent_dma);
		if (!WARN_ON(!count)) {
			count(kvm);
			symbol_put(kvm_arch_register_noncoherent_dma);
		}
	} else {
		count = symbol_get(kvm_arch_unregister_noncoherent_dma);
		if (!WARN_ON(!count)) {
			count(kvm);
			symbol_put(kvm_arch_unregister_noncoherent_dma);
		}
	}
	remap_guest(kvm);
}

void vfio_kvm_slot_init(struct vfio_kvm_slot *slot)
{
	mutex_init(&slot->lock);
	INIT_LIST_HEAD(&slot->links);
	slot->nr_links = 0;
	slot->nr_removed = 0;
	slot->ictx = NULL;
}

void vfio_kvm_slot_destroy(struct vfio_kvm_slot *slot)
{
	WARN_ON(!list_empty(&slot->links) || slot->ictx);
	mutex_destroy(&slot->lock);
}

static void link_watch(struct vfio_kvm_slot *slot, struct vfio_kvm_link *link)
{
	lockdep_assert_held(&slot->lock);

	link->watch.change = link_change;
	link->watch.ictx = slot->ictx;
	link->watch.idev = slot->idev;
	link->watch.group = slot->group;
	iommufd_watch_add(&link->watch);
}

/**
 * vfio_kvm_slot_bind - Tell the machines of a slot about devices
 * @slot: the slot of a device file, of a group or of a /dev/iommu file
 * @ictx: where their DMA goes
 * @idev: the one device, or NULL
 * @group: the IOMMU group that all of them are of, or NULL
 */
void vfio_kvm_slot_bind(struct vfio_kvm_slot *slot, struct iommufd_ctx *ictx,
			struct iommufd_device *idev, struct iommu_group *group)
{
	struct vfio_kvm_link *link;

	mutex_lock(&slot->lock);
	slot->ictx = ictx;
	slot->idev = idev;
	slot->group = group;
	list_for_each_entry(link, &slot->links, node)
		link_watch(slot, link);
	mutex_unlock(&slot->lock);
}

/**
 * vfio_kvm_slot_unbind - Undo vfio_kvm_slot_bind(), if it was done
 * @slot: the slot
 */
void vfio_kvm_slot_unbind(struct vfio_kvm_slot *slot)
{
	struct vfio_kvm_link *link;

	mutex_lock(&slot->lock);
	if (slot->ictx)
		list_for_each_entry(link, &slot->links, node)
			iommufd_watch_remove(&link->watch);
	slot->ictx = NULL;
	mutex_unlock(&slot->lock);
}

/*
 * The machine with one more link, or NULL if it is gone. KVM takes no for an answer
 * nowhere, so the allocation must not fail.
 */
static struct machine *machine_add_link(struct kvm *kvm)
{
	struct machine *machine;

	mutex_lock(&machines_lock);
	list_for_each_entry(machine, &machines, node) {
		if (machine->kvm == kvm) {
			machine->nr_links++;
			goto out_unlock;
		}
	}
	machine = NULL;
	if (WARN_ON(!kvm_get(kvm)))
		goto out_unlock;
	machine = kzalloc(sizeof(*machine), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	machine->kvm = kvm;
	machine->nr_links = 1;
	list_add(&machine->node, &machines);
out_unlock:
	mutex_unlock(&machines_lock);
	return machine;
}

static void machine_drop_link(struct machine *machine)
{
	bool last;

	mutex_lock(&machines_lock);
	last = !--machine->nr_links;
	if (last)
		list_del(&machine->node);
	mutex_unlock(&machines_lock);
	if (last) {
		kvm_put(machine->kvm);
		kfree(machine);
	}
}

/*
 * KVM counts the files of a machine, and with them the interrupts that devices post
 * to it. In FILE_DEL it counts down before it tells us, at all other times there are at
 * least as many as there are links. So a machine that looks like it does delete a
 * file, unless there are too many links, but not all that delete one look like it.
 */
static bool machine_deletes_file(struct machine *machine)
{
	bool deletes;

	mutex_lock(&machines_lock);
	deletes = !machine->doubtful &&
		  atomic_read(&machine->kvm->arch.assigned_device_count) <
		  machine->nr_links;
	mutex_unlock(&machines_lock);
	return deletes;
}

static void machine_doubt(struct machine *machine)
{
	mutex_lock(&machines_lock);
	machine->doubtful = true;
	mutex_unlock(&machines_lock);
}

static bool slot_link(struct vfio_kvm_slot *slot, struct kvm *kvm)
{
	struct machine *machine = machine_add_link(kvm);
	struct vfio_kvm_link *link;

	if (!machine)
		return false;
	link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	link->machine = machine;
	mutex_lock(&slot->lock);
	list_add_tail(&link->node, &slot->links);
	slot->nr_links++;
	if (slot->ictx)
		link_watch(slot, link);
	mutex_unlock(&slot->lock);
	return true;
}

/*
 * Which machine does KVM take the file from? It removes a file either when it closes
 * its device, with the machine locked by this thread, or in an ioctl, which only the
 * process of the machine may do. NULL if that process has several machines with the
 * file, and it is not clear which of them is deleting one.
 */
static struct vfio_kvm_link *link_of_caller(struct vfio_kvm_slot *slot)
{
	struct vfio_kvm_link *found = NULL, *deleting = NULL;
	unsigned int nr = 0, nr_deleting = 0;
	struct vfio_kvm_link *link;

	lockdep_assert_held(&slot->lock);

	list_for_each_entry(link, &slot->links, node)
		if (compat_mutex_is_mine(&link->machine->kvm->lock))
			return link;

	list_for_each_entry(link, &slot->links, node) {
		if (link->machine->kvm->mm != current->mm)
			continue;
		found = link;
		nr++;
		if (machine_deletes_file(link->machine)) {
			deleting = link;
			nr_deleting++;
		}
	}
	if (nr == 1)
		return found;
	if (nr_deleting == 1)
		return deleting;

	list_for_each_entry(link, &slot->links, node)
		if (link->machine->kvm->mm == current->mm)
			machine_doubt(link->machine);
	return NULL;
}

static void slot_take_link(struct vfio_kvm_slot *slot,
			   struct vfio_kvm_link *link, struct list_head *taken)
{
	lockdep_assert_held(&slot->lock);

	list_move(&link->node, taken);
	slot->nr_links--;
	if (slot->ictx)
		iommufd_watch_remove(&link->watch);
}

/*
 * Remove a link, or as many as could not be told apart before. Until then all of
 * them count: a guest whose flushes are carried out without need is only slow.
 * Returns how many were removed.
 */
static unsigned int slot_unlink(struct vfio_kvm_slot *slot)
{
	struct vfio_kvm_link *link, *next;
	unsigned int nr = 0;
	LIST_HEAD(taken);

	mutex_lock(&slot->lock);
	link = link_of_caller(slot);
	if (link)
		slot_take_link(slot, link, &taken);
	else
		slot->nr_removed++;
	if (slot->nr_removed >= slot->nr_links) {
		list_for_each_entry_safe(link, next, &slot->links, node)
			slot_take_link(slot, link, &taken);
		slot->nr_removed = 0;
	}
	mutex_unlock(&slot->lock);

	list_for_each_entry_safe(link, next, &taken, node) {
		machine_drop_link(link->machine);
		kfree(link);
		nr++;
	}
	return nr;
}

/**
 * vfio_kvm_slot_set - A device or group file is added to a machine, or removed
 * @slot: its slot
 * @kvm: the machine; NULL to remove it from one
 */
void vfio_kvm_slot_set(struct vfio_kvm_slot *slot, struct kvm *kvm)
{
	if (kvm)
		slot_link(slot, kvm);
	else
		slot_unlink(slot);
}

static struct kvm_iommu_file *iommu_file_make(struct iommufd_ctx *ictx)
{
	struct kvm_iommu_file *known;

	lockdep_assert_held(&files_lock);

	/* KVM calls with the module held, but then keeps a file of iommufd.ko's */
	__module_get(THIS_MODULE);
	known = kzalloc(sizeof(*known), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	known->ictx = ictx;
	vfio_kvm_slot_init(&known->slot);
	vfio_kvm_slot_bind(&known->slot, ictx, NULL, NULL);
	list_add(&known->node, &iommu_files);
	return known;
}

/* With one more user; NULL if it is not known and not to be made */
static struct kvm_iommu_file *iommu_file_get(struct iommufd_ctx *ictx,
					     bool make)
{
	struct kvm_iommu_file *known, *found = NULL;

	mutex_lock(&files_lock);
	list_for_each_entry(known, &iommu_files, node)
		if (known->ictx == ictx)
			found = known;
	if (!found && make)
		found = iommu_file_make(ictx);
	if (found)
		found->users++;
	mutex_unlock(&files_lock);
	return found;
}

static void iommu_file_put(struct kvm_iommu_file *known, unsigned int users)
{
	bool last;

	mutex_lock(&files_lock);
	known->users -= users;
	last = !known->users;
	if (last)
		list_del(&known->node);
	mutex_unlock(&files_lock);
	if (last) {
		vfio_kvm_slot_unbind(&known->slot);
		vfio_kvm_slot_destroy(&known->slot);
		kfree(known);
		module_put(THIS_MODULE);
	}
}

/**
 * vfio_kvm_iommu_file_set - A /dev/iommu file is added to a machine, or removed
 * @ictx: the file, which KVM holds
 * @kvm: the machine; NULL to remove it from one
 */
void vfio_kvm_iommu_file_set(struct iommufd_ctx *ictx, struct kvm *kvm)
{
	struct kvm_iommu_file *known = iommu_file_get(ictx, kvm);

	if (!known)
		return;
	/* The new link is a user too, in place of this call */
	if (kvm && slot_link(&known->slot, kvm))
		return;
	iommu_file_put(known, 1 + (kvm ? 0 : slot_unlink(&known->slot)));
}

static struct kvm *slot_get_kvm(struct vfio_kvm_slot *slot)
{
	struct vfio_kvm_link *link;
	struct kvm *kvm = NULL;

	mutex_lock(&slot->lock);
	link = list_first_entry_or_null(&slot->links, struct vfio_kvm_link,
					node);
	if (link && kvm_get(link->machine->kvm))
		kvm = link->machine->kvm;
	mutex_unlock(&slot->lock);
	return kvm;
}

/**
 * vfio_kvm_get - The machine of a device that is being opened
 * @slot: of the file that it is opened by
 * @ictx: what it is bound to
 *
 * Return: the machine with a reference for vfio_kvm_put(), or NULL.
 */
struct kvm *vfio_kvm_get(struct vfio_kvm_slot *slot, struct iommufd_ctx *ictx)
{
	struct kvm *kvm = slot_get_kvm(slot);
	struct kvm_iommu_file *known;

	if (kvm)
		return kvm;
	known = iommu_file_get(ictx, false);
	if (known) {
		kvm = slot_get_kvm(&known->slot);
		iommu_file_put(known, 1);
	}
	return kvm;
}

void vfio_kvm_put(struct kvm *kvm)
{
	if (kvm)
		kvm_put(kvm);
}
