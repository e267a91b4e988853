/* SPDX-License-Identifier: GPL-2.0-only */
/* owner.c: who pays for pinned memory, and against which limit */
#ifndef __IOMMUFD_OWNER_H
#define __IOMMUFD_OWNER_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct cred;
struct mm_struct;
struct task_struct;

/**
 * enum owner_mode - What RLIMIT_MEMLOCK is held against
 * @OWNER_CHARGE_NONE: nothing (CAP_IPC_LOCK)
 * @OWNER_CHARGE_USER: what all processes of the user have pinned
 * @OWNER_CHARGE_MM: the locked memory of the process, as VFIO type 1 counts
 */
enum owner_mode {
	OWNER_CHARGE_NONE,
	OWNER_CHARGE_USER,
	OWNER_CHARGE_MM,
};

/**
 * struct owner_identity - Who an owner is at present
 * @mm: address space (mmgrab); its pinned_vm is kept in every mode
 * @cred: credentials (a reference); their user is charged in OWNER_CHARGE_USER
 * @leader: whose RLIMIT_MEMLOCK counts
 */
struct owner_identity {
	struct mm_struct *mm;
	const struct cred *cred;
	struct task_struct *leader;
};

/**
 * struct owner - A process that mapped memory, and its user
 * @table: where it is listed, and whose lock guards what follows
 * @mode: what is charged; fixed
 * @who: who it is
 * @moved: it was another process before, by whose rights @mode was chosen
 * @pinned: pages charged
 * @refs: one for each pages that belongs to it, and one while it is the newest of
 *        its table. The last is put with owner_table.lock held
 * @nr_user: those that stand for memory of the process itself, not for a file;
 *           while there are any the identity stays
 * @link: in owner_table.list
 */
struct owner {
	struct owner_table *table;
	enum owner_mode mode;
	struct owner_identity who;
	bool moved;
	unsigned long pinned;
	refcount_t refs;
	unsigned long nr_user;
	struct list_head link;
};

/**
 * struct owner_table - The owners of one file
 * @lock: guards @list, @newest and the owners; outside mmap_lock, which charging an
 *        mm needs
 * @list: all owners
 * @newest: the one handed out last: mostly the next one too
 * @mode: how to charge an owner without CAP_IPC_LOCK
 */
struct owner_table {
	struct mutex lock; /* guards list, newest and the owners */
	struct list_head list;
	struct owner *newest;
	enum owner_mode mode;
};

void owner_table_init(struct owner_table *table, enum owner_mode mode);
void owner_table_destroy(struct owner_table *table);
struct owner *owner_get_current(struct owner_table *table, bool user_memory);
int owner_table_change(struct owner_table *table);

int owner_charge(struct owner *owner, unsigned long npages);
void owner_uncharge(struct owner *owner, unsigned long npages);
void owner_put(struct owner *owner, unsigned long npages, unsigned int refs,
	       unsigned long nr_user);

static inline void owner_get(struct owner *owner)
{
	refcount_inc(&owner->refs);
}

#endif
