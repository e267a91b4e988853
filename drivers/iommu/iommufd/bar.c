// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device BARs as the memory of a mapping (peer-to-peer DMA).
 *
 * A BAR has no pages to pin. Its driver takes it away from user space by
 * clearing the page table entries of the user's mappings of it, and calls the MMU
 * notifiers as it does so. A *bar* follows one such mapping: while the entries are
 * there it is *in place*, and its frames are in the domains; the notifier takes
 * them out of all domains, flushed, before the entries are cleared, and thus
 * before the driver touches the device.
 *
 * Then the bar *waits*. The driver of the device says when a call has ended that
 * may have brought the BAR back (bar_tenant.c), and the bars of that device are
 * looked up again, by a page fault as the user's own access would cause. A bar
 * whose addresses were unmapped, moved away, turned out to be something else, or
 * belonged to a process that is gone, is *lost*: whatever the process maps there later
 * is other memory.
 *
 * Nothing keeps the device's file open, or a mapping would keep the device from
 * being unplugged.
 *
 * Locks, in this order:
 *
 *   bar->look_up	mutex. Held while a page fault is taken; inside pages->lock,
 *			outside mmap_lock. The notifier does not take it.
 *   bar->lock		mutex. The state, the frames and the views. The notifier
 *			takes it, and memory reclaim may call the notifier: nothing
 *			may be allocated under it in a way that reclaims.
 *   gate		passed to work on a domain; closed by whoever changes the
 *			devices of one. Closed inside the space's domains_sem, which
 *			the notifier cannot take.
 *
 * The locks of bar_tenant.c are inside bar->lock as well.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/iommufd_refusal.h>
#include <linux/lockdep.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <compat.h>

#include "bar.h"
#include "bar_place.h"
#include "bar_tenant.h"
#include "domain.h"
#include "pages.h"

/**
 * struct bar - The memory of a mapping that is a device's BAR
 * @sub: watches the user addresses
 * @refs: one of its pages, one of each walk that is looking at it
 * @nr_pages: its length
 * @writable: devices may write to it
 * @look_up: serialises lookups with each other and with the end
 * @ended: @sub is gone; guarded by @look_up
 * @lock: guards what follows
 * @tenant: the process, and of which devices the BAR is, once that is known. It
 *	changes under @look_up, too
 * @id: its number there
 * @state: see enum bar_state; read without the lock as a hint
 * @place: what was found first; without a file before
 * @runs: its frames while in place, else empty
 * @views: struct bar_view
 */
struct bar {
	struct mmu_interval_notifier sub;
	refcount_t refs;
	unsigned long nr_pages;
	bool writable;
	struct mutex look_up; /* guards ended */
	bool ended;
	struct mutex lock; /* guards the members below */
	struct bar_tenant *tenant;
	u32 id;
	enum bar_state state;
	struct bar_place place;
	struct runs runs;
	struct list_head views;
};

/**
 * struct bar_view - A bar in a domain
 * @link: in bar.views
 * @domain: which
 * @iova: first IOVA
 * @offset: bytes from the bar's start
 * @length: bytes
 * @prot: IOMMU_READ and so on
 * @huge: entries may be larger than a page
 */
struct bar_view {
	struct list_head link;
	struct iommu_domain *domain;
	unsigned long iova;
	unsigned long offset;
	unsigned long length;
	int prot;
	bool huge;
};

#define PROCESS_ENDED "the process whose memory it is has ended"
#define MAPPING_GONE "the mapping of the BAR has just gone"

/*
 * How often a page fault is taken for somebody who can go on without the BAR. A
 * process that changes its mapping all the time makes each one void.
 */
#define TRIES 8

static void set_state(struct bar *bar, enum bar_state state)
{
	lockdep_assert_held(&bar->lock);

	if (bar->state == state)
		return;
	WRITE_ONCE(bar->state, state);
	if (bar->tenant)
		bar_tenant_mark(bar->tenant, bar->id, state);
}

/*
 * Not a semaphore, since lockdep would see a circle: whoever closes the gate takes
 * mutexes of the IOMMU core, under which memory may be reclaimed, which calls
 * notifiers. But memory that is reclaimed is no BAR. Where it lies at the
 * addresses of one, that one is lost, and its notifier waits for nothing.
 */
static struct {
	spinlock_t lock; /* guards users and closed */
	unsigned int users;
	unsigned int closed;
	wait_queue_head_t wait;
} gate = {
	.lock = __SPIN_LOCK_UNLOCKED(gate.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(gate.wait),
};

static void gate_pass(void)
{
	spin_lock(&gate.lock);
	wait_event_cmd(gate.wait, !gate.closed, spin_unlock(&gate.lock),
		       spin_lock(&gate.lock));
	gate.users++;
	spin_unlock(&gate.lock);
}

static void gate_leave(void)
{
	spin_lock(&gate.lock);
	if (!--gate.users && gate.closed)
		wake_up_all(&gate.wait);
	spin_unlock(&gate.lock);
}

/* Keep all domains from being worked on for BARs */
void bar_lock_domains(void)
{
	spin_lock(&gate.lock);
	gate.closed++;
	wait_event_cmd(gate.wait, !gate.users, spin_unlock(&gate.lock),
		       spin_lock(&gate.lock));
	spin_unlock(&gate.lock);
}

void bar_unlock_domains(void)
{
	spin_lock(&gate.lock);
	if (!--gate.closed)
		wake_up_all(&gate.wait);
	spin_unlock(&gate.lock);
}

static void view_unmap(const struct bar_view *view)
{
	size_t unmapped;

	gate_pass();
	unmapped = iommu_unmap_flush(view->domain, view->iova, view->length);
	gate_leave();
	WARN_ON(unmapped != view->length);
}

static int view_map(struct bar *bar, const struct bar_view *view)
{
	int rc;

	lockdep_assert_held(&bar->lock);

	gate_pass();
	rc = domain_map_runs(view->domain, view->iova, &bar->runs,
			     bar->nr_pages, view->offset, view->length,
			     view->prot, view->huge);
	if (!rc) {
		rc = iommu_sync_map(view->domain, view->iova, view->length);
		if (rc)
			iommu_unmap_flush(view->domain, view->iova, view->length);
	}
	gate_leave();
	return rc;
}

/* Take a bar out of all domains. They are flushed on return */
static void take_out(struct bar *bar, enum bar_state state)
{
	struct bar_view *view;

	lockdep_assert_held(&bar->lock);

	if (bar->state == BAR_IN_PLACE) {
		list_for_each_entry(view, &bar->views, link)
			view_unmap(view);
		runs_free(&bar->runs);
	}
	if (bar->state != BAR_LOST)
		set_state(bar, state);
}

/* With @runs, which it takes over if it succeeds */
static int put_in(struct bar *bar, const struct runs *runs)
{
	struct bar_view *view;
	int rc;

	lockdep_assert_held(&bar->lock);

	bar->runs = *runs;
	list_for_each_entry(view, &bar->views, link) {
		rc = view_map(bar, view);
		if (rc)
			goto err_unmap;
	}
	set_state(bar, BAR_IN_PLACE);
	return 0;

err_unmap:
	list_for_each_entry_continue_reverse(view, &bar->views, link)
		view_unmap(view);
	runs_init(&bar->runs);
	return rc;
}

static bool bar_invalidate(struct mmu_interval_notifier *sub,
			   const struct mmu_notifier_range *range,
			   unsigned long seq)
{
	struct bar *bar = container_of(sub, struct bar, sub);
	bool lost = range->event == MMU_NOTIFY_UNMAP ||
		    range->event == MMU_NOTIFY_RELEASE;

	/* Memory is being reclaimed, perhaps; see gate */
	if (READ_ONCE(bar->state) == BAR_LOST)
		return true;
	if (mmu_notifier_range_blockable(range)) {
		mutex_lock(&bar->lock);
	} else {
		if (!mutex_trylock(&bar->lock))
			return false;
		/* Taking it out may have to wait for a device that moves */
		if (bar->state == BAR_IN_PLACE) {
			mutex_unlock(&bar->lock);
			return false;
		}
	}
	mmu_interval_set_seq(sub, seq);
	/* That the kernel forgets which pages are dirty changes no frame */
	if (range->event != MMU_NOTIFY_SOFT_DIRTY)
		take_out(bar, lost ? BAR_LOST : BAR_WAITING);
	mutex_unlock(&bar->lock);
	return true;
}

static const struct mmu_interval_notifier_ops bar_ops = {
	.invalidate = bar_invalidate,
};

static void leave_tenant(struct bar *bar)
{
	struct bar_tenant *tenant = bar->tenant;

	lockdep_assert_held(&bar->look_up);

	if (!tenant)
		return;
	mutex_lock(&bar->lock);
	bar->tenant = NULL;
	mutex_unlock(&bar->lock);
	bar_tenant_leave(tenant, bar->id);
}

/* The process is not being torn down */
static int join_tenant(struct bar *bar, const void *set)
{
	struct bar_tenant *tenant;
	u32 id;

	leave_tenant(bar);
	tenant = bar_tenant_join(set, bar->sub.mm, bar, &id);
	if (!tenant)
		return refuse(-ENOMEM, NO_MEMORY_FOR "a BAR");
	mutex_lock(&bar->lock);
	bar->tenant = tenant;
	bar->id = id;
	bar_tenant_mark(tenant, id, bar->state);
	mutex_unlock(&bar->lock);
	return 0;
}

/* The first lookup has found a BAR that is not known as one of @set yet */
static bool is_stranger(const struct bar *bar, const void *set)
{
	lockdep_assert_held(&bar->look_up);

	return set && !bar->place.file &&
	       (!bar->tenant || bar_tenant_set(bar->tenant) != set);
}

/* Sees to it that the bar follows what it has followed from the beginning */
static void set_place(struct bar *bar, const struct bar_place *place)
{
	lockdep_assert_held(&bar->lock);

	if (!bar->place.file)
		bar->place = *place;
	if (!place->file || bar->place.file != place->file ||
	    bar->place.pgoff != place->pgoff)
		set_state(bar, BAR_LOST);
}

/* What was read is void if the notifier was called meanwhile: -EAGAIN */
static int try_look_up(struct bar *bar, bool patient)
{
	struct bar_place place;
	unsigned long seq;
	struct runs runs;
	int rc;

	seq = mmu_interval_read_begin(&bar->sub);
	rc = bar_place_read(bar->sub.mm, bar->sub.interval_tree.start,
			    bar->nr_pages, bar->writable, patient, &place,
			    &runs);
	if (rc && rc != -ENXIO && rc != -EFAULT)
		return rc;

	if (is_stranger(bar, place.set)) {
		int joined = join_tenant(bar, place.set);

		/*
		 * Who restored it before it had joined could not find it. If it
		 * was away then, it may be back.
		 */
		if (joined || rc == -ENXIO) {
			if (!rc)
				runs_free(&runs);
			return joined ?: -EAGAIN;
		}
	}

	mutex_lock(&bar->lock);
	if (mmu_interval_read_retry(&bar->sub, seq)) {
		if (!rc)
			runs_free(&runs);
		rc = -EAGAIN;
		goto out_unlock;
	}
	set_place(bar, &place);

	if (rc)
		goto out_unlock;
	if (bar_tenant_ended(bar->tenant))
		set_state(bar, BAR_LOST);
	if (bar->state == BAR_WAITING)
		rc = put_in(bar, &runs);
	else
		rc = refuse(-EFAULT, MAPPING_GONE);
	if (rc)
		runs_free(&runs);
out_unlock:
	mutex_unlock(&bar->lock);
	return rc;
}

/*
 * Up to @tries times. Patience is for locks of the process. The page tables that this
 * takes are charged to the process, whoever looks: a work item would pay for none.
 */
static int look_up(struct bar *bar, bool patient, unsigned int tries)
{
	struct mem_cgroup *payer;
	struct mem_cgroup *former;
	int rc;

	lockdep_assert_held(&bar->look_up);

	if (READ_ONCE(bar->state) != BAR_WAITING)
		return 0;
	if (!mmget_not_zero(bar->sub.mm))
		return refuse(-EFAULT, PROCESS_ENDED);
	payer = get_mem_cgroup_from_mm(bar->sub.mm);
	former = set_active_memcg(payer);
	do {
		cond_resched();
		rc = fatal_signal_pending(current) ?
			refuse(-EINTR, KILLED) : try_look_up(bar, patient);
	} while (rc == -EAGAIN && --tries);
	set_active_memcg(former);
	mem_cgroup_put(payer);
	/* Tearing down another process is not for the caller */
	mmput_async(bar->sub.mm);
	return rc;
}

void bar_get(struct bar *bar)
{
	refcount_inc(&bar->refs);
}

void bar_put(struct bar *bar)
{
	if (!refcount_dec_and_test(&bar->refs))
		return;
	mutex_destroy(&bar->lock);
	mutex_destroy(&bar->look_up);
	kfree(bar);
}

/**
 * bar_look_again - Put a bar in place if it can be reached again
 * @bar: the bar
 * @tenant: nothing is done if it is another's by now
 * @patient: wait for locks of the process
 *
 * Return: false when that could not be found out for the moment.
 */
bool bar_look_again(struct bar *bar, const struct bar_tenant *tenant,
		    bool patient)
{
	int rc = 0;

	if (patient ? mutex_lock_killable(&bar->look_up) :
		      !mutex_trylock(&bar->look_up))
		return false;
	/* What it follows is for the first lookup to find, not for others */
	if (!bar->ended && bar->tenant == tenant && bar->place.file)
		rc = look_up(bar, patient, TRIES);
	mutex_unlock(&bar->look_up);
	return rc != -EAGAIN;
}

/**
 * bar_lose - Take a bar out for good
 * @bar: the bar; in no domain on return, and flushed
 * @tenant: nothing is done if it is another's by now
 */
void bar_lose(struct bar *bar, const struct bar_tenant *tenant)
{
	mutex_lock(&bar->lock);
	if (bar->tenant == tenant)
		take_out(bar, BAR_LOST);
	mutex_unlock(&bar->lock);
}

static void change_state(struct bar *bar, enum bar_state state)
{
	mutex_lock(&bar->lock);
	set_state(bar, state);
	mutex_unlock(&bar->lock);
}

static int insert(struct bar *bar, struct mm_struct *mm, unsigned long uaddr)
{
	return mmu_interval_notifier_insert(&bar->sub, mm, uaddr,
					    bar->nr_pages << PAGE_SHIFT,
					    &bar_ops);
}

struct insertion {
	struct work_struct work;
	struct bar *bar;
	struct mm_struct *mm;
	unsigned long uaddr;
	int rc;
};

static void insertion_work(struct work_struct *work)
{
	struct insertion *insertion = container_of(work, struct insertion, work);

	insertion->rc = insert(insertion->bar, insertion->mm, insertion->uaddr);
}

/*
 * The first notifier of a process locks all that is mapped there, and gives that up
 * for any signal, even one that only interrupts. Signals may come more often than
 * that takes, so to begin again is no way out: a work item has none.
 */
static int insert_in_peace(struct bar *bar, struct mm_struct *mm,
			   unsigned long uaddr)
{
	struct insertion insertion = {
		.bar = bar,
		.mm = mm,
		.uaddr = uaddr,
	};

	INIT_WORK_ONSTACK(&insertion.work, insertion_work);
	queue_work(system_unbound_wq, &insertion.work);
	flush_work(&insertion.work);
	destroy_work_on_stack(&insertion.work);
	return insertion.rc;
}

/* The notifier must find it waiting from its first call on */
static int watch(struct bar *bar, struct mm_struct *mm, unsigned long uaddr)
{
	int rc;

	if (!mmget_not_zero(mm))
		return refuse(-EFAULT, PROCESS_ENDED);
	change_state(bar, BAR_WAITING);
	rc = insert(bar, mm, uaddr);
	if (rc == -EINTR && !fatal_signal_pending(current))
		rc = insert_in_peace(bar, mm, uaddr);
	if (rc)
		iommufd_refuse(rc, "the addresses of the BAR cannot be watched: error %d",
			       rc);
	mmput_async(mm);
	bar->ended = rc;
	if (rc)
		change_state(bar, BAR_LOST);
	return rc;
}

/* Out of all domains for good, and then blind to what happens at the addresses */
static void unwatch(struct bar *bar)
{
	lockdep_assert_held(&bar->look_up);

	mutex_lock(&bar->lock);
	take_out(bar, BAR_LOST);
	mutex_unlock(&bar->lock);
	leave_tenant(bar);
	if (bar->ended)
		return;
	mmu_interval_notifier_remove(&bar->sub);
	bar->ended = true;
}

/**
 * bar_create - Take what cannot be pinned for a BAR
 * @pages: memory of a process, with its lock held and nothing of it pinned
 *
 * Return: 0 with bar set, whether or not the BAR can be reached at present;
 * -EFAULT when the memory is no BAR; -EINTR; -ENOMEM.
 */
int bar_create(struct pages *pages)
{
	struct bar *bar;
	int rc;

	lockdep_assert_held(&pages->lock);

	bar = kzalloc(sizeof(*bar), GFP_KERNEL_ACCOUNT);
	if (!bar)
		return refuse(-ENOMEM, NO_MEMORY_FOR "a BAR");
	refcount_set(&bar->refs, 1);
	bar->nr_pages = pages->nr_pages;
	bar->writable = pages->writable;
	mutex_init(&bar->look_up);
	mutex_init(&bar->lock);
	runs_init(&bar->runs);
	INIT_LIST_HEAD(&bar->views);
	bar->state = BAR_LOST;
	rc = watch(bar, pages->owner->who.mm, pages->base);
	if (rc) {
		kfree(bar);
		return rc;
	}
	pages->is_bar = true;
	pages->bar = bar;

	mutex_lock(&bar->look_up);
	rc = look_up(bar, true, UINT_MAX);
	mutex_unlock(&bar->look_up);
	if (rc == -ENXIO)
		return 0;
	/* The mapping may be gone already */
	if (!rc && READ_ONCE(bar->state) == BAR_LOST)
		rc = refuse(-EFAULT, MAPPING_GONE);
	if (rc)
		bar_destroy(pages);
	return rc;
}

/**
 * bar_move - Follow the same BAR at another address of perhaps another process
 * @pages: with its lock held
 * @uaddr: user address in the calling process of its first page
 *
 * Return: 0; -ENOMEM with the bar lost. It is also lost, without an error, if
 * something else is mapped there.
 */
int bar_move(struct pages *pages, unsigned long uaddr)
{
	struct bar *bar = pages->bar;
	int rc;

	lockdep_assert_held(&pages->lock);

	mutex_lock(&bar->look_up);
	unwatch(bar);
	rc = watch(bar, current->mm, uaddr);
	if (rc)
		goto out_unlock;
	rc = join_tenant(bar, bar->place.set);
	if (rc)
		unwatch(bar);
	else
		look_up(bar, true, UINT_MAX);
out_unlock:
	mutex_unlock(&bar->look_up);
	return rc;
}

/**
 * bar_destroy - Undo bar_create()
 * @pages: with its lock held; in no domain
 */
void bar_destroy(struct pages *pages)
{
	struct bar *bar = pages->bar;

	lockdep_assert_held(&pages->lock);

	mutex_lock(&bar->look_up);
	unwatch(bar);
	WARN_ON(!list_empty(&bar->views));
	mutex_unlock(&bar->look_up);
	pages->is_bar = false;
	runs_init(&pages->runs);
	bar_put(bar);
}

/**
 * bar_show - Show a bar to a domain
 * @bar: the bar
 * @domain: the domain
 * @iova: first IOVA
 * @offset: bytes from the bar's start
 * @length: bytes
 * @prot: IOMMU_READ and so on
 * @huge: entries may be larger than a page
 *
 * From here on until bar_hide() the domain translates whenever the BAR is there.
 *
 * Return: 0; -ENOMEM; the IOMMU driver's error.
 */
int bar_show(struct bar *bar, struct iommu_domain *domain, unsigned long iova,
	     unsigned long offset, unsigned long length, int prot, bool huge)
{
	struct bar_view *view = kmalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	int rc = 0;

	if (!view)
		return refuse(-ENOMEM, NO_MEMORY_FOR "a BAR");
	*view = (struct bar_view){
		.domain = domain,
		.iova = iova,
		.offset = offset,
		.length = length,
		.prot = (prot & ~IOMMU_CACHE) | IOMMU_MMIO,
		.huge = huge,
	};

	mutex_lock(&bar->lock);
	if (bar->state == BAR_IN_PLACE)
		rc = view_map(bar, view);
	if (!rc)
		list_add(&view->link, &bar->views);
	mutex_unlock(&bar->lock);
	if (rc)
		kfree(view);
	return rc;
}

/**
 * bar_hide - Undo bar_show()
 * @bar: the bar
 * @domain: the domain; flushed on return
 * @iova: first IOVA
 */
void bar_hide(struct bar *bar, struct iommu_domain *domain, unsigned long iova)
{
	struct bar_view *view;

	mutex_lock(&bar->lock);
	list_for_each_entry(view, &bar->views, link)
		if (view->domain == domain && view->iova == iova)
			break;
	if (!WARN_ON(list_entry_is_head(view, &bar->views, link))) {
		list_del(&view->link);
		if (bar->state == BAR_IN_PLACE)
			view_unmap(view);
		kfree(view);
	}
	mutex_unlock(&bar->lock);
}
