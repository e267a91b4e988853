// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that have mapped BARs of a set of devices.
 *
 * A call of a driver may take away BARs of all devices that are reset together, or
 * bring them back, whoever has mapped them. A *tenant* is one process with its
 * BARs of one set. Before the call begins and after it has ended all tenants of the
 * set are gone through, and nobody else's: users of other devices notice nothing,
 * and users of other devices of the set are met as a process, however many BARs it
 * has mapped.
 *
 * The BARs that the calling process has mapped itself are looked up before the call
 * returns. Those of another process are looked up by a work item, because the other
 * process can make it wait for its memory for as long as it likes. The work item
 * waits for nothing that a process can hold: it tries a few times, with growing
 * pauses, and then again after the next call.
 *
 * A driver does not clear the entries of a process that is being torn down, whose
 * notifiers are called when the teardown gets there. So while a *guard* stands, for
 * the length of a call of the driver, the tenants are kept from being torn down, and
 * BARs of those that are so already are taken out before.
 *
 * The caller can make the call last as long as he likes. So while a tenant is kept,
 * somebody looks now and then whether the process has ended but for that. Then its
 * BARs are taken out for good, and it is let go.
 */
#include <linux/hashtable.h>
#include <linux/iommufd.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "bar_tenant.h"

/* The pauses double: some seconds altogether */
#define FIRST_PAUSE	(HZ / 100 ?: 1)
#define PAUSES		9

/* How long a process that has ended is kept, at least */
#define KEPT_PAUSE	(HZ / 4 ?: 1)

/* Of the BARs of a tenant. XA_MARK_0 is the free numbers' */
#define MARK_WAITING	XA_MARK_1
#define MARK_IN_PLACE	XA_MARK_2

/**
 * struct bar_tenant - A process with BARs of the devices of one set
 * @link: in tenants
 * @refs: one of each BAR, one of each walk; the last takes it out of tenants
 * @set: which
 * @mm: the process, which may have ended
 * @kept: in kept_tenants while a guard keeps @mm from being torn down
 * @ended: @mm has no other users any more. No BAR gets in place from here on, and
 *	only @watch lets go of it; guarded by tenants_lock
 * @pauses: that @work has made; guarded by tenants_lock
 * @bars: struct bar, with marks that tell the state of each
 * @work: looks up what waits
 * @watch: looks whether the process has ended, while it is kept
 *
 * The work items hold no reference: they end with the tenant.
 */
struct bar_tenant {
	struct hlist_node link;
	refcount_t refs;
	const void *set;
	struct mm_struct *mm;
	struct hlist_node kept;
	bool ended; /* guarded by tenants_lock */
	unsigned int pauses; /* guarded by tenants_lock */
	struct xarray bars;
	struct delayed_work work;
	struct delayed_work watch;
};

/* For the tables, and whether a tenant has ended, and its pauses */
static DEFINE_SPINLOCK(tenants_lock);
static DEFINE_HASHTABLE(guards, 6);
static DEFINE_HASHTABLE(tenants, 8);
static DEFINE_HASHTABLE(kept_tenants, 8); /* by process */

static unsigned long key_of(const void *set)
{
	return (unsigned long)set;
}

static bool is_guarded(const void *set)
{
	const struct iommufd_bar_guard *guard;

	lockdep_assert_held(&tenants_lock);

	hash_for_each_possible(guards, guard, link, key_of(set))
		if (guard->set == set)
			return true;
	return false;
}

static bool is_kept(const struct bar_tenant *tenant)
{
	return !hlist_unhashed(&tenant->kept);
}

static void start_watch(struct bar_tenant *tenant)
{
	lockdep_assert_held(&tenants_lock);

	queue_delayed_work(system_unbound_wq, &tenant->watch, KEPT_PAUSE);
}

/* False when the process is being torn down already, or about to be */
static bool keep(struct bar_tenant *tenant)
{
	lockdep_assert_held(&tenants_lock);

	if (tenant->ended)
		return false;
	if (is_kept(tenant))
		return true;
	if (!mmget_not_zero(tenant->mm))
		return false;
	hash_add(kept_tenants, &tenant->kept, (unsigned long)tenant->mm);
	start_watch(tenant);
	return true;
}

static void let_go(struct bar_tenant *tenant)
{
	lockdep_assert_held(&tenants_lock);

	if (!is_kept(tenant))
		return;
	hash_del(&tenant->kept);
	mmput_async(tenant->mm);
}

/*
 * Do only guards keep the process? Each thread of it is a user, so then it has none
 * and will not have any: who else takes a reference just looks into its memory.
 */
static bool has_ended(const struct bar_tenant *tenant)
{
	const struct bar_tenant *other;
	int keeps = 0;

	lockdep_assert_held(&tenants_lock);

	hash_for_each_possible(kept_tenants, other, kept,
			       (unsigned long)tenant->mm)
		keeps += other->mm == tenant->mm;
	return atomic_read(&tenant->mm->mm_users) == keeps;
}

static void tenant_put(struct bar_tenant *tenant)
{
	bool last;

	spin_lock(&tenants_lock);
	last = refcount_dec_and_test(&tenant->refs);
	if (last) {
		hash_del(&tenant->link);
		let_go(tenant);
	}
	spin_unlock(&tenants_lock);
	if (!last)
		return;

	cancel_delayed_work_sync(&tenant->work);
	cancel_delayed_work_sync(&tenant->watch);
	WARN_ON(!xa_empty(&tenant->bars));
	mmdrop(tenant->mm);
	kfree(tenant);
}

/* The first BAR with a mark whose number is not less, with a reference */
static struct bar *next_bar(struct bar_tenant *tenant, unsigned long *id,
			    xa_mark_t mark)
{
	struct bar *bar;

	xa_lock(&tenant->bars);
	bar = xa_find(&tenant->bars, id, ULONG_MAX, mark);
	if (bar)
		bar_get(bar);
	xa_unlock(&tenant->bars);
	return bar;
}

/* False when some could not be looked up for the moment */
static bool look_up_waiting(struct bar_tenant *tenant, bool patient)
{
	unsigned long id = 0;
	bool done = true;
	struct bar *bar;

	for (; (bar = next_bar(tenant, &id, MARK_WAITING)); id++) {
		done &= bar_look_again(bar, tenant, patient);
		bar_put(bar);
		cond_resched();
	}
	return done;
}

static void tenant_work(struct work_struct *work)
{
	struct bar_tenant *tenant = container_of(to_delayed_work(work),
						 struct bar_tenant, work);

	if (look_up_waiting(tenant, false))
		return;
	spin_lock(&tenants_lock);
	if (tenant->pauses < PAUSES)
		queue_delayed_work(system_unbound_wq, &tenant->work,
				   FIRST_PAUSE << tenant->pauses++);
	spin_unlock(&tenants_lock);
}

static void lose_bars(struct bar_tenant *tenant, xa_mark_t mark)
{
	unsigned long id = 0;
	struct bar *bar;

	for (; (bar = next_bar(tenant, &id, mark)); id++) {
		bar_lose(bar, tenant);
		bar_put(bar);
		cond_resched();
	}
}

/*
 * Whoever was putting a BAR in place when the tenant ended has done so once the lock
 * of that BAR is taken, so those that wait are gone through, too. The process is
 * let go only then: until then the driver clears its entries.
 */
static void tenant_watch(struct work_struct *work)
{
	struct bar_tenant *tenant = container_of(to_delayed_work(work),
						 struct bar_tenant, watch);

	spin_lock(&tenants_lock);
	if (is_kept(tenant)) {
		tenant->ended = has_ended(tenant);
		if (!tenant->ended)
			start_watch(tenant);
	}
	spin_unlock(&tenants_lock);
	if (!tenant->ended)
		return;

	lose_bars(tenant, XA_PRESENT);
	spin_lock(&tenants_lock);
	let_go(tenant);
	spin_unlock(&tenants_lock);
}

static void start_work(struct bar_tenant *tenant)
{
	lockdep_assert_held(&tenants_lock);

	tenant->pauses = 0;
	mod_delayed_work(system_unbound_wq, &tenant->work, 0);
}

static struct bar_tenant *find_tenant(const void *set,
				      const struct mm_struct *mm)
{
	struct bar_tenant *tenant;

	lockdep_assert_held(&tenants_lock);

	hash_for_each_possible(tenants, tenant, link, key_of(set))
		if (tenant->set == set && tenant->mm == mm)
			return tenant;
	return NULL;
}

static struct bar_tenant *tenant_get(const void *set, struct mm_struct *mm)
{
	struct bar_tenant *tenant, *known;

	tenant = kzalloc(sizeof(*tenant), GFP_KERNEL_ACCOUNT);
	if (!tenant)
		return NULL;
	refcount_set(&tenant->refs, 1);
	tenant->set = set;
	tenant->mm = mm;
	xa_init_flags(&tenant->bars, XA_FLAGS_ALLOC);
	INIT_DELAYED_WORK(&tenant->work, tenant_work);
	INIT_DELAYED_WORK(&tenant->watch, tenant_watch);

	spin_lock(&tenants_lock);
	known = find_tenant(set, mm);
	if (known) {
		refcount_inc(&known->refs);
	} else {
		mmgrab(mm);
		hash_add(tenants, &tenant->link, key_of(set));
		/* A guard that came before could not see it */
		if (is_guarded(set))
			keep(tenant);
	}
	spin_unlock(&tenants_lock);
	if (!known)
		return tenant;
	kfree(tenant);
	return known;
}

/**
 * bar_tenant_join - A process has mapped a BAR
 * @set: devices that are reset together, of one of which it is
 * @mm: the process; with a reference to its users
 * @bar: not in place, and without marks until bar_tenant_mark()
 * @id: set to its number
 *
 * From here on those who restore BARs of the set find it, once it is marked.
 *
 * Return: the tenant, for bar_tenant_leave(); NULL when memory is short.
 */
struct bar_tenant *bar_tenant_join(const void *set, struct mm_struct *mm,
				   struct bar *bar, u32 *id)
{
	struct bar_tenant *tenant = tenant_get(set, mm);

	if (tenant && xa_alloc(&tenant->bars, id, bar, xa_limit_32b,
			       GFP_KERNEL_ACCOUNT)) {
		tenant_put(tenant);
		tenant = NULL;
	}
	return tenant;
}

/**
 * bar_tenant_leave - Undo bar_tenant_join()
 * @tenant: the tenant
 * @id: number of a BAR that is not in place, and which nobody marks any more
 */
void bar_tenant_leave(struct bar_tenant *tenant, u32 id)
{
	xa_erase(&tenant->bars, id);
	tenant_put(tenant);
}

const void *bar_tenant_set(const struct bar_tenant *tenant)
{
	return tenant->set;
}

/**
 * bar_tenant_ended - Must no BAR get in place any more?
 * @tenant: the tenant
 *
 * False with the lock of a BAR held: if the process ends now, that lock is taken
 * before it is torn down.
 */
bool bar_tenant_ended(const struct bar_tenant *tenant)
{
	bool ended;

	spin_lock(&tenants_lock);
	ended = tenant->ended;
	spin_unlock(&tenants_lock);
	return ended;
}

/**
 * bar_tenant_mark - The state of a BAR changes
 * @tenant: the tenant
 * @id: number of the BAR, whose lock is held
 * @state: the state from now on
 */
void bar_tenant_mark(struct bar_tenant *tenant, u32 id, enum bar_state state)
{
	xa_lock(&tenant->bars);
	__xa_clear_mark(&tenant->bars, id, MARK_WAITING);
	__xa_clear_mark(&tenant->bars, id, MARK_IN_PLACE);
	if (state == BAR_WAITING)
		__xa_set_mark(&tenant->bars, id, MARK_WAITING);
	else if (state == BAR_IN_PLACE)
		__xa_set_mark(&tenant->bars, id, MARK_IN_PLACE);
	xa_unlock(&tenant->bars);
}

/* Keeps all others. None of those that it finds gets a BAR back in place */
static struct bar_tenant *find_torn_down(const void *set)
{
	struct bar_tenant *tenant;

	lockdep_assert_held(&tenants_lock);

	hash_for_each_possible(tenants, tenant, link, key_of(set))
		if (tenant->set == set && !keep(tenant) &&
		    xa_marked(&tenant->bars, MARK_IN_PLACE)) {
			refcount_inc(&tenant->refs);
			return tenant;
		}
	return NULL;
}

void iommufd_bars_guard(struct iommufd_bar_guard *guard, const void *set)
{
	struct bar_tenant *tenant;

	guard->set = set;
	spin_lock(&tenants_lock);
	hash_add(guards, &guard->link, key_of(set));
	while ((tenant = find_torn_down(set))) {
		spin_unlock(&tenants_lock);
		lose_bars(tenant, MARK_IN_PLACE);
		tenant_put(tenant);
		spin_lock(&tenants_lock);
	}
	spin_unlock(&tenants_lock);
}
EXPORT_SYMBOL_GPL(iommufd_bars_guard);

/* Returns the calling process if it is a tenant with BARs that wait */
static struct bar_tenant *end_guard(struct iommufd_bar_guard *guard)
{
	struct bar_tenant *tenant, *own = NULL;
	const void *set = guard->set;
	bool guarded;

	lockdep_assert_held(&tenants_lock);

	hash_del(&guard->link);
	guarded = is_guarded(set);
	hash_for_each_possible(tenants, tenant, link, key_of(set)) {
		if (tenant->set != set)
			continue;
		if (!guarded && !tenant->ended)
			let_go(tenant);
		if (!xa_marked(&tenant->bars, MARK_WAITING))
			continue;
		if (tenant->mm == current->mm)
			own = tenant;
		else
			start_work(tenant);
	}
	if (own)
		refcount_inc(&own->refs);
	return own;
}

void iommufd_bars_restored(struct iommufd_bar_guard *guard)
{
	struct bar_tenant *own;

	spin_lock(&tenants_lock);
	own = end_guard(guard);
	spin_unlock(&tenants_lock);
	if (!own)
		return;

	if (!look_up_waiting(own, true)) {
		spin_lock(&tenants_lock);
		start_work(own);
		spin_unlock(&tenants_lock);
	}
	tenant_put(own);
}
EXPORT_SYMBOL_GPL(iommufd_bars_restored);
