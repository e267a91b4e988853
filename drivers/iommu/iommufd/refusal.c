// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a call was refused.
 *
 * A reason is found deep inside, where nobody knows of files, and is wanted at the end
 * of the ioctl. On its way it stays in a small table, by the task. The table does not
 * grow: when more tasks than it has places are being refused something at one moment, the
 * oldest reason is lost and its ioctl says so. A reason of a call that succeeded after
 * all, or of a call within the kernel, stays until the task leaves another, and is taken
 * for nobody else's: a task is known by its start, too.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommufd_refusal.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "trace.h"

#define PLACES 64

/**
 * struct reason - A reason on its way
 * @task: whose; only compared. NULL for a free place
 * @start: when the task began
 * @turn: when it was left
 * @error: the errno that it is for
 * @line: the text
 */
struct reason {
	const struct task_struct *task;
	u64 start;
	u64 turn;
	int error;
	char line[IOMMUFD_REFUSAL_LINE];
};

/* Guards what follows, and each struct iommufd_refusal. Innermost of all locks */
static DEFINE_SPINLOCK(reasons_lock);
static struct reason reasons[PLACES];
static u64 turns;

static bool is_mine(const struct reason *reason)
{
	return reason->task == current && reason->start == current->start_time;
}

static struct reason *find_mine(void)
{
	unsigned int i;

	lockdep_assert_held(&reasons_lock);

	for (i = 0; i < PLACES; i++)
		if (is_mine(&reasons[i]))
			return &reasons[i];
	return NULL;
}

static struct reason *find_oldest(void)
{
	struct reason *oldest = &reasons[0];
	unsigned int i;

	lockdep_assert_held(&reasons_lock);

	for (i = 1; i < PLACES; i++)
		if (reasons[i].turn < oldest->turn)
			oldest = &reasons[i];
	return oldest;
}

static void release(struct reason *reason)
{
	lockdep_assert_held(&reasons_lock);

	reason->task = NULL;
	reason->turn = 0;
}

void iommufd_refuse(int error, const char *format, ...)
{
	char line[IOMMUFD_REFUSAL_LINE];
	struct reason *reason;
	va_list args;
	char *c;

	va_start(args, format);
	vscnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One line, whatever a device or a driver is called */
	for (c = line; *c; c++)
		if (!isascii(*c) || !isprint(*c))
			*c = '?';

	spin_lock(&reasons_lock);
	reason = find_mine() ?: find_oldest();
	reason->task = current;
	reason->start = current->start_time;
	reason->turn = ++turns;
	reason->error = error;
	strscpy(reason->line, line, sizeof(reason->line));
	spin_unlock(&reasons_lock);
}
EXPORT_SYMBOL_GPL(iommufd_refuse);

void iommufd_refuse_as(int error)
{
	struct reason *reason;

	spin_lock(&reasons_lock);
	reason = find_mine();
	if (reason)
		reason->error = error;
	spin_unlock(&reasons_lock);
}
EXPORT_SYMBOL_GPL(iommufd_refuse_as);

void iommufd_refusal_forget(void)
{
	struct reason *reason;

	spin_lock(&reasons_lock);
	reason = find_mine();
	if (reason)
		release(reason);
	spin_unlock(&reasons_lock);
}
EXPORT_SYMBOL_GPL(iommufd_refusal_forget);

/* Move the calling task's reason to @line */
static void take(char *line, size_t size, int error)
{
	struct reason *reason;

	lockdep_assert_held(&reasons_lock);

	reason = find_mine();
	if (reason && reason->error == error)
		strscpy(line, reason->line, size);
	else
		strscpy(line, "unexplained", size);
	if (reason)
		release(reason);
}

const char *iommufd_call_name(const struct iommufd_call *calls, unsigned int nr,
			      unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (calls[i].cmd == cmd)
			return calls[i].name;
	return NULL;
}
EXPORT_SYMBOL_GPL(iommufd_call_name);

void iommufd_refusal_keep(struct iommufd_refusal *refusal, const char *call,
			  unsigned int cmd, int error)
{
	char line[IOMMUFD_REFUSAL_LINE];

	spin_lock(&reasons_lock);
	take(line, sizeof(line), error);
	if (refusal) {
		refusal->nr++;
		refusal->call = call;
		refusal->cmd = cmd;
		refusal->error = error;
		strscpy(refusal->reason, line, sizeof(refusal->reason));
	}
	spin_unlock(&reasons_lock);
	trace_iommufd_refusal(call, cmd, error, line);
}
EXPORT_SYMBOL_GPL(iommufd_refusal_keep);

int iommufd_open_refused(int error)
{
	iommufd_refusal_keep(NULL, "open", 0, error);
	return error;
}
EXPORT_SYMBOL_GPL(iommufd_open_refused);

void iommufd_refusal_show(struct seq_file *seq, struct iommufd_refusal *refusal)
{
	spin_lock(&reasons_lock);
	seq_printf(seq, "refusal:\t%lu", refusal->nr);
	if (!refusal->nr)
		goto out_unlock;
	if (refusal->call)
		seq_printf(seq, " call %s", refusal->call);
	else
		seq_printf(seq, " call 0x%x", refusal->cmd);
	seq_printf(seq, " error %pe reason %s", ERR_PTR(refusal->error),
		   refusal->reason);
out_unlock:
	spin_unlock(&reasons_lock);
	seq_putc(seq, '\n');
}
EXPORT_SYMBOL_GPL(iommufd_refusal_show);
