// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who pays for pinned memory, and against which limit.
 *
 * What a process maps is charged to one owner, however many mappings there are.
 * The owner remembers the address space, the user and the task that it charged,
 * so an exec or exit in between takes nothing from the wrong account, and
 * handing over to another process changes one owner, not each mapping.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "owner.h"

void owner_table_init(struct owner_table *table, enum owner_mode mode)
{
	mutex_init(&table->lock);
	INIT_LIST_HEAD(&table->list);
	table->newest = NULL;
	table->mode = mode;
}

static struct owner_identity identity_of_current(void)
{
	return (struct owner_identity){
		.mm = current->mm,
		.cred = current_cred(),
		.leader = current->group_leader,
	};
}

static bool identity_equal(const struct owner_identity *a,
			   const struct owner_identity *b)
{
	return a->mm == b->mm && a->cred == b->cred && a->leader == b->leader;
}

static void identity_get(const struct owner_identity *who)
{
	mmgrab(who->mm);
	get_cred(who->cred);
	get_task_struct(who->leader);
}

static void identity_put(const struct owner_identity *who)
{
	mmdrop(who->mm);
	put_cred(who->cred);
	put_task_struct(who->leader);
}

static int __cold refuse_charge(const struct owner_identity *who,
				const char *whose, unsigned long used,
				unsigned long npages)
{
	unsigned long limit = task_rlimit(who->leader, RLIMIT_MEMLOCK) >>
			      PAGE_SHIFT;
	const unsigned int kib = PAGE_SIZE / SZ_1K;

	return refuse(-ENOMEM,
		      "%lu KiB over RLIMIT_MEMLOCK of process %d: limit %lu KiB, %s has %lu KiB locked, %lu KiB are to be pinned",
		      (used + npages - min(limit, used + npages)) * kib,
		      task_tgid_vnr(who->leader), limit * kib, whose,
		      used * kib, npages * kib);
}

static int charge_user(const struct owner_identity *who, unsigned long npages)
{
	unsigned long limit = task_rlimit(who->leader, RLIMIT_MEMLOCK) >>
			      PAGE_SHIFT;
	atomic_long_t *locked = &who->cred->user->locked_vm;
	long now = atomic_long_read(locked);

	do {
		if (npages > limit || now > limit - npages)
			return refuse_charge(who, "its user", now, npages);
	} while (!atomic_long_try_cmpxchg(locked, &now, now + npages));
	return 0;
}

static int charge_mm(const struct owner_identity *who, unsigned long npages,
		     bool inc)
{
	int rc;

	mmap_write_lock(who->mm);
	rc = __account_locked_vm(who->mm, npages, inc, who->leader, false);
	if (rc)
		refuse_charge(who, "it", who->mm->locked_vm, npages);
	mmap_write_unlock(who->mm);
	return rc;
}

static int identity_charge(const struct owner_identity *who,
			   enum owner_mode mode, unsigned long npages)
{
	int rc = 0;

	if (mode == OWNER_CHARGE_USER)
		rc = charge_user(who, npages);
	else if (mode == OWNER_CHARGE_MM)
		rc = charge_mm(who, npages, true);
	if (!rc)
		atomic64_add(npages, &who->mm->pinned_vm);
	return rc;
}

static void identity_uncharge(const struct owner_identity *who,
			      enum owner_mode mode, unsigned long npages)
{
	if (mode == OWNER_CHARGE_USER)
		atomic_long_sub(npages, &who->cred->user->locked_vm);
	else if (mode == OWNER_CHARGE_MM)
		charge_mm(who, npages, false);
	atomic64_sub(npages, &who->mm->pinned_vm);
}

/**
 * owner_charge - Account pages before they are pinned
 * @owner: who pays
 * @npages: how many
 *
 * Return: 0, or -ENOMEM when the limit would be exceeded; nothing is charged
 * then.
 */
int owner_charge(struct owner *owner, unsigned long npages)
{
	struct owner_table *table = owner->table;
	int rc;

	mutex_lock(&table->lock);
	rc = identity_charge(&owner->who, owner->mode, npages);
	if (!rc)
		owner->pinned += npages;
	mutex_unlock(&table->lock);
	return rc;
}

static void uncharge(struct owner *owner, unsigned long npages)
{
	lockdep_assert_held(&owner->table->lock);

	owner->pinned -= npages;
	identity_uncharge(&owner->who, owner->mode, npages);
}

/**
 * owner_uncharge - Undo owner_charge() once the pages are unpinned
 * @owner: who paid
 * @npages: how many
 */
void owner_uncharge(struct owner *owner, unsigned long npages)
{
	struct owner_table *table = owner->table;

	mutex_lock(&table->lock);
	uncharge(owner, npages);
	mutex_unlock(&table->lock);
}

static void owner_free(struct owner *owner)
{
	identity_put(&owner->who);
	kfree(owner);
}

/* Returns the owner when these were the last references, for the caller to free */
static struct owner *owner_drop(struct owner *owner, unsigned int refs)
{
	lockdep_assert_held(&owner->table->lock);

	if (!refcount_sub_and_test(refs, &owner->refs))
		return NULL;
	list_del(&owner->link);
	return owner;
}

/* May what the calling process maps from now on belong to this owner? */
static bool owner_suits(const struct owner *owner,
			const struct owner_identity *who)
{
	return identity_equal(&owner->who, who) && !owner->moved &&
	       (owner->mode == OWNER_CHARGE_NONE ||
		owner->mode == owner->table->mode);
}

static struct owner *owner_find(struct owner_table *table,
				const struct owner_identity *who)
{
	struct owner *owner = table->newest;

	lockdep_assert_held(&table->lock);

	if (owner && owner_suits(owner, who))
		return owner;
	list_for_each_entry(owner, &table->list, link)
		if (owner_suits(owner, who))
			return owner;
	return NULL;
}

static struct owner *owner_alloc(struct owner_table *table,
				 const struct owner_identity *who)
{
	struct owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&table->lock);

	if (!owner)
		return NULL;
	owner->table = table;
	/* The same credentials have the same capabilities for ever */
	owner->mode = capable(CAP_IPC_LOCK) ? OWNER_CHARGE_NONE : table->mode;
	owner->who = *who;
	identity_get(&owner->who);
	refcount_set(&owner->refs, 1);
	list_add(&owner->link, &table->list);
	return owner;
}

/**
 * owner_get_current - The owner that the calling process is
 * @table: the owners of the file
 * @user_memory: the reference is for memory of the process, not for a file
 *
 * Return: the owner with a reference, or NULL for lack of memory.
 */
struct owner *owner_get_current(struct owner_table *table, bool user_memory)
{
	struct owner_identity who = identity_of_current();
	struct owner *stale = NULL;
	struct owner *owner;

	mutex_lock(&table->lock);
	owner = owner_find(table, &who);
	if (owner)
		owner_get(owner);
	else
		owner = owner_alloc(table, &who);
	if (!owner)
		goto out_unlock;
	owner->nr_user += user_memory;
	if (table->newest != owner) {
		if (table->newest)
			stale = owner_drop(table->newest, 1);
		table->newest = owner;
		owner_get(owner);
	}
out_unlock:
	mutex_unlock(&table->lock);
	if (stale)
		owner_free(stale);
	return owner;
}

/**
 * owner_put - Let go of an owner
 * @owner: the owner
 * @npages: pages to uncharge, as owner_uncharge() does
 * @refs: how many references
 * @nr_user: how many of them were for memory of the process
 */
void owner_put(struct owner *owner, unsigned long npages, unsigned int refs,
	       unsigned long nr_user)
{
	struct owner_table *table = owner->table;

	mutex_lock(&table->lock);
	if (npages)
		uncharge(owner, npages);
	owner->nr_user -= nr_user;
	owner = owner_drop(owner, refs);
	mutex_unlock(&table->lock);
	if (owner)
		owner_free(owner);
}

/**
 * owner_table_destroy - Forget the owners of a file that is being released
 * @table: no pages belong to any of its owners
 */
void owner_table_destroy(struct owner_table *table)
{
	if (table->newest) {
		list_del(&table->newest->link);
		owner_free(table->newest);
	}
	WARN_ON(!list_empty(&table->list));
	mutex_destroy(&table->lock);
}

/**
 * owner_table_change - Let the calling process pay for everything
 * @table: the owners of a file
 *
 * All or nothing: the caller is charged for every owner that he is not himself
 * first, and only then are the former ones let off.
 *
 * Return: 0; -EINVAL when memory of a process, not of a file, is mapped;
 * -ENOMEM when it exceeds the caller's limit.
 */
int owner_table_change(struct owner_table *table)
{
	struct owner_identity who = identity_of_current();
	struct owner *owner;
	struct owner *undo;
	int rc = 0;

	mutex_lock(&table->lock);
	list_for_each_entry(owner, &table->list, link) {
		if (owner->nr_user) {
			rc = refuse(-EINVAL,
				    "%lu mappings are of a process's memory, not of a file",
				    owner->nr_user);
			goto out_unlock;
		}
	}

	list_for_each_entry(owner, &table->list, link) {
		if (identity_equal(&owner->who, &who))
			continue;
		rc = identity_charge(&who, owner->mode, owner->pinned);
		if (rc)
			goto out_undo;
	}

	list_for_each_entry(owner, &table->list, link) {
		struct owner_identity former = owner->who;

		if (identity_equal(&former, &who))
			continue;
		identity_get(&who);
		owner->who = who;
		owner->moved = true;
		identity_uncharge(&former, owner->mode, owner->pinned);
		identity_put(&former);
	}
	goto out_unlock;

out_undo:
	list_for_each_entry(undo, &table->list, link) {
		if (undo == owner)
			break;
		if (identity_equal(&undo->who, &who))
			continue;
		identity_uncharge(&who, undo->mode, undo->pinned);
	}
out_unlock:
	mutex_unlock(&table->lock);
	return rc;
}
